"""Where a flow starts and what carries it: uniform and constant densities, a start that mentions time, drifts written out.

For ∂t p = ∇·((x − 1) p) + ½ Δp the mean obeys m′ = 1 − m, in whatever form the right-hand side is written.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.generality.running import reports

DRIFTS = {
    "a divergence": "∇·((x - 1) * p) + 1/2*Δp",
    "a derivative": "∂x ((x - 1) * p) + 1/2*∂xx p",
    "advection": "(x - 1) * ∂x p + p + 1/2*Δp",
}


@pytest.mark.parametrize("form", DRIFTS, ids=lambda form: form.replace(" ", "_"))
def test_a_drift_in_every_form(form: str, tmp_path: Path) -> None:
    text = (
        f"domain X(x) = R, I(t) = [0, 1]\nunknown p : P(X) over I\nflow: ∂t p = {DRIFTS[form]} on X × I\n"
        "start: p = gauss(2, 1) on X × {0}\ng: solve flow, start using grid(box=[-5, 7], cells=200)\n"
        "s: solve flow, start using particles(n=4000) with heun(dt=0.02)\nreport g(∫ x*p dx), s(∫ x*p dx)\n"
    )
    grid, particles = reports(text, tmp_path, seconds=60)
    mean = 1 + math.exp(-1)
    assert grid["value"] == pytest.approx(mean, abs=1e-3)
    assert abs(particles["value"] - mean) < 4 * particles["stderr"]


STARTS = {
    "a constant": ("[0, 1]", "1", 0.5),
    "uniform": ("[0, 1]", "uniform(X)", 0.5),
    "uniform on a part": ("[0, 1]", "uniform([0, 1/2])", 0.25),
    "time in the formula": ("[0, 1]", "(4*x³)*(1 + t)", 0.8),
    "a disk in a box": ("[-2, 2]^2", "uniform(disk((1, 0), 1/2))", 1.0),
}


@pytest.mark.parametrize("what", STARTS, ids=lambda what: what.replace(" ", "_"))
def test_the_mean_of_a_start(what: str, tmp_path: Path) -> None:
    domain, start, mean = STARTS[what]
    x = "x[1]" if "^2" in domain else "x"
    text = (
        f"domain X(x) = {domain}, I(t) = [0, 1e-4]\nunknown p : P(X) over I\nflow: ∂t p = Δp on X × I\n"
        f"start: p = {start} on X × {{0}}\ng: solve flow, start using grid(cells=50)\n"
        f"s: solve flow, start using particles(n=4000) with euler(dt=1e-4)\nreport g(∫ {x}*p dx), s(∫ {x}*p dx)\n"
    )
    grid, particles = reports(text, tmp_path, seconds=60)
    assert grid["value"] == pytest.approx(mean, abs=5e-3)
    assert abs(particles["value"] - mean) < 4 * particles["stderr"]
