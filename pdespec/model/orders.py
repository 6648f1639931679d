"""Orders of derivatives, principal coefficients, and what kind of condition an equation is.

The order of a field in a term counts ∂ by one kind of coordinate on the way down to it.  For an equation of the form
c_t ∂ₜᵐu + c Lᵏu + lower order = 0, with Lᵏ of order 2k in space, the growth rate of a wave of frequency ξ is
λᵐ = −(c/c_t)(−1)ᵏ|ξ|²ᵏ: the sign of c(−1)ᵏ/c_t decides in which direction of time the equation can be solved.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Mul, S

from pdespec.model.bindings import Integrate, Law
from pdespec.model.fields import Field, FieldValue, MetricGradient, Variation
from pdespec.model.magnitude import nonnegative, params_put_in
from pdespec.model.model import Equation
from pdespec.model.scope import Env, Scope, base
from pdespec.model.sets import Finite, Point, Product, Set, on_boundary, plain
from pdespec.model.terms import Variable, VectorVariable
from pdespec.model.vectors import Div, Dot, Grad, Hess, Lap, Partial, VectorOperator


def difference(equation: Equation) -> Expr:
    """lhs − rhs; a law on the right is left out."""
    return equation.lhs if isinstance(equation.rhs, Law) else equation.lhs - equation.rhs


def fields_of(equation: Equation) -> set[Field]:
    """The unknowns in an equation that are not results of solves."""
    sides = [equation.lhs] if isinstance(equation.rhs, Law) else [equation.lhs, equation.rhs]
    return {v.field for side in sides for v in side.atoms(FieldValue) if not v.field.solve}


def order(term: Expr, field: Field, by: frozenset[Variable]) -> int:
    """The highest order of derivatives of a field by some variables; -1 where it does not occur at all."""
    if isinstance(term, FieldValue):
        return 0 if term.field == field else -1
    if isinstance(term, MetricGradient):
        return order(term.body, field, by)
    if isinstance(term, Variation):
        return 0 if term.field == field else -1
    if not term.args or not term.has(field):
        return -1
    inner = max((order(a, field, by) for a in term.args if isinstance(a, Expr)), default=-1)
    if inner < 0 or isinstance(term, Integrate):
        return min(inner, 0)
    if isinstance(term, Partial):
        return inner + sum(v in by for v in term.variables)
    if isinstance(term, VectorOperator) and set(term.variables) & by:
        return inner + (2 if isinstance(term, (Lap, Hess)) else 1)
    return inner


@dataclass(frozen=True, slots=True)
class Kind:
    """What an equation of a solve is: "interior", "boundary", "time", "pin" or "constraint".

    `time` is the point in time of a condition there; `space` is the factor of the region that is not time.
    """

    name: str
    time: Expr | None
    space: Set | None


def kind_of(equation: Equation, scope: Scope) -> Kind:
    """The kind of an equation, from its region."""
    if not equation.coordinates:
        return Kind("constraint", None, None)
    time: Expr | None = None
    space: list[Set] = []
    name = "interior"
    for factor, coordinate in zip(*_aligned(equation), strict=False):
        inner = plain(factor)
        if scope.coordinates[scope.coordinate_of(coordinate)].time:
            if isinstance(inner, Point):
                name, time = "time", inner.coordinates[0]
            continue
        space.append(factor)
        if on_boundary(inner):
            name = "boundary" if name == "interior" else name
        elif isinstance(inner, (Point, Finite)):
            name = "pin" if name == "interior" else name
    return Kind(name, time, space[0] if len(space) == 1 else (Product(tuple(space)) if space else None))


def _aligned(equation: Equation) -> tuple[list[Set], list[Variable]]:
    """The factors of the region, each with the first coordinate that it belongs to."""
    region = plain(equation.region)
    parts = list(region.parts) if isinstance(region, Product) else [equation.region]
    found: list[Variable] = []
    sizes = [v.dimension if isinstance(v, VectorVariable) else 1 for v in equation.coordinates]
    starts = {sum(sizes[:k]): v for k, v in enumerate(equation.coordinates)}
    offset = 0
    for part in parts:
        found.append(starts.get(offset, equation.coordinates[0]))
        offset += part.dimension
    return parts, found


# ── the direction of time ─────────────────────────────────────────────────────────────────────────────────────────────


def direction(equation: Equation, field: Field, time: Variable, scope: Scope) -> str:
    """ "forward", "backward", or "" where the sign of the highest derivative in space is not known."""
    env = base(scope)
    rate = [c for k, c, n in _principal(difference(equation), field, time) if k == "time" and n > 0]
    space = [(n, c) for k, c, n in _principal(difference(equation), field, time) if k == "space"]
    if not rate or not space:
        return ""
    highest = max(n for n, _ in space)
    leading = Add(*(c for n, c in space if n == highest)) * (-1) ** (highest // 2) / Add(*rate)
    if highest % 2 or leading.atoms(FieldValue):
        return ""
    if _positive(leading, env):
        return "forward"
    return "backward" if _positive(-leading, env) else ""


def _positive(expr: Expr, env: Env) -> bool:
    number = params_put_in(expr, env)
    return bool(number.is_positive) if number.is_number else number != 0 and nonnegative(expr, env)


def _principal(term: Expr, field: Field, time: Variable) -> list[tuple[str, Expr, int]]:
    """The linear terms of an equation as (time or space, coefficient, order)."""
    found: list[tuple[str, Expr, int]] = []
    for summand in Add.make_args(term.expand()):
        for k, factor in enumerate(Mul.make_args(summand)):
            operator = _operator(factor, field, time)
            if operator is None:
                continue
            rest = Mul(*(f for j, f in enumerate(Mul.make_args(summand)) if j != k))
            name, coefficient, n = operator
            if n:
                found.append((name, rest * coefficient, n))
    return found


def _operator(term: Expr, field: Field, time: Variable) -> tuple[str, Expr, int] | None:
    """A chain of derivatives of the field, as (time or space, coefficient inside, order)."""
    if isinstance(term, FieldValue):
        return ("space", S.One, 0) if term.field == field else None
    if isinstance(term, Partial):
        inner = _operator(term.operand, field, time)
        if inner is None:
            return None
        if all(v == time for v in term.variables) and inner[2] == 0:
            return "time", S.One, len(term.variables)
        even = len(set(term.variables)) == 1 and len(term.variables) % 2 == 0 and time not in term.variables
        return (inner[0], inner[1], inner[2] + len(term.variables)) if even and inner[0] == "space" else None
    if isinstance(term, Lap):
        inner = _operator(term.operand, field, time)
        return (inner[0], inner[1], inner[2] + 2) if inner is not None and inner[0] == "space" else None
    if isinstance(term, Div):
        return _flux(term, field, time)
    return None


def _flux(term: Div, field: Field, time: Variable) -> tuple[str, Expr, int] | None:
    """∇·(k ∇u) as k Δu + lower order; k may be a sum."""
    coefficient, n = S.Zero, 0
    for summand in Add.make_args(term.operand):
        factors = Mul.make_args(summand)
        gradients = [f for f in factors if isinstance(f, Grad)]
        inner = _operator(gradients[0].operand, field, time) if len(gradients) == 1 else None
        if inner is None or inner[0] != "space":
            return None
        rest = Mul(*(f for f in factors if f is not gradients[0]))
        if rest.atoms(Dot, FieldValue) or n not in (0, inner[2] + 2):
            return None
        coefficient, n = coefficient + inner[1] * rest, inner[2] + 2
    return "space", coefficient, n
