"""Values of expressions with integrals, by tensor quadrature in double precision.

A coordinate is an array; each ∫ or 𝔼 adds a leading axis with its nodes and sums it away again.  Every value is
computed by two rules, and their difference bounds its error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import (
    Abs,
    Basic,
    Expr,
    Float,
    Heaviside,
    I,
    Max,
    Min,
    NumberSymbol,
    Rational,
    cos,
    cosh,
    exp,
    log,
    sign,
    sin,
    sinh,
    tan,
    tanh,
)

from pdespec.derive.components import expand, flatten
from pdespec.derive.deadline import tick
from pdespec.derive.laws import density
from pdespec.model.bindings import Density, Expect, Integrate, Law
from pdespec.model.sets import Ball, Boundary, Finite, Interval, Product, RealSpace, Set, Torus, plain

Array = Any
Nodes = tuple[Array, Array]
MOST_NODES = 6_000_000


class NoQuadrature(Exception):
    """A region or law without a rule here, or too many points."""


def integrate(expr: Expr, at: Mapping[Basic, Array], *, fine: bool) -> Array:
    """The value of an expression at points given as arrays (or numbers), with the coarse or the fine rule."""
    depth = max((np.ndim(v) for v in at.values()), default=0)
    with np.errstate(all="ignore"):
        return _value(expr, dict(at), depth, fine)


def estimate(expr: Expr, at: Mapping[Basic, Array]) -> tuple[Array, Array]:
    """The value by the fine rule, and how far the coarse one lies from it."""
    fine = integrate(expr, at, fine=True)
    return fine, np.abs(fine - integrate(expr, at, fine=False))


def _value(expr: Expr, at: dict[Basic, Array], depth: int, fine: bool) -> Array:
    if expr in at:
        return at[expr]
    if isinstance(expr, (Rational, Float, NumberSymbol)):
        return float(expr)
    if expr is I:
        return 1j
    if isinstance(expr, (Integrate, Expect)):
        return _integral(expr, at, depth, fine)
    if isinstance(expr, Density):
        return _value(density(expr.law, expr.point), at, depth, fine)
    if not expr.args:
        raise NoQuadrature(f"{expr} has no value")
    tick()
    values = [_value(a, at, depth, fine) for a in expr.args]
    if expr.is_Add:
        return sum(values)
    if expr.is_Mul:
        result = values[0]
        for v in values[1:]:
            result = result * v
        return result
    if expr.is_Pow:
        return _power(expr, values)
    rule = _FUNCTIONS.get(expr.func)
    if rule is None:
        raise NoQuadrature(f"{type(expr).__name__} has no rule")
    return rule(*values)


def _power(expr: Expr, values: list[Array]) -> Array:
    base, exponent = values
    return base ** int(expr.exp) if expr.exp.is_Integer and abs(int(expr.exp)) < 64 else np.power(base, exponent)


def _integral(expr: Integrate | Expect, at: dict[Basic, Array], depth: int, fine: bool) -> Array:
    tick()
    variables = tuple(expr.args[1])
    measure = expr.law if isinstance(expr, Expect) else expr.args[2]
    points, weights = nodes(measure, len(variables), at, fine)
    if len(weights) * max((np.size(v) for v in at.values()), default=1) > MOST_NODES:
        raise NoQuadrature("too many points")
    column = (len(weights),) + (1,) * depth
    inner = at | {v: points[:, k].reshape(column) for k, v in enumerate(variables)}
    body = np.asarray(_value(expr.body, inner, depth + 1, fine))
    if body.ndim < depth + 1:
        body = np.broadcast_to(body, (*column[:1], *(1,) * (depth - body.ndim), *body.shape))
    return np.tensordot(weights, body, axes=(0, 0))


# ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def nodes(measure: Any, dimension: int, at: dict[Basic, Array], fine: bool) -> Nodes:
    """Points (n × d) and weights of a rule for a region or a law."""
    if isinstance(measure, Law):
        return _law(measure, dimension, at, fine)
    return region_nodes(measure.value, at, fine, dimension)


def region_nodes(region: Set, at: dict[Basic, Array], fine: bool, dimension: int | None = None) -> Nodes:
    """A rule for a region of low dimension."""
    region = plain(region)
    d = dimension or region.dimension
    n = {1: (48, 96), 2: (24, 34), 3: (16, 22)}.get(d, (6, 8))[fine]
    if isinstance(region, Interval):
        return _interval(float(_value(region.lo, at, 0, fine)), float(_value(region.hi, at, 0, fine)), n)
    if isinstance(region, Torus):
        return _tensor([_interval(0.0, float(_value(p, at, 0, fine)), n) for p in region.periods])
    if isinstance(region, RealSpace):
        return _tensor([_line(n if d == 1 else n // 2)] * region.d)
    if isinstance(region, Finite):
        return np.array([[float(v)] for v in region.values]), np.ones(len(region.values))
    if isinstance(region, Product):
        return _tensor([region_nodes(p, at, fine, d if d > 1 else None) for p in region.parts])
    if isinstance(region, Ball) and region.dimension == 2:
        return _disk(region, at, n)
    if isinstance(region, Boundary) and isinstance(plain(region.of), Interval):
        of = plain(region.of)
        ends = [float(_value(e, at, 0, fine)) for e in (of.lo, of.hi)]  # type: ignore[attr-defined]
        return np.array([[e] for e in ends]), np.ones(2)
    raise NoQuadrature(f"no rule for {region}")


def _interval(lo: float, hi: float, n: int) -> Nodes:
    x, w = np.polynomial.legendre.leggauss(n)
    return (lo + (hi - lo) * (x[:, None] + 1) / 2), w * (hi - lo) / 2


def _circle(period: float, n: int) -> Nodes:
    return (np.arange(n) * (period / n))[:, None], np.full(n, period / n)


def _line(n: int) -> Nodes:
    """The trapezoidal rule after x = sinh s: it converges exponentially for integrands that decay like a Gaussian."""
    s = np.linspace(-3.2, 3.2, 2 * n + 1)
    return np.sinh(s)[:, None], np.cosh(s) * (s[1] - s[0])


def _tensor(rules: list[Nodes]) -> Nodes:
    """The product of rules, the last one running fastest."""
    points, weights = rules[0]
    for more, factors in rules[1:]:
        if len(weights) * len(factors) > MOST_NODES:
            raise NoQuadrature("too many points")
        points = np.hstack([np.repeat(points, len(more), axis=0), np.tile(more, (len(points), 1))])
        weights = np.outer(weights, factors).ravel()
    return points, weights


def _disk(region: Ball, at: dict[Basic, Array], n: int) -> Nodes:
    radius = float(_value(region.radius, at, 0, True))
    center = np.array([float(_value(c, at, 0, True)) for c in region.center])
    r, wr = _interval(0.0, radius, n)
    angle, wa = _circle(2 * np.pi, n)
    polar, weights = _tensor([(r, wr), (angle, wa)])
    direction = np.stack([np.cos(polar[:, 1]), np.sin(polar[:, 1])], -1)
    return center + polar[:, :1] * direction, weights * polar[:, 0]


def _law(law: Law, dimension: int, at: dict[Basic, Array], fine: bool) -> Nodes:
    if law.family == "gauss":
        return _gauss(law, dimension, at, fine)
    if law.family == "points":
        rows = [[float(_value(c, at, 0, fine)) for c in flatten(expand(p))] for p in law.parameters]
        return np.array(rows), np.full(len(rows), 1 / len(rows))
    if law.family == "uniform":
        points, weights = nodes(law.parameters[0], dimension, at, fine)
        return points, weights / weights.sum()
    if law.family == "gibbs":
        potential, inverse, variables, region = law.parameters
        points, weights = nodes(region, dimension, at, fine)
        here = at | {v: points[:, k] for k, v in enumerate(variables)}
        weights = weights * np.exp(-_value(inverse * potential, here, 1, fine))
        return points, weights / weights.sum()
    raise NoQuadrature(f"no rule for the law {law.family}")


def _gauss(law: Law, d: int, at: dict[Basic, Array], fine: bool) -> Nodes:
    mean, covariance = law.parameters
    n = {1: (24, 36), 2: (12, 18), 3: (8, 10)}.get(d, (4, 5))[fine]
    x, w = np.polynomial.hermite_e.hermegauss(n)
    points, weights = _tensor([(x[:, None], w / w.sum())] * d)
    center = np.array([float(_value(c, at, 0, fine)) for c in _entries(mean)])
    rows = [[float(_value(c, at, 0, fine)) for c in _entries(row)] for row in _entries(covariance)]
    matrix = np.array(rows) if len(rows) > 1 else np.eye(d) * rows[0][0]
    return center + points @ np.linalg.cholesky(matrix).T, weights


def _entries(parameter: Any) -> tuple[Any, ...]:
    if isinstance(parameter, Expr) and not hasattr(parameter, "shape"):
        return (parameter,)
    return tuple(parameter.args)


_FUNCTIONS: dict[Any, Any] = {
    exp: np.exp,
    log: np.log,
    sin: np.sin,
    cos: np.cos,
    tan: np.tan,
    sinh: np.sinh,
    cosh: np.cosh,
    tanh: np.tanh,
    Abs: np.abs,
    sign: np.sign,
    Heaviside: lambda x, middle=0.5: np.heaviside(x, 0.5),
    Max: np.maximum,
    Min: np.minimum,
}
