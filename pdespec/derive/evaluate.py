"""The value of an expression without integrals, at a point, to any number of digits (mpmath)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath
from sympy import (
    Abs,
    Basic,
    Expr,
    Float,
    Heaviside,
    I,
    Max,
    Min,
    NumberSymbol,
    Rational,
    cos,
    cosh,
    exp,
    log,
    sign,
    sin,
    sinh,
    tan,
    tanh,
)

Point = Mapping[Basic, Any]
LARGEST_EXPONENT = 1_000_000


class NoValue(Exception):
    """An expression that has no value at a point: a pole, or a node without a number."""


def evaluate(expr: Expr, at: Point) -> Any:
    """The value in mpmath's working precision; `at` gives symbols, jets and whatever else is an atom."""
    if expr in at:
        return at[expr]
    if isinstance(expr, Rational):
        return mpmath.mpf(int(expr.p)) / int(expr.q)
    if expr is I:
        return mpmath.mpc(0, 1)
    if isinstance(expr, (NumberSymbol, Float)):
        return expr._to_mpmath(mpmath.mp.prec)
    if not expr.args:
        raise NoValue(f"{expr} has no value")
    values = [evaluate(a, at) for a in expr.args]
    try:
        return _apply(expr, values)
    except (ZeroDivisionError, ValueError, OverflowError) as failure:
        raise NoValue(str(failure)) from failure


def _apply(expr: Expr, values: list[Any]) -> Any:
    if expr.is_Add:
        return mpmath.fsum(values)
    if expr.is_Mul:
        return mpmath.fprod(values)
    if expr.is_Pow:
        return _power(*values)
    rule = _FUNCTIONS.get(expr.func)
    if rule is not None:
        return rule(*values)
    if not expr.is_Function:
        raise NoValue(f"{type(expr).__name__} has no value")
    digits = mpmath.mp.dps
    parts = expr.func(*(_number(v, digits) for v in values)).evalf(digits).as_real_imag()
    if not all(isinstance(part, (Float, Rational)) for part in parts):
        raise NoValue(f"{type(expr).__name__} has no value")
    real, imaginary = (part._to_mpmath(mpmath.mp.prec) for part in parts)
    return mpmath.mpc(real, imaginary) if imaginary else real


def _power(base: Any, exponent: Any) -> Any:
    if base and abs(exponent * mpmath.log(abs(base))) > LARGEST_EXPONENT:
        raise NoValue("a power out of range")
    return base**exponent


def _bounded(rule: Any) -> Any:
    def applied(x: Any) -> Any:
        if abs(x) > LARGEST_EXPONENT:
            raise NoValue("an exponential out of range")
        return rule(x)

    return applied


def _number(v: Any, digits: int) -> Expr:
    if isinstance(v, mpmath.mpc):
        return Float(v.real, digits) + I * Float(v.imag, digits)
    return Float(v, digits)


_FUNCTIONS: dict[Any, Any] = {
    exp: _bounded(mpmath.exp),
    log: mpmath.log,
    sin: mpmath.sin,
    cos: mpmath.cos,
    tan: mpmath.tan,
    sinh: _bounded(mpmath.sinh),
    cosh: _bounded(mpmath.cosh),
    tanh: mpmath.tanh,
    Abs: abs,
    sign: mpmath.sign,
    Heaviside: lambda x, middle=0: (1 + mpmath.sign(x)) / 2,
    Max: max,
    Min: min,
}
