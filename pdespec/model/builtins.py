"""Notions of the language that are written as calls: elementary functions here, others where their mathematics is.

`NOTIONS` maps a name to how its call is elaborated; the modules on laws, processes and functionals add theirs with
`@notion`.  `SETS` and `CONSTANTS` are names that stand alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import sympy
from sympy import Expr, S, log

from pdespec.model.arithmetic import absolute, scalar
from pdespec.model.evaluation import term
from pdespec.model.magnitude import check_exponential, params_put_in
from pdespec.model.refusal import refuse
from pdespec.model.scope import Env
from pdespec.model.sets import RealSpace, Set
from pdespec.model.values import Value
from pdespec.source import Span
from pdespec.syntax import ast

Notion = Callable[[ast.Call, Env], Value]
N = TypeVar("N", bound=Notion)

CONSTANTS: dict[str, Expr] = {"pi": sympy.pi}
SETS: dict[str, Set] = {"R": RealSpace(1)}
NOTIONS: dict[str, Notion] = {}


def notion(*names: str) -> Callable[[N], N]:
    """Register how a call of a name of the language is elaborated."""

    def register(function: N) -> N:
        for name in names:
            NOTIONS[name] = function
        return function

    return register


# ── elementary functions ──────────────────────────────────────────────────────────────────────────────────────────────


def _softplus(x: Expr) -> Expr:
    return log(1 + sympy.exp(x))


def _sigmoid(x: Expr) -> Expr:
    return 1 / (1 + sympy.exp(-x))


ELEMENTARY: dict[str, Callable[[Expr], Expr]] = {
    **{name: getattr(sympy, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: getattr(sympy, name) for name in ("exp", "erf", "sign")},
    "ln": log,
    "log": log,
    "sqrt": sympy.sqrt,
    "abs": sympy.Abs,
    "softplus": _softplus,
    "sigmoid": _sigmoid,
}
GROWING = frozenset({"exp", "sinh", "cosh", "softplus", "sigmoid"})
EXTREMA: dict[str, type[Expr]] = {"max": sympy.Max, "min": sympy.Min}
OPERANDS = 8
"""SymPy compares each two operands of a maximum, which takes time."""


@notion(*ELEMENTARY)
def _elementary(node: ast.Call, env: Env) -> Value:
    name = str(getattr(node.function, "id", ""))
    (argument,) = positional(node, env, 1)
    argument = scalar(argument, node.arguments[0].span, f"the argument of `{name}`")
    if name in GROWING:
        check_exponential(abs_bound(name, argument), env, node.span)
    if name in ("ln", "log", "sqrt"):
        _check_domain(name, argument, env, node.span)
    if name == "abs":
        return absolute(argument, env)
    return ELEMENTARY[name](argument)


def abs_bound(name: str, argument: Expr) -> Expr:
    """What must not overflow when the function is computed."""
    return argument if name == "exp" or not argument.is_number else sympy.Abs(argument)


def _check_domain(name: str, argument: Expr, env: Env, span: Span) -> None:
    """Refuse a logarithm or a root of what is known to be negative."""
    number = params_put_in(argument, env)
    undefined = number.is_negative or (name != "sqrt" and number == S.Zero)
    if undefined and number.is_number:
        refuse("PDE205", span, f"`{name}` of {number} is not a real number")


@notion(*EXTREMA)
def _extremum(node: ast.Call, env: Env) -> Value:
    name = str(getattr(node.function, "id", ""))
    if len(node.arguments) < 2:
        refuse("PDE202", node.span, f"`{name}(a, b)` takes two values or more", hint=f"over a set: `{name}[a in A] …`")
    values = [scalar(term(a, env), a.span) for a in node.arguments]
    if sum(len(v.args) if isinstance(v, EXTREMA[name]) else 1 for v in values) > OPERANDS:
        refuse("PDE215", node.span, f"`{name}` of more than {OPERANDS} values")
    return EXTREMA[name](*values)


@notion("atan2")
def _atan2(node: ast.Call, env: Env) -> Value:
    y, x = (scalar(e, node.span) for e in positional(node, env, 2))
    return sympy.atan2(y, x)


def positional(node: ast.Call, env: Env, count: int) -> list[Expr]:
    """The arguments of a call that takes a certain number of values and no options."""
    name = node.function.span.text
    if len(node.arguments) != count:
        plural = "argument" if count == 1 else "arguments"
        refuse("PDE202", node.span, f"`{name}` takes {count} {plural}, and gets {len(node.arguments)}")
    if node.options:
        refuse("PDE202", node.options[0].span, f"`{name}` takes no options")
    return [term(a, env) for a in node.arguments]


def options(node: ast.Call | ast.Norm, allowed: tuple[str, ...]) -> dict[str, ast.Expr]:
    """The options of a call by name; refuses one that it does not have."""
    found: dict[str, ast.Expr] = {}
    for option in node.options:
        if option.name.id not in allowed:
            known = ", ".join(f"`{a}`" for a in allowed) or "none"
            refuse("PDE105", option.name.span, f"unknown option `{option.name.shown}`", hint=f"options: {known}")
        found[option.name.id] = option.value
    return found
