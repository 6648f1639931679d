"""What follows from a model, with every step and the rule that gave it.

Terms here hold no `Variation`, `MetricGradient` or `Exact` any more.  Residuals also come in scalar coordinates
(`components`): symbols and partial derivatives of fields, the form in which they are planned and emitted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr

from pdespec.model.bindings import Law
from pdespec.model.fields import Field
from pdespec.model.model import Check, Equation, Model, Report
from pdespec.source import Span


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation: the term reached, and the rule (with its place, if it is written in a spec).

    Only here a term may still hold δE/δu by name.
    """

    term: Expr | str
    rule: str
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Residual:
    """lhs − rhs of an equation.

    `role` is "interior", "boundary", "initial", "terminal", or "constraint" for an equation between numbers.
    `components` are its scalar components with the point in scalar coordinates (`x[1]`, `x[2]` for a vector x) and
    derivatives as `FieldValue`s with orders; `n[1]` … are the normal's.  `linear` says that it is affine in all
    unknowns together.
    """

    equation: Equation
    role: str
    term: Expr
    components: tuple[Expr, ...]
    fields: tuple[Field, ...]
    linear: bool
    steps: tuple[Step, ...] = ()

    @property
    def label(self) -> str:
        return self.equation.label


@dataclass(frozen=True, slots=True)
class Flow:
    """∂t p = −grad(E, p; M), or any equation first order in time, read as a transport of p.

    With `potential` Φ and `velocity` b (= −∇Φ where there is a potential), `diffusion` c, `pressure` P and `growth` s:
    ∂t p = −∇·(p b) + c Δp + ΔP(p) + p s.  Particles: dx = b dt + √(2c) dW, d(log weight) = s dt.  A term that is absent
    is zero (`pressure`, `potential`: None).  For a field (no density) only `right` is given.  `mobility` is m where
    mass moves down the slope of δE/δp, −𝕂φ = ∇·(m(p) ∇φ) + p s: p in W2.
    """

    equation: Equation
    field: Field
    right: Expr
    energy: Expr | None
    energy_name: str
    metric: str
    variation: Expr | None
    conservative: bool
    velocity: Expr | None
    potential: Expr | None
    diffusion: Expr
    pressure: Expr | None
    growth: Expr
    dissipation: Expr | None
    stationary: Law | None
    steps: tuple[Step, ...] = ()
    mobility: Expr | None = None

    @property
    def label(self) -> str:
        return self.equation.label


@dataclass(frozen=True, slots=True)
class NaturalCondition:
    """What the first variation demands on a free boundary: `term` = 0 on `region`."""

    term: Expr
    region: object


@dataclass(frozen=True, slots=True)
class Objective:
    """An optimum of a solve: the functional, its first variation by each unknown, and natural boundary conditions."""

    solve: str
    term: Expr
    kind: str
    variations: tuple[tuple[Field, Expr], ...]
    natural: tuple[NaturalCondition, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """The outcome of a check.

    `verdict` is "proved" (the normal form of the difference is zero), "refuted" (`residual` and a `witness` point where
    its value, to 50 digits, is not zero) or "undecided" (it vanishes at `points` random points to `digits` digits).
    `factor` is the nowhere vanishing ratio of two equal equations.
    """

    check: Check
    verdict: str
    residual: Expr | None = None
    witness: tuple[tuple[str, str], ...] = ()
    value: str = ""
    points: int = 0
    digits: int = 0
    factor: Expr | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Derivation:
    """Everything derived from a model, in the order of its statements."""

    model: Model
    residuals: tuple[Residual, ...] = ()
    flows: tuple[Flow, ...] = ()
    objectives: tuple[Objective, ...] = ()
    identities: tuple[Identity, ...] = ()
    exact: tuple[tuple[Field, Expr], ...] = ()
    reports: tuple[Report, ...] = ()

    def residual(self, label: str) -> Residual:
        return next(r for r in self.residuals if r.label == label)

    def flow(self, label: str) -> Flow | None:
        return next((f for f in self.flows if f.label == label), None)
