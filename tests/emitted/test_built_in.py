"""Conditions that the form of a network meets by construction: faces of a box, and clamped ends by a square."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdespec.compiler import compile
from pdespec.plan.plan import Collocation, Ritz
from tests.generality.running import reports

BEAM = """\
domain X(x) = [0, 1]
unknown u : X -> R
E(u) := ∫ 1/2*(∂xx u)² - 24*u dx
pin: u = 0 on ∂X
clamp: ∂n u = 0 on ∂X
solve min[u] E(u), pin, clamp using ritz with adam(steps=50) then lbfgs(steps=40)
report E(u) < 0, u(0.5) < 1
"""

FACES = """\
domain X(x, y) = [0, 1]^2
unknown u : X -> R
bulk: -Δu = 2 on X
left: u = 0 on {0} × [0, 1]
right: u = 1 on {1} × [0, 1]
sides: ∂n u = 0 on [0, 1] × {0, 1}
solve bulk, left, right, sides using collocation
report u(0.5, 0.5) < 1
"""


def realisation(text: str) -> Collocation | Ritz:
    plan = compile(text).require().plan
    assert plan is not None
    (solve,) = plan.solves
    assert isinstance(solve, (Collocation, Ritz))
    return solve


def test_a_clamped_beam_has_a_square_of_the_distance(tmp_path: Path) -> None:
    """u'''' = 24 with u = u' = 0 at both ends: u = x²(1 − x)² and E = −2/5."""
    assert realisation(BEAM).built_in == ("pin", "clamp")
    energy, middle = reports(BEAM, tmp_path, 60)
    assert energy["value"] == pytest.approx(-0.4, abs=1e-5)
    assert middle["value"] == pytest.approx(1 / 16, abs=1e-5)


def test_faces_are_built_in_and_natural_ones_are_not() -> None:
    assert realisation(FACES).built_in == ("left", "right")


@pytest.mark.parametrize(
    "right, wrong",
    [("clamp: ∂n u = 0", "clamp: ∂n u = 1"), ("pin: u = 0 on ∂X", "pin: u = 0 on {0}"), ("pin: u = 0", "pin: u = x")],
)
def test_a_square_is_taken_only_where_it_is_right(right: str, wrong: str) -> None:
    assert "clamp" not in realisation(BEAM.replace(right, wrong)).built_in
