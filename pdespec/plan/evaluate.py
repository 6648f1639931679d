"""Numbers from terms at build time: elementary functions over numpy arrays, by a table and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import sympy
from sympy import Expr

from pdespec.model.model import Model
from pdespec.model.terms import NoRule, Parameter

Array = Any

FUNCTIONS: dict[type, Callable[..., Array]] = {
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tan: np.tan,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.tanh: np.tanh,
    sympy.Abs: np.abs,
    sympy.sign: np.sign,
    sympy.Max: lambda *a: reduce(np.maximum, a),
    sympy.Min: lambda *a: reduce(np.minimum, a),
}


def evaluate(expr: Expr, values: Mapping[Expr, Array]) -> Array:
    """The value of an expression in scalar coordinates; raises NoRule for what has none."""
    if expr in values:
        return values[expr]
    if expr.is_number:
        if expr.is_real is False:
            raise NoRule(f"{expr} is no real number")
        return float(expr)
    if not expr.args or not (expr.is_Add or expr.is_Mul or expr.is_Pow or type(expr) in FUNCTIONS):
        raise NoRule(f"`{expr}` has no value here")
    arguments = [evaluate(a, values) for a in expr.args]
    if expr.is_Add:
        return reduce(np.add, arguments)
    if expr.is_Mul:
        return reduce(np.multiply, arguments)
    if expr.is_Pow:
        return np.power(*arguments)
    return FUNCTIONS[type(expr)](*arguments)


def parameter_values(model: Model) -> dict[Parameter, float]:
    """The value of every param as a number."""
    found: dict[Parameter, float] = {}
    for p in model.params:
        found[p.symbol] = float(evaluate(p.value, found))
    return found
