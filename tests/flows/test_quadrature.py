"""Rules against moments in closed form."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pdespec.runtime.quadrature import (
    cut_law_rule,
    gauss_hermite,
    gauss_law_rule,
    gauss_legendre,
    tensor_rule,
    trapezoid,
)
from tests.generality.running import reports


@pytest.mark.parametrize("n", [1, 2, 5, 20, 64])
def test_gauss_legendre_is_numpy_s_and_exact_to_degree_2n_minus_1(n: int) -> None:
    x, w = gauss_legendre(n, -1.0, 1.0)
    nodes, weights = np.polynomial.legendre.leggauss(n)
    assert np.allclose(x.numpy(), nodes, atol=2e-15) and np.allclose(w.numpy(), weights, atol=5e-15)
    y, v = gauss_legendre(n, 1.0, 3.0)
    degree = 2 * n - 1
    exact = (3.0 ** (degree + 1) - 1) / (degree + 1)
    assert (v @ y**degree).item() == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_gauss_hermite_has_the_moments_of_a_standard_normal(n: int) -> None:
    z, w = gauss_hermite(n)
    for k in range(2 * n):
        moment = 0 if k % 2 else math.prod(range(1, k, 2))
        assert (w @ z**k).item() == pytest.approx(moment, rel=1e-12, abs=1e-9 * math.factorial(k) ** 0.5)


def test_gauss_law_rule_has_the_mean_covariance_and_fourth_moment() -> None:
    mean = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    c = torch.tensor([[2.0, 0.6, 0.1], [0.6, 1.0, -0.3], [0.1, -0.3, 0.7]], dtype=torch.float64)
    x, w = gauss_law_rule(3, mean, c)
    y = x - mean
    assert torch.allclose(w @ x, mean, atol=1e-13) and torch.allclose(y.T * w @ y, c, atol=1e-13)
    isserlis = c[0, 0] * c[1, 2] + 2 * c[0, 1] * c[0, 2]  # E y1² y2 y3
    assert (w @ (y[:, 0] ** 2 * y[:, 1] * y[:, 2])).item() == pytest.approx(isserlis.item(), abs=1e-12)


def test_trapezoid_is_geometric_on_a_period() -> None:
    x, w = trapezoid(20, -math.pi, math.pi)
    assert (w @ torch.exp(x.cos())).item() == pytest.approx(2 * math.pi * 1.2660658777520084, rel=1e-14)  # I₀(1)


def test_tensor_rule_multiplies() -> None:
    x, w = tensor_rule(gauss_legendre(4, 0.0, 1.0), gauss_legendre(5, 0.0, 2.0), trapezoid(8, 0.0, 2 * math.pi))
    assert x.shape == (160, 3)
    value = (w @ (x[:, 0] ** 3 * x[:, 1] ** 2 * (1 + x[:, 2].cos()))).item()
    assert value == pytest.approx(1 / 4 * 8 / 3 * 2 * math.pi, rel=1e-14)
    alone, weights = tensor_rule(gauss_legendre(4, 0.0, 1.0))
    assert alone.shape == (4, 1) and weights.sum().item() == pytest.approx(1, rel=1e-15)


def test_a_cut_rule_takes_kinks() -> None:
    """𝔼|X| = √(2/π) σ and 𝔼 max(X, Y) = 1/√π for independent standard Gaussians."""
    zero = torch.zeros(1, dtype=torch.float64)
    x, w = cut_law_rule(4000, zero, 4 * torch.eye(1, dtype=torch.float64))
    assert float(w @ x[:, 0].abs()) == pytest.approx(2 * math.sqrt(2 / math.pi), abs=1e-5)
    x, w = cut_law_rule(400, torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64))
    assert float(w @ x.amax(1)) == pytest.approx(1 / math.sqrt(math.pi), abs=1e-3)


def test_each_expectation_has_the_nodes_that_its_degree_needs(tmp_path: Path) -> None:
    """𝔼 x² and 𝔼 x⁸ = 105 in one report, and one with a kink."""
    text = """\
domain X(x) = R, I(t) = [0, 1]
unknown p : P(X) over I
E(p) := ∫ x²/2*p dx + ∫ p*ln(p) dx
flow: ∂t p = -grad(E, p; metric=W2) on X × I
start: p = gauss(0, 1) on X × {0}
solve flow, start using grid(cells=40) with euler(dt=1)
report 𝔼[x ~ gauss(0, 1)] x² + 𝔼[x ~ gauss(0, 1)] x^8 < 200, 𝔼[x ~ gauss(0, 1)] |x - 1/3| < 1
"""
    moments, kinked = reports(text, tmp_path, 30)
    assert moments["value"] == pytest.approx(106, rel=1e-10)
    expected = math.sqrt(2 / math.pi) * math.exp(-1 / 18) + math.erf(1 / 3 / math.sqrt(2)) / 3
    assert kinked["value"] == pytest.approx(expected, abs=1e-5)
