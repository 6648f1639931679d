"""Terms in scalar coordinates: ∇, Δ, ∇·, ∇×, ∑ and named functions written out.

A scalar becomes a SymPy expression in symbols (`x[1]`, `n[1]`), `FieldValue`s at flat points with derivative orders
(`Component`s of them for a vector field) and integrals over flat variables; a vector or a matrix becomes a nested tuple
of such expressions.  ∂ and ∇ act as functions of the current point, chain rule included.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Any

from sympy import Add, Expr, Mul, S, Symbol, Tuple

from pdespec.derive.deadline import tick
from pdespec.derive.differentiate import differentiate
from pdespec.derive.tensors import Frobenius, Outer, Transpose
from pdespec.model.bindings import (
    At,
    Binding,
    Defined,
    Density,
    Expect,
    IndexedProduct,
    IndexedSum,
    Integrate,
    Law,
    Optimum,
)
from pdespec.model.fields import FieldValue
from pdespec.model.substitution import substitute, summands, unfold
from pdespec.model.terms import Normal, NoRule, Term, VectorVariable, flat
from pdespec.model.vectors import Component, Cross, Curl, Div, Dot, Grad, Hess, Lap, Partial, Vec

Components = Any
"""A scalar `Expr`, or a tuple of `Components`."""


@lru_cache(maxsize=8192)
def expand(term: Expr) -> Components:
    """The scalar components of a term: an expression, a tuple of them, or a tuple of rows."""
    tick()
    rule = _RULES.get(type(term))
    if rule is not None:
        return rule(term)
    if isinstance(term, Term):
        raise NoRule(f"{type(term).__name__} has no form in scalar coordinates")
    if term.is_Add:
        return add(*map(expand, term.args))
    if term.is_Mul:
        return scale(*map(expand, term.args))
    if not term.args:
        return term
    return term.func(*map(scalar, term.args))


def scalar(term: Expr) -> Expr:
    """The expansion of a scalar term."""
    found = expand(term)
    if isinstance(found, tuple):
        raise NoRule(f"a vector where a scalar is needed: {term}")
    return found


def flatten(components: Components) -> tuple[Expr, ...]:
    """All scalar components in order."""
    if not isinstance(components, tuple):
        return (components,)
    return tuple(chain.from_iterable(map(flatten, components)))


def each(f: Callable[[Expr], Expr], components: Components) -> Components:
    """A function applied to every scalar component."""
    return tuple(each(f, c) for c in components) if isinstance(components, tuple) else f(components)


# ── algebra of components ─────────────────────────────────────────────────────────────────────────────────────────────


def add(*terms: Components) -> Components:
    """The sum; the scalar zero is the zero of any space."""
    tensors = [t for t in terms if isinstance(t, tuple)]
    if not tensors:
        return Add(*terms)
    if any(not isinstance(t, tuple) and t != 0 for t in terms):
        raise NoRule("a sum of a scalar and a vector")
    return tuple(add(*parts) for parts in zip(*tensors, strict=True))


def scale(*factors: Components) -> Components:
    """The product of scalars and at most one vector or matrix."""
    tensors = [f for f in factors if isinstance(f, tuple)]
    factor = Mul(*(f for f in factors if not isinstance(f, tuple)))
    if not tensors:
        return factor
    if len(tensors) > 1:
        raise NoRule("a product of two vectors: write · or ×")
    return each(lambda c: factor * c, tensors[0])


def dot(a: Components, b: Components) -> Components:
    """The last index of `a` with the first of `b`."""
    if isinstance(a[0], tuple):
        return tuple(dot(row, b) for row in a)
    return add(*(scale(x, y) for x, y in zip(a, b, strict=True)))


def _derivatives(components: Components, s: Symbol) -> Components:
    return each(lambda c: differentiate(c, s), components)


# ── the rule of each node ─────────────────────────────────────────────────────────────────────────────────────────────


def _field_value(term: FieldValue) -> Components:
    point = tuple(chain.from_iterable(flatten(expand(x)) for x in term.point))
    value = FieldValue(term.field, term.orders if any(term.orders) else (), *point)

    def parts(shape: tuple[int, ...], at: Expr) -> Components:
        return tuple(parts(shape[1:], Component(at, k)) for k in range(1, shape[0] + 1)) if shape else at

    return parts(term.field.shape, value)


def _component(term: Component) -> Components:
    vector, index = term.args
    if not index.is_Integer:
        raise NoRule(f"the index {index} of a component has no value")
    found = expand(vector)
    if not isinstance(found, tuple) or not 1 <= index <= len(found):
        raise NoRule(f"no component {index} of {term.args[0]}")
    return found[int(index) - 1]


def _cross(term: Cross) -> Components:
    a, b = map(expand, term.args)
    return tuple(a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1)))


def _partial(term: Partial) -> Components:
    found = expand(term.operand)
    for v in term.variables:
        found = _derivatives(found, scalar(v))
    return found


def _grad(term: Grad) -> Components:
    f = expand(term.operand)
    return tuple(_derivatives(f, s) for s in flat(term.variables))


def _div(term: Div) -> Components:
    v = expand(term.operand)
    if v == 0:
        return S.Zero
    return add(*(_derivatives(row, s) for row, s in zip(v, flat(term.variables), strict=True)))


def _lap(term: Lap) -> Components:
    f = expand(term.operand)
    return add(*(_derivatives(_derivatives(f, s), s) for s in flat(term.variables)))


def _hess(term: Hess) -> Components:
    f, points = expand(term.operand), flat(term.variables)
    return tuple(tuple(_derivatives(_derivatives(f, r), s) for s in points) for r in points)


def _curl(term: Curl) -> Components:
    v, points = expand(term.operand), flat(term.variables)
    if len(points) == 3:
        pairs = ((1, 2), (2, 0), (0, 1))
        return tuple(differentiate(v[j], points[i]) - differentiate(v[i], points[j]) for i, j in pairs)
    x, y = points
    if isinstance(v, tuple):
        return differentiate(v[1], x) - differentiate(v[0], y)
    return differentiate(v, y), -differentiate(v, x)


def _binding(term: Binding) -> Components:
    """∫, 𝔼, max …: componentwise, over flat variables."""
    variables = Tuple(*flat(term.variables))
    rest = (law(a) if isinstance(a, Law) else a for a in term.args[2:])
    arguments = tuple(rest)
    return each(lambda c: S.Zero if c == 0 else term.func(c, variables, *arguments), expand(term.body))


def _at(term: At) -> Components:
    points = chain.from_iterable(flatten(expand(x)) for x in term.point)
    replacements = dict(zip(flat(term.variables), points, strict=True))
    return each(lambda c: substitute(c, replacements), expand(term.body))


def law(measure: Law) -> Law:
    """A law with the vector-level terms in it written out, so that equal laws are equal."""
    if measure.family != "gibbs":
        return Law(measure.family, *(_parameter(p) for p in measure.parameters))
    potential, inverse, variables, region = measure.parameters
    return Law("gibbs", scalar(potential), scalar(inverse), Tuple(*flat(variables)), region)


def _parameter(p: Any) -> Any:
    if not isinstance(p, Expr):
        return p
    found = expand(p)
    return _tuple(found) if isinstance(found, tuple) else found


def _tuple(components: Components) -> Any:
    return Tuple(*map(_tuple, components)) if isinstance(components, tuple) else components


def _density(term: Density) -> Expr:
    return Density(law(term.law), *chain.from_iterable(flatten(expand(x)) for x in term.point))


def _sum(term: IndexedSum) -> Components:
    return add(*map(expand, summands(term)))


def _product(term: IndexedProduct) -> Components:
    return Mul(*map(scalar, summands(term)))


def _frobenius(term: Frobenius) -> Expr:
    a, b = map(expand, term.args)
    return Add(*(x * y for x, y in zip(flatten(a), flatten(b), strict=True)))


def _outer(term: Outer) -> Components:
    a, b = map(expand, term.args)
    return tuple(scale(x, b) for x in a)


def _transpose(term: Transpose) -> Components:
    return tuple(zip(*expand(term.args[0]), strict=True))


_RULES: dict[type, Callable[[Any], Components]] = {
    FieldValue: _field_value,
    VectorVariable: lambda v: v.components(),
    Normal: lambda n: n.components(),
    Defined: lambda term: expand(unfold(term)),
    Vec: lambda term: tuple(map(expand, term.args)),
    Component: _component,
    Dot: lambda term: dot(*map(expand, term.args)),
    Cross: _cross,
    Partial: _partial,
    Grad: _grad,
    Div: _div,
    Lap: _lap,
    Hess: _hess,
    Curl: _curl,
    IndexedProduct: _product,
    IndexedSum: _sum,
    Integrate: _binding,
    Expect: _binding,
    Optimum: _binding,
    At: _at,
    Density: _density,
    Frobenius: _frobenius,
    Outer: _outer,
    Transpose: _transpose,
}
