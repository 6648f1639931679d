"""Double integrals against a density on a large grid are convolutions: their values, by sums over all pairs of cells."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
import torch

from pdespec import compiler

SPEC = """\
param   κ = 3/2
domain  X(x) = R^2, I(t) = [0, 1]
unknown p : P(X) over I
V(x) := 1/4*(x[1]^2 - 1)^2 + x[2]^2
W(x, y) := exp(-|x - y|^2)
E(p) := ∫ V*p dx + κ/2 * ∬ W(x, y)*p(x)*p(y) dx dy
flow:  ∂t p = -grad(E, p; metric=WFR(1/2)) on X × I
start: p = gauss((1/2, 0), 1/4) on X × {0}
solve flow, start using METHOD
report E(p)
"""


def functions(method: str, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the emitted script."""
    source = compiler.compile(SPEC.replace("METHOD", method)).require().source
    assert source is not None
    module = types.ModuleType("emitted")
    patch.setitem(sys.modules, "emitted", module)  # where dataclasses look for their module
    exec(compile(source, "emitted", "exec"), module.__dict__)
    return vars(module)


def test_energy_and_decay_are_the_sums_over_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    emitted = functions("grid(box=[-3, 3]^2, cells=(65, 65))", monkeypatch)
    grid = emitted["Grid"]((-3.0, -3.0), (3.0, 3.0), (65, 65), (False, False), "cpu")
    x = grid.centres().reshape(-1, 2)
    p = torch.exp(-2 * (x - 0.3).square().sum(-1)) * (1 + x[:, 0].sin() / 2)
    mass = p / p.sum()
    p = (mass / grid.volume).reshape(grid.cells)
    pairs = torch.exp(-(x[:, None, 0] - x[:, 0]).square() - (x[:, None, 1] - x[:, 1]).square())
    confined = (x[:, 0] ** 2 - 1) ** 2 / 4 + x[:, 1] ** 2
    variation = confined + 1.5 * pairs @ mass
    kernel = lambda z: torch.exp(-z.square().sum(-1))  # noqa: E731
    convolve = emitted["convolution"](kernel, grid)
    energy = emitted["energy"](p, grid, convolve, convolve)
    assert torch.allclose(energy, mass @ confined + 0.75 * mass @ pairs @ mass, rtol=1e-12)
    decay = emitted["decay"](p, grid, convolve, convolve)
    assert torch.allclose(decay.flatten(), (variation - mass @ variation) / 2, atol=1e-12)


def test_weighted_particles_fall_at_the_same_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """W(x, y) with x bound inside and y outside has no matrix function of its own: its formula stands in for it."""
    found = functions("particles(n=20)", monkeypatch)
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = torch.rand(20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights /= weights.sum()
    confined = (x[:, 0] ** 2 - 1) ** 2 / 4 + x[:, 1] ** 2
    variation = confined + 1.5 * torch.exp(-torch.cdist(x, x).square()) @ weights
    assert torch.allclose(found["decay"](x, weights), (variation - weights @ variation) / 2, atol=1e-12)
