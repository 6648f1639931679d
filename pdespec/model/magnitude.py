"""Bounds on numbers, and what is provably not negative.

SymPy would compute 9^9^9^9 digit by digit; here the size of a power is known before it is taken.  A real exponent needs
a base that cannot be negative: the rules below prove it from squares, exponentials, densities, intervals and signs of
params, or the power is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sympy import Abs, Add, Expr, Float, Integer, Mul, Pow, Rational, Symbol, cos, exp, log, pi, sin

from pdespec.model.bindings import Defined, Density, Expect, IndexedSum, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.model import Domain
from pdespec.model.refusal import refuse
from pdespec.model.scope import Env
from pdespec.model.sets import Difference, Interval, plain
from pdespec.model.terms import Parameter
from pdespec.model.vectors import Dot
from pdespec.source import Span

BITS = 4096
"""Numbers may have numerators and denominators of this many bits."""

EXPONENT = 1000
"""The largest exponent."""

LARGEST_EXP = 700.0
"""exp of a number beyond this overflows float64."""


def params_put_in(expr: Expr, env: Env) -> Expr:
    """A term with the values of the params in place of their symbols."""
    values = {p.symbol: p.value for p in env.root.params.values()}
    result = expr
    for _ in range(len(values) + 1):
        if not result.atoms(Parameter):
            return result
        result = result.xreplace(values)
    return result


def whole(expr: Expr, env: Env, span: Span, what: str) -> int:
    """A number that must be an integer, such as a dimension or the end of a sum."""
    found = params_put_in(expr, env)
    if not isinstance(found, Integer):
        refuse("PDE207", span, f"{what} must be an integer, and this is {found}")
    return int(found)


def guarded(expr: Expr, span: Span) -> Expr:
    """The term itself, if its leading number is not too long."""
    number = expr.as_coeff_Mul()[0] if expr.is_Mul else expr
    if isinstance(number, Rational) and max(abs(number.p), number.q).bit_length() > BITS:
        refuse("PDE206", span, "the number is too large", hint=f"numbers have at most {BITS} bits")
    return expr


def check_power(base: Expr, exponent: Expr, env: Env, span: Span) -> None:
    """Refuse a power that is too large, or that may not be real."""
    number = params_put_in(exponent, env)
    if number.is_number and abs(estimate(number, span)) > EXPONENT:
        refuse("PDE206", span, f"the exponent is beyond {EXPONENT}")
    coefficient = base.as_coeff_Mul()[0]
    if isinstance(coefficient, Rational) and number.is_number:
        bits = max(abs(coefficient.p), coefficient.q).bit_length()
        if bits * abs(estimate(number, span)) > BITS:
            refuse("PDE206", span, "the power is too large", hint=f"numbers have at most {BITS} bits")
    if isinstance(number, Integer):
        if base == 0 and number < 0:
            refuse("PDE206", span, "division by zero")
    elif not nonnegative(base, env):
        refuse(
            "PDE205",
            span,
            "a real exponent needs a base that is never negative",
            hint="write `|…|` if the modulus is meant, or an integer exponent",
        )


def check_exponential(argument: Expr, env: Env, span: Span) -> None:
    """Refuse exp of a number that overflows."""
    number = params_put_in(argument, env)
    if number.is_number and estimate(number, span) > LARGEST_EXP:
        refuse("PDE206", span, "exp of this number is too large for float64")


def estimate(number: Expr, span: Span) -> float:
    """A number in floating point, without SymPy's evaluation."""
    try:
        return _estimate(number)
    except (OverflowError, ZeroDivisionError, ValueError):
        return refuse("PDE206", span, "the number is too large, or undefined")


def _estimate(number: Expr) -> float:
    if isinstance(number, (Rational, Float)):
        return float(number)
    if number == pi:
        return math.pi
    if isinstance(number, (Add, Mul)):
        parts = [_estimate(a) for a in number.args]
        return math.fsum(parts) if isinstance(number, Add) else math.prod(parts)
    if isinstance(number, Pow):
        base, exponent = map(_estimate, number.args)
        return float(math.pow(base, exponent))
    rules: dict[type, Callable[[float], float]] = {exp: math.exp, log: math.log, sin: math.sin, cos: math.cos, Abs: abs}
    if type(number) in rules:
        return float(rules[type(number)](_estimate(number.args[0])))
    if number.func.__name__ == "Exp1":
        return math.e
    return float(number.evalf(15)) if not number.args or number.is_number else math.nan


def nonnegative(expr: Expr, env: Env, *, everywhere: bool = False) -> bool:
    """Whether a scalar term is proved never to be negative, here or at whatever point it is taken later."""
    if expr.is_nonnegative or (expr.is_number and expr.is_nonnegative is not None):
        return bool(expr.is_nonnegative)
    if isinstance(expr, FieldValue):
        return not any(expr.orders) and _nonnegative_values(expr, env)
    if isinstance(expr, Dot):
        return bool(expr.args[0] == expr.args[1])
    if isinstance(expr, Density):
        return True
    if isinstance(expr, Defined):
        return nonnegative(expr.body, env, everywhere=everywhere)
    if isinstance(expr, (Integrate, Expect, IndexedSum)):
        return nonnegative(expr.body, env, everywhere=everywhere)
    if isinstance(expr, (Add, Mul)):
        return all(nonnegative(a, env, everywhere=everywhere) for a in expr.args)
    if isinstance(expr, Pow):
        exponent = params_put_in(expr.exp, env)
        return nonnegative(expr.base, env, everywhere=everywhere) or bool(exponent.is_even)
    return not everywhere and isinstance(expr, Symbol) and _on_positive_interval(expr, env)


def _nonnegative_values(value: FieldValue, env: Env) -> bool:
    unknown = env.root.unknown_of(value.field)
    if unknown is None:
        return False
    codomain = unknown.codomain
    bounded = isinstance(codomain, Interval) and params_put_in(codomain.lo, env).is_nonnegative
    return unknown.kind == "density" or bool(bounded)


def _on_positive_interval(symbol: Symbol, env: Env) -> bool:
    """Whether a coordinate runs over an interval that begins at zero or above."""
    for level in reversed(env.levels):
        for name, v in level.variables:
            if v == symbol:
                coordinate = env.root.coordinates[name]
                return _begins_at_zero(coordinate.domain, coordinate.domain.coordinates.index(coordinate.variable), env)
    return False


def _begins_at_zero(domain: Domain, k: int, env: Env) -> bool:
    """Whether the k-th coordinate of a domain does; a domain with a hole counts as the set that has it."""
    whole = plain(domain.set)
    while isinstance(whole, Difference):
        whole = plain(whole.whole)
    factors = whole.factors if len(whole.factors) == len(domain.coordinates) else ()
    interval = plain(factors[k]) if factors else None
    return isinstance(interval, Interval) and bool(params_put_in(interval.lo, env).is_nonnegative)
