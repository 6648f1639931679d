"""How terms of a flow are read as tensors: p by its particles, or by its values in cells.

∫ g p dφ is a mean over particles (weighted where they carry weights), and Σ g p·volume over cells; 𝔼[x ~ gauss] is an
exact Gauss–Hermite rule where the integrand is a polynomial.  Points keep the name of their coordinate: `theta` (n, d).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Abs, Add, Expr, Heaviside, Max, Min, Mul, Piecewise, Poly, PolynomialError, Symbol, Tuple, sign

from pdespec.derive.components import expand as in_coordinates
from pdespec.derive.components import flatten
from pdespec.emit.arrays import Array, Points, Scope, without_factor
from pdespec.emit.axes import scalar
from pdespec.emit.expression import Printer
from pdespec.emit.parts import Script
from pdespec.emit.regions import number
from pdespec.model.bindings import Defined, Expect, Integrate
from pdespec.model.fields import Field, FieldValue
from pdespec.model.refusal import refuse
from pdespec.model.substitution import substitute, unfold
from pdespec.model.terms import Term, Variable, VectorVariable, flat, shape, variable
from pdespec.model.vectors import Vec
from pdespec.plan.plan import Grid

DENSE = 4096
"""Cells up to which ∫ K(x − y) p(y) dy is a sum over all pairs; beyond, and for K of a difference, it is a
convolution."""
NODES = 12
"""Gauss–Hermite nodes per axis for an integrand that is no polynomial."""
KINKED = (Abs, sign, Heaviside, Max, Min, Piecewise)
CELLS = {1: 4000, 2: 400}
"""Cells along an axis for the expectation of an integrand with kinks."""


ADVANCE = "state: dict[str, Tensor], t: float, dt: float, random: torch.Generator"
"""The parameters of a step of any flow."""


def corners(plan: Grid) -> str:
    """The points at which a spectral field is known."""
    return f"grid.points({(0.0,) * len(plan.cells)})"


@dataclass(slots=True)
class Laws:
    """The rules of the laws that expectations run over: name of the nodes, name of the weights, code of the rule."""

    script: Script
    rules: dict[tuple[Variable, str], tuple[str, str, str]] = field(default_factory=dict)
    convolutions: dict[Expr, tuple[str, str]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """What functions of the flow take beside the density: nodes, weights, convolutions."""
        return [*(n for rule in self.rules.values() for n in rule[:2]), *(n for n, _ in self.convolutions.values())]

    def arguments(self) -> str:
        """The same as parameters with their types, after others."""
        tensors = "".join(f", {n}: Tensor, {w}: Tensor" for n, w, _ in self.rules.values())
        return tensors + "".join(f", {n}: Callable[[Tensor], Tensor]" for n, _ in self.convolutions.values())

    def lines(self) -> list[str]:
        """The lines that prepare them."""
        rules = [f"{n}, {w} = placed({code}, config)" for n, w, code in self.rules.values()]
        return rules + [f"{n} = {code}" for n, code in self.convolutions.values()]

    def convolution(self, kernel: Expr, offset: Variable) -> str:
        """The name of p ↦ ∫ K(x − y) p(y) dy; `kernel` is K as a function of the offset."""
        if kernel not in self.convolutions:
            columns = offset.components() if isinstance(offset, VectorVariable) else (offset,)
            texts = {c: f"z[..., {k}]" for k, c in enumerate(columns)}
            constants = self.script.constants(kernel)
            body = Printer({**texts, **constants}, set(texts.values()))(in_coordinates(kernel))
            name = "attraction" if not self.convolutions else f"attraction_{len(self.convolutions) + 1}"
            self.convolutions[kernel] = (name, f"convolution(lambda z: {body}, grid)")
        return self.convolutions[kernel][0]

    def nodes(self, term: Expect) -> tuple[str, str]:
        """Names of nodes and weights for an expectation."""
        code = law_rule(term, self.script)
        (over,) = term.variables
        if (over, code) not in self.rules:
            hint = self.script.names.name(over.name.rstrip("'")) + "_nodes"
            name = self.script.names.inner().fresh(hint)
            while any(name == taken for taken, *_ in self.rules.values()):
                name += "_"
            self.rules[over, code] = (name, f"{name}_weights", code)
        return self.rules[over, code][:2]


def law_rule(term: Expect, script: Script) -> str:
    """The call of a rule for an expectation: exact where the integrand is a polynomial."""
    if term.law.family != "gauss":
        refuse("PDE945", None, f"𝔼 over the law `{term.law.family}` is not supported yet", hint="gauss is")
    d = len(flat(term.variables))
    kinked = term.body.has(*KINKED)
    if kinked and d not in CELLS:
        what = f"𝔼 in dimension {d} of an integrand with kinks"
        refuse("PDE945", None, f"{what} is not supported yet", hint="up to dimension 2 it is")
    rule = f"cut_law_rule({CELLS[d]}" if kinked else f"gauss_law_rule({degree(term) // 2 + 1}"
    mean, covariance = (
        code(q, d, script) for code, q in zip((law_code, covariance_code), term.law.parameters, strict=True)
    )
    return f"{rule}, {mean}, {covariance})"


def node_points(variable_: Variable, nodes: str, axis: str, weights: str) -> Points:
    """Nodes (n, d) as points of a variable: a column where it is a number."""
    return Points(nodes if isinstance(variable_, VectorVariable) else f"{nodes}[:, 0]", axis, weights)


def degree(term: Expect) -> int:
    """The degree of the integrand in each coordinate where it is a polynomial, else what NODES nodes integrate."""
    symbols = flat(term.variables)
    try:
        return max(int(Poly(_frozen(c), *symbols).total_degree()) for c in flatten(in_coordinates(term.body)))
    except PolynomialError:
        return 2 * NODES - 2


def _frozen(expr: Expr) -> Expr:
    """Integrals as constants times what they depend on: their degree is that of their integrand."""
    if isinstance(expr, (Integrate, Expect)):
        return _frozen(expr.body)
    if isinstance(expr, FieldValue):
        return Symbol("p")
    return expr.func(*map(_frozen, expr.args)) if expr.args and not isinstance(expr, Term) else expr


def law_code(mean: Expr, d: int, script: Script) -> str:
    """The mean of a law as a tensor (d,)."""
    entries = mean.args if isinstance(mean, (Vec, Tuple)) else (mean,) * d
    return f"torch.tensor([{', '.join(number(e, script) for e in entries)}], dtype=dtype)"


def covariance_code(covariance: Expr, d: int, script: Script) -> str:
    """The covariance of a law as a tensor (d, d)."""
    if isinstance(covariance, (Vec, Tuple)):
        rows = ", ".join("[" + ", ".join(number(e, script) for e in row.args) + "]" for row in covariance.args)
        return f"torch.tensor([{rows}], dtype=dtype)"
    scale = number(covariance, script)
    eye = f"torch.eye({d}, dtype=dtype)"
    return eye if scale == "1.0" else f"{scale} * {eye}"


@dataclass(frozen=True, slots=True)
class Representation:
    """p as an array: the name of its points (or of the cells' centres, by coordinate), of its values, and of a cell's
    volume.

    `values` is "" for particles; `log_values` is the code of ln p at the particles where an estimator gives it.
    """

    field: Field
    points: tuple[str, ...]
    values: str = ""
    volume: str = ""
    weights: str = ""
    log_values: str = ""
    time: Expr | None = None
    cells: int = 0

    def holds(self, value: FieldValue) -> bool:
        """Whether a field value is p, at the time that this array stands for."""
        same = value.field.name == self.field.name
        return same and (self.time is None or value.point[-1] == self.time)


def scope_for(p: Representation, here: dict[Variable, Points], script: Script, laws: Laws, *terms: Expr) -> Scope:
    """The scope in which terms of the flow are printed; `here` holds the points of the current variables."""
    constants = script.constants(*terms)

    def leaf(term: Expr, scope: Scope) -> Array | None:
        if isinstance(term, Integrate) and p.values and p.cells > DENSE:
            return convolved(term, p, scope, laws)
        if isinstance(term, FieldValue) and p.holds(term):
            places = [scope.points[a] for a in term.point if a in scope.points]
            if not places:
                refuse("PDE948", None, f"the value of `{p.field.name}` at a fixed point is not supported yet")
            return particle_value(p, places[0]) if not p.values else Array(p.values, (places[0].axis,))
        return None

    def measure(term: Integrate | Expect, scope: Scope) -> tuple[dict[Variable, Points], Expr]:
        first, *rest = term.variables
        axis = f"axis{len(scope.points)}"
        if isinstance(term, Expect):
            nodes, weights = laws.nodes(term)
            return {first: node_points(first, nodes, axis, weights)}, term.body
        if p.values:
            value = next((v for v in term.body.atoms(FieldValue) if p.holds(v) and first in v.point), None)
            group, left = copy_of(term, value, len(p.points))
            cells = zip(group, p.points, strict=True)
            return {v: Points(name, axis, p.volume, uniform=True) for v, name in cells}, left
        body = Integrate(term.body, tuple(rest), term.args[2]) if rest else term.body
        return _particle_measure(term, first, body, axis)

    def _particle_measure(
        term: Integrate, first: Variable, body: Expr, axis: str
    ) -> tuple[dict[Variable, Points], Expr]:
        values = [v for v in term.body.atoms(FieldValue) if p.holds(v) and first in v.point]
        inner = term.body
        for v in values[:1]:
            rest = tuple(term.variables[1:])
            quotient = without_factor(inner, v)
            if quotient is not None:
                left = Integrate(quotient, rest, term.args[2]) if rest else quotient
                return {first: Points(p.points[0], axis, p.weights)}, left
        refuse("PDE949", None, f"`{term}` is no mean over particles", hint="use grid for it")

    known = {form: d for t in terms for d in t.atoms(Defined) if len(d.arguments) == 2 and not shape(d)
             for form in (unfold(d), *flatten(in_coordinates(unfold(d))))}  # fmt: skip
    return Scope(here, leaf, measure, constants, script.function, known)


def copy_of(term: Integrate, value: FieldValue | None, count: int) -> tuple[tuple[Variable, ...], Expr]:
    """The `count` variables of an integral that make one point of the field, and the integral over the others.

    They stand in the order of the field's slots, whatever the order of the measure: dy dx is dx dy.
    """
    slots = value.point if value is not None else term.variables[:count]
    group = tuple(v for v in slots if v in term.variables)
    if len(group) != count:
        refuse(
            "PDE909", None, f"`{term}` runs over some of the coordinates of a grid", hint="integrate over all of them"
        )
    rest = tuple(v for v in term.variables if v not in group)
    return group, Integrate(term.body, rest, term.args[2]) if rest else term.body


def convolved(term: Integrate, p: Representation, scope: Scope, laws: Laws) -> Array | None:
    """∫ K(x − y) p(y) dy over the cells as a convolution; None for any other integral."""
    if len(term.variables) != 1:
        if scope.depends(term):
            message = f"`{term}` over {p.cells} cells makes too many pairs"
            refuse("PDE954", None, message, hint="use fewer cells, or one vector coordinate, X(x) = R^2")
        return None
    (y,) = term.variables
    value = next((v for v in term.body.atoms(FieldValue) if p.holds(v) and y in v.point), None)
    kernel = None if value is None else without_factor(term.body, value)
    if kernel is not None and (apart := _apart(kernel, y, scope)):
        return scalar(Mul(*apart, term.func(_divided(kernel, apart) * value, *term.args[1:])), scope)
    outer = [x for x in scope.points if kernel is not None and x != y and x in kernel.free_symbols]
    if kernel is None or len(outer) != 1 or kernel.has(FieldValue):
        return None
    x, shift = outer[0], variable("shift", len(flat((y,))))
    moved = substitute(kernel, {x: x + shift, y: y + shift})
    same = flatten(in_coordinates(moved - kernel))
    if any(c.expand() != 0 for c in same):
        refuse(
            "PDE954",
            None,
            f"the kernel of `{term}` is no function of a difference, and {p.cells} cells make too many pairs",
            hint="use fewer cells",
        )
    name = laws.convolution(substitute(kernel, {x: shift + y}), shift)
    return Array(f"{name}({p.values}.reshape(grid.cells)).flatten()", (scope.points[x].axis,))


def _apart(kernel: Expr, y: Variable, scope: Scope) -> list[Expr]:
    """The factors that all summands of a kernel share and that vary along the outer axes alone: p(x) in an energy."""
    first, *others = (Mul.make_args(summand) for summand in Add.make_args(kernel))
    shared = [f for f in first if all(f in factors for factors in others)]
    return [f for f in shared if scope.depends(f) and y not in f.free_symbols]


def _divided(kernel: Expr, factors: list[Expr]) -> Expr:
    """A kernel without factors that all its summands share."""
    return Add(*(Mul(*(f for f in Mul.make_args(s) if f not in factors)) for s in Add.make_args(kernel)))


def particle_value(p: Representation, place: Points) -> Array:
    """The density at the particles, by an estimator."""
    if not p.log_values:
        refuse(
            "PDE524",
            None,
            f"the value of `{p.field.name}` at its particles needs an estimator",
            hint="add density=knn(10) to `using`",
        )
    return Array(f"torch.exp({p.log_values})", (place.axis,))


def along(velocity: Expr, here: Variable) -> Expr:
    """A velocity as a vector, or as a scalar where the particles have one coordinate."""
    if isinstance(here, VectorVariable) or not shape(velocity):
        return velocity
    (component,) = in_coordinates(velocity)
    return component


def space(f: Field) -> tuple[Variable, ...]:
    """The variables of the space slots of a density."""
    return tuple(variable(n, d) for n, d in zip(f.slots[:-1], f.dimensions[:-1], strict=True))
