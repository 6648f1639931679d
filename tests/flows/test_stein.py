"""SVGD, pair sums and density estimates against brute force, autograd, fixed points and identities."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pdespec.runtime.density import (
    blob_log_density,
    gauss_log_density,
    kde_log_density,
    knn_log_density,
)
from pdespec.runtime.integrators import rk4
from pdespec.runtime.kernels import (
    by_rows,
    gaussian_kernel,
    kernel_gradient,
    kernel_sum,
    squared_distances,
)
from pdespec.runtime.particles import gauss_particles
from pdespec.runtime.stein import stein_radial

torch.set_num_threads(1)


def uniform(n: int) -> Tensor:
    return torch.full((n,), 1 / n, dtype=torch.float64)


@pytest.mark.parametrize(
    ("h", "beta", "fixed"), [(1.0, 1.0, 0.7411519037), (0.5, 1.0, 0.5240735370), (1.0, 2.0, 0.5887050113)]
)
def test_two_particles_reach_their_fixed_point(h: float, beta: float, fixed: float) -> None:
    x = torch.tensor([[1.7], [-0.2]], dtype=torch.float64)
    kernel, slope = gaussian_kernel(h)
    for _ in range(1500):
        x = rk4(lambda y: stein_radial(y, -y, 1 / beta, uniform(2), kernel, slope), x, 0.2)
    assert fixed == pytest.approx(math.sqrt(h * h / 2 * math.log(1 + 2 / (beta * h * h))), abs=1e-10)
    assert x.flatten().tolist() == pytest.approx([fixed, -fixed], abs=1e-6)


@pytest.mark.parametrize(("sign", "holds"), [(1, True), (-1, False)])
def test_energy_falls_at_the_rate_of_the_metric(sign: int, holds: bool) -> None:
    """dE/dt = −∬ p∇g(x) K(x, y) p∇g(y), g = c(ln p + 1) + V: a smooth p by quadrature; the wrong sign of ∇K fails."""
    c, h = 0.7, 0.8
    x = torch.linspace(-9, 9, 1201, dtype=torch.float64)
    p = 0.6 * torch.exp(-((x - 1) ** 2) / 2) + 0.4 * torch.exp(-2 * (x + 1.5) ** 2) * 2
    w = p / p.sum()
    kernel, slope = gaussian_kernel(h)
    peaks = torch.stack([0.6 * torch.exp(-((x - 1) ** 2) / 2), 0.8 * torch.exp(-2 * (x + 1.5) ** 2)])
    log_slope = (-(x - 1) * peaks[0] - 4 * (x + 1.5) * peaks[1]) / p  # ∇ln p in closed form
    force = -(x**3 - x)
    grad_g = c * log_slope - force
    velocity = stein_radial(x[:, None], force[:, None], c, w, kernel, lambda r2: sign * slope(r2))[:, 0]
    power = (w * grad_g * velocity).sum().item()
    momentum = w * grad_g
    metric = -(momentum @ kernel((x[:, None] - x) ** 2) @ momentum).item()
    assert (abs(power / metric - 1) < 1e-4) is holds


def test_velocities_are_the_brute_force_sums() -> None:
    x = gauss_particles(7, torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64), 1)
    force, w = torch.sin(x), torch.rand(7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    kernel, slope = gaussian_kernel(0.9)
    expected = torch.zeros_like(x)
    for i in range(7):
        for j in range(7):
            z = x[j].detach().requires_grad_()
            k = torch.exp(-((x[i] - z) ** 2).sum() / (2 * 0.81))
            (gradient,) = torch.autograd.grad(k, z)
            expected[i] += w[j] * (0.3 * gradient + k.detach() * force[j])
    assert torch.allclose(stein_radial(x, force, 0.3, w, kernel, slope), expected, atol=1e-13)


@pytest.mark.parametrize("d", [2, 6])
def test_pair_sums(d: int) -> None:
    x = gauss_particles(40, torch.full((d,), 3.0, dtype=torch.float64), torch.eye(d, dtype=torch.float64), 1)
    y = gauss_particles(30, torch.full((d,), 3.0, dtype=torch.float64), torch.eye(d, dtype=torch.float64), 2)
    r2 = ((x[:, None] - y) ** 2).sum(-1)
    assert torch.allclose(squared_distances(x, y), r2, atol=1e-12)
    kernel, slope = gaussian_kernel(1.3)
    v = torch.randn(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(kernel_sum(x, y, kernel, v), torch.exp(-r2 / 3.38) @ v, atol=1e-12)
    z = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((torch.exp(-((z[:, None] - y) ** 2).sum(-1) / 3.38) @ v[:, 0]).sum(), z)
    assert torch.allclose(kernel_gradient(x, y, slope, v[:, 0]), gradient, atol=1e-12)
    assert torch.equal(by_rows(lambda rows: 2 * rows, x, 30, entries=100), 2 * x)


def test_singular_pairs_leave_out_themselves_and_reach_equilibrium() -> None:
    """K = x²/2 − ln|x| in one dimension: the zeros of a Hermite polynomial are critical (Stieltjes 1885)."""
    n = 12
    x = torch.linspace(-1, 1, n, dtype=torch.float64)[:, None]
    w = uniform(n)

    def slope(r2: Tensor) -> Tensor:
        return 0.5 - 0.5 / r2

    for _ in range(3000):
        x = rk4(lambda y: -kernel_gradient(y, y, slope, w), x, 0.01)
    hermite = torch.linalg.eigvalsh(torch.diag(torch.arange(1, n).double().div(2).sqrt(), 1), UPLO="U")
    assert torch.allclose(x.flatten() - x.mean(), hermite / math.sqrt(n), atol=1e-8)


def test_entropies_of_a_normal_law_by_each_estimator() -> None:
    """∫p ln p = −1 − ln 2π; the bandwidth smooths: KDE and blob see the law N(0, 1 + h²)."""
    n, h = 4000, 0.3
    x = gauss_particles(n, torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64), 1)
    exact = gauss_log_density(x, torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64))
    assert exact.mean().item() == pytest.approx(-1 - math.log(2 * math.pi), abs=0.05)
    assert (knn_log_density(x, 10).mean() - exact.mean()).abs() < 0.04
    smooth = -math.log(2 * math.pi * (1 + h * h)) - 1 / (1 + h * h)
    assert kde_log_density(x, h).mean().item() == pytest.approx(smooth, abs=0.05)
    assert blob_log_density(x, uniform(n), h).mean().item() == pytest.approx(smooth, abs=0.05)


def test_knn_is_exact_about_the_distance_it_counts() -> None:
    """Equal gaps g on a line, k = 2 away from the ends: r = g, ln p = ψ(2) − ln(n − 1) − ln 2 − ln g."""
    x = 0.1 * torch.arange(50, dtype=torch.float64)[:, None]
    value = knn_log_density(x, 2)[25].item()
    assert value == pytest.approx(1 - 0.5772156649015329 - math.log(49) - math.log(2) - math.log(0.1), rel=1e-12)


def test_gauss_log_density() -> None:
    mean = torch.tensor([1.0, 2.0], dtype=torch.float64)
    c = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    x = torch.randn(3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    law = torch.distributions.MultivariateNormal(mean, c)
    assert torch.allclose(gauss_log_density(x, mean, c), law.log_prob(x), atol=1e-13)
