"""SOAP: Adam where its bases are the identity, and blind to rotations of a layer where they are its own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pdespec.runtime.soap import Soap


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def run(
    make: Callable[..., torch.optim.Optimizer], start: Tensor, loss: Callable[[Tensor], Tensor], steps: int
) -> list[float]:
    w = start.clone().requires_grad_()
    optimiser = make([w])
    values = []
    for _ in range(steps):
        optimiser.zero_grad()
        value = loss(w)
        value.backward()
        optimiser.step()
        values.append(value.item())
    return values


def quartic(w: Tensor) -> Tensor:
    return (torch.linspace(0.1, 3, w.numel(), dtype=w.dtype).reshape(w.shape) * (w - 1).square()).sum() + w.pow(4).sum()


def test_in_the_identity_basis_it_is_adam() -> None:
    def soap(parameters: list[Tensor]) -> Soap:
        optimiser = Soap(parameters, lr=0.02, betas=(0.9, 0.99), every=10**9, eps=1e-8)
        w = parameters[0]
        zero = {name: torch.zeros_like(w) for name in ("momentum", "squares")}
        eyes = {f"q_{side}": torch.eye(n, dtype=w.dtype) for side, n in zip(("left", "right"), w.shape, strict=True)}
        statistics = {
            side: torch.zeros(n, n, dtype=w.dtype) for side, n in zip(("left", "right"), w.shape, strict=True)
        }
        optimiser.state[w] = {"step": 0, **zero, **eyes, **statistics}
        return optimiser

    def adam(parameters: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=0.02, betas=(0.9, 0.99), eps=1e-8)

    start = random(0, 4, 3)
    np.testing.assert_allclose(run(soap, start, quartic, 60), run(adam, start, quartic, 60), rtol=1e-12)


def test_a_vector_takes_adam() -> None:
    start = random(1, 5)
    found = run(lambda p: Soap(p, lr=0.02, betas=(0.9, 0.99), eps=1e-8), start, quartic, 40)
    expected = run(lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.9, 0.99), eps=1e-8), start, quartic, 40)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_rotation_of_the_layer_changes_nothing() -> None:
    """The bases turn with the layer: f(P W Qᵀ) from Pᵀ W₀ Q takes the same values."""
    p, q = (torch.linalg.qr(random(s, n, n))[0] for s, n in ((2, 4), (3, 3)))
    start = random(4, 4, 3)
    soap = lambda parameters: Soap(parameters, lr=0.02, every=3)  # noqa: E731
    plain = run(soap, start, quartic, 40)
    turned = run(soap, p.T @ start @ q, lambda w: quartic(p @ w @ q.T), 40)
    np.testing.assert_allclose(turned, plain, rtol=1e-6)


def test_it_needs_fewer_steps_than_adam_where_the_curvature_is_oblique() -> None:
    p, q = (torch.linalg.qr(random(s, n, n))[0] for s, n in ((5, 8), (6, 8)))
    scale = torch.logspace(0, 4, 64, dtype=torch.float64).reshape(8, 8)
    loss = lambda w: (scale * (p @ w @ q.T).square()).sum()  # noqa: E731
    start = random(7, 8, 8)
    rates = (0.01, 0.03, 0.1, 0.3)
    soap = min(min(run(partial(Soap, lr=rate, every=5), start, loss, 300)) for rate in rates)
    adam = min(min(run(partial(torch.optim.Adam, lr=rate, betas=(0.95, 0.95)), start, loss, 300)) for rate in rates)
    assert soap < 0.5 * adam


def test_a_saved_state_goes_on_bit_for_bit() -> None:
    def gradient(w: Tensor, optimiser: Soap) -> None:
        optimiser.zero_grad()
        quartic(w).backward()
        optimiser.step()

    one = random(8, 4, 3).requires_grad_()
    first = Soap([one], every=2)
    for _ in range(5):
        gradient(one, first)
    two = one.detach().clone().requires_grad_()
    second = Soap([two], every=2)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for _ in range(7):
        gradient(one, first)
        gradient(two, second)
        assert torch.equal(one, two)
