"""Derivatives in emitted scripts against nested automatic differentiation of the value alone, in float64 to 1e-10."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pdespec import compiler
from pdespec.source import Source

SPECS = Path(__file__).resolve().parents[2] / "specs"
NETWORKS = ("burgers", "committor", "oscillator", "poisson_5d_net", "poisson_net", "poisson_ritz", "wave_net")
EXPANSIONS = ("heat", "poisson", "stokes", "wave")


@pytest.fixture
def script(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The emitted script of a shipped spec as a module."""
    path = SPECS / f"{request.param}.pde"
    source = compiler.compile(Source(path.name, path.read_text(encoding="utf-8")), folder=SPECS).require().source
    assert source is not None
    module = ModuleType(f"emitted_{request.param}")
    sys.modules[module.__name__] = module  # where its dataclasses look for it
    exec(compile(source, path.name, "exec"), module.__dict__)
    yield module
    del sys.modules[module.__name__]


def networks(module: ModuleType) -> list[type[nn.Module]]:
    return [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, nn.Module)]


def nested(value: Tensor, z: Tensor, axes: list[int]) -> Tensor:
    """∂ of a function's values at its points, one coordinate after the other."""
    for axis in axes:
        (slope,) = torch.autograd.grad(value.sum(), z, create_graph=True, materialize_grads=True)
        value = slope[:, axis]
    return value


def axes_of(channel: str, inputs: list[str]) -> list[int]:
    """The coordinates of a name such as u_xxt or u_x1_x1; the value has none."""
    _, _, suffix = channel.partition("_")
    found = re.findall("|".join(sorted(map(re.escape, inputs), key=len, reverse=True)), suffix)
    assert "".join(found) == suffix.replace("_", ""), channel
    return [inputs.index(name) for name in found]


def derivative(value: Tensor, z: Tensor, channel: str, inputs: list[str]) -> Tensor:
    """What a channel's name says: a partial derivative, or the Laplacian in all coordinates."""
    if channel.startswith("lap_"):
        return torch.stack([nested(value, z, [axis, axis]) for axis in range(len(inputs))]).sum(0)
    return nested(value, z, axes_of(channel, inputs))


@pytest.mark.parametrize("name", sorted(p.stem for p in SPECS.glob("*.pde")))
def test_every_script_is_looked_at(name: str) -> None:
    text = compiler.compile(Source(name, (SPECS / f"{name}.pde").read_text(encoding="utf-8"))).require().source
    assert text is not None
    assert ("(nn.Module):" in text) == (name in NETWORKS)
    assert ("(features: Features" in text or ", features: Features" in text) == (name in EXPANSIONS)


@pytest.mark.parametrize("script", NETWORKS, indirect=True)
def test_channels_of_networks_and_their_gradients(script: ModuleType) -> None:
    """Each channel, and ∂/∂θ of a quadratic function of all of them."""
    methods = [(n, name) for n in networks(script) for name in vars(n) if "derivatives" in name]
    assert {n for n, _ in methods} == set(networks(script)) != set()
    for number, (network, method) in enumerate(methods):
        rng = torch.Generator().manual_seed(number)
        net: Any = network(rng).double()
        with torch.no_grad():
            for parameter in net.parameters():  # biases start at zero, which would hide that one is left out
                parameter += 0.3 * torch.randn(parameter.shape, generator=rng, dtype=torch.float64)
        inputs = re.search(r"z = \(([^)]*)\)", network.__doc__ or "")
        told = re.match(r"([\w, ]+) from the channels", " ".join((getattr(net, method).__doc__ or "").split()))
        assert inputs and told, network
        coordinates, channels = inputs[1].split(", "), told[1].split(", ")
        z = 1.6 * torch.rand(7, len(coordinates), generator=rng, dtype=torch.float64) - 0.8
        found = getattr(net, method)(z)
        z.requires_grad_()
        expected = [derivative(net(z), z, channel, coordinates) for channel in channels]
        assert len(found) == len(expected)
        for channel, a, b in zip(channels, found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10, msg=f"{network.__name__} {channel}")
        weights = torch.randn(len(channels), generator=rng, dtype=torch.float64)
        gradients = [
            torch.autograd.grad(
                sum(w * v.square().mean() for w, v in zip(weights, values, strict=True)), net.parameters()
            )  # type: ignore[arg-type]
            for values in (found, expected)
        ]
        for a, b in zip(*gradients, strict=True):
            assert (a - b).norm() <= 1e-10 * max(1.0, b.norm().item()), network.__name__


@pytest.mark.parametrize("script", EXPANSIONS, indirect=True)
def test_rows_are_the_derivative_of_residuals_by_coefficients(script: ModuleType) -> None:
    expansion = script_expansion(script)
    points = {name: tuple(x[:5] for x in drawn) for name, drawn in script.sample(config(script)).items()}
    generator = torch.Generator().manual_seed(0)
    c = torch.randn(expansion.coefficients.numel(), generator=generator, dtype=torch.float64)
    found = script.equations(c, expansion.features, points)
    for label, (_, rows) in found.items():
        residual = lambda c, label=label: script.equations(c, expansion.features, points)[label][0]  # noqa: E731
        expected = torch.autograd.functional.jacobian(residual, c)
        assert (rows - expected).norm() <= 1e-10 * expected.norm(), label


@pytest.mark.parametrize("script", EXPANSIONS, indirect=True)
def test_derivatives_of_features(script: ModuleType) -> None:
    """Σ c φ differentiated by nesting, for all derivatives up to order two and two of higher order."""
    features = script_expansion(script).features
    d = len(features.center)
    generator = torch.Generator().manual_seed(1)
    c = torch.randn(features.count, generator=generator, dtype=torch.float64)
    z = torch.rand(5, d, generator=generator, dtype=torch.float64)
    orders = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 1), (2, 2)]
    found = features.derivatives(z, *orders)
    z.requires_grad_()
    (value,) = features.derivatives(z, (0, 0))
    for order, phi in zip(orders, found, strict=True):
        expected = nested(value @ c, z, [axis for axis, times in enumerate(order) for _ in range(times)])
        assert (phi @ c - expected).norm() <= 1e-10 * max(1.0, expected.norm().item()), order


def config(script: ModuleType) -> Any:
    default = script.Config(out=Path("run"), spec="", planned=1)
    return replace(default, device="cpu")


def script_expansion(script: ModuleType) -> Any:
    fields, _ = script.solve(config(script))
    return next(iter(fields.values())).expansion
