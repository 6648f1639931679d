"""Particles against laws in closed form: noise, integrators, walls, weights, starts."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pdespec.runtime.grid import Grid, probability
from pdespec.runtime.integrators import euler, euler_maruyama, heun, rk4, split_noise, ssp_rk3, stochastic_heun, strang
from pdespec.runtime.monitors import mass
from pdespec.runtime.particles import gauss_particles, reflect, wrap
from pdespec.runtime.quadrature import gauss_law_rule
from pdespec.runtime.reaction import react, reweight
from pdespec.runtime.scharfetter_gummel import hops, potential_jumps, transport
from pdespec.runtime.seeds import seeded
from tests.flows.measures import entropy_density, grid_integral, grid_moments, particle_moments

torch.set_num_threads(1)
A = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
MU = torch.tensor([1.0, -1.0], dtype=torch.float64)
M0 = torch.tensor([3.0, 2.0], dtype=torch.float64)
C0 = torch.tensor([[1.0, 0.3], [0.3, 0.5]], dtype=torch.float64)


def ou_law(t: float) -> tuple[Tensor, Tensor]:
    """Mean and covariance of dx = −A(x − μ) dt + dW at t, from N(M0, C0)."""
    decay, limit = torch.matrix_exp(-A * t), torch.linalg.inv(A) / 2
    return MU + decay @ (M0 - MU), limit + decay @ (C0 - limit) @ decay


def worst_score(noise_factor: float, by_splitting: bool, seed: int) -> float:
    """Largest |z-score| of mean and covariance of 20 000 particles at t = .25, .5, 1, 2."""
    n, dt, c = 20_000, 0.025, 0.5 * noise_factor**2
    x, worst = gauss_particles(n, M0, C0, seed), 0.0

    def drift(y: Tensor) -> Tensor:
        return -(y - MU) @ A

    for k in range(80):
        random = seeded(seed, k)
        z, y = (torch.randn(n, 2, generator=random, dtype=torch.float64) for _ in range(2))
        x = split_noise(rk4, drift, x, dt, c, (z, y)) if by_splitting else stochastic_heun(drift, x, dt, c, z)
        if k + 1 in (10, 20, 40, 80):
            mean, covariance = particle_moments(x, torch.full((n,), 1 / n, dtype=torch.float64))
            m, v = ou_law((k + 1) * dt)
            spread = (v.diag()[:, None] * v.diag() + v**2) / n
            scores = torch.cat([(mean - m) / (v.diag() / n).sqrt(), ((covariance - v) / spread.sqrt()).flatten()])
            worst = max(worst, scores.abs().max().item())
    return worst


def test_the_reference_law_is_the_tabulated_one() -> None:
    mean, covariance = ou_law(1.0)
    assert torch.allclose(mean, torch.tensor([0.9570652, -0.0350744], dtype=torch.float64), atol=1e-7)
    table = torch.tensor([[0.285813, -0.1181947], [-0.1181947, 0.527181]], dtype=torch.float64)
    assert torch.allclose(covariance, table, atol=1e-6)


@pytest.mark.parametrize("by_splitting", [False, True])
def test_ornstein_uhlenbeck_within_three_standard_errors_and_a_wrong_noise_is_caught(by_splitting: bool) -> None:
    assert worst_score(1.0, by_splitting, seed=1) < 3
    assert worst_score(1.1, by_splitting, seed=1) > 6


def test_a_run_that_stops_and_goes_on_is_the_same_bit_for_bit() -> None:
    def steps(x: Tensor, first: int, last: int) -> Tensor:
        for k in range(first, last):
            z = torch.randn(x.shape, generator=seeded(7, k), dtype=x.dtype)
            x = euler_maruyama(torch.sin, x, 0.1, 0.3, z)
        return x

    start = gauss_particles(50, MU, C0, 3)
    assert torch.equal(steps(start, 0, 20), steps(steps(start, 0, 9), 9, 20))
    assert not torch.equal(steps(start, 0, 20), steps(steps(start, 0, 9), 10, 21))


@pytest.mark.parametrize(("method", "order"), [(euler, 1), (heun, 2), (ssp_rk3, 3), (rk4, 4)])
def test_orders(method: Callable[..., Tensor], order: int) -> None:
    def error(steps: int) -> float:
        x = torch.tensor([1.0, 0.5], dtype=torch.float64)
        for _ in range(steps):
            x = method(lambda y: -(y**2), x, 1 / steps)
        return (x - torch.tensor([1 / 2, 1 / 3], dtype=torch.float64)).abs().max().item()

    assert math.log2(error(16) / error(32)) == pytest.approx(order, abs=0.25)


def test_strang_is_of_order_two() -> None:
    turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    shear = torch.tensor([[0.5, 0.7], [0.0, -0.2]], dtype=torch.float64)
    x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    exact = torch.matrix_exp(turn + shear) @ x

    def error(steps: int) -> float:
        y = x
        for _ in range(steps):
            y = strang(
                lambda u, h: torch.matrix_exp(turn * h) @ u, lambda u, h: torch.matrix_exp(shear * h) @ u, y, 1 / steps
            )
        return (y - exact).abs().max().item()

    assert math.log2(error(16) / error(32)) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("n", [4, 1000])
def test_mean_field_network_from_exactly_m0(n: int) -> None:
    """σ = (θ·x)², x ~ N(0, I₃), teacher diag(1, ½, ¼): the loss by Gauss–Hermite, rk4 with dt = .01."""
    m0 = torch.tensor([[1.0, 0.2, 0.0], [0.2, 0.6, 0.1], [0.0, 0.1, 0.3]], dtype=torch.float64)
    x, w = gauss_law_rule(3, torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64))
    y = x**2 @ torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64)
    theta = gauss_particles(n, torch.zeros(3, dtype=torch.float64), m0, 0, exact=True)
    assert torch.allclose(theta.T @ theta / n, m0, atol=1e-14)

    def residual(t: Tensor) -> Tensor:
        return ((x @ t.T) ** 2).mean(dim=1) - y

    def loss(t: Tensor) -> float:
        return (w @ residual(t) ** 2).item() / 2

    reference = {10: 0.03379497466, 25: 0.00760021900, 50: 9.765538887e-4, 100: 3.924290293e-5}
    assert loss(theta) == pytest.approx(0.12375, rel=1e-12)
    for k in range(1, 101):
        theta = rk4(lambda t: -2 * ((w * residual(t))[:, None] * (x @ t.T)).T @ x, theta, 0.01)
        if k in reference:
            assert loss(theta) == pytest.approx(reference[k], rel=1e-6)


def test_gauss_particles_have_exactly_the_moments_asked_for() -> None:
    x = gauss_particles(5, M0, C0, 11, exact=True)
    mean, covariance = particle_moments(x, torch.full((5,), 0.2, dtype=torch.float64))
    assert torch.allclose(mean, M0, atol=1e-14) and torch.allclose(covariance, C0, atol=1e-14)
    y = gauss_particles(100_000, M0, C0, 12)
    assert torch.allclose(torch.cov(y.T), C0, atol=0.02) and torch.allclose(y.mean(0), M0, atol=0.02)
    with pytest.raises(torch.linalg.LinAlgError):
        gauss_particles(10, M0, torch.tensor([[1.0, 2.0], [2.0, 1.0]], dtype=torch.float64), 13)


def test_wrap_and_reflect() -> None:
    low, high = torch.tensor([0.0, -1.0]), torch.tensor([1.0, 1.0])
    x = torch.tensor([[1.25, 1.5], [-0.25, -1.5], [2.25, 3.5], [0.5, 0.0]])
    assert torch.equal(wrap(x, low, high), torch.tensor([[0.25, -0.5], [0.75, 0.5], [0.25, -0.5], [0.5, 0.0]]))
    assert torch.equal(reflect(x, low, high), torch.tensor([[0.75, 0.5], [0.25, -0.5], [0.25, -0.5], [0.5, 0.0]]))


def test_reflected_brownian_motion_stays_uniform() -> None:
    """No flux at walls: Var = 1/12 on [0, 1] for all time, and a step to the wall's far side is no loss."""
    n, low, high = 20_000, torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    x = torch.rand(n, 1, generator=seeded(1), dtype=torch.float64)
    for k in range(20):
        x = reflect(
            euler_maruyama(torch.zeros_like, x, 0.05, 0.5, torch.randn(n, 1, generator=seeded(1, k), dtype=x.dtype)),
            low,
            high,
        )
    assert x.min() >= 0 and x.max() <= 1
    assert abs(x.mean().item() - 0.5) < 3 / math.sqrt(12 * n)
    assert abs(x.var().item() - 1 / 12) < 3 * math.sqrt((1 / 80 - 1 / 144) / n)


def test_fisher_rao_of_a_linear_energy_tilts_the_weights() -> None:
    """ṗ = −p(V − ∫Vp) has p ∝ p₀ e^{−Vt}: with V = x²/2 a Gaussian's precision grows by t; steps of any size agree."""
    grid = Grid((-8.0,), (8.0,), (400,), (False,))
    x = grid.centres()[..., 0]
    p = probability(torch.exp(-(x**2) / 4), grid)
    once, many = reweight(p, x**2 / 2, 1.5), p
    for _ in range(10):
        many = react(many, lambda q: x**2 / 2, 0.15)
    assert torch.allclose(once, many, rtol=1e-12) and mass(once, grid) == pytest.approx(1, abs=1e-13)
    assert grid_moments(once, grid)[1].item() == pytest.approx(1 / (0.5 + 1.5), rel=1e-10)


def test_wasserstein_fisher_rao_of_a_relative_entropy() -> None:
    """KL to N(0, 1) from N(2, 4), α = 1: Strang's alternation of births and transport on a grid."""
    grid, dt = Grid((-9.0,), (15.0,), (600,), (False,)), 0.025
    x = grid.centres()[..., 0]
    constant = math.log(2 * math.pi) / 2
    p = probability(torch.exp(-((x - 2) ** 2) / 8), grid)
    chain = hops(potential_jumps(x**2 / 2, grid), 1.0, grid)
    reference = {10: 0.45095324, 20: 0.11423810, 40: 0.01102694702}
    for k in range(1, 41):
        p = strang(lambda q, h: react(q, lambda r: r.log() + x**2 / 2, h), lambda q, h: transport(q, chain, h), p, dt)
        if k == 10:
            mean, variance = grid_moments(p, grid)
            assert mean.item() == pytest.approx(0.79407879, rel=2e-3)
            assert variance.item() == pytest.approx(1.92764378, rel=2e-3)
        if k in reference:
            kl = grid_integral(entropy_density(p) + (x**2 / 2 + constant) * p, grid).item()
            assert kl == pytest.approx(reference[k], rel=1e-2)
    assert mass(p, grid) == pytest.approx(1, abs=1e-13) and p.min() >= 0
