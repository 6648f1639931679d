"""Flows of one energy ∫ V p in several metrics on a grid: the metric decides what moves, whoever wrote it.

With V = x²/2 the mean obeys m′ = −c m in the metric c·W2; with V = x and p = N(0, 1), FR gives m′ = −var p = −1 and W2
gives −1 as well, so that WFR(1) gives −2 and FR alone must not move twice as far.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pdespec import compiler
from tests.generality.running import reports

SPEC = """domain X(x) = [-8, 8], I(t) = [0, 1]
unknown p : P(X) over I
Twice(p)(φ) := -∇·(2 * p * ∇φ)
Power(p)(φ) := -∇·(p² * ∇φ)
E(p) := ∫ {energy} dx
flow: ∂t p = {right} on X × I
start: p = gauss({mean}, 1) on X × {{0}}
solve flow, start using grid(cells=200)
report ∫ x*p dx
"""

MEANS = {
    "W2": ("x²/2 * p", "-grad(E, p; metric=W2)", 1, math.exp(-1)),
    "a multiple of W2": ("x²/2 * p", "-grad(E, p; metric=Twice)", 1, math.exp(-2)),
    "a multiple and a pressure": ("p² + x²/2 * p", "-grad(E, p; metric=Twice)", 1, math.exp(-2)),
    "written out": ("p", "Δ(p²) + ∇·(p * ∇(x²/2))", 1, math.exp(-1)),
    "FR": ("x * p", "-grad(E, p; metric=FR)", 0, -1.0),
    "WFR": ("x * p", "-grad(E, p; metric=WFR(1))", 0, -2.0),
    "FR with an entropy": ("p*ln(p) + x²/2 * p", "-grad(E, p; metric=FR)", 1, math.exp(-1)),
}


@pytest.mark.parametrize("what", MEANS, ids=lambda what: what.replace(" ", "_"))
def test_the_mean(what: str, tmp_path: Path) -> None:
    energy, right, mean, wanted = MEANS[what]
    text = SPEC.format(energy=energy, right=right, mean=mean)
    if "Twice" not in right:
        text = "\n".join(line for line in text.split("\n") if not line.startswith(("Twice", "Power")))
    (found,) = reports(text, tmp_path, seconds=60)
    assert found["value"] == pytest.approx(wanted, abs=5e-3)


def test_a_users_metric_with_walls_is_symmetric_and_keeps_mass() -> None:
    """Nothing flows through the walls: the trial potentials of the test are flat there."""
    text = SPEC.format(energy="x * p", right="-grad(E, p; metric=Power)", mean=0)
    assert not [d for d in compiler.compile(text, upto="derivation").diagnostics if d.code == "PDE408"]
