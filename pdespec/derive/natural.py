"""Natural boundary conditions: what the first variation demands where the listed conditions leave the field free.

On such a piece of the boundary the coefficient of η, and that of ∂ₙη, must vanish.  A Dirichlet condition fixes the
value of the field on the pieces of its region.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Add, Expr, Integer, Symbol

from pdespec.derive import calculus
from pdespec.derive.derivation import NaturalCondition, Residual
from pdespec.derive.leaf import BoundaryTerm
from pdespec.model import sets
from pdespec.model.bindings import Binding
from pdespec.model.fields import Field, FieldValue
from pdespec.model.sets import (
    Boundary,
    Difference,
    Interval,
    Point,
    Product,
    RealSpace,
    Set,
    Sphere,
    Torus,
    plain,
)
from pdespec.model.terms import Normal, shape
from pdespec.model.vectors import Grad, Partial, VectorOperator


def natural_conditions(
    terms: Iterable[BoundaryTerm], field: Field, conditions: Iterable[Residual]
) -> tuple[NaturalCondition, ...]:
    """The conditions on the free boundary, value by value and normal derivative by normal derivative."""
    conditions = tuple(conditions)
    given = [r for r in conditions if fixes_value(r, field)]
    fixed = {p: r for r in given for p in pieces(r.equation.region)}
    flat = {p for r in conditions if fixes_slope(r, field) for p in pieces(r.equation.region)}
    sums: dict[tuple[Set, bool], list[Expr]] = {}
    for t in terms:
        normal = not isinstance(t.node, FieldValue)
        coefficient = _of_normal_derivative(t) if normal else t.cotangent
        sums.setdefault((t.region, normal), []).append(coefficient)
    found = []
    for (region, normal), coefficients in sums.items():
        total = Add(*coefficients)
        held = [p for p in fixed if not normal or p in flat or _vanishes(total, fixed[p], field)]
        free = _free(region, [*held, *flat] if normal else held)
        if free is not None and total != 0:
            found.append(NaturalCondition(total, free))
    return tuple(found)


def fixes_value(residual: Residual, field: Field) -> bool:
    """Whether an equation prescribes the value of the field: u − g with g free of the unknowns."""
    if residual.role != "boundary" or residual.equation.relation != "=":
        return False
    values = {v for c in residual.components for v in c.atoms(FieldValue) if not v.field.solve}
    return residual.linear and all(v.field == field and not v.orders for v in values) and bool(values)


def fixes_slope(residual: Residual, field: Field) -> bool:
    """Whether an equation prescribes the normal derivative of the field, c ∂ₙu − g with g free of the unknowns."""
    if residual.role != "boundary" or residual.equation.relation != "=" or len(residual.components) != 1:
        return False
    (slope,) = residual.components
    values = {v for v in slope.atoms(FieldValue) if not v.field.solve}
    if not values or not residual.linear or any(v.field != field or sum(v.orders) != 1 for v in values):
        return False
    if all(len(v.orders) == 1 for v in values):
        return True
    expanded = slope.expand()
    slopes = {expanded.coeff(v) / Symbol(f"n[{v.orders.index(1) + 1}]", real=True) for v in values}
    return len(values) == len(next(iter(values)).orders) and len(slopes) == 1 and bool(slopes.pop().is_number)


def _vanishes(coefficient: Expr, condition: Residual, field: Field) -> bool:
    """Whether a coefficient vanishes where the condition prescribes the value zero."""
    here = field.here()
    prescribes_zero = condition.term in (here, -here)
    return prescribes_zero and _without(coefficient, here) == 0


def _without(expr: Expr, value: Expr) -> Expr:
    """The expression with zero for the value, which integrals may hold at other points."""
    if expr == value:
        return Integer(0)
    if not expr.args or isinstance(expr, (Binding, Partial, VectorOperator)):
        return expr
    return expr.func(*(_without(a, value) for a in expr.args))


def _free(region: Set, fixed: list[Set]) -> Set | None:
    """The part of a boundary that no condition fixes."""
    own = pieces(region)
    left = [p for p in own if p not in fixed]
    if len(left) == len(own):
        return region
    if not left:
        return None
    return left[0] if len(left) == 1 else sets.Union(tuple(left))


def _of_normal_derivative(term: BoundaryTerm) -> Expr:
    """The coefficient of ∂ₙη where the cotangent of ∇η is a multiple of n; in one dimension of η′."""
    w, node = term.cotangent, term.node
    if isinstance(node, Partial) and len(node.variables) == 1 and not isinstance(w, Normal):
        return w
    if isinstance(node, Grad) and not shape(node.operand):
        n = Normal(node.dimension)
        factors = w.args if w.is_Mul else (w,)
        if n in factors:
            return w / n
        return calculus.dot(n, w)
    return w


def pieces(region: Set) -> list[Set]:
    """A region as its smooth pieces: points, faces, spheres, the boundaries of holes."""
    region = plain(region)
    if isinstance(region, sets.Union):
        return [p for part in region.parts for p in pieces(part)]
    if isinstance(region, Product):
        choices: list[tuple[Set, ...]] = [()]
        for part in region.parts:
            choices = [(*c, p) for c in choices for p in pieces(part)]
        return [_joined(c) for c in choices]
    if not isinstance(region, Boundary):
        return [region]
    return _boundary(plain(region.of))


def _boundary(of: Set) -> list[Set]:
    if isinstance(of, Interval):
        return [Point((of.lo,)), Point((of.hi,))]
    if isinstance(of, Product):
        return [
            _joined((*of.parts[:k], face, *of.parts[k + 1 :]))
            for k, part in enumerate(of.parts)
            for face in _boundary(plain(part))
        ]
    if isinstance(of, Difference):
        return _boundary(plain(of.whole)) + _boundary(plain(of.hole))
    if isinstance(of, sets.Union):
        return [p for part in of.parts for p in _boundary(plain(part))]
    if isinstance(of, (RealSpace, Torus, Sphere)):
        return []
    return [Boundary(of)]


def _joined(parts: Iterable[Set]) -> Set:
    return sets.product(*map(plain, parts))
