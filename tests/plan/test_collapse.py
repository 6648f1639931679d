"""Second derivatives that stand as their sum alone become one Laplacian, and only those."""

from __future__ import annotations

import pytest

from pdespec import compiler
from pdespec.plan.plan import Channel, Collocation, Laplacian

SPEC = """domain Ω(x, y) = [0, 1]^2, I(t) = [0, 1]
unknown u : Ω × I -> R
bulk: {} = 0 on Ω × I
start: u = 0 on Ω × {{0}}
wall: u = 0 on ∂Ω × I
solve bulk, start, wall using collocation(points=64) with adam(steps=1)
"""


def channels(equation: str) -> set[object]:
    plan = compiler.compile(SPEC.format(equation), upto="plan").require().plan
    assert plan is not None
    (solve,) = plan.solves
    assert isinstance(solve, Collocation)
    bulk = next(c for c in solve.conditions if c.label == "bulk")
    assert all(isinstance(c, Channel) for c in bulk.channels)
    return {c.orders for c in bulk.channels}


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
        ("∂t u - Δu - ∂xy u", {(0, 0, 1), (1, 1, 0), SPACE}),
    ],
)
def test_what_is_read_as_a_sum(equation: str, expected: set[object]) -> None:
    assert channels(equation) == expected
