"""Weighted points against closed forms of Gaussian and Gibbs laws, and relative errors against hand-made ones."""

from __future__ import annotations

import math

import pytest
import torch

from pdespec.runtime.errors import relative_error
from pdespec.runtime.samplers import gauss_points, tempered_points, weighted_points
from pdespec.runtime.shapes import Box

BOX = Box((-6.0, -6.0), (6.0, 6.0)).interior


def test_importance_weights_of_a_gaussian() -> None:
    """ρ = exp(−|x − (1,0)|²/2): mass 2π, mean (1, 0), variance 1; ESS/n = (∫ρ)²/(|Ω|∫ρ²) = (2π)²/(144 π)."""
    found = weighted_points(lambda x: -((x - torch.tensor([1.0, 0.0])) ** 2).sum(1) / 2, BOX, 2**14, 0)
    assert found.weights.sum().item() == pytest.approx(1)
    assert math.exp(found.log_mass) == pytest.approx(2 * math.pi, rel=2e-3)
    mean = (found.weights[:, None] * found.points).sum(0)
    assert mean.tolist() == pytest.approx([1, 0], abs=5e-3)
    assert (found.weights * found.points[:, 1] ** 2).sum().item() == pytest.approx(1, rel=5e-3)
    assert found.effective == pytest.approx(4 * math.pi / 144, rel=2e-2)


def test_tempered_points_visit_the_barrier_and_keep_the_law() -> None:
    """Double well at β = 6: 𝔼|x₁| by a one-dimensional sum; the barrier |x₁| < 0.3 gets far more points than weight."""

    def log_density(x: torch.Tensor) -> torch.Tensor:
        return -6 * ((x[:, 0] ** 2 - 1) ** 2 + 0.3 * x[:, 1] ** 2)

    found = tempered_points(log_density, Box((-2.5, -4.0), (2.5, 4.0)).interior, 4096, 0, factors=(1.0, 0.25))
    line = torch.linspace(-2.5, 2.5, 20001, dtype=torch.float64)
    density = torch.exp(-6 * (line**2 - 1) ** 2)
    exact = ((density * line.abs()).sum() / density.sum()).item()
    rare = (density * (line.abs() < 0.3)).sum() / density.sum()
    assert (found.weights * found.points[:, 0].abs()).sum().item() == pytest.approx(exact, rel=1e-2)
    barrier = found.points[:, 0].abs() < 0.3
    assert barrier.double().mean() > 3 * rare
    assert found.weights[barrier].sum().item() == pytest.approx(rare.item(), rel=0.15)
    assert 0.3 < found.effective <= 1


def test_gauss_points_have_their_mean_and_covariance() -> None:
    mean, covariance = torch.tensor([1.0, -1.0]).double(), torch.tensor([[2.0, 0.8], [0.8, 1.0]]).double()
    x = gauss_points(mean, covariance, 40000, 0)
    assert (x.mean(0) - mean).abs().max() < 4 * math.sqrt(2 / 40000)
    assert (torch.cov(x.T) - covariance).abs().max() < 4 * 2 * math.sqrt(2 / 40000)
    assert torch.equal(x, gauss_points(mean, covariance, 40000, 0))


def test_relative_error() -> None:
    exact = torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert relative_error(exact + torch.tensor([0.3, 0.4]), exact) == pytest.approx(0.1)
    assert relative_error(exact + 7, exact, mean_free=True) == pytest.approx(0, abs=1e-14)
    assert relative_error(exact + 7, exact) > 1
    weights = torch.tensor([1.0, 0.0], dtype=torch.float64)
    assert relative_error(exact + torch.tensor([0.3, 9.0]), exact, weights) == pytest.approx(0.1)
    field = torch.stack([exact, 2 * exact], 1)
    assert relative_error(1.5 * field, field) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="shapes"):
        relative_error(exact[:, None], exact)
    with pytest.raises(ValueError, match="not zero"):
        relative_error(exact, 0 * exact)
