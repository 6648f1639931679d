"""Forms as expressions again: pairs of conjugate exponentials become sines and cosines.

e^{iφ}(A + iB) + e^{−iφ}(C + iD) = (A + C + i(B + D)) cos φ + (D − B + i(A − C)) sin φ.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sympy import QQ, Add, Expr, I, Mul, Pow, cos, exp, sin

from pdespec.derive.polynomial import ZERO, Form, Monomial, as_rational

Wave = tuple[Monomial, Form, Form]


@lru_cache(maxsize=8192)
def expression(form: Form) -> Expr:
    """The expression that a form stands for; equal forms give equal expressions."""
    amplitudes: dict[Wave, list[Any]] = {}
    for monomial, exponent, c in form:
        decay, phase = _split(exponent)
        imaginary = any(g is I for g, _ in monomial)
        sign = _orientation(phase)
        wave = (frozenset((g, k) for g, k in monomial if g is not I), decay, phase if sign > 0 else -phase)
        place = (0 if sign >= 0 else 2) + imaginary
        amplitudes.setdefault(wave, [QQ(0)] * 4)[place] += c
    return Add(*(_wave(wave, parts) for wave, parts in amplitudes.items()))


def _split(exponent: Form) -> tuple[Form, Form]:
    """Real part and phase of an exponent R + iφ."""
    real: dict[Any, Any] = {}
    phase: dict[Any, Any] = {}
    for (monomial, inner), c in exponent.terms.items():
        if (I, 1) in monomial:
            phase[(monomial - {(I, QQ(1))}, inner)] = c
        else:
            real[(monomial, inner)] = c
    return (Form(real) if real else ZERO), (Form(phase) if phase else ZERO)


def _orientation(phase: Form) -> int:
    """+1 or −1 such that φ and −φ differ; 0 for no phase."""
    if not phase:
        return 0
    first = min(((term(m, e), c) for m, e, c in phase), key=lambda pair: pair[0].sort_key())
    return 1 if first[1] > 0 else -1


def term(monomial: Monomial, exponent: Form) -> Expr:
    """One term without its coefficient."""
    factors = [Pow(g, as_rational(k)) for g, k in monomial]
    return Mul(*factors, exp(expression(exponent)) if exponent else 1)


def _wave(wave: Wave, parts: list[Any]) -> Expr:
    monomial, decay, phase = wave
    a, b, c, d = map(as_rational, parts)
    outer = term(monomial, decay)
    if not phase:
        return (a + I * b) * outer
    angle = expression(phase)
    even, odd = a + c + I * (b + d), d - b + I * (a - c)
    return Add(*(k * outer * f for k, f in ((even, cos(angle)), (odd, sin(angle))) if k != 0))
