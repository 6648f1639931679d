"""SymPy expressions in the notation of the language, by precedence: sums 1, products 2, powers 3, atoms 4."""

from __future__ import annotations

import sympy as sp
from sympy import Expr

FUNCTIONS = {sp.sin: "sin", sp.cos: "cos", sp.exp: "exp", sp.log: "ln"}


def written(e: Expr, least: int = 1) -> str:
    """The text of an expression, in parentheses where it binds less than `least`."""
    text, level = _written(e)
    return text if level >= least else f"({text})"


def _written(e: Expr) -> tuple[str, int]:
    if e.is_Symbol:
        return e.name, 4
    if e == sp.pi:
        return "π", 4
    if e.is_Integer:
        return str(e), 4 if e >= 0 else 1
    if e.is_Rational:
        return f"{e.p}/{e.q}", 2 if e > 0 else 1
    if e.is_Add:
        return _sum(e), 1
    if e.is_Mul:
        return (_product(e), 2) if not e.could_extract_minus_sign() else (f"-{_product(-e)}", 1)
    if e.is_Pow:
        base, exponent = e.as_base_exp()
        if exponent.is_negative:
            return f"1/{written(1 / e, 3)}", 2
        return f"{written(base, 4)}^{written(exponent, 4)}", 3
    if e.func == sp.exp:
        return f"exp({written(e.args[0])})", 4
    return f"{FUNCTIONS[e.func]}({written(e.args[0])})", 4


def _sum(e: Expr) -> str:
    text = ""
    for term in e.as_ordered_terms():
        sign, size = ("-", -term) if term.could_extract_minus_sign() else ("+", term)
        text += f" {sign} {written(size, 2)}" if text else ("-" if sign == "-" else "") + written(size, 2)
    return text


def _product(e: Expr) -> str:
    if not e.is_Mul:
        return written(e, 2)
    numbers = [f for f in e.args if f.is_Rational]
    others = [f for f in e.as_ordered_factors() if not f.is_Rational]
    number = sp.Mul(*numbers)
    lead = [] if number == 1 else [f"{number.p}/{number.q}" if number.q != 1 else str(number.p)]
    return "*".join([*lead, *(written(f, 3) for f in others)])
