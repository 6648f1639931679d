"""Integrals as contractions: the printed code against sums written as loops."""

from __future__ import annotations

import pytest
import torch
from sympy import Rational, S, exp, log
from torch import Tensor

from pdespec.emit.arrays import Array, Points, Scope, without_factor
from pdespec.emit.axes import scalar, vector
from pdespec.model.bindings import Expect, Integrate, Law
from pdespec.model.fields import Field, FieldValue, value
from pdespec.model.sets import RealSpace
from pdespec.model.terms import variable
from pdespec.model.vectors import Component, Dot, Vec
from pdespec.runtime.kernels import squared_distances

theta, phi, x = variable("theta", 2), variable("phi", 2), variable("x", 2)
t = variable("t")
p = Field("p", ("theta", "t"), (2, 1))
space = RealSpace(2)
particles = torch.randn(7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
nodes = torch.randn(5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
weights = torch.rand(5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def scope() -> Scope:
    def measure(term: Integrate | Expect, s: Scope) -> tuple[dict, object]:
        (v,) = term.variables
        axis = f"axis{len(s.points)}"
        if isinstance(term, Expect):
            return {v: Points("nodes", axis, "weights")}, term.body
        quotient = without_factor(term.body, value(p, v, t))
        assert quotient is not None
        return {v: Points("theta", axis)}, quotient

    def leaf(term: object, s: Scope) -> Array | None:
        return None

    return Scope({theta: Points("theta", "i")}, leaf, measure)


def run(text: str) -> Tensor:
    names = {
        "theta": particles,
        "nodes": nodes,
        "weights": weights,
        "torch": torch,
        "squared_distances": squared_distances,
    }
    return eval(text, names)


def kernel(a: Tensor, b: Tensor) -> Tensor:
    return torch.exp(-(a - b).square().sum() / 2)


def test_a_kernel_sum_of_vectors() -> None:
    """∫ K(θ, φ) (φ₁, 2φ₂) p(φ) dφ, and the same with θ − φ."""
    k = exp(-Dot(theta - phi, theta - phi) / 2)
    force = Vec(Component(phi, 1), 2 * Component(phi, 2))
    found = run(vector(Integrate(k * force * value(p, phi, t), (phi,), space), scope()).text)
    expected = torch.stack(
        [sum(kernel(a, b) * torch.stack([b[0], 2 * b[1]]) for b in particles) / 7 for a in particles]
    )
    assert torch.allclose(found, expected, rtol=1e-12)

    found = run(vector(Integrate(k * (theta - phi) * value(p, phi, t), (phi,), space), scope()).text)
    expected = torch.stack([sum(kernel(a, b) * (a - b) for b in particles) / 7 for a in particles])
    assert torch.allclose(found, expected, rtol=1e-11, atol=1e-14)


def test_an_expectation_of_a_nested_mean() -> None:
    """𝔼[x] (∫ (φ·x)² p dφ − x₁²) (θ·x) x: a mean over particles inside a sum over nodes."""
    inner = Integrate(Dot(phi, x) ** 2 * value(p, phi, t), (phi,), space)
    term = Expect((inner - Component(x, 1) ** 2) * Dot(theta, x) * x, (x,), Law("gauss", S.Zero, S.One))
    found = run(vector(-2 * term, scope()).text)
    expected = torch.zeros_like(particles)
    for i, a in enumerate(particles):
        for node, w in zip(nodes, weights, strict=True):
            f = sum((b @ node) ** 2 for b in particles) / 7
            expected[i] += -2 * w * (f - node[0] ** 2) * (a @ node) * node
    assert torch.allclose(found, expected, rtol=1e-11)


def test_scalars_of_two_axes_are_aligned() -> None:
    term = Integrate((Component(theta, 1) + Component(phi, 2) ** 2) * value(p, phi, t), (phi,), space)
    found = run(scalar(term * Rational(1, 3) + 1, scope()).text)
    expected = (particles[:, 0] + particles[:, 1].square().mean()) / 3 + 1
    assert torch.allclose(found, expected)


def test_the_factor_of_a_measure() -> None:
    q: FieldValue = value(p, phi, t)
    assert without_factor(q * log(q) + 2 * q, q) == log(q) + 2
    assert without_factor(q**2, q) == q
    assert without_factor(q + 1, q) is None


def test_no_array_over_pairs_carries_a_vector() -> None:
    k = exp(-Dot(theta - phi, theta - phi) / 2)
    text = vector(Integrate(k * (theta - phi) * value(p, phi, t), (phi,), space), scope()).text
    assert "None, :]" not in text and "[:, None, :]" not in text


@pytest.mark.parametrize("sign", [1, -1])
def test_signs_of_products(sign: int) -> None:
    found = run(vector(sign * Component(theta, 1) * theta - theta, scope()).text)
    assert torch.allclose(found, sign * particles[:, :1] * particles - particles)
