"""Derivatives in the notations of elsewhere: one finding each, which says how they are written here."""

from __future__ import annotations

import pytest

from pdespec.compiler import compile

SPEC = """domain X(x) = [0, 1], I(t) = [0, 1]
unknown u : X × I -> R
param κ = 2
flow: {} on X × I
start: u = sin(π*x) on X × {{0}}
wall: u = 0 on ∂X × I
solve flow, start, wall
"""
WRITTEN = {
    "du/dt = Δu": "∂t u",
    "-du/dt + Δu = 0": "∂t u",
    "d/dt(u) = Δu": "∂t u",
    "d/dt u = Δu": "∂t u",
    "∂u/∂t = Δu": "∂t u",
    "∂/∂t u = Δu": "∂t u",
    "∂_t u = Δu": "∂t u",
    "u_t = Δu": "∂t u",
    "dt(u) = Δu": "∂t u",
    "∂t u = κ*du/dx": "∂x u",
    "∂t u = u_xx": "∂xx u",
    "∂t u = d2u/dx2": "∂xx u",
    "∂t u = d²u/dx²": "∂xx u",
    "∂t u = ∂²u/∂x²": "∂xx u",
    "∂t u = dxx(u)": "∂xx u",
    "∂t u = D(u, x)": "∂x u",
    "∂t u = derivative(u, x, x)": "∂xx u",
    "∂t u = dx(κ + u)": "∂x (κ + u)",
    "∂t u = u''": "∂xx u",
    "∂t u = laplacian(u)": "Δu",
    "∂t u = divergence(∇u)": "∇·∇u",
}


@pytest.mark.parametrize("equation", WRITTEN)
def test_one_finding_says_how_it_is_written(equation: str) -> None:
    (found,) = compile(SPEC.format(equation), upto="model").diagnostics
    assert found.code in ("PDE101", "PDE001")
    assert f"`{WRITTEN[equation]}`" in found.hint


@pytest.mark.parametrize("equation", WRITTEN)
def test_what_it_says_is_right(equation: str) -> None:
    (found,) = compile(SPEC.format(equation), upto="model").diagnostics
    for derivative in found.hint.split("`")[1::2]:
        text = SPEC.format("∂t u = Δu") + f"cured := {derivative}\n"
        assert not [d for d in compile(text, upto="model").diagnostics if d.severity.value == "error"], derivative


@pytest.mark.parametrize("equation", ["∂t u = diff(u, x, x)", "∂t u = lap(u)", "diff(u, t) = div(grad(u))"])
def test_these_are_right(equation: str) -> None:
    assert not compile(SPEC.format(equation), upto="model").diagnostics


def test_declared_names_are_left_alone() -> None:
    text = SPEC.format("∂t u = Δu + du/dx + u_t").replace("param κ = 2", "param du = 1, dx = 2, u_t = 3")
    assert not compile(text, upto="model").diagnostics


def test_a_name_that_is_no_derivative_is_unknown_as_before() -> None:
    (found,) = compile(SPEC.format("∂t u = Δu + u_max"), upto="model").diagnostics
    assert found.message == "unknown name `u_max`"
