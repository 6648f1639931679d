"""The account of every shipped spec in LaTeX: pure ASCII, balanced, mathematics and no text of the language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from matplotlib.mathtext import MathTextParser

from pdespec.compiler import compile
from pdespec.derive import explain
from pdespec.derive.account import words
from pdespec.derive.bound_names import distinct
from pdespec.derive.glyphs import indexed, latex_name, plainer
from pdespec.derive.notation import unicode
from pdespec.model.bindings import Expect, Integrate, Law
from pdespec.model.fields import Field, value
from pdespec.model.sets import RealSpace
from pdespec.model.terms import variable
from pdespec.model.vectors import Dot
from pdespec.source import Source

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.pde"))
LANGUAGE = re.compile(r":=|metric ?=|->|\b(?:grad|exp|ln|sqrt|cos|sin|rows|gauss)\(|[*|]")
AMSMATH = {
    f"\\{name}"
    for name in re.findall(
        r"\w+",
        "begin end paragraph texttt text mathbf mathrm mathcal operatorname frac sqrt left right quad qquad colon to "
        "times partial nabla cdot int iint sum min max ln cos sin le propto infty sim Leftrightarrow",
    )
}


def account(name: str, text: str) -> str:
    derivation = compile(Source(name, text), upto="derivation").derivation
    assert derivation is not None
    return explain.latex(derivation)


@pytest.fixture(scope="module", params=SPECS, ids=lambda p: p.stem)
def told(request: pytest.FixtureRequest) -> str:
    return account(request.param.name, request.param.read_text(encoding="utf-8"))


def groups(tex: str, command: str) -> list[str]:
    """What stands in the braces of a command."""
    found = []
    for start in (m.end() for m in re.finditer(re.escape(command) + r"\{", tex)):
        depth, end = 1, start
        while depth:
            depth += {"{": 1, "}": -1}.get(tex[end], 0) if tex[end - 1] != "\\" else 0
            end += 1
        found.append(tex[start : end - 1])
    return found


def cells(tex: str) -> list[str]:
    """The formulas between the marks of alignment, matrices left out."""
    bodies = re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", tex, re.DOTALL)
    whole = (re.sub(r"\\begin\{pmatrix\}.*?\\end\{pmatrix\}", "M", b) for b in bodies)
    return [c.strip() for body in whole for row in body.split(" \\\\\n") for c in row.split("&") if c.strip()]


def test_it_is_ascii(told: str) -> None:
    assert told.isascii()


def test_it_is_balanced(told: str) -> None:
    bare = re.sub(r"\\[{}]", "", told)
    assert bare.count("{") == bare.count("}")
    assert told.count(r"\left") - told.count(r"\leftarrow") == told.count(r"\right") - told.count(r"\rightarrow")
    assert told.count("$") % 2 == 0
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", told):
        assert kind == "begin" or opened.pop() == name
        opened += [name] if kind == "begin" else []
    assert not opened and r"\begin{align*}" in told


def test_words_hold_no_language(told: str) -> None:
    for text in groups(told, r"\text"):
        assert not LANGUAGE.search(re.sub(r"\$[^$]*\$", "", text)), text


def test_no_index_is_doubled(told: str) -> None:
    """TeX refuses a_{b}_{c} and a^{b}^{c}."""
    group = r"(?:\{[^{}]*\}|\\[A-Za-z]+|\w)"
    assert not re.search(rf"_{group}_|\^{group}\^", told.replace(r"\_", ""))


def test_commands_are_of_latex_or_amsmath(told: str) -> None:
    greek = set(re.findall(r"\\[A-Za-z]+", " ".join(latex_name(c) for c in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ")))
    assert set(re.findall(r"\\[A-Za-z]+", told)) <= AMSMATH | greek


def test_every_formula_parses(told: str) -> None:
    """By matplotlib's reading of TeX, which knows neither \\text nor \\le."""
    parser = MathTextParser("path")
    for cell in cells(told):
        formula = (
            re.sub(r"\\text(tt)?\{(?:[^{}]|\\.|\{\})*\}", "t", cell).replace(r"\qquad", "").replace(r"\le ", r"\leq ")
        )
        parser.parse(f"${formula}$")


@pytest.mark.parametrize(
    ("spec", "row"),
    [
        ("poisson", r"\text{bulk:}\quad -\Delta u & = f \quad \text{on } \Omega && \texttt{poisson.pde:7}"),
        ("poisson", r"\text{wall:}\quad u & = 0 \quad \text{on } \partial \Omega && \texttt{poisson.pde:8}"),
        (
            "kuramoto",
            r"\text{flow:}\quad \partial_t p & = -\operatorname{grad}_{W_2} E \quad \text{on } \Theta \times I",
        ),
        (
            "kuramoto",
            r"E(p) & = \frac{1}{\beta} \int p \ln p \,d\theta"
            r" - \frac{\kappa}{2} \iint \cos(\theta - \varphi) p(\theta) p(\varphi) \,d\theta \,d\varphi",
        ),
        (
            "kuramoto",
            r"\text{particles:}\quad d\theta_i & = \kappa \nabla \left(\frac{1}{n} \sum_j \cos(\theta_i - \theta_j)",
        ),
        ("committor", r"E(u) & = \frac{1}{2} \int_\Omega \rho |\nabla u|^2 \,dx"),
        ("cahn_hilliard", r"\mathcal{K}_{H^{-1}} \varphi = -\Delta \varphi"),
        ("svgd", r"K(x, y) & = e^{-\frac{1}{2 h^2} (x - y)^2}"),
    ],
)
def test_statements_are_mathematics(spec: str, row: str) -> None:
    path = next(p for p in SPECS if p.stem == spec)
    assert row in account(path.name, path.read_text(encoding="utf-8"))


def test_names_and_words() -> None:
    assert [latex_name(n) for n in ("θᵢ", "x_1ᵢ", "a_b_c", "c11", "mean", "V'")] == [
        r"\theta_{i}", "x_{1, i}", r"a_{b\_c}", "c_{11}", r"\mathrm{mean}", "V'",
    ]  # fmt: skip
    assert indexed("x_{1}", "2") == "{x_{1}}_{2}"
    assert words("50% of a_b & `x^2`: ∇ < 1") == r"50\% of a\_b \& \texttt{x\^{}2}: $\nabla$ \textless{} 1"
    assert words("q ∇ ln q = ∇q") == r"$q \nabla \ln q = \nabla q$"
    assert plainer(r"\left(a \left(b + \frac{1}{2}\right)\right) \left(c\right)_{i}^{12}") == (
        r"\left(a \left(b + \frac{1}{2}\right)\right) (c)_i^{12}"
    )


def test_an_integral_under_another_gets_its_own_letter() -> None:
    theta, x, t = variable("θ", 2), variable("x", 2), variable("t")
    p = value(Field("p", ("θ", "t"), (2, 1)), theta, t)
    inner = Integrate(p * Dot(x, theta) ** 2, (theta,), RealSpace(2))
    shadowed = Expect(inner * Dot(x, theta), (x,), Law("gauss", 0, 1))
    assert unicode(distinct(shadowed)) == "𝔼[x ~ gauss(0, 1)] (x·θ) (∫ p(θ') (x·θ')² dθ')"
    number = Integrate(p**2, (theta,), RealSpace(2))
    assert distinct(number * Dot(theta, theta)) == number * Dot(theta, theta)


def test_pieces_of_boundaries_and_balls() -> None:
    text = """
        domain X(x, y) = disk((0, 0), 1)
        unknown u : X -> R
        bulk:  -Δu = 4    on X
        right: u = 0      on {(x, y) in ∂X : x > 0}
        left:  ∂n u = -2  on {(x, y) in ∂X : x < 0}
        rim:   u = 0      on ∂(disk((0, 0), 1/2))
        solve bulk, right, left
        """
    told = account("pieces.pde", text)
    assert r"\text{on } \{(x, y) \in \partial X : x \le 0\}" in told
    assert r"\text{left:}\quad n \cdot \nabla u & = -2" in told and r"\partial B_{\frac{1}{2}}((0, 0))" in told


def test_a_potential_beside_an_interaction() -> None:
    text = """
        domain X(x) = torus(1), I(t) = [0, 1]
        unknown p : P(X) over I
        V(x) := cos(2*π*x)
        E(p) := ∬ V(x)*cos(2*π*(x - y))*p(x)*p(y) dx dy
        flow: ∂t p = -grad(E, p; metric=W2) on X × I
        start: p = 1 on X × {0}
        solve flow, start using grid(cells=16)
        """
    assert r"p(x) p(y) V(x) \,dx \,dy" in account("pair.pde", text)


def test_an_energy_without_a_name() -> None:
    text = """
        domain X(x) = torus(1), I(t) = [0, 1]
        unknown p : P(X) over I
        E(p) := ∫ p*ln(p) dx
        F(p) := ∫ sin(2*π*x)*p dx
        flow: ∂t p = -grad(E(p) + F(p), p; metric=W2) on X × I
        start: p = 1 on X × {0}
        solve flow, start using grid(cells=16)
        """
    told = account("sum.pde", text)
    assert told.isascii() and r"\frac{d}{dt} \left(" in told and r"\operatorname{grad}_{W_2} \left(" in told
