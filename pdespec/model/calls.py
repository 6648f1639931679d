"""Methods, iterations and networks as values: a name with options, checked against the registry.

Names of methods and of their options have a namespace of their own, which is asked first.  A name that is only planned
is one finding, whatever options it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sympy import Integer

from pdespec.diagnostics import Diagnostic, SpecError, error
from pdespec.model.arithmetic import components
from pdespec.model.evaluation import term
from pdespec.model.magnitude import params_put_in
from pdespec.model.methods import ESTIMATORS, SAMPLERS, Entry
from pdespec.model.model import Call
from pdespec.model.names import nearest
from pdespec.model.refusal import refuse
from pdespec.model.regions import region
from pdespec.model.scope import Env
from pdespec.model.terms import shape
from pdespec.syntax import ast


def parts(node: ast.Expr) -> tuple[ast.Expr, tuple[ast.Expr, ...], tuple[ast.Option, ...]]:
    """The name, the arguments and the options of what may be written with or without brackets."""
    if isinstance(node, ast.Call):
        return node.function, node.arguments, node.options
    return node, (), ()


def findings(node: ast.Expr, entry: Entry) -> Iterator[Diagnostic]:
    """What is wrong with a name and its options, without looking at values."""
    name, _, options = parts(node)
    if not isinstance(name, ast.Name):
        yield error("PDE104", node.span, f"a {entry.what} is expected")
        return
    if name.id in entry.planned:
        yield error("PDE962", name.span, f"the {entry.what} `{name.shown}` is not supported yet")
        return
    if name.id not in entry.known:
        yield unknown_name(name, entry)
        return
    known = entry.known[name.id]
    for option in options:
        yield from _option_findings(option, name, entry, known)


def unknown_name(name: ast.Name, entry: Entry) -> Diagnostic:
    """A name that the registry does not have, with the one that was probably meant."""
    meant = nearest(name.id, entry.known)
    hint = f"did you mean `{meant}`?" if meant else f"known: {', '.join(entry.known)}"
    return error("PDE104", name.span, f"unknown {entry.what} `{name.shown}`", hint=hint)


def _option_findings(option: ast.Option, name: ast.Name, entry: Entry, known: dict[str, str]) -> Iterator[Diagnostic]:
    shown = option.name.shown
    if option.name.id in entry.planned_options.get(name.id, ()):
        yield error("PDE962", option.name.span, f"the option `{shown}` of `{name.shown}` is not supported yet")
    elif option.name.id not in known:
        meant = nearest(option.name.id, known)
        hint = f"did you mean `{meant}`?" if meant else f"options: {', '.join(known) or 'none'}"
        yield error("PDE105", option.name.span, f"`{name.shown}` has no option `{shown}`", hint=hint)
    elif known[option.name.id] == "sampler":
        yield from findings(option.value, SAMPLERS)
    elif known[option.name.id] == "estimator":
        yield from findings(option.value, ESTIMATORS)


def call(node: ast.Expr, entry: Entry, env: Env) -> Call:
    """A method, iteration or estimator with its options as values.  Raises SpecError with every finding."""
    found = tuple(findings(node, entry))
    if found:
        raise SpecError(found)
    name, arguments, options = parts(node)
    assert isinstance(name, ast.Name)
    known = entry.known[name.id]
    values = tuple((o.name.id, KINDS[known[o.name.id]](o.value, env)) for o in options)
    seen: set[str] = set()
    for o in options:
        if o.name.id in seen:
            refuse("PDE113", o.span, f"`{o.name.shown}` is given twice", hint="drop one of the two")
        seen.add(o.name.id)
    return Call(name.id, tuple(_number(a, env) for a in arguments), values, node.span)


# ── kinds of values ───────────────────────────────────────────────────────────────────────────────────────────────────


def _number(node: ast.Expr, env: Env) -> object:
    value = params_put_in(term(node, env), env)
    if not value.is_number or not value.is_real:
        refuse("PDE106", node.span, "a number is expected here")
    return value


def _integer(node: ast.Expr, env: Env) -> object:
    value = params_put_in(term(node, env), env)
    if not isinstance(value, Integer) or value <= 0 or value > 10**9:
        refuse("PDE106", node.span, "a positive integer is expected here")
    return value


def _positive(node: ast.Expr, env: Env) -> object:
    value = params_put_in(term(node, env), env)
    if not value.is_number or not value.is_positive:
        refuse("PDE106", node.span, "a positive number is expected here")
    return value


def _integers(node: ast.Expr, env: Env) -> object:
    if isinstance(node, ast.Tuple):
        return tuple(_integer(item, env) for item in node.items)
    return _integer(node, env)


def _numbers(node: ast.Expr, env: Env) -> object:
    value = term(node, env)
    return tuple(params_put_in(c, env) for c in components(value)) if shape(value) else _number(node, env)


def _name(node: ast.Expr, env: Env) -> object:
    if not isinstance(node, ast.Name):
        refuse("PDE106", node.span, "a name is expected here")
    return node.id


def _flag(node: ast.Expr, env: Env) -> object:
    if not isinstance(node, ast.Name) or node.id not in ("true", "false"):
        refuse("PDE106", node.span, "`true` or `false` is expected here")
    return node.id == "true"


def _set(node: ast.Expr, env: Env) -> object:
    return region(node, env).set


KINDS: dict[str, Callable[[ast.Expr, Env], object]] = {
    "integer": _integer,
    "integers": _integers,
    "number": _positive,
    "numbers": _numbers,
    "name": _name,
    "flag": _flag,
    "set": _set,
    "sampler": lambda node, env: call(node, SAMPLERS, env),
    "estimator": lambda node, env: call(node, ESTIMATORS, env),
}
"""How the value of an option of each kind is read."""
