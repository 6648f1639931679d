"""What a step costs, against the products of a real sweep counted by torch."""

from __future__ import annotations

import pytest
import sympy as sp
import torch
from torch.utils.flop_counter import FlopCounterMode

from pdespec.emit.cost import sweep_cost
from pdespec.emit.network import emit_network
from pdespec.plan.plan import Laplacian, Mlp
from tests.emit.test_network import N, ansatz, instance, t, x, y

MANY = sp.symbols("x1:10", real=True)


@pytest.mark.parametrize(
    ("inputs", "form", "channels", "carried"),
    [
        ((x, t), ((1 - x**2) * N,), [(0, 0), (1, 0), (0, 1), (2, 0)], 4),
        ((x, y), (N,), [Laplacian((0, 1))], 4),
        (MANY[:6], (N,), [Laplacian(tuple(range(6)))], 8),
        (MANY[:9], (N,), [Laplacian(tuple(range(9)))], 9),  # along the 7 rows of the first layer
    ],
)
def test_operations_are_those_of_the_products(
    inputs: tuple[sp.Symbol, ...], form: tuple[sp.Expr, ...], channels: list[object], carried: int
) -> None:
    described = ansatz(inputs, Mlp(7, 3), form=form)
    cost = sweep_cost(described, channels, points=50)  # type: ignore[arg-type]
    assert cost.channels == carried
    assert cost.entries == carried * 50 * 3 * 7
    net = instance(emit_network(described, {"derivatives": channels}, engine="explicit"))  # type: ignore[dict-item]
    z = torch.rand(50, len(inputs), dtype=torch.float64)
    with FlopCounterMode(display=False) as counted:
        sum(c.square().sum() for c in net.derivatives(z)).backward()
    # counted beside these: the projection of the weights, the cotangents of the first layer's own input
    assert cost.operations == pytest.approx(counted.get_total_flops(), rel=0.1)
