"""Second derivatives that stand as their sum alone become one Laplacian, and only those."""

from __future__ import annotations

import pytest
import sympy as sp

from pdespec import compiler
from pdespec.plan.plan import Channel, Collocation, Condition, Laplacian

SPEC = """domain Ω(x, y) = [0, 1]^2, I(t) = [0, 1]
unknown u : Ω × I -> R
bulk: {} = 0 on Ω × I
start: u = 0 on Ω × {{0}}
wall: u = 0 on ∂Ω × I
solve bulk, start, wall using collocation(points=64) with adam(steps=1)
"""


def bulk(equation: str, spec: str = SPEC) -> Condition:
    plan = compiler.compile(spec.format(equation), upto="plan").require().plan
    assert plan is not None
    (solve,) = plan.solves
    assert isinstance(solve, Collocation)
    return next(c for c in solve.conditions if c.label == "bulk")


SPACE = Laplacian((0, 1))


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("∂t u - Δu", {(0, 0, 1), SPACE}),
        ("∂t u - ∂xx u - ∂yy u", {(0, 0, 1), SPACE}),
        ("∂t u - Δu + u", {(0, 0, 0), (0, 0, 1), SPACE}),
        ("∂t u - (1 + x)*Δu", {(0, 0, 1), SPACE}),
        ("∂t u - Δu - (Δu)²", {(0, 0, 1), SPACE}),
        ("∂t u - 2*∂xx u - ∂yy u", {(0, 0, 1), (2, 0, 0), (0, 2, 0)}),
        ("∂t u - (1 + x)*∂xx u - ∂yy u", {(0, 0, 1), (2, 0, 0), (0, 2, 0)}),
        ("∂t u - ∂xx u * ∂yy u", {(0, 0, 1), (2, 0, 0), (0, 2, 0)}),
        ("∂t u - Δu - ∂xx u", {(0, 0, 1), (2, 0, 0), SPACE}),
        ("∂t u - Δu - ∂xx u - ∂yy u", {(0, 0, 1), SPACE}),
        ("∂t u - Δu - ∂xy u", {(0, 0, 1), (1, 1, 0), SPACE}),
    ],
)
def test_what_is_read_as_a_sum(equation: str, expected: set[object]) -> None:
    assert {c.orders for c in bulk(equation).channels} == expected


def test_what_is_differentiated_further_is_no_laplacian() -> None:
    clamped = SPEC.replace("solve bulk,", "flat: ∂n u = 0 on ∂Ω × I\nsolve bulk, flat,")
    assert {c.orders for c in bulk("∂t u + ΔΔu", clamped).channels} == {(0, 0, 1), (4, 0, 0), (2, 2, 0), (0, 4, 0)}


def test_conditions_of_one_region_share_their_points() -> None:
    text = SPEC.format("∂t u - Δu").replace("wall: u = 0", "flat: ∂n u = 0").replace("∂t u", "∂tt u")
    text = text.replace("solve bulk,", "rest: ∂t u = 0 on Ω × {0}\nsolve bulk, rest,").replace("wall", "flat")
    (solve,) = compiler.compile(text).require().plan.solves  # type: ignore[union-attr]
    assert isinstance(solve, Collocation)
    points = {c.label: c.points for c in solve.conditions}
    assert points["start"] == points["rest"] and len(set(points.values())) == 3


def test_the_residual_stays_what_it_is() -> None:
    """With a polynomial for u, put into every channel by SymPy's own differentiation."""
    found = bulk("∂t u - (1 + x)*Δu - ∂xx u - 3*(∂xx u + ∂yy u)²")
    x, y, t = found.coordinates
    u = x**3 * y + x * y**4 * t + t**2 * y

    def value(c: Channel) -> sp.Expr:
        if isinstance(c.orders, Laplacian):
            return sum(u.diff(found.coordinates[i], 2) for i in c.orders.over)
        return u.diff(*((z, k) for z, k in zip(found.coordinates, c.orders, strict=True) if k)) if c.order else u

    (residual,) = (e.xreplace({c.of(found.coordinates): value(c) for c in found.channels}) for e in found.components)
    xx, yy = u.diff(x, 2), u.diff(y, 2)
    assert sp.expand(residual - (u.diff(t) - (1 + x) * (xx + yy) - xx - 3 * (xx + yy) ** 2)) == 0
