"""How terms and derivations read, in the terminal and in LaTeX."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sympy import Abs, Expr, Integer, Rational, cos, exp, log, pi, sin, sqrt

from pdespec.compiler import compile
from pdespec.derive import explain
from pdespec.derive.derive import derive
from pdespec.derive.notation import latex, unicode
from pdespec.derive.operators import region_name
from pdespec.model.bindings import Defined, Expect, Integrate, Law
from pdespec.model.check import check
from pdespec.model.fields import Field, FieldValue, value
from pdespec.model.sets import Boundary, Interval, Named, RealSpace
from pdespec.model.terms import Parameter, variable
from pdespec.model.vectors import Component, Curl, Div, Dot, Grad, Lap, Partial, Vec
from pdespec.source import Source
from pdespec.syntax.parse import parse
from tests.derive import models

SPECS = Path(__file__).parents[2] / "specs"
x, t = variable("x"), variable("t")
theta, phi = variable("θ", 2), variable("φ", 2)
b, eps = Parameter("β", positive=True), Parameter("ε", positive=True)
u = Field("u", ("x", "t"), (1, 1))
v = Field("v", ("θ",), (2,), (2,))
p = Field("p", ("θ", "t"), (2, 1))
U, P, V = u.here(), p.here(), v.here()
L = Defined("L", (theta,), Dot(theta, theta), theta)
K = Defined("K", (theta, phi), exp(-Dot(theta - phi, theta - phi)), theta, phi)


@pytest.mark.parametrize(
    ("term", "text", "tex"),
    [
        (Rational(-1, 2) * x**2, "−1/2 x²", r"-\frac{1}{2} x^{2}"),
        (log(P) / b + 1 / b + L, "1/β (ln p + 1) + L", r"\frac{1}{\beta} \left(\ln p + 1\right) + L"),
        (sqrt(2 / b), "√(2/β)", r"\sqrt{\frac{2}{\beta}}"),
        (Div(P * Grad(L, theta), theta) + Lap(P, theta) / b, "∇·(p ∇L) + 1/β Δp", None),
        (-(eps**2) * Lap(Lap(U, x), x) + Lap(U**3 - U, x), "−ε² Δ²u + Δ(u³ − u)", None),
        (Partial(U, x, x) - U * Partial(U, t), "∂xx u − u ∂t u", None),
        (FieldValue(u, (2, 1), x, t), "u_xxt", "u_{xxt}"),
        (value(u, Integer(0), t), "u(0)", "u(0)"),
        (Component(theta, 1) ** 2 * pi, "π θ₁²", None),
        (Dot(Grad(U, x), Grad(U, x)), "|∇u|²", r"\left|\nabla u\right|^2"),
        (Dot(Vec(1, 2), V), "v·(1, 2)", None),
        (Curl(V, theta), "∇×v", r"\nabla \times v"),
        (Integrate(K * value(p, phi, t) * Grad(L, theta), (phi,), RealSpace(2)), "∫ p(φ) K(θ, φ) ∇L dφ", None),
        (Integrate(P * log(P), (theta,), RealSpace(2)), "∫ p ln p dθ", None),
        (Expect(Dot(theta, phi) ** 2, (phi,), Law("gauss", 0, 1)), "𝔼[φ ~ gauss(0, 1)] (θ·φ)²", None),
        (exp(-b * L), "e^{−β L}", r"e^{-\beta L}"),
        (Abs(x) * cos(pi * x) / (1 + x**2), "|x| cos(π x)/(x² + 1)", None),
        (1 / (x * (1 - x)), "1/(x (1 − x))", None),
        (-(U**2 - 1) * U, "u (1 − u²)", None),
        ((sin(x) + 1) ** Rational(3, 2), "(sin(x) + 1)^(3/2)", None),
    ],
)
def test_terms(term: Expr, text: str, tex: str | None) -> None:
    assert unicode(term) == text
    if tex is not None:
        assert latex(term) == tex


def test_regions_are_called_by_their_names() -> None:
    interval = Interval(Integer(0), Integer(1))
    assert region_name(Boundary(Named("Ω", interval))) == "∂Ω"
    assert region_name(Boundary(interval), {interval: "A"}) == "∂A"


def account(name: str) -> str:
    path = SPECS / f"{name}.pde"
    spec, found = parse(Source(path.name, path.read_text(encoding="utf-8")))
    model, more = check(spec, settings={}, folder=SPECS, name=name)
    assert model is not None and not found and not more
    derivation, found = derive(model)
    assert not found
    return explain.text(derivation)


def test_the_account_of_three_flows_of_one_energy() -> None:
    lines = [" ".join(line.split()) for line in account("sgd").splitlines()]
    told = [
        "sgd.pde · p : P(Θ) over I · three flows of one energy",
        "δE/δp = 1/β (ln p + 1) + L leaf rule: p appears 3 times",
        "= ∇·(p ∇δE/δp) W2(p)(φ) = -∇·(p * ∇φ) metrics.pde:4",
        "= ∇·(p ∇L) + 1/β ∇·(p ∇ ln p) δE/δp put in; constants drop under ∇",
        "= ∇·(p ∇L) + 1/β Δp p ∇ ln p = ∇p",
        "particles: dθ = −∇L dt + √(2/β) dW linear diffusion is Brownian noise",
        "dE/dt = −∫ p |∇δE/δp|² dθ ≤ 0 monitored as an identity",
        "stationary: p∞ ∝ e^{−β L}",
        "particles: dθᵢ = (1/(β n) Σⱼ ∇_θⱼ K(θᵢ, θⱼ) − 1/n Σⱼ K(θᵢ, θⱼ) ∇L(θⱼ)) dt",
    ]
    for line in told:
        assert line in lines, line
    assert any(line.startswith("check langevin = explicit ✓ proved") for line in lines)


def test_columns_are_aligned() -> None:
    text = account("double_well")
    rules = [
        line.index(rule) for line in text.splitlines() for rule in ("p ∇ ln p = ∇p", "linear diffusion") if rule in line
    ]
    assert rules == [54, 54]


@pytest.mark.parametrize("name", ["kuramoto", "mean_field", "poisson", "committor", "svgd"])
def test_places_are_in_their_column(name: str) -> None:
    placed = [line for line in account(name).splitlines() if re.search(r"  \S+\.pde:\d+$", line)]
    assert len(placed) >= 3
    assert {line.rindex("  ") + 2 for line in placed} == {88}


def test_what_is_referred_to_is_defined_first() -> None:
    lines = account("committor").splitlines()
    names = [line.split(" ")[0] for line in lines[2:6]]
    assert names == ["V", "ρ", "walk", "E(u)"]
    assert not any(line.startswith("rate") for line in lines)


def test_an_equation_that_is_solved_for_its_time_derivative_says_so() -> None:
    lines = [" ".join(line.split()) for line in (account("burgers") + account("heat")).splitlines()]
    assert "∂t u = ν ∂xx u − u ∂x u nonlinear" in lines
    assert "bulk ∂t u = κ*Δu on X × I linear heat.pde:6" in lines


def test_particles_of_a_plane_with_two_coordinates() -> None:
    text = """
        domain X(x, y) = R^2, I(t) = [0, 1]
        unknown p : P(X) over I
        V := x² + y²
        flow: ∂t p = ∇·(p*∇V) + Δp on X × I
        start: p = gauss(0, 1) on X × {0}
        solve flow, start using particles(n=10) with euler(dt=0.1)
        """
    derivation = compile(Source("plane.pde", text), upto="derivation").derivation
    assert derivation is not None
    assert "particles: d(x, y) = −∇V dt + √2 dW" in explain.text(derivation)


def test_weak_equals_strong_names_its_factor() -> None:
    assert "✓ proved: factor −β e^{" in account("committor")


@pytest.mark.parametrize("model", [models.sgd(), models.kuramoto(), models.committor(), models.stokes()])
def test_latex_is_balanced(model: models.Model) -> None:
    text = explain.latex(derive(model)[0])
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}")
    assert text.count(r"\left") == text.count(r"\right")
    outside = re.sub(r"\\text\{(?:[^{}\\]|\\.|\{\})*\}", "", text)
    assert not re.search("[α-ωΑ-Ω∇∂∫]", outside.replace(r"\paragraph", "").split("\n", 1)[1])
