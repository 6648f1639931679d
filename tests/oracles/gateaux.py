"""The Gateaux derivative dF(u + εη)/dε by a complex step, beside ∫ δF·η and the boundary terms."""

from __future__ import annotations

from typing import Any

from sympy import Expr, I, Integer, Symbol

from pdespec.derive.variation import FirstVariation
from pdespec.model.sets import Boundary, Named
from tests.oracles.interpreter import Formulas, box, explicit, flat, inner, mapped, number, total

STEP = 1e-30
EPSILON = Symbol("ε", real=True)


def gateaux(functional: Expr, name: str, fields: Formulas, eta: Any) -> float:
    """Im F(u + ihη)/h."""
    slots, formula = fields[name]
    moved = {**fields, name: (slots, total_of(formula, eta))}
    value = number(explicit(functional, moved), {EPSILON: STEP})
    return float((value.imag if hasattr(value, "imag") else 0.0) / STEP)


def total_of(formula: Any, eta: Any) -> Any:
    if isinstance(formula, list):
        return [total_of(f, e) for f, e in zip(formula, eta, strict=True)]
    return formula + I * EPSILON * eta


def paired(
    found: FirstVariation, name: str, fields: Formulas, eta: Any, variables: tuple[Any, ...], region: Any
) -> tuple[float, float]:
    """∫ δF·η over the domain, and the boundary terms."""
    xs = flat(variables)
    slots, _ = fields[name]
    here = mapped(lambda e: e.subs(dict(zip(slots, xs, strict=True)), simultaneous=True), eta)
    density = contraction(explicit(found.interior, fields), here)
    interior = over_box(density, xs, box(region))
    boundary = 0.0
    direction = {**fields, name: (slots, eta)}
    for term in found.boundary:
        assert isinstance(term.region, Boundary)
        sides = box(term.region.of.value if isinstance(term.region.of, Named) else term.region.of)
        for k, (lo, hi) in enumerate(sides):
            for end, sign in ((lo, -1), (hi, 1)):
                normal = tuple(Integer(sign if j == k else 0) for j in range(len(sides)))
                flux = contraction(explicit(term.cotangent, fields, normal), explicit(term.node, direction, normal))
                flux = _fixed(flux, xs[k], end)
                rest = [x for j, x in enumerate(xs) if j != k]
                boundary += over_box(flux, rest, [s for j, s in enumerate(sides) if j != k])
    return interior, boundary


def contraction(a: Any, b: Any) -> Expr:
    """The full contraction of two tensors."""
    if not isinstance(a, list):
        return a * b
    if isinstance(a[0], list):
        return total([inner(x, y) for x, y in zip(a, b, strict=True)])
    return inner(a, b)


def _fixed(expr: Expr, x: Symbol, end: Expr) -> Expr:
    return expr.subs(x, end)


def over_box(expr: Expr, xs: list[Symbol], sides: list[tuple[Any, Any]]) -> float:
    from sympy import Integral

    limits = [(x, a, b) for x, (a, b) in zip(xs, sides, strict=True)]
    return float(number(Integral(expr, *limits) if limits else expr))
