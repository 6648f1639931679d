"""Activations with their derivatives in closed form, up to the fifth.

    tanh: f′ = 1 − f²,   f″ = −2 f f′,     f‴ = f′ (6 f² − 2),  f⁗ = f f′ (16 − 24 f²),    f⁽⁵⁾ = f′ (16 − 120 f² f′)
    sin:  f′ = cos,      f″ = −f,          f‴ = −f′,            f⁗ = f,                    f⁽⁵⁾ = f′
    gelu: f′ = Φ + hφ,   f″ = φ (2 − h²),  f‴ = φ h (h² − 4),   f⁗ = φ (7 h² − h⁴ − 4),    f⁽⁵⁾ = φ h (18 − 11 h² + h⁴)
with φ, Φ the normal density and distribution function (Hendrycks & Gimpel 2016). Derivatives of order m are pushed
forward by f, …, f⁽ᵐ⁾, and their adjoint takes f⁽ᵐ⁺¹⁾.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Expr, Symbol

MAX_ORDER = 4

Names = Callable[[str], str]
Lines = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Activation:
    """`call` names the function in code; `lines(h, names, order)` assigns f, f′, … at h, each line with its comment.

    `outer(order)` gives f, f′, f″, … as expressions in the symbols `a`, `s`, `s2`, … `s5`; `names` maps those words
    to identifiers.  `biased` says whether h itself is used more than once and must be formed first.
    """

    call: str
    biased: bool
    lines: Callable[[str, Names, int], Lines]
    outer: Callable[[int], list[Expr]]


def symbol(word: str) -> Symbol:
    """The symbol that stands for f (`a`) or one of its derivatives (`s`, `s2`, …)."""
    return Symbol(word, real=True)


WORDS = ("a", "s", "s2", "s3", "s4", "s5")


def _tanh(h: str, name: Names, order: int) -> Lines:
    a, s, s2, s3, s4, s5 = map(name, WORDS)
    lines = [
        (f"{a} = torch.tanh({h})", ""),
        (f"{s} = 1 - {a}.square()", "tanh′"),
        (f"{s2} = -2 * {a} * {s}", "tanh″"),
        (f"{s3} = {s} * (6 * {a}.square() - 2)", "tanh‴"),
        (f"{s4} = {a} * {s} * (16 - 24 * {a}.square())", "tanh⁗"),
        (f"{s5} = {s} * (16 - 120 * {a}.square() * {s})", "tanh⁽⁵⁾"),
    ]
    return lines[: order + 1]


def _sin(h: str, name: Names, order: int) -> Lines:
    a, s = name("a"), name("s")
    return [(f"{a} = torch.sin({h})", ""), (f"{s} = torch.cos({h})", "sin′; then sin″ = −sin")][: order + 1]


def _gelu(h: str, name: Names, order: int) -> Lines:
    a, s, s2, s3, s4, s5 = map(name, WORDS)
    phi, distribution = name("phi"), name("Phi")
    lines = [
        (f"{a} = {h} * {distribution}", ""),
        (f"{s} = {distribution} + {h} * {phi}", "gelu′"),
        (f"{s2} = {phi} * (2 - {h}.square())", "gelu″"),
        (f"{s3} = {phi} * {h} * ({h}.square() - 4)", "gelu‴"),
        (f"{s4} = {phi} * ({h}.square() * (7 - {h}.square()) - 4)", "gelu⁗"),
        (f"{s5} = {phi} * {h} * ({h}.square() * ({h}.square() - 11) + 18)", "gelu⁽⁵⁾"),
    ]
    density = (f"{phi} = torch.exp(-0.5 * {h}.square()) / math.sqrt(2 * math.pi)", "normal density")
    cumulative = (f"{distribution} = 0.5 * (1 + torch.erf({h} / math.sqrt(2)))", "its distribution function")
    return [density, cumulative, *lines[: order + 1]]


def _words(order: int) -> list[Expr]:
    return [symbol(word) for word in WORDS[: order + 1]]


def _sine_words(order: int) -> list[Expr]:
    a, s = symbol("a"), symbol("s")
    return [a, s, -a, -s, a, s][: order + 1]


ACTIVATIONS: Mapping[str, Activation] = {
    "tanh": Activation("torch.tanh", False, _tanh, _words),
    "sin": Activation("torch.sin", True, _sin, _sine_words),
    "gelu": Activation("nn.functional.gelu", True, _gelu, _words),
}
