"""A second meaning of terms, for oracles: derivatives are SymPy's, integrals are Gauss–Legendre sums.

Fields stay abstract functions until numbers are wanted; then each derivative is that of the field's formula.  Nothing
here uses the package's own expansion into coordinates, its calculus or its quadrature.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
from sympy import Derivative, Dummy, Expr, Function, Integer, Integral, Mul, Symbol, lambdify
from sympy.core.function import AppliedUndef

from pdespec.derive.tensors import Frobenius, Outer, Transpose
from pdespec.model.bindings import Defined, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.sets import Boundary, Interval, Named, Product, Torus
from pdespec.model.substitution import unfold
from pdespec.model.terms import Normal, VectorVariable
from pdespec.model.vectors import Component, Cross, Curl, Div, Dot, Grad, Hess, Lap, Partial, Vec

Jets = Callable[[str, tuple[int, ...], list[Any]], Any]
"""The value of a derivative of a field's component: name (`u` or `u.2`), orders by coordinate, point."""


class Face(Expr):
    """An expression at x = end: `Face(expression, x, end)`."""

    def _eval_derivative(self, s: Symbol) -> Expr:
        return Face(self.args[0].diff(s), *self.args[1:])


def flat(variables: Any) -> list[Symbol]:
    return list(chain.from_iterable(v.components() if isinstance(v, VectorVariable) else (v,) for v in variables))


def explicit(term: Any, normal: tuple[Any, ...] = ()) -> Any:
    """A term in scalar coordinates: a SymPy expression, or nested lists of them."""

    def go(t: Any) -> Any:
        rule = rules.get(type(t))
        if rule is not None:
            return rule(t)
        if t.is_Add:
            return total([go(a) for a in t.args])
        if t.is_Mul:
            parts = [go(a) for a in t.args]
            scalar = Mul(*(p for p in parts if not isinstance(p, list)))
            vector = next((p for p in parts if isinstance(p, list)), None)
            return scalar if vector is None else mapped(lambda e: scalar * e, vector)
        return t.func(*map(go, t.args)) if t.args else t

    def value(t: FieldValue) -> Any:
        point = list(chain.from_iterable(x if isinstance(x, list) else [x] for x in map(go, t.point)))
        if not t.field.shape:
            return Function(t.field.name)(*point)
        return [Function(f"{t.field.name}.{k}")(*point) for k in range(1, t.field.shape[0] + 1)]

    def cross(t: Cross) -> Any:
        a, b = go(t.args[0]), go(t.args[1])
        return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]

    def partial(t: Partial) -> Any:
        f = go(t.operand)
        for v in t.variables:
            f = mapped(lambda e, v=v: e.diff(v), f)
        return f

    def outer(t: Outer) -> Any:
        return [mapped(lambda y, x=x: x * y, go(t.args[1])) for x in go(t.args[0])]

    def integral(t: Integrate) -> Any:
        region = t.region.value if isinstance(t.region, Named) else t.region
        if isinstance(region, Boundary):
            return surface(t, region.of)
        limits = [(x, a, b) for x, (a, b) in zip(flat(t.variables), box(region), strict=True)]
        return mapped(lambda e: Integral(e, *limits), go(t.body))

    def surface(t: Integrate, of: Any) -> Any:
        return total([explicit_face(t.body, k, end, n, flat(t.variables), box(of)) for k, end, n in faces(box(of))])

    def differential(t: Any) -> Any:
        return derivative(t, go(t.operand))

    rules: dict[type, Callable[[Any], Any]] = {
        VectorVariable: lambda t: list(t.components()),
        Normal: lambda t: list(normal),
        FieldValue: value,
        Defined: lambda t: go(unfold(t)),
        Vec: lambda t: [go(a) for a in t.args],
        Component: lambda t: go(t.args[0])[int(t.args[1]) - 1],
        Dot: lambda t: inner(go(t.args[0]), go(t.args[1])),
        Cross: cross,
        Outer: outer,
        Transpose: lambda t: [list(row) for row in zip(*go(t.args[0]), strict=True)],
        Frobenius: lambda t: sum(inner(a, b) for a, b in zip(go(t.args[0]), go(t.args[1]), strict=True)),
        Partial: partial,
        Integrate: integral,
        **dict.fromkeys((Grad, Div, Lap, Hess, Curl), differential),
    }
    return go(term)


def faces(sides: list[tuple[Any, Any]]) -> list[tuple[int, Any, tuple[Any, ...]]]:
    """Coordinate, end and outward normal of every face of a box."""
    return [
        (k, end, tuple(Integer(sign if j == k else 0) for j in range(len(sides))))
        for k, side in enumerate(sides)
        for end, sign in zip(side, (-1, 1), strict=True)
    ]


def explicit_face(term: Any, k: int, end: Any, normal: Any, xs: list[Symbol], sides: list[tuple[Any, Any]]) -> Any:
    """The integral of a term over one face of a box."""
    return mapped(lambda e: over_face(e, k, end, xs, sides), explicit(term, normal))


def over_face(e: Expr, k: int, end: Any, xs: list[Symbol], sides: list[tuple[Any, Any]]) -> Expr:
    rest = [(x, *s) for j, (x, s) in enumerate(zip(xs, sides, strict=True)) if j != k]
    at_end = Face(e, xs[k], end)
    return Integral(at_end, *rest) if rest else at_end


def mapped(f: Any, tensor: Any) -> Any:
    return [mapped(f, t) for t in tensor] if isinstance(tensor, (list, tuple)) else f(tensor)


def total(parts: list[Any]) -> Any:
    tensors = [p for p in parts if isinstance(p, list)]
    if not tensors:
        return sum(parts, Integer(0))
    return [total(list(column)) for column in zip(*tensors, strict=True)]


def inner(a: Any, b: Any) -> Any:
    if isinstance(a[0], list):
        return [inner(row, b) for row in a]
    return total([mapped(lambda e, x=x: x * e, y) for x, y in zip(a, b, strict=True)])


def derivative(t: Any, f: Any) -> Any:
    xs = flat(t.variables)
    if isinstance(t, Grad):
        return [mapped(lambda e, x=x: e.diff(x), f) for x in xs]
    if isinstance(t, Div):
        return total([mapped(lambda e, x=x: e.diff(x), row) for x, row in zip(xs, f, strict=True)])
    if isinstance(t, Lap):
        return mapped(lambda e: sum(e.diff(x, 2) for x in xs), f)
    if isinstance(t, Hess):
        return [[f.diff(x, y) for y in xs] for x in xs]
    if len(xs) == 3:
        x, y, z = xs
        return [f[2].diff(y) - f[1].diff(z), f[0].diff(z) - f[2].diff(x), f[1].diff(x) - f[0].diff(y)]
    if isinstance(f, list):
        return f[1].diff(xs[0]) - f[0].diff(xs[1])
    return [f.diff(xs[1]), -f.diff(xs[0])]


def box(region: Any) -> list[tuple[Any, Any]]:
    """A box or a torus as intervals."""
    while isinstance(region, Named):
        region = region.value
    if isinstance(region, Interval):
        return [(region.lo, region.hi)]
    if isinstance(region, Torus):
        return [(Integer(0), p) for p in region.periods]
    assert isinstance(region, Product)
    return [side for part in region.parts for side in box(part)]


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def formula_jets(formulas: dict[str, tuple[tuple[Symbol, ...], Expr]]) -> Jets:
    """Jets of fields that are given by formulas in their slots."""
    compiled: dict[Any, Any] = {}

    def jet(name: str, orders: tuple[int, ...], point: list[Any]) -> Any:
        if (name, orders) not in compiled:
            slots, formula = formulas[name]
            for s, n in zip(slots, orders, strict=True):
                formula = formula.diff(s, n) if n else formula
            compiled[(name, orders)] = lambdify(slots, formula, "numpy")
        return compiled[(name, orders)](*point)

    return jet


def number(expr: Expr, jets: Jets, at: dict[Symbol, Any] | None = None, depth: int = 0) -> Any:
    """The value at points given as arrays; each integral adds a leading axis and sums it away."""
    at = dict(at or {})
    holes: dict[Any, Any] = {}
    expr = _hollow(Integer(1) * expr, holes)
    for hole, node in holes.items():
        at[hole] = _value(node, jets, at, depth)
    symbols = sorted(expr.free_symbols, key=str)
    return lambdify(symbols, expr, "numpy")(*(at[s] for s in symbols))


def _hollow(expr: Any, holes: dict[Any, Any]) -> Any:
    if isinstance(expr, (Integral, Face, AppliedUndef, Derivative)):
        hole = next((h for h, node in holes.items() if node == expr), None) or Dummy()
        holes[hole] = expr
        return hole
    return expr.func(*(_hollow(a, holes) for a in expr.args)) if expr.args else expr


def _value(node: Any, jets: Jets, at: dict[Symbol, Any], depth: int) -> Any:
    if isinstance(node, Integral):
        return _quadrature(node, jets, at, depth)
    if isinstance(node, Face):
        inside, x, end = node.args
        return number(inside, jets, at | {x: float(end)}, depth)
    if isinstance(node, AppliedUndef):
        return jets(node.func.__name__, (0,) * len(node.args), [number(a, jets, at, depth) for a in node.args])
    value = node.expr
    counts = dict(node.variable_count)
    orders = tuple(int(counts.get(a, 0)) for a in value.args)
    return jets(value.func.__name__, orders, [at[a] for a in value.args])


def _quadrature(node: Integral, jets: Jets, at: dict[Symbol, Any], depth: int) -> Any:
    longest = max(float(b) - float(a) for _, a, b in node.limits)
    n = {1: 26, 2: 14, 3: 10}[len(node.limits)] if longest < 3 else 48
    x, w = np.polynomial.legendre.leggauss(n)
    grids, weights = [], np.ones(())
    for _, a, b in node.limits:
        lo, hi = float(a), float(b)
        grids.append(lo + (hi - lo) * (x + 1) / 2)
        weights = np.multiply.outer(weights, w * (hi - lo) / 2)
    points = [g.ravel() for g in np.meshgrid(*grids, indexing="ij")]
    column = (-1,) + (1,) * depth
    inside = at | {s: p.reshape(column) for (s, _, _), p in zip(node.limits, points, strict=True)}
    values = np.asarray(number(node.function, jets, inside, depth + 1))
    values = np.broadcast_to(values, np.broadcast_shapes(values.shape, (weights.size,) + (1,) * depth))
    return np.tensordot(weights.ravel(), values, axes=(0, 0))
