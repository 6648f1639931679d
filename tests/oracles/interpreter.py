"""A second meaning of terms, for oracles: fields become formulas, derivatives are SymPy's, integrals are Gauss–Legendre.

Nothing here uses the package's own expansion into coordinates, its calculus or its quadrature.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from sympy import Dummy, Expr, Integer, Integral, Mul, Symbol, lambdify

from pdespec.derive.tensors import Frobenius, Outer, Transpose
from pdespec.model.sets import Boundary, Interval, Named, Product, Torus
from pdespec.model.terms import (
    Component,
    Cross,
    Curl,
    Defined,
    Div,
    Dot,
    FieldValue,
    Grad,
    Hess,
    Integrate,
    Lap,
    Normal,
    Partial,
    Vec,
    VectorVariable,
)

NODES = 24
Formulas = dict[str, tuple[tuple[Symbol, ...], Any]]


def flat(variables: Any) -> list[Symbol]:
    return list(
        chain.from_iterable(v.components() if isinstance(v, VectorVariable) else (v,) for v in variables)
    )


def explicit(term: Any, fields: Formulas, normal: tuple[Any, ...] = ()) -> Any:
    """A term as a SymPy expression (or nested lists of them) with `Integral`s over intervals."""

    def go(t: Any) -> Any:
        if isinstance(t, VectorVariable):
            return list(t.components())
        if isinstance(t, Normal):
            return list(normal)
        if isinstance(t, FieldValue):
            slots, formula = fields[t.field.name]
            point = list(chain.from_iterable(x if isinstance(x, list) else [x] for x in map(go, t.point)))
            moved = dict(zip(slots, point, strict=True))
            return mapped(lambda f: f.subs(moved, simultaneous=True), formula)
        if isinstance(t, Defined):
            return go(t.unfold())
        if isinstance(t, Vec):
            return [go(a) for a in t.args]
        if isinstance(t, Component):
            return go(t.args[0])[int(t.args[1]) - 1]
        if isinstance(t, Dot):
            return inner(go(t.args[0]), go(t.args[1]))
        if isinstance(t, Cross):
            a, b = go(t.args[0]), go(t.args[1])
            return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        if isinstance(t, Outer):
            a, b = go(t.args[0]), go(t.args[1])
            return [mapped(lambda y, x=x: x * y, b) for x in a]
        if isinstance(t, Transpose):
            return [list(row) for row in zip(*go(t.args[0]), strict=True)]
        if isinstance(t, Frobenius):
            return sum(inner(a, b) for a, b in zip(go(t.args[0]), go(t.args[1]), strict=True))
        if isinstance(t, Partial):
            f = go(t.operand)
            for v in t.variables:
                f = mapped(lambda e, v=v: e.diff(v), f)
            return f
        if isinstance(t, (Grad, Div, Lap, Hess, Curl)):
            return differential(t, go(t.operand))
        if isinstance(t, Integrate):
            region = t.region.value if isinstance(t.region, Named) else t.region
            return surface(t, region.of) if isinstance(region, Boundary) else integral(go(t.body), t)
        if t.is_Add:
            return total([go(a) for a in t.args])
        if t.is_Mul:
            parts = [go(a) for a in t.args]
            scalar = Mul(*(p for p in parts if not isinstance(p, list)))
            vector = next((p for p in parts if isinstance(p, list)), None)
            return scalar if vector is None else mapped(lambda e: scalar * e, vector)
        return t.func(*map(go, t.args)) if t.args else t

    def surface(t: Integrate, of: Any) -> Any:
        sides, xs = box(of), flat(t.variables)
        parts = []
        for k, side in enumerate(sides):
            rest = [(x, *s) for j, (x, s) in enumerate(zip(xs, sides, strict=True)) if j != k]
            for end, sign in zip(side, (-1, 1), strict=True):
                outward = tuple(Integer(sign if j == k else 0) for j in range(len(sides)))
                body = mapped(lambda e, k=k, end=end: e.subs(xs[k], end), explicit(t.body, fields, outward))
                parts.append(mapped(lambda e, rest=rest: Integral(e, *rest) if rest else e, body))
        return total(parts)

    return go(term)


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


def differential(t: Any, f: Any) -> Any:
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
        return [f[2].diff(xs[1]) - f[1].diff(xs[2]), f[0].diff(xs[2]) - f[2].diff(xs[0]), f[1].diff(xs[0]) - f[0].diff(xs[1])]
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


def integral(body: Any, t: Integrate) -> Any:
    limits = [(x, a, b) for x, (a, b) in zip(flat(t.variables), box(t.region), strict=True)]
    return mapped(lambda e: Integral(e, *limits), body)


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def number(expr: Expr, at: dict[Symbol, Any] | None = None, depth: int = 0) -> Any:
    """The value at points given as arrays; each integral adds a leading axis and sums it away."""
    at = dict(at or {})
    holes: dict[Any, Any] = {}
    expr = _hollow(expr, holes)
    for hole, node in holes.items():
        at[hole] = _quadrature(node, at, depth)
    symbols = sorted(expr.free_symbols, key=str)
    return lambdify(symbols, expr, "numpy")(*(at[s] for s in symbols))


def _hollow(expr: Any, holes: dict[Any, Any]) -> Any:
    if isinstance(expr, Integral):
        hole = Dummy()
        holes[hole] = expr
        return hole
    if not expr.args or not expr.has(Integral):
        return expr
    return expr.func(*(_hollow(a, holes) for a in expr.args))


def _quadrature(node: Integral, at: dict[Symbol, Any], depth: int) -> Any:
    n = NODES if len(node.limits) == 1 else 14 if len(node.limits) == 2 else 9
    x, w = np.polynomial.legendre.leggauss(n)
    grids, weights = [], np.ones(())
    for _, a, b in node.limits:
        lo, hi = float(a), float(b)
        grids.append(lo + (hi - lo) * (x + 1) / 2)
        weights = np.multiply.outer(weights, w * (hi - lo) / 2)
    points = [g.ravel() for g in np.meshgrid(*grids, indexing="ij")]
    column = (-1,) + (1,) * depth
    inside = at | {s: p.reshape(column) for (s, _, _), p in zip(node.limits, points, strict=True)}
    values = np.asarray(number(node.function, inside, depth + 1))
    values = np.broadcast_to(values, np.broadcast_shapes(values.shape, (weights.size,) + (1,) * depth))
    return np.tensordot(weights.ravel(), values, axes=(0, 0))
