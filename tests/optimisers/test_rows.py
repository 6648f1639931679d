"""Rows of residuals, and the methods of Gauss and Newton that step by them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pdespec.runtime.gauss_newton import DampedLeastSquares, GaussNewton
from pdespec.runtime.levenberg_marquardt import LevenbergMarquardt
from pdespec.runtime.mean_squares import mean_squares
from pdespec.runtime.natural_gradient import NaturalGradient
from pdespec.runtime.residual_rows import ResidualRows, Residuals
from pdespec.runtime.spring import Spring


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def mlp(seed: int, *sizes: int) -> nn.Sequential:
    torch.manual_seed(seed)
    pairs = list(itertools.pairwise(sizes))
    layers = [m for a, b in pairs for m in (nn.Linear(a, b), nn.Tanh())][:-1]
    return nn.Sequential(*layers).double()


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def system(u: nn.Module, p: nn.Module, points: dict[str, tuple[Tensor, ...]]) -> dict[str, Tensor]:
    """Two components in the interior, a flux through a wall with normals, an integral."""
    (z,) = points["bulk"]
    v, q = u(z), p(z)[:, 0]
    found = {"bulk": torch.stack([v[:, 0] * q, v[:, 1].square() - q])}
    z, normals = points["wall"]
    found["wall"] = (u(z) * normals).sum(1) - 1
    found["slip"] = u(z)[:, 0] * normals[:, 1]  # a second equation at the same points
    z, weights = points["mean"]
    return found | {"mean": (weights @ p(z)[:, 0] - 0.3).reshape(1)}


def setting(nested: bool = False, chunk: int = 512) -> tuple[ResidualRows, dict[str, tuple[Tensor, ...]]]:
    nets = [mlp(0, 2, 5, 2), mlp(1, 2, 4, 4, 1)]
    points = {
        "bulk": (random(2, 23, 2),),
        "wall": (random(3, 11, 2), random(4, 11, 2)),
        "mean": (random(5, 7, 2), random(6, 7).abs()),
    }
    weights = {"wall": 10.0, "mean": 3.0}
    return ResidualRows(Residuals(nets, system), weights, nested, chunk), points


@pytest.mark.parametrize(("nested", "chunk"), [(False, 512), (False, 4), (True, 512), (True, 4)])
def test_each_row_is_the_gradient_of_one_residual(nested: bool, chunk: int) -> None:
    rows, points = setting(nested, chunk)
    found = rows.jacobian(points)
    values, terms = rows.values(points)
    counts = {"bulk": 23, "wall": 11, "slip": 11, "mean": 1}
    expected, flat = [], []
    for label, r in rows.residuals(points).items():
        scale = (rows.weights.get(label, 1.0) / counts[label]) ** 0.5
        for entry in (r.T if r.ndim == 2 else r).flatten():
            gradient = torch.autograd.grad(entry, rows.parameters, retain_graph=True, allow_unused=True)
            parts = [torch.zeros_like(w) if g is None else g for g, w in zip(gradient, rows.parameters, strict=True)]
            expected.append(scale * torch.cat([g.flatten() for g in parts]))
            flat.append(scale * entry.item())
    np.testing.assert_allclose(found, torch.stack(expected), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(values, flat, rtol=1e-13)
    weighted = sum(rows.weights.get(k, 1.0) * v.item() for k, v in mean_squares(rows.residuals(points)).items())
    assert (values @ values).item() == pytest.approx(weighted, rel=1e-13)
    assert terms.keys() == counts.keys()


# ── damped least squares ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_both_forms_solve_the_damped_normal_equations(shape: tuple[int, int]) -> None:
    a, b = random(0, *shape), random(1, shape[0])
    for damping in (1e-6, 1.0):
        d = DampedLeastSquares(a, b).solve(damping)
        stacked = np.vstack([a.numpy(), damping**0.5 * np.eye(shape[1])])
        expected = np.linalg.lstsq(stacked, -np.concatenate([b.numpy(), np.zeros(shape[1])]), rcond=None)[0]
        np.testing.assert_allclose(d, expected, rtol=1e-7, atol=1e-9)


def test_a_singular_matrix_is_damped_until_it_can_be_solved() -> None:
    d = DampedLeastSquares(torch.ones(5, 3, dtype=torch.float64), torch.ones(5, dtype=torch.float64)).solve(0.0)
    np.testing.assert_allclose(d.sum(), -1, rtol=1e-6)


# ── stages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Coefficients(nn.Module):
    """θ itself."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(start.clone())


def stage(kind: Callable[..., GaussNewton], residual: Callable[[Tensor, Tensor], Tensor], start: Tensor, count: int,
          damping: float, **more: float) -> tuple[GaussNewton, Coefficients]:  # fmt: skip
    """A stage for residual(θ, points) with one scalar coordinate, at `count` points."""
    model = Coefficients(start)
    rows = ResidualRows(Residuals([model], lambda m, points: {"r": residual(m.theta, points["r"][0])}))
    points = {"r": (torch.arange(count, dtype=torch.float64),)}
    return kind("gn", 10**6, rows, lambda k: points, damping, **more), model


def linear(count: int, size: int) -> tuple[Callable[[Tensor, Tensor], Tensor], Tensor, Tensor]:
    a, b = random(7, count, size), random(8, count)
    return lambda theta, i: a[i.long()] @ theta - b[i.long()], a, b


def valley(theta: Tensor, i: Tensor) -> Tensor:
    """Rosenbrock's function as a sum of two squares."""
    return torch.where(i < 1, 10 * (theta[1] - theta[0].square()), 1 - theta[0])


@pytest.mark.parametrize("kind", [NaturalGradient, LevenbergMarquardt])
@pytest.mark.parametrize("count", [40, 6])
def test_a_linear_problem_takes_one_step(kind: Callable[..., GaussNewton], count: int) -> None:
    residual, a, b = linear(count, 9)
    s, model = stage(kind, residual, torch.zeros(9, dtype=torch.float64), count, 1e-13)
    s.step(0)
    expected = np.linalg.lstsq(a.numpy(), b.numpy(), rcond=None)[0]
    np.testing.assert_allclose(model.theta.detach(), expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("kind", "damping"), [(NaturalGradient, 1e-2), (LevenbergMarquardt, 1e-3)])
def test_rosenbrocks_valley(kind: Callable[..., GaussNewton], damping: float) -> None:
    s, model = stage(kind, valley, torch.tensor([-1.2, 1.0], dtype=torch.float64), 2, damping)
    values = [s.step(k)["r"].item() for k in range(40)]
    np.testing.assert_allclose(model.theta.detach(), 1, atol=1e-6)
    assert all(after <= before for before, after in itertools.pairwise(values))


def test_the_damping_follows_the_quality_of_the_model() -> None:
    """On a linear problem the model is exact, q = 1, and λ falls to a third."""
    residual, _, _ = linear(20, 4)
    s, _ = stage(LevenbergMarquardt, residual, torch.zeros(4, dtype=torch.float64), 20, 1e-3)
    s.step(0)
    assert s.memory["damping"] == pytest.approx(1e-3 / 3, rel=1e-6)


def test_spring_is_kaczmarz_with_memory() -> None:
    """With η = 1 and no damping, θ⁺ − μφ is the point nearest to θ + μφ₋ that solves the equations at hand."""
    a, b = random(7, 60, 20), random(9, 20)
    model = Coefficients(torch.zeros(20, dtype=torch.float64))
    rows = ResidualRows(Residuals([model], lambda m, p: {"r": a[p["r"][0].long()] @ (m.theta - b)}))
    batch = lambda k: {"r": (torch.arange(5 * (k % 12), 5 * (k % 12) + 5, dtype=torch.float64),)}  # noqa: E731
    s = Spring("spring", 10**6, rows, batch, 1e-12, rate=1.0, momentum=0.5, longest=1e9)
    theta, phi = np.zeros(20), np.zeros(20)
    for k in range(300):
        s.step(k)
        block = a.numpy()[5 * (k % 12) : 5 * (k % 12) + 5]
        phi = 0.5 * phi - np.linalg.pinv(block) @ (block @ (theta - b.numpy()) / 1 + block @ (0.5 * phi))
        theta = theta + phi
        np.testing.assert_allclose(model.theta.detach(), theta, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(theta, b, atol=1e-3)


@pytest.mark.parametrize(("kind", "damping"), [(NaturalGradient, 1e-2), (LevenbergMarquardt, 1e-3), (Spring, 1e-3)])
def test_a_saved_state_goes_on_bit_for_bit(kind: Callable[..., GaussNewton], damping: float) -> None:
    start = torch.tensor([-1.2, 1.0], dtype=torch.float64)
    one, first = stage(kind, valley, start, 2, damping)
    for k in range(4):
        one.step(k)
    saved = copy.deepcopy(one.state_dict())
    two, second = stage(kind, valley, torch.zeros(2, dtype=torch.float64), 2, damping)
    two.load_state_dict(copy.deepcopy(saved))
    for k in range(4, 12):
        assert one.step(k) == two.step(k)
        assert torch.equal(first.theta, second.theta)
    one.slow_down()
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    assert two.step(12) == one.step(12)
