"""Gradient flows with a mobility m(p), on grids, against a method of lines in the densities at the nodes and closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pdespec.runtime.grid import Grid, cell_averages, probability
from pdespec.runtime.mobility import conduct
from pdespec.runtime.monitors import mass
from pdespec.runtime.upwind import aggregate

torch.set_num_threads(1)


def one(p: Tensor) -> Tensor:
    return torch.ones_like(p)


def identity(p: Tensor) -> Tensor:
    return p


def double(p: Tensor) -> Tensor:
    return 2 * p


def lines(p: NDArray[np.float64], x: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """∂ₜp = ∂(p² ∂V) + ½ ∂²p² for V = x²/2 by central differences at faces and classical Runge–Kutta steps."""
    h = x[1] - x[0]
    middle = (x[1:] + x[:-1]) / 2

    def rate(q: NDArray[np.float64]) -> NDArray[np.float64]:
        face = (q[1:] ** 2 + q[:-1] ** 2) / 2
        flux = np.concatenate([[0.0], -face * middle - (q[1:] ** 2 - q[:-1] ** 2) / (2 * h), [0.0]])
        return -(flux[1:] - flux[:-1]) / h

    steps = math.ceil(end / (0.2 * h**2 / p.max()))
    dt = end / steps
    for _ in range(steps):
        a = rate(p)
        b = rate(p + dt / 2 * a)
        c = rate(p + dt / 2 * b)
        p = p + dt / 6 * (a + 2 * b + 2 * c + rate(p + dt * c))
    return p


def test_an_entropy_with_the_mobility_of_squares() -> None:
    """m = p², E = ∫ p ln p + V p: ∂ₜp = ∇·(p²∇V) + ½Δp², on three grids against lines on a fine one."""
    start = lambda z: torch.exp(-((z[..., 0] - 0.5) ** 2)) + 0.2  # noqa: E731
    fine = Grid((-2.0,), (2.0,), (320,), (False,))
    wanted = lines(probability(cell_averages(start, fine), fine).numpy(), fine.centres()[..., 0].numpy(), 0.5)
    errors = []
    for n in (20, 40, 80):
        grid = Grid((-2.0,), (2.0,), (n,), (False,))
        x = grid.centres()[..., 0]
        p = probability(cell_averages(start, grid), grid)
        p = conduct(p, lambda _: x**2 / 2, (identity, double), lambda q: q**2 / 2, identity, grid, 0.5)  # noqa: B023
        errors.append(float((p - torch.tensor(wanted).reshape(n, -1).mean(1)).abs().sum() * grid.volume))
        assert mass(p, grid) == pytest.approx(1, abs=1e-13)
    assert errors[-1] < 1e-3
    assert all(math.log2(a / b) > 1.5 for a, b in itertools.pairwise(errors))


def test_the_minimiser_is_reached_and_stays() -> None:
    """m = p², E = ∫ p² + x²/2 p: ξ = 2p + x²/2 is constant where p > 0, whatever the mobility; nothing becomes negative."""
    grid = Grid((-2.5,), (2.5,), (80,), (False,))
    x = grid.centres()[..., 0]
    exact = probability(cell_averages(lambda z: (0.52002095576 - z[..., 0] ** 2 / 4).clamp(min=0), grid), grid)
    p = probability(torch.exp(-(x**2) / 0.2), grid)
    force = lambda q: 2 * q + x**2 / 2  # noqa: E731
    p = conduct(p, force, (identity, double), torch.zeros_like, lambda q: 2 * q**2, grid, 10.0)
    assert p.min() >= 0 and mass(p, grid) == pytest.approx(1, abs=1e-13)
    assert float((p - exact).abs().sum() * grid.volume) < 2e-3
    still = conduct(exact, force, (identity, double), torch.zeros_like, lambda q: 2 * q**2, grid, 1.0)
    assert (still - exact).abs().max() < 1e-2


def test_saturation_keeps_a_density_below_one() -> None:
    """m = p (1 − p) falls to zero at 1, so that a confined density fills up to a block."""
    grid = Grid((-2.0,), (2.0,), (100,), (False,))
    x = grid.centres()[..., 0]
    p = probability(torch.exp(-(x**2) / 2), grid)
    assert p.max() < 1
    mobility = (lambda q: 1 - q, lambda q: 1 - 2 * q)
    p = conduct(p, lambda _: 4 * x**2, mobility, torch.zeros_like, torch.zeros_like, grid, 4.0)
    assert p.min() >= 0 and p.max() < 1 + 1e-12 and mass(p, grid) == pytest.approx(1, abs=1e-13)
    assert float((p - (x.abs() < 0.5).double()).abs().sum() * grid.volume) < 0.1


def test_mobility_one_per_mass_is_upwind() -> None:
    grid = Grid((-2.0,), (2.0,), (60,), (False,))
    x = grid.centres()[..., 0]
    p = probability(torch.exp(-2 * (x - 0.3) ** 2), grid)
    force = lambda q: 2 * q + x**2 / 2  # noqa: E731
    mine = conduct(p, force, (one, one), torch.zeros_like, double, grid, 0.2)
    assert (mine - aggregate(p, force, double, 0.0, grid, 0.2)).abs().max() < 1e-5
