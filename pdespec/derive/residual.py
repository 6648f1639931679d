"""Equations as residuals: lhs − rhs in scalar coordinates, what part of the domain they hold on, and whether they are
linear.

Linear means affine in all unknowns together; another solve's solution is a given function.
"""

from __future__ import annotations

from math import inf

from sympy import Expr

from pdespec.derive.components import expand, flatten
from pdespec.derive.derivation import Residual, Step
from pdespec.model.bindings import Expect, Integrate, Law, Optimum
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Equation, Model
from pdespec.model.sets import Finite, Interval, Point, Product, Set, has_boundary, plain
from pdespec.model.terms import shape


def residual(equation: Equation, lhs: Expr, rhs: Expr | Law, model: Model, steps: tuple[Step, ...] = ()) -> Residual:
    """The residual of an equation whose sides are resolved; a law as right-hand side leaves the left-hand side."""
    term = lhs if isinstance(rhs, Law) else difference(lhs, rhs)
    components = flatten(expand(term))
    names = [u.name for u in model.unknowns]
    found = {v.field for c in components for v in c.atoms(FieldValue) if not v.field.solve}
    fields = tuple(sorted(found, key=lambda f: names.index(f.name) if f.name in names else len(names)))
    linear = not isinstance(rhs, Law) and all(degree(c) <= 1 for c in components)
    return Residual(equation, role(equation, model), term, components, fields, linear, steps)


def difference(lhs: Expr, rhs: Expr) -> Expr:
    """lhs − rhs; the literal zero is the zero of any space."""
    if rhs == 0:
        return lhs
    if lhs == 0 and shape(rhs):
        return -rhs
    return lhs - rhs


def role(equation: Equation, model: Model) -> str:
    """interior, boundary, initial, terminal, or constraint for an equation between numbers."""
    if not equation.coordinates:
        return "constraint"
    times = {d.coordinates[0].name: plain(d.set) for d in model.domains if d.time}
    region = plain(equation.region)
    factors = _factors(region, equation)
    for factor, name in factors:
        if isinstance(factor, Point) and name in times:
            return _end(factor, times[name])
    fixed = any(isinstance(factor, (Point, Finite)) for factor, _ in factors)
    return "boundary" if has_boundary(region) or fixed else "interior"


def _factors(region: Set, equation: Equation) -> list[tuple[Set, str]]:
    """The factors of the region with the name of the coordinate that each belongs to."""
    parts = region.parts if isinstance(region, Product) else (region,)
    names = [v.name for v in equation.coordinates for _ in range(getattr(v, "dimension", 1))]
    found, start = [], 0
    for part in parts:
        found.append((plain(part), names[start] if start < len(names) else ""))
        start += part.dimension
    return found


def _end(point: Point, time: Set) -> str:
    at_end = isinstance(time, Interval) and (point.coordinates[0] - time.hi).expand() == 0
    return "terminal" if at_end else "initial"


def degree(expr: Expr, of: Field | None = None) -> float:
    """The degree in the unknowns (or in one of them): 0, 1, …, or infinity for what is no polynomial."""
    if isinstance(expr, FieldValue):
        return 1 if (expr.field == of if of else not expr.field.solve) else 0
    if not expr.args or not expr.has(FieldValue):
        return 0
    if expr.is_Add:
        return max(degree(a, of) for a in expr.args)
    if expr.is_Mul:
        return sum(degree(a, of) for a in expr.args)
    if isinstance(expr, (Integrate, Expect)):
        return degree(expr.body, of)
    inner = max((degree(a, of) for a in expr.args if isinstance(a, Expr)), default=0)
    if inner == 0 or not expr.is_Pow:
        return inner if inner == 0 or (not expr.is_Function and not isinstance(expr, Optimum)) else inf
    exponent = expr.exp
    if exponent.is_Integer and exponent > 0 and degree(expr.exp, of) == 0:
        return inner * int(exponent)
    return inf
