"""Flows of periodic fields whose equation depends on the place, against the exponentials of their modes."""

from __future__ import annotations

from math import exp, pi
from pathlib import Path

import pytest

from pdespec.compiler import compile
from tests.generality.running import reports

SPEC = """\
domain  X(x) = torus(2*π), I(t) = [0, 1]
unknown u : X × I -> R
N(u) := ∫ u² dx
E(u) := ∫ {} dx
flow:  ∂t u = -grad(E, u; metric=L2)   on X × I
start: u = 1/2*cos(x) + 1/5*sin(2*x)   on X × {{0}}
solve flow, start
report E(u)(1) < 10
"""


def test_a_force_that_depends_on_the_place(tmp_path: Path) -> None:
    """u = a cos x + b sin 2x with a′ = −a − 1, b′ = −4b and E = π/2 (a² + 4b²) + πa."""
    (found,) = reports(SPEC.format("1/2*|∇u|² + cos(x)*u"), tmp_path, 60)
    a, b = 1.5 * exp(-1) - 1, exp(-4) / 5
    assert found["value"] == pytest.approx(pi / 2 * (a * a + 4 * b * b) + pi * a, rel=1e-9)


@pytest.mark.parametrize("energy", ["1/2*(1 + cos(x)/2)*|∇u|² + u^4/4", "1/2*|∇u|² + N(u)*u²"])
def test_what_the_steps_cannot_take_is_refused(energy: str) -> None:
    assert {d.code for d in compile(SPEC.format(energy)).diagnostics if d.severity.value == "error"} == {"PDE924"}
