"""Upwind finite volumes against Barenblatt's solution and minimisers in closed form."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from pdespec.runtime.convolution import convolution
from pdespec.runtime.grid import Grid, cell_averages, probability
from pdespec.runtime.monitors import mass
from pdespec.runtime.scharfetter_gummel import hops, potential_jumps, transport
from pdespec.runtime.upwind import aggregate, limited_slope
from tests.flows.measures import grid_integral

torch.set_num_threads(1)


def barenblatt(x: Tensor, t: float) -> Tensor:
    """Unit mass, ∂ₜp = Δp² in one dimension."""
    return (0.360562392577 - x[..., 0] ** 2 / (12 * t ** (2 / 3))).clamp(min=0) / t ** (1 / 3)


def double(p: Tensor) -> Tensor:
    return 2 * p


def test_barenblatt_from_1_to_8_on_three_grids() -> None:
    errors = []
    for n in (50, 100, 200):
        grid = Grid((-6.0,), (6.0,), (n,), (False,))
        p = cell_averages(lambda x: barenblatt(x, 1.0), grid, nodes=16)
        before = mass(p, grid)
        p = aggregate(p, double, double, 0.0, grid, 7.0)
        exact = cell_averages(lambda x: barenblatt(x, 8.0), grid, nodes=16)
        errors.append(grid_integral((p - exact).abs(), grid).item())
        front = grid.centres()[..., 0][p > 1e-3 * p.max()].max().item()
        assert abs(front - 2 * 2.08008382) < 2 * grid.spacing[0]
        assert abs(mass(p, grid) / before - 1) < 1e-13 and p.min() >= 0
    assert errors[-1] < 1e-4
    assert all(math.log2(a / b) > 1.5 for a, b in itertools.pairwise(errors))
    assert grid_integral(p**2, grid).item() == pytest.approx(0.28844991406 / 2, rel=1e-3)


def test_confined_porous_medium_is_stationary_at_its_minimiser() -> None:
    """∂ₜp = ∂²p² + ∂(xp)."""
    grid = Grid((-2.5,), (2.5,), (80,), (False,))
    x = grid.centres()[..., 0]
    p = probability(torch.exp(-((x - 0.5) ** 2) / 0.5), grid)
    p = aggregate(p, lambda q: 2 * q + x**2 / 2, double, 0.0, grid, 6.0)
    exact = cell_averages(lambda z: (0.52002095576 - z[..., 0] ** 2 / 4).clamp(min=0), grid)
    assert grid_integral((p - exact).abs(), grid).item() < 2e-3
    assert grid_integral(p**2 + x**2 / 2 * p, grid).item() == pytest.approx(0.62402514692, rel=1e-4)


def test_logarithmic_repulsion_reaches_the_semicircle() -> None:
    grid = Grid((-2.0,), (2.0,), (160,), (False,))
    x = grid.centres()[..., 0]
    field = convolution(lambda z: z[..., 0] ** 2 / 2 - z[..., 0].abs().log(), grid)
    p = aggregate(probability(torch.exp(-8 * x**2), grid), field, torch.zeros_like, 0.0, grid, 6.0)
    assert grid_integral(p * field(p), grid).item() / 2 == pytest.approx(0.54828679514, abs=2e-3)
    assert grid_integral((p - (2 - x**2).clamp(min=0).sqrt() / math.pi).abs(), grid).item() < 5e-3


@pytest.mark.slow
def test_logarithmic_repulsion_reaches_the_disk_in_two_dimensions() -> None:
    grid = Grid((-1.6, -1.6), (1.6, 1.6), (64, 64), (False, False))
    x = grid.centres()
    field = convolution(lambda z: (z**2).sum(-1) / 2 - (z**2).sum(-1).log() / 2, grid)
    p = probability(torch.exp(-2 * (x**2).sum(-1)), grid)
    p = aggregate(p, field, torch.zeros_like, 0.0, grid, 6.0)
    assert grid_integral(p * field(p), grid).item() / 2 == pytest.approx(3 / 8, rel=1e-3)


def test_linear_diffusion_agrees_with_the_chain_on_a_torus() -> None:
    grid = Grid((0.0, 0.0), (1.0, 1.0), (48, 24), (True, True))
    x = 2 * math.pi * grid.centres()
    potential = 0.3 * torch.sin(x[..., 0]) + 0.2 * torch.cos(x[..., 1] - x[..., 0])
    p = probability(1 + 0.5 * torch.cos(x[..., 1]), grid)
    upwind = aggregate(p, lambda q: potential, lambda q: torch.full_like(q, 0.3), 0.3, grid, 0.1)
    chain = transport(p, hops(potential_jumps(potential, grid), 0.3, grid), 0.1)
    assert (upwind - chain).abs().max() < 5e-3
    assert mass(upwind, grid) == pytest.approx(1, abs=1e-13)


def test_limited_slope_keeps_straight_lines_and_stops_at_extrema() -> None:
    line = torch.arange(6, dtype=torch.float64)
    assert torch.equal(limited_slope(line.roll(-1) - line, 0)[1:-1], torch.ones(4, dtype=torch.float64))
    peak = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    assert torch.equal(limited_slope(peak.roll(-1) - peak, 0), torch.zeros(4, dtype=torch.float64))
