"""The partial derivative of a term in scalar coordinates, by the chain rule alone.

SymPy's own `diff` does for expressions without fields; this one knows components of vector fields, integrals and
expectations (differentiated under the sign), and keeps |·|, max and min as functions with one-sided slopes.
"""

from __future__ import annotations

from functools import lru_cache

from sympy import Abs, Add, Expr, Heaviside, Max, Min, Mul, Piecewise, Pow, S, Symbol, log, sign

from pdespec.derive.deadline import tick
from pdespec.derive.laws import density
from pdespec.model.bindings import Density, Expect, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.terms import NoRule, Term
from pdespec.model.vectors import Component


@lru_cache(maxsize=16384)
def differentiate(expr: Expr, s: Symbol) -> Expr:
    """∂expr/∂s for an expression in scalar coordinates."""
    if expr == s:
        return S.One
    if not expr.args or s not in expr.free_symbols:
        return S.Zero
    tick()
    if expr.is_Add:
        return Add(*(differentiate(a, s) for a in expr.args))
    if expr.is_Mul:
        return _product(expr, s)
    if expr.is_Pow:
        return _power(expr, s)
    if isinstance(expr, Term):
        return _term(expr, s)
    if isinstance(expr, Abs):
        return sign(expr.args[0]) * differentiate(expr.args[0], s)
    if isinstance(expr, (sign, Heaviside)):
        return S.Zero
    if isinstance(expr, (Max, Min)):
        return _extremum(expr, s)
    if isinstance(expr, Piecewise):
        return Piecewise(*((differentiate(value, s), where) for value, where in expr.args))
    return Add(*(expr.fdiff(k) * differentiate(a, s) for k, a in enumerate(expr.args, 1) if s in a.free_symbols))


def _product(expr: Mul, s: Symbol) -> Expr:
    factors = expr.args
    slopes = (differentiate(f, s) for f in factors)
    return Add(*(Mul(*factors[:k], slope, *factors[k + 1 :]) for k, slope in enumerate(slopes) if slope != 0))


def _power(expr: Pow, s: Symbol) -> Expr:
    base, exponent = expr.args
    by_base = exponent * Pow(base, exponent - 1) * differentiate(base, s)
    by_exponent = differentiate(exponent, s)
    return by_base if by_exponent == 0 else by_base + expr * log(base) * by_exponent


def _extremum(expr: Max | Min, s: Symbol) -> Expr:
    """The slope of whichever argument is extreme."""
    first, rest = expr.args[0], expr.func(*expr.args[1:])
    ahead = first - rest if isinstance(expr, Max) else rest - first
    return Heaviside(ahead) * differentiate(first, s) + Heaviside(-ahead) * differentiate(rest, s)


def _term(expr: Term, s: Symbol) -> Expr:
    if isinstance(expr, (FieldValue, Component)):
        return _field_value(expr, s)
    if isinstance(expr, (Integrate, Expect)):
        inner = differentiate(expr.body, s)
        if any(s in a.free_symbols for a in expr.args[2:]):
            raise NoRule("a derivative by a coordinate on which the measure depends")
        return S.Zero if inner == 0 else expr.func(inner, *expr.args[1:])
    if isinstance(expr, Density):
        return differentiate(density(expr.law, expr.point), s)
    raise NoRule(f"{type(expr).__name__} has no derivative in scalar coordinates")


def _field_value(expr: FieldValue | Component, s: Symbol) -> Expr:
    """The chain rule at the point of a field value, or of a component of one."""
    indices = []
    value: Expr = expr
    while isinstance(value, Component):
        value, index = value.args
        indices.append(index)
    orders = value.orders or (0,) * len(value.point)
    total = []
    for k, x in enumerate(value.point):
        slope = differentiate(x, s)
        if slope != 0:
            raised = FieldValue(value.field, (*orders[:k], orders[k] + 1, *orders[k + 1 :]), *value.point)
            for index in reversed(indices):
                raised = Component(raised, index)
            total.append(raised * slope)
    return Add(*total)
