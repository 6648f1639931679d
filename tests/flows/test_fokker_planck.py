"""Scharfetter–Gummel chains against closed forms of Ornstein–Uhlenbeck, Fokker–Planck and McKean–Vlasov equations."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from pdespec.runtime.convolution import convolution, interaction
from pdespec.runtime.density import gauss_log_density
from pdespec.runtime.grid import Grid, cell_averages, probability
from pdespec.runtime.monitors import mass
from pdespec.runtime.scharfetter_gummel import drift_jumps, hops, mean_field_step, potential_jumps, transport
from tests.flows.measures import boundary_mass, entropy_density, grid_integral, grid_moments

torch.set_num_threads(1)
A = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
MU = torch.tensor([1.0, -1.0], dtype=torch.float64)
M0 = torch.tensor([3.0, 2.0], dtype=torch.float64)
C0 = torch.tensor([[1.0, 0.3], [0.3, 0.5]], dtype=torch.float64)
OU_EXCESS = {0.25: 4.493645073, 0.5: 1.836331855, 1.0: 0.447980367, 2.0: 0.068413558}


def energy(p: Tensor, potential: Tensor, c: float, grid: Grid) -> float:
    return grid_integral(c * entropy_density(p) + potential * p, grid).item()


def ou_errors(n: int) -> tuple[list[float], float, float]:
    """Relative errors of E − E_min at the four times, the drift of the mass and the minimum."""
    grid = Grid((-3.7, -6.2), (9.5, 6.7), (n, n), (False, False))
    x, c = grid.centres(), 0.5
    potential = ((x - MU) @ A * (x - MU)).sum(-1) / 2
    least = -c * math.log(2 * math.pi * c / math.sqrt(torch.linalg.det(A)))
    p = probability(torch.exp(gauss_log_density(x, M0, C0)), grid)
    chain, t, errors, low = hops(potential_jumps(potential, grid), c, grid), 0.0, [], 0.0
    for time, excess in OU_EXCESS.items():
        p, t = transport(p, chain, time - t), time
        errors.append((energy(p, potential, c, grid) - least) / excess - 1)
        low = min(low, p.min().item())
    return errors, abs(mass(p, grid) - 1), low


def test_ornstein_uhlenbeck_energies_are_of_order_two() -> None:
    coarse, _, _ = ou_errors(64)
    fine, drift, low = ou_errors(128)
    assert all(abs(e) < 1e-2 for e in fine)
    assert all(3.3 < a / b < 4.8 for a, b in zip(coarse, fine, strict=True))
    assert drift < 1e-13 and low >= 0


@pytest.mark.slow
def test_ornstein_uhlenbeck_energies_to_one_in_a_thousand() -> None:
    errors, drift, low = ou_errors(400)
    assert all(abs(e) < 1e-3 for e in errors) and drift < 1e-13 and low >= 0


def test_a_gibbs_density_is_stationary() -> None:
    """Also in two dimensions, on a torus, with a potential that varies by a hundred times c."""
    for grid in (
        Grid((-2.0, -1.5), (2.0, 1.5), (40, 30), (False,) * 2),
        Grid((0.0, 0.0), (1.0, 2.0), (24, 32), (True,) * 2),
    ):
        x, c = grid.centres(), 0.25
        if grid.periodic[0]:
            potential = torch.cos(2 * math.pi * x[..., 0]) + torch.sin(math.pi * x[..., 1])
        else:
            potential = (x[..., 0] ** 2 - 1) ** 2 + 2 * x[..., 1] ** 2 + 0.3 * x[..., 0] * x[..., 1]
        gibbs = probability(torch.exp(-potential / c), grid)
        after = transport(gibbs, hops(potential_jumps(potential, grid), c, grid), 3.0)
        assert ((after - gibbs).abs() / gibbs).max() < 1e-12


def test_a_wrong_potential_is_not_stationary() -> None:
    grid = Grid((-2.0,), (2.0,), (100,), (False,))
    x = grid.centres()[..., 0]
    gibbs = probability(torch.exp(-(x**2)), grid)
    after = transport(gibbs, hops(potential_jumps(x**2 / 2, grid), 1.0, grid), 0.1)
    assert (after - gibbs).abs().max() > 1e-2


def test_double_well_minimum_and_decay_rate() -> None:
    """V = (x² − 1)², β = 3 from N(−1, .01): E_min and λ₁ from ln|⟨x⟩| over the last third of [0, 36]."""
    c, times = 1 / 3, 120
    grid = Grid((-2.4,), (2.4,), (160,), (False,))
    x = grid.centres()[..., 0]
    potential = (x**2 - 1) ** 2
    p = probability(torch.exp(-((x + 1) ** 2) / 0.02), grid)
    chain, dt, logs = hops(potential_jumps(potential, grid), c, grid), 36 / times, []
    for _ in range(times):
        p = transport(p, chain, dt)
        logs.append(math.log(-(p * x).sum().item() * grid.volume))
    rate = (logs[2 * times // 3 - 1] - logs[-1]) / (36 / 3)
    assert rate == pytest.approx(0.0806198609, rel=1e-3)
    assert mass(p, grid) == pytest.approx(1, abs=1e-13)
    p = transport(p, chain, 36.0)
    assert energy(p, potential, c, grid) == pytest.approx(-0.03800202563, abs=1e-4)
    assert grid_integral(p * x**2, grid).item() == pytest.approx(0.88929401559, abs=1e-4)


@pytest.mark.slow
def test_two_wells_on_the_plane_reach_their_energy() -> None:
    c = 1 / 4
    grid = Grid((-4.0, -4.0), (4.0, 4.0), (128, 128), (False, False))
    x = grid.centres()
    potential = (x[..., 0] ** 2 - 1) ** 2 + 2 * x[..., 1] ** 2
    p = probability(torch.exp(-(x**2).sum(-1) / 2), grid)
    p = transport(p, hops(potential_jumps(potential, grid), c, grid), 20.0)
    assert energy(p, potential, c, grid) == pytest.approx(0.1302319204, rel=1e-3)
    assert mass(p, grid) == pytest.approx(1, abs=1e-13) and p.min() >= 0


def test_energy_falls_and_mass_stays() -> None:
    grid = Grid((-3.0, -3.0), (3.0, 3.0), (32, 32), (False, False))
    x, c = grid.centres(), 0.5
    potential = torch.sin(2 * x[..., 0]) * x[..., 1] + (x**2).sum(-1) / 2
    p = probability(torch.exp(-((x - 1) ** 2).sum(-1) * 4), grid)
    chain, energies = hops(potential_jumps(potential, grid), c, grid), []
    for _ in range(40):
        energies.append(energy(p, potential, c, grid))
        p = transport(p, chain, 0.05)
        assert p.min() >= 0 and mass(p, grid) == pytest.approx(1, abs=1e-13)
    assert all(b < a for a, b in itertools.pairwise(energies))


def test_a_rotating_drift_has_the_covariance_of_its_lyapunov_equation() -> None:
    """dx = (−x + 2Jx) dt + √2 dW with J a quarter turn: no gradient, stationary N(0, 1), mean e^{−t} R(2t) m."""
    turn = torch.tensor([[-1.0, -2.0], [2.0, -1.0]], dtype=torch.float64)
    grid = Grid((-6.5, -6.5), (6.5, 6.5), (130, 130), (False, False))
    p = probability(torch.exp(-((grid.centres() - 1) ** 2).sum(-1) / 2), grid)
    p = transport(p, hops(drift_jumps(lambda x: x @ turn.T, grid), 1.0, grid), 0.5)
    mean, covariance = grid_moments(p, grid)
    assert torch.allclose(mean, torch.matrix_exp(turn * 0.5) @ torch.ones(2, dtype=torch.float64), atol=2e-3)
    assert torch.allclose(covariance, torch.eye(2, dtype=torch.float64), atol=1e-2)
    assert boundary_mass(p, grid) < 1e-6


def test_kuramoto_order_parameter() -> None:
    grid, dt = Grid((0.0,), (2 * math.pi,), (128,), (True,)), 0.02
    x = grid.centres()[..., 0]
    field = convolution(lambda z: -4 * torch.cos(z[..., 0]), grid)
    p = (1 + 0.2 * torch.cos(x)) / (2 * math.pi)
    reference = {25: 0.1634752348, 50: 0.2617002357, 100: 0.5633355111, 150: 0.7797502820}
    for k in range(1, 151):
        p = mean_field_step(p, field, 1.0, grid, dt)
        if k in reference:
            assert grid_integral(p * torch.cos(x), grid).item() == pytest.approx(reference[k], abs=1e-3)
    assert mass(p, grid) == pytest.approx(1, abs=1e-13) and p.min() > 0


def test_mckean_ornstein_uhlenbeck_moments() -> None:
    """V = x²/2, interaction θ/2|x − y|² with θ = 2, β = 1, from N(3, 2)."""
    grid, dt = Grid((-6.0,), (11.0,), (480,), (False,)), 0.0125
    x = grid.centres()[..., 0]
    attraction = convolution(lambda z: z[..., 0] ** 2, grid)
    p = probability(torch.exp(-((x - 3) ** 2) / 4), grid)
    reference = {20: (2.33640235, 0.70521693), 80: (1.10363832, 0.33746459)}
    for k in range(1, 81):
        p = mean_field_step(p, lambda q: x**2 / 2 + attraction(q), 1.0, grid, dt)
        if k in reference:
            mean, variance = grid_moments(p, grid)
            assert mean.item() == pytest.approx(reference[k][0], rel=1e-3)
            assert variance.item() == pytest.approx(reference[k][1], rel=1e-2)


def test_mean_field_step_is_of_order_two_in_time() -> None:
    grid = Grid((0.0,), (2 * math.pi,), (64,), (True,))
    x = grid.centres()[..., 0]
    field = convolution(lambda z: -4 * torch.cos(z[..., 0]), grid)

    def solve(steps: int) -> Tensor:
        p = (1 + 0.5 * torch.cos(x)) / (2 * math.pi)
        for _ in range(steps):
            p = mean_field_step(p, field, 1.0, grid, 1 / steps)
        return p

    fine = solve(256)
    assert 3.5 < (solve(8) - fine).abs().max() / (solve(16) - fine).abs().max() < 4.8


def test_convolution_is_the_sum_over_cells_on_boxes_and_tori() -> None:
    def kernel(z: Tensor) -> Tensor:
        return torch.exp(-(z[..., 0] ** 2)) * (1 + z[..., 1])

    box = Grid((-1.0, 0.0), (2.0, 1.0), (9, 7), (False, False))
    p = torch.rand(box.cells, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x = box.centres()
    direct = torch.einsum("ijkl,kl->ij", kernel(x[:, :, None, None] - x), p) * box.volume
    assert torch.allclose(convolution(kernel, box)(p), direct, atol=1e-13)
    assert torch.allclose(interaction(lambda a, b: kernel(a - b), box)(p), direct, atol=1e-13)

    torus = Grid((0.0,), (2 * math.pi,), (20,), (True,))
    y = torus.centres()[..., 0]
    q = torch.rand(20, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    circular = torch.sin(y[:, None] - y + 0.3) @ q * torus.volume
    assert torch.allclose(convolution(lambda z: torch.sin(z[..., 0] + 0.3), torus)(q), circular, atol=1e-13)


def test_cell_averages_and_moments() -> None:
    grid = Grid((0.0, -1.0), (2.0, 1.0), (4, 3), (False, False))
    average = cell_averages(lambda x: x[..., 0] ** 3 * x[..., 1] ** 2, grid)
    assert average.sum().item() * grid.volume == pytest.approx(4 * 2 / 3, rel=1e-14)
    assert average[0, 0].item() == pytest.approx((0.5**4 / 4 / 0.5) * ((1 - 1 / 27) / 3 / (2 / 3)), rel=1e-13)
