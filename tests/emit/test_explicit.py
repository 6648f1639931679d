"""The sweep with its adjoint written out: rows of a Jacobian, channels that nothing reads, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from pdespec.emit.network import emit_network
from pdespec.plan.plan import Laplacian, Mlp, network_output
from tests.emit.test_network import N, ansatz, compare, instance, nested, t, x, y

BURGERS = [(0, 0), (1, 0), (0, 1), (2, 0)]


def burgers() -> Any:
    return instance(emit_network(ansatz((x, t), Mlp(5, 3), form=((1 - x**2) * N,)), {"derivatives": BURGERS}))


def points(n: int = 6) -> Tensor:
    return 2 * torch.rand(n, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64) - 1


def test_rows_of_the_jacobian_are_the_adjoint_without_the_sum() -> None:
    net, z = burgers(), points()

    class Residual(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, z: Tensor) -> Tensor:
            u, u_x, u_t, u_xx = self.net.derivatives(z)
            return u_t + u * u_x - 0.1 * u_xx

    residual = Residual()
    parameters = dict(residual.named_parameters())
    rows = vmap(grad(lambda p, point: functional_call(residual, p, (point[None],))[0]), (None, 0))(parameters, z)
    for i in range(len(z)):
        u, u_x, u_t, u_xx = (nested(net, z[i : i + 1], c, None) for c in BURGERS)
        expected = torch.autograd.grad(u_t + u * u_x - 0.1 * u_xx, list(net.parameters()))
        for row, gradient in zip(rows.values(), expected, strict=True):
            torch.testing.assert_close(row[i], gradient, rtol=1e-10, atol=1e-12)


def test_a_channel_that_nothing_reads_has_no_cotangent() -> None:
    net, z = burgers(), points()
    found = torch.autograd.grad(net.derivatives(z)[3].square().sum(), list(net.parameters()))
    expected = torch.autograd.grad(nested(net, z, (2, 0), None).square().sum(), list(net.parameters()))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_a_second_derivative_by_the_weights_is_refused() -> None:
    net, z = burgers(), points()
    loss = net.derivatives(z)[3].square().sum()
    gradients = torch.autograd.grad(loss, list(net.parameters()), create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        sum(g.square().sum() for g in gradients).backward()


def test_the_laplacian_alone_is_all_that_comes_back() -> None:
    emitted = emit_network(ansatz((x, y), Mlp(5, 3)), {"derivatives": [Laplacian((0, 1))]})
    assert "cotangent_stack(None, None, None, lap_n_bar)" in emitted.source
    net, z = instance(emitted), points()
    found = torch.autograd.grad(net.derivatives(z)[0].square().sum(), list(net.parameters()), allow_unused=True)
    expected = torch.autograd.grad(nested(net, z, Laplacian((0, 1)), None).square().sum(), list(net.parameters())[:-1])
    for a, b in zip(found, expected, strict=False):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    assert not found[-1].any()  # the last bias adds a constant


MANY = sp.symbols("x1:10", real=True)


@pytest.mark.parametrize(
    ("d", "activation", "form", "read", "compressed"),
    [
        (5, "tanh", (N,), [Laplacian(tuple(range(5)))], False),
        (9, "tanh", (N,), [(0,) * 9, Laplacian(tuple(range(9)))], True),
        (9, "sin", (N,), [Laplacian(tuple(range(9)))], True),
        (7, "gelu", (N,), [(0,) * 7, Laplacian(tuple(range(7)))], True),
        (7, "tanh", (N * (1 - MANY[0] ** 2),), [(0,) * 7, Laplacian(tuple(range(7)))], False),
        (4, "gelu", (N,), [tuple(int(i == k) for i in range(4)) for k in range(4)], False),
        (5, "sin", (N, 2 * network_output(1)), [(0,) * 5, Laplacian(tuple(range(5)))], False),
    ],
)
def test_many_coordinates_go_as_a_block(
    d: int, activation: str, form: tuple[sp.Expr, ...], read: list[Any], compressed: bool
) -> None:
    described = ansatz(MANY[:d], Mlp(6, 2, activation), form=form, outputs=len(form))
    emitted = compare(described, read, "explicit")
    assert "grad_h" in emitted.source
    assert ("torch.linalg.qr(W_in.T)" in emitted.source) == compressed
