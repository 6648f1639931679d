"""Boxes against normal quantiles and tails in closed form."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from pdespec.runtime.box import common_box, tight_box

torch.set_num_threads(1)


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (100.0, 0.1), (-1.0, 0.01), (30.0, 200.0)])
def test_normal_quantiles(mean: float, spread: float) -> None:
    quantile = -NormalDist().inv_cdf(0.5e-10)
    ((low, high),) = tight_box(lambda x: -(((x[..., 0] - mean) / spread) ** 2) / 2, 1)
    assert low == pytest.approx(mean - quantile * spread, abs=0.01 * spread)
    assert high == pytest.approx(mean + quantile * spread, abs=0.01 * spread)


def test_laplace_tails() -> None:
    ((low, high),) = tight_box(lambda x: -x[..., 0].abs(), 1)
    assert -low == pytest.approx(-math.log(1e-10), rel=2e-3) and high == pytest.approx(-math.log(1e-10), rel=2e-3)


def test_two_dimensions_and_two_densities() -> None:
    def wells(x: Tensor) -> Tensor:
        return -4 * ((x[..., 0] ** 2 - 1) ** 2 + 2 * x[..., 1] ** 2)

    def start(x: Tensor) -> Tensor:
        return -((x[..., 0] - 6) ** 2) / 2 - x[..., 1] ** 2 / 0.02

    quantile = -NormalDist().inv_cdf(0.25e-10)
    (a, b), (c, d) = common_box([wells, start], 2)
    assert (
        b == pytest.approx(6 + quantile, rel=1e-2)
        and d == pytest.approx(quantile / 4, rel=1e-2)
        and c == pytest.approx(-d)
    )
    z = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    weight = torch.exp(-4 * (z**2 - 1) ** 2)
    assert a == pytest.approx(z[weight.cumsum(0) / weight.sum() > 0.25e-10][0].item(), rel=1e-2)


@pytest.mark.parametrize("log_density", [lambda x: -torch.log1p(x[..., 0] ** 2), lambda x: 0 * x[..., 0]])
def test_a_density_without_a_box_is_refused(log_density: object) -> None:
    with pytest.raises(ValueError, match="give box="):
        tight_box(log_density, 1)  # type: ignore[arg-type]
