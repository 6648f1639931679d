"""ETDRK4 against energies of Allen–Cahn and Cahn–Hilliard, an exact travelling mode and its order."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pdespec.runtime.grid import Grid
from pdespec.runtime.spectral import etdrk4, etdrk4_coefficients, low_modes, spectral_gradient, wavenumbers

torch.set_num_threads(1)
GRID = Grid((0.0,), (2 * math.pi,), (128,), (True,))
X = GRID.points((0.0,))[..., 0]
K2 = wavenumbers(GRID)[..., 0] ** 2
EPS2 = 0.04


def cube(u: Tensor) -> Tensor:
    return u**3


def energy(u: Tensor) -> float:
    gradient = spectral_gradient(u, GRID)[..., 0]
    return ((EPS2 * gradient**2 / 2 + (u**2 - 1) ** 2 / 4).sum() * GRID.volume).item()


def test_allen_cahn_energies() -> None:
    u, dt = 0.5 * torch.cos(X) + 0.2 * torch.sin(2 * X), 0.02
    coefficients = etdrk4_coefficients(1 - EPS2 * K2, dt)
    assert energy(u) == pytest.approx(1.202346413, abs=1e-8)
    reference = {50: 0.7633947262, 100: 0.4976368412, 200: 0.3786458348}
    for k in range(1, 201):
        u = etdrk4(u, coefficients, cube, -torch.ones_like(K2))
        if k in reference:
            assert energy(u) == pytest.approx(reference[k], abs=1e-7)


def test_cahn_hilliard_energies_and_mean() -> None:
    u, dt = 0.1 + 0.3 * torch.cos(X) + 0.2 * torch.sin(2 * X), 0.005
    coefficients = etdrk4_coefficients(K2 - EPS2 * K2**2, dt)
    assert energy(u) == pytest.approx(1.371364098, abs=1e-8)
    reference = {100: 0.936529433, 200: 0.758285375, 400: 0.752498252}
    for k in range(1, 401):
        u = etdrk4(u, coefficients, cube, -K2 * low_modes(GRID))
        assert abs(u.mean().item() - 0.1) < 1e-15
        if k in reference:
            assert energy(u) == pytest.approx(reference[k], abs=1e-6)


def test_a_single_mode_decays_exactly_in_two_dimensions() -> None:
    grid = Grid((0.0, 0.0), (1.0, 3.0), (16, 12), (True, True))
    z, k = 2 * math.pi * grid.points((0.0, 0.0)), wavenumbers(grid)
    u = torch.cos(z[..., 0] + 2 * z[..., 1] / 3)
    symbol = -(k**2).sum(-1)
    after = etdrk4(u, etdrk4_coefficients(symbol, 0.01), torch.zeros_like, torch.ones_like(symbol))
    rate = (2 * math.pi) ** 2 * (1 + 4 / 9)
    assert torch.allclose(after, math.exp(-0.01 * rate) * u, atol=1e-14)
    slope = spectral_gradient(u, grid)
    assert torch.allclose(slope[..., 1], -4 * math.pi / 3 * torch.sin(z[..., 0] + 2 * z[..., 1] / 3), atol=1e-12)


def test_order_four_in_time() -> None:
    def solve(steps: int) -> Tensor:
        u = 0.5 * torch.cos(X) + 0.2 * torch.sin(2 * X)
        coefficients = etdrk4_coefficients(1 - EPS2 * K2, 1 / steps)
        for _ in range(steps):
            u = etdrk4(u, coefficients, cube, -torch.ones_like(K2))
        return u

    fine = solve(256)
    assert 13 < (solve(8) - fine).abs().max() / (solve(16) - fine).abs().max() < 20


def test_coefficients_have_their_limits_at_zero() -> None:
    *_, q, f1, f2, f3 = etdrk4_coefficients(torch.tensor([0.0, -1e-9, -1e4], dtype=torch.float64), 0.5)
    for value, limit in ((q, 1 / 4), (f1, 1 / 12), (f2, 1 / 12), (f3, 1 / 12)):  # dt times 1/2, 1/6, 1/6, 1/6
        assert torch.allclose(value[:2], torch.full((2,), limit, dtype=torch.float64), atol=1e-9)
    assert torch.isfinite(torch.stack([q, f1, f2, f3])).all()
