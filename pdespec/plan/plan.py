"""How each solve is computed: a realisation, its ingredients, and why they were chosen.

A plan is a list of solves, each one of a few realisations.  Those of fields (`features`, `collocation`, `ritz`) share
residuals at points; those of flows (`particles`, `grid`) step a state in time.  Plans hold terms and numbers, no code.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Function, S, Symbol

from pdespec.derive.derivation import Derivation, Flow, Residual
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Call, Report, Solve
from pdespec.model.sets import Set
from pdespec.model.vectors import Component

Orders = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PointSet:
    """`count` points of a region; of `kind` "interior", "boundary" (with normals) or "integral" (with weights).

    Conditions whose point sets are equal, `label` included, hold at the same points.
    """

    label: str
    region: Set
    kind: str
    count: int
    sampler: str = "sobol"


@dataclass(frozen=True, slots=True)
class Laplacian:
    """Σ ∂ᵢ² over the scalar coordinates at the places `over`."""

    over: tuple[int, ...]


Derivative = Orders | Laplacian


@dataclass(frozen=True, slots=True)
class Channel:
    """A scalar function of the point: a derivative of a component of a field, by orders over the scalar coordinates or
    as a Laplacian."""

    field: Field
    component: int | None
    orders: Derivative

    @property
    def order(self) -> int:
        """The order of differentiation."""
        return 2 if isinstance(self.orders, Laplacian) else sum(self.orders)

    def of(self, point: tuple[Expr, ...]) -> Expr:
        """The channel as a term; a Laplacian, which no term has for itself, as a symbol."""
        if isinstance(self.orders, Laplacian):
            return Symbol(f"Δ{self.field.name}[{self.component}]{self.orders.over}", real=True)
        v = FieldValue(self.field, self.orders if any(self.orders) else (), *point)
        return v if self.component is None else Component(v, self.component)


@dataclass(frozen=True, slots=True)
class Condition:
    """An equation of a solve at its points: scalar residuals over coordinates and channels, and its weight in the loss.

    `coordinates` are all scalar coordinates of the unknowns' domain, in the order of a point's columns.  Where the
    points are those of an integral, its value is to be `total`.
    """

    residual: Residual
    points: PointSet
    coordinates: tuple[Expr, ...]
    components: tuple[Expr, ...]
    channels: tuple[Channel, ...]
    weight: float
    total: Expr = S.Zero

    @property
    def label(self) -> str:
        return self.residual.label


@dataclass(frozen=True, slots=True)
class Mlp:
    """A fully connected network: `depth` hidden layers of `width`, activation "tanh", "sin" or "gelu"."""

    width: int
    depth: int
    activation: str = "tanh"


@dataclass(frozen=True, slots=True)
class Module:
    """Any other network, by the code that builds it, an `nn.Module` from features (n, d) to outputs (n, m).

    The text may use the name `generator`, a `torch.Generator`.
    """

    constructor: str


class Sigmoid(Function):  # type: ignore[misc]
    """σ(x) = 1/(1 + e⁻ˣ), with σ′ = σ (1 − σ)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return self * (1 - self)


def network_output(k: int | None = 0) -> Symbol:
    """The k-th output of the network, in a form; None: the whole network, for a form of one output."""
    return Symbol("N" if k is None else f"N[{k}]", real=True)


@dataclass(frozen=True, slots=True)
class Network:
    """How one unknown is represented: `form` has a scalar expression in coordinates and outputs of `net` per component.

    `channels` are all derivatives that the residuals use, the value first.
    """

    field: Field
    coordinates: tuple[Expr, ...]
    net: Mlp | Module
    form: tuple[Expr, ...]
    channels: tuple[Derivative, ...]
    features: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Descent:
    """One link of an optimisation chain: an iteration, its steps, and what it reads of rate, damping and momentum."""

    name: str
    steps: int
    rate: float = 1.0
    damping: float = 0.0
    momentum: float = 0.0


@dataclass(frozen=True, slots=True)
class Features:
    """One least-squares solve for the coefficients of random features; Gauss–Newton steps where it is not linear."""

    solve: Solve
    fields: tuple[Field, ...]
    coordinates: tuple[Expr, ...]
    conditions: tuple[Condition, ...]
    constraints: tuple[Condition, ...]
    count: int
    linear: bool
    periodic: tuple[bool, ...]
    region: Set
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collocation:
    """Mean squared residuals at points, minimised over networks; conditions met by construction are in `built_in`.

    After `renewal` steps, unless it is 0, points are drawn anew by the residual.
    """

    solve: Solve
    fields: tuple[Field, ...]
    networks: tuple[Network, ...]
    conditions: tuple[Condition, ...]
    built_in: tuple[str, ...]
    iterations: tuple[Descent, ...]
    why: tuple[str, ...] = ()
    box: tuple[tuple[float, float], ...] | None = None
    renewal: int = 0


@dataclass(frozen=True, slots=True)
class Ritz:
    """A functional of networks, minimised; equality constraints by penalty unless built in.

    Integrals are by quadrature, or by Monte Carlo with fresh points in every step (`sampled`).
    """

    solve: Solve
    fields: tuple[Field, ...]
    networks: tuple[Network, ...]
    objective: Expr
    sign: int
    points: int
    conditions: tuple[Condition, ...]
    constraints: tuple[tuple[str, Expr], ...]
    built_in: tuple[str, ...]
    iterations: tuple[Descent, ...]
    why: tuple[str, ...] = ()
    box: tuple[tuple[float, float], ...] | None = None
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Particles:
    """n particles of a density: dx = b dt + √(2c) dW, weights by the growth s."""

    solve: Solve
    flow: Flow
    start: Residual
    count: int
    method: Call
    integrator: str
    dt: float
    end: float
    begin: float
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """A density by finite volumes, or a periodic field by a spectral semi-implicit scheme (`scheme`), on uniform
    cells."""

    solve: Solve
    flow: Flow
    start: Residual
    scheme: str
    box: tuple[tuple[Expr, Expr], ...] | None
    cells: tuple[int, ...]
    dt: float
    begin: float
    end: float
    why: tuple[str, ...] = ()


Realisation = Features | Collocation | Ritz | Particles | Grid


@dataclass(frozen=True, slots=True)
class Plan:
    """All solves in file order, and what is reported."""

    derivation: Derivation
    solves: tuple[Realisation, ...]
    reports: tuple[Report, ...]

    def solve(self, label: str) -> Realisation:
        return next(s for s in self.solves if s.solve.label == label)
