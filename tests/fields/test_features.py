"""Derivatives of random features against nested automatic differentiation, and what their distribution promises."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pdespec.runtime.features import Features, random_features, tanh_derivative

CASES = [
    ((-1.0,), (3.0,), (False,), [(0,), (1,), (2,), (3,), (4,), (5,)]),
    ((0.0,), (2.0,), (True,), [(0,), (1,), (2,), (3,), (4,)]),
    ((0.0, -2.0), (1.0, 5.0), (False, False), [(0, 0), (1, 0), (0, 1), (1, 1), (2, 2), (4, 0), (1, 3)]),
    ((0.0, 0.0), (1.0, 2 * math.pi), (False, True), [(0, 0), (2, 0), (0, 2), (1, 1), (2, 2), (1, 3), (0, 4)]),
    ((0.0, 1.0, 2.0), (1.0, 3.0, 4.0), (True, False, True), [(1, 1, 1), (2, 0, 2), (0, 2, 1), (3, 0, 1)]),
    ((-1.0,) * 5, (1.0,) * 5, (False,) * 5, [(0,) * 5, (0, 0, 0, 0, 2), (1, 0, 1, 0, 1), (1, 1, 1, 1, 0)]),
]


def naive(features: Features, lower: tuple[float, ...], upper: tuple[float, ...], z: Tensor) -> Tensor:
    """The features as the module's text defines them, one at a time."""
    total = features.bias.clone()
    for axis, (low, high) in enumerate(zip(lower, upper, strict=True)):
        unit = (2 * z[axis] - low - high) / (high - low)
        first, second = features.weights[:, axis]
        if features.periodic[axis]:
            total = total + first * torch.cos(math.pi * unit) + second * torch.sin(math.pi * unit)
        else:
            total = total + first * unit
    return torch.tanh(total)


@pytest.mark.parametrize(("lower", "upper", "periodic", "orders"), CASES)
def test_derivatives_equal_nested_autograd(lower, upper, periodic, orders) -> None:
    features = random_features(lower, upper, 7, seed=3, scale=1.3, periodic=periodic)
    z = torch.tensor(lower) + (torch.tensor(upper) - torch.tensor(lower)) * torch.rand(
        4, len(lower), generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    found = features.derivatives(z, *orders)
    for order, matrix in zip(orders, found, strict=True):
        for i, point in enumerate(z):
            for k in range(features.count):
                coordinates = [x.clone().requires_grad_() for x in point]
                value = naive(features, lower, upper, torch.stack(coordinates))[k]
                for axis, times in enumerate(order):
                    for _ in range(times):
                        (value,) = torch.autograd.grad(value, coordinates[axis], create_graph=True)
                assert matrix[i, k].item() == pytest.approx(value.item(), rel=1e-10, abs=1e-11), (order, i, k)


def test_tanh_derivatives_at_a_point() -> None:
    y = torch.tanh(torch.tensor(0.3, dtype=torch.float64))
    s = 1 - y**2
    expected = [y, s, -2 * y * s, s * (6 * y**2 - 2), s * (16 * y - 24 * y**3)]
    for order, value in enumerate(expected):
        assert tanh_derivative(y, order).item() == pytest.approx(value.item(), rel=1e-14)


def test_periodic_features_are_periodic_with_their_derivatives() -> None:
    features = random_features((0.0, 0.0), (1.0, 3.0), 50, seed=0, scale=3.0, periodic=(False, True))
    start = torch.tensor([[0.2, 0.0], [0.7, 0.0]], dtype=torch.float64)
    end = start + torch.tensor([0.0, 3.0], dtype=torch.float64)
    for order in ((0, 0), (0, 3)):
        (a,), (b,) = features.derivatives(start, order), features.derivatives(end, order)
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_features_depend_on_box_and_seed_alone_and_move_with_the_box() -> None:
    """The same features, stretched: nothing but the domain and the seed enters."""
    unit = random_features((0.0, 0.0), (1.0, 1.0), 30, seed=5)
    large = random_features((-40.0, 2.0), (60.0, 4.0), 30, seed=5)
    z = torch.rand(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    stretched = torch.tensor([-40.0, 2.0]) + torch.tensor([100.0, 2.0]) * z
    torch.testing.assert_close(unit.derivatives(z, (0, 0))[0], large.derivatives(stretched, (0, 0))[0])
    first, second = unit.derivatives(z, (1, 0))[0], large.derivatives(stretched, (1, 0))[0]
    torch.testing.assert_close(first, 100 * second)
    assert not torch.equal(unit.bias, random_features((0.0, 0.0), (1.0, 1.0), 30, seed=6).bias)


def test_every_hyperplane_crosses_the_box() -> None:
    features = random_features((0.0, 0.0), (1.0, 1.0), 2000, seed=0)
    corners = torch.cartesian_prod(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])).double()
    (values,) = features.derivatives(corners, (0, 0))
    crossing = (values.amin(0) < 0) & (values.amax(0) > 0)
    assert crossing.all()


def test_scale_per_coordinate() -> None:
    features = random_features((0.0, 0.0), (1.0, 1.0), 500, seed=0, scale=(1.0, 8.0))
    assert features.weights[0, 0].abs().max() <= 1 < 7 < features.weights[0, 1].abs().max() <= 8
