"""Flows of one energy ∫ V p in several metrics on a grid: the metric decides what moves, whoever wrote it.

With V = x²/2 the mean obeys m′ = −c m in the metric c·W2; with V = x and p = N(0, 1), FR gives m′ = −var p = −1 and W2
gives −1 as well, so that WFR(1) gives −2 and FR alone must not move twice as far.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
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


MOBILE = """domain X(x) = {set}, I(t) = [0, {end}]
unknown p : P(X) over I
V := x²/2
E(p) := ∫ {energy} dx
Power(p)(φ) := -∇·({mobility} * ∇φ)
flow: ∂t p = -grad(E, p; metric=Power) on X × I
start: p = {start} on X × {{0}}
solve flow, start using grid(cells=40)
report E(p)
report ∫ p dx ~ 1 within 1e-12
"""


def test_the_metric_of_squares_falls_to_the_gibbs_law(tmp_path: Path) -> None:
    """∂t p = ∇·(p² ∇(ln p + V)): E falls to −ln ∫ e^−V over [−1, 1], which is −ln(√(2π) erf(1/√2))."""
    text = MOBILE.format(set="[-1, 1]", end=4, energy="p*ln(p) + V*p", mobility="p²", start="(1 + x)/2")
    energy, _ = reports(text, tmp_path, seconds=60)
    assert energy["value"] == pytest.approx(-math.log(math.sqrt(2 * math.pi) * math.erf(math.sqrt(0.5))), abs=2e-4)


def test_a_saturated_mobility_falls_as_by_hand(tmp_path: Path) -> None:
    """m = p − p²/2 and E = ∫ p²: ∂t p = Δ(p² − p³/3), against lines with explicit steps on the same cells."""
    text = MOBILE.format(set="torus(1)", end=0.02, energy="p²", mobility="(p - p²/2)", start="1 + 1/2*cos(2*π*x)")
    energy, _ = reports(text, tmp_path, seconds=60)
    n = 40
    q = np.array(
        [
            1 + n / (4 * math.pi) * (math.sin(2 * math.pi * (k + 1) / n) - math.sin(2 * math.pi * k / n))
            for k in range(n)
        ]
    )
    for _ in range(1000):
        height = q**2 - q**3 / 3
        q = q + 2e-5 * n**2 * (np.roll(height, 1) + np.roll(height, -1) - 2 * height)
    assert energy["value"] == pytest.approx(float((q**2).mean()), abs=1e-3)


@pytest.mark.parametrize("mobility", ["1", "p^(1/2)"])
def test_a_mobility_that_does_not_vanish_as_p_does_is_refused(mobility: str) -> None:
    """Such a density would become negative."""
    text = MOBILE.format(set="[-1, 1]", end=1, energy="V*p", mobility=f"({mobility})", start="(1 + x)/2")
    found = [d for d in compiler.compile(text).diagnostics if d.severity.value == "error"]
    assert [d.code for d in found] == ["PDE921"]
