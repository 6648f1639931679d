"""The Gateaux derivative dF(u + εη)/dε by a complex step, beside ∫ δF·η and the boundary terms."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integral, Symbol

from pdespec.derive.leaf import FirstVariation
from pdespec.model.sets import Boundary, Named
from tests.oracles.interpreter import (
    box,
    explicit,
    faces,
    flat,
    formula_jets,
    inner,
    number,
    over_face,
    total,
)

STEP = 1e-30
Formulas = dict[str, tuple[tuple[Symbol, ...], Expr]]
ETA = "eta"


def gateaux(functional: Expr, fields: Formulas, directions: Formulas) -> float:
    """Im F(u + ihη)/h."""
    base, along = formula_jets(fields), formula_jets(directions)

    def jets(name: str, orders: tuple[int, ...], point: list[Any]) -> Any:
        return base(name, orders, point) + 1j * STEP * along(name, orders, point)

    return float(number(explicit(functional), jets).imag / STEP)


def paired(
    found: FirstVariation, fields: Formulas, directions: Formulas, name: str, variables: tuple[Any, ...], region: Any
) -> tuple[float, float]:
    """∫ δF·η over the domain, and the boundary terms."""
    xs, sides = flat(variables), box(region)
    base, along = formula_jets(fields), formula_jets(directions)

    def jets(field: str, orders: tuple[int, ...], point: list[Any]) -> Any:
        return along(field.removeprefix(ETA), orders, point) if field.startswith(ETA) else base(field, orders, point)

    density = contraction(explicit(found.interior), _direction(fields, name, xs))
    interior = float(number(Integral(density, *((x, *s) for x, s in zip(xs, sides, strict=True))), jets))
    boundary = 0.0
    for term in found.boundary:
        assert isinstance(term.region, Boundary)
        own = box(term.region.of.value if isinstance(term.region.of, Named) else term.region.of)
        for k, end, normal in faces(own):
            node = _renamed(explicit(term.node, normal))
            flux = contraction(explicit(term.cotangent, normal), node)
            boundary += float(number(over_face(flux, k, end, xs, own), jets))
    return interior, boundary


def _direction(fields: Formulas, name: str, xs: list[Symbol]) -> Any:
    from sympy import Function

    if name in fields:
        return Function(ETA + name)(*xs)
    return [Function(ETA + key)(*xs) for key in sorted(k for k in fields if k.startswith(f"{name}."))]


def _renamed(tensor: Any) -> Any:
    """The field in a boundary node read as the direction."""
    from sympy import Function
    from sympy.core.function import AppliedUndef

    if isinstance(tensor, list):
        return [_renamed(t) for t in tensor]
    return tensor.xreplace({a: Function(ETA + a.func.__name__)(*a.args) for a in tensor.atoms(AppliedUndef)})


def contraction(a: Any, b: Any) -> Expr:
    """The full contraction of two tensors."""
    if not isinstance(a, list):
        return a * b
    if isinstance(a[0], list):
        return total([inner(x, y) for x, y in zip(a, b, strict=True)])
    return inner(a, b)
