"""A condition on an integral fixes the constant that a Neumann problem leaves open: u = cos πx cos πy + c."""

from __future__ import annotations

from math import pi
from pathlib import Path

import pytest

from tests.generality.running import reports

BOX = """\
param c = 3
domain X(x, y) = [0, 1]^2
unknown u : X -> R
bulk: -Δu = 2*π²*cos(π*x)*cos(π*y) on X
wall: ∂n u = 0 on ∂X
mean: 2*∬ u*(1 + x) dx dy = c
solve bulk, wall, mean
report u(1/2, 1/3) < 10
"""

DISK = """\
domain X(x, y) = disk((0, 0), 1)
unknown u : X -> R
bulk: -Δu = 4 on X
wall: ∂n u = -2 on ∂X
mean: ∬ u dx dy = 1.5
solve bulk, wall, mean
report u(0, 0) < 10
"""


def test_the_value_of_an_integral_over_a_box_is_met_by_a_gauss_rule(tmp_path: Path) -> None:
    """2 ∬ (cos πx cos πy + c)(1 + x) = 3c, as both cosines have mean zero."""
    (found,) = reports(BOX, tmp_path, 60)
    assert found["value"] == pytest.approx(1, abs=1e-8)


def test_elsewhere_it_is_met_as_well_as_points_measure_the_region(tmp_path: Path) -> None:
    """1 − r² has the integral π/2, so the constant is (1.5 − π/2)/π."""
    (found,) = reports(DISK, tmp_path, 60)
    assert found["value"] == pytest.approx(1 + (1.5 - pi / 2) / pi, abs=1e-3)
