"""Points that follow the residual: their density, what stays, and runs that go on from a saved state."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from pdespec.runtime.residual_points import Renewed, ResidualPoints
from pdespec.runtime.seeds import seeded
from pdespec.runtime.ssbroyden import SelfScaledBroyden

Points = dict[str, tuple[Tensor, ...]]


def drawn(draw: int) -> Points:
    """Uniform points on [0, 1] with their doubles, and nodes with weights."""
    x = torch.rand(4000, 1, dtype=torch.float64, generator=seeded(3, draw))
    return {"bulk": (x, 2 * x), "mean": (x[:5], torch.full((5,), 0.2, dtype=torch.float64) + draw)}


def residuals(points: Points) -> dict[str, Tensor]:
    """A residual of two components of length 1 left of a half and 5 right of it, and an integral."""
    (x, _), (z, weights) = points["bulk"], points["mean"]
    size = torch.where(x[:, 0] < 0.5, 1.0, 5.0)
    return {"bulk": torch.stack([0.6 * size, -0.8 * size]), "mean": (weights @ z[:, 0]).reshape(1)}


def test_points_gather_where_the_residual_is_large() -> None:
    """p ∝ |r|/mean |r| + 1 with |r| = 1 and 5 in halves: 4 to 8."""
    points = ResidualPoints(drawn, residuals, seed=0, pool=4)
    points.renew()
    x, doubles = points.now["bulk"]
    assert len(x) == 4000 and torch.equal(doubles, 2 * x)
    # drawn without repetition from a pool, which flattens the ratio 2 a little
    assert 1.6 < (x > 0.5).sum().item() / (x < 0.5).sum().item() < 2.0


def test_nodes_of_integrals_stay() -> None:
    points = ResidualPoints(drawn, residuals, seed=0)
    before = points.now["mean"]
    points.renew()
    assert all(torch.equal(a, b) for a, b in zip(before, points.now["mean"], strict=True))


def test_where_nothing_is_left_points_are_uniform() -> None:
    points = ResidualPoints(drawn, lambda at: {"bulk": 0 * at["bulk"][0][:, 0]}, seed=0)
    points.renew()
    assert abs(points.now["bulk"][0].mean().item() - 0.5) < 0.02


def fit(seed: int) -> tuple[Renewed, Tensor]:
    """Coefficients of a cubic that meets eˣ at the points."""
    theta = torch.zeros(4, dtype=torch.float64, requires_grad=True)

    def error(at: Points) -> dict[str, Tensor]:
        x = at["x"][0][:, 0]
        return {"x": torch.stack([x**k for k in range(4)], 1) @ theta - x.exp()}

    draw = lambda k: {"x": (torch.rand(50, 1, dtype=torch.float64, generator=seeded(seed, k)),)}  # noqa: E731
    points = ResidualPoints(draw, error, seed)
    terms = lambda k: {"x": error(points.now)["x"].square().mean()}  # noqa: E731
    return Renewed(SelfScaledBroyden("fit", 100, [theta], terms), points, every=10), theta


def test_a_saved_state_goes_on_bit_for_bit_with_its_points() -> None:
    one, theta = fit(0)
    for k in range(15):
        one.step(k)
    two, other = fit(0)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    for k in range(15, 35):
        assert one.step(k) == two.step(k)
        assert torch.equal(theta, other)
    assert not torch.equal(fit(0)[0].points.now["x"][0], one.points.now["x"][0])


def test_losses_are_told_at_the_points_of_the_step() -> None:
    """What a step tells is the loss at its own points, also where these have just changed."""
    stage, theta = fit(1)
    for k in range(25):
        before = theta.detach().clone()
        told = stage.step(k)["x"]
        x = stage.points.now["x"][0][:, 0]
        expected = (torch.stack([x**j for j in range(4)], 1) @ before - x.exp()).square().mean()
        np.testing.assert_allclose(told, expected, rtol=1e-12)
