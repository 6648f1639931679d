"""The heart of elaboration: an expression of the syntax tree denotes a value.

`evaluate` asks the rule of the node's class; the modules of the package register them with `@rule`.  Where a number or
vector is wanted, `term` takes the value at the current point; where a function is wanted, `function` abstracts the
expression over the coordinates that it mentions: f = (x ↦ e), with x fresh, so that nothing is captured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sympy import Expr
from sympy.core.basic import Basic

from pdespec.model.bindings import Density, Law
from pdespec.model.fields import FieldValue, value
from pdespec.model.refusal import refuse, rest_on_broken
from pdespec.model.scope import EVALUATIONS, Env
from pdespec.model.substitution import substitute
from pdespec.model.terms import Normal
from pdespec.model.values import Closure, Function, Value, kind
from pdespec.source import Span
from pdespec.syntax import ast

NODES = 20_000
"""The largest term, in nodes counted with repetition."""

Rule = Callable[[Any, Env], Value]
RULES: dict[type, Rule] = {}
R = TypeVar("R", bound=Rule)


def rule(*classes: type) -> Callable[[R], R]:
    """Register how a class of nodes is elaborated."""

    def register(function: R) -> R:
        for class_ in classes:
            RULES[class_] = function
        return function

    return register


def evaluate(node: ast.Expr, env: Env) -> Value:
    """What an expression denotes at a place."""
    env.root.evaluations += 1
    if env.root.evaluations > EVALUATIONS + 1:
        rest_on_broken()
    if env.root.evaluations > EVALUATIONS:
        refuse("PDE215", node.span, f"this takes more than {EVALUATIONS} steps of elaboration", hint="make it smaller")
    found = RULES.get(type(node))
    if found is None:
        refuse("PDE203", node.span, "this cannot stand where a value is expected")
    return found(node, env)


def term(node: ast.Expr, env: Env) -> Expr:
    """The value of an expression at the current point, a scalar, vector or matrix."""
    return coerce(evaluate(node, env), env, node.span)


def coerce(found: Value, env: Env, span: Span) -> Expr:
    """A value at the current point."""
    if isinstance(found, Expr):
        return found
    if isinstance(found, Function):
        return found.at(*env.values(found))
    if isinstance(found, Closure):
        from pdespec.model.definitions import at_current_point

        return at_current_point(found, env, span)
    if isinstance(found, Law):
        return _density(found, env, span)
    return refuse("PDE203", span, f"{kind(found)} where a number or a vector is expected")


def _density(law: Law, env: Env, span: Span) -> Expr:
    """A law as a function is its density; the current point must be clear."""
    space = [v for name, v in env.levels[-1].variables if not env.root.coordinates[name].time]
    domains = {
        env.root.coordinates[name].domain.name
        for name, _ in env.levels[-1].variables
        if not env.root.coordinates[name].time
    }
    if len(domains) != 1:
        refuse("PDE203", span, "a law where a number is expected", hint="write its density at a point: `law(x)`")
    return Density(law, *space)


def function(node: ast.Expr, env: Env) -> Function:
    """An expression as a function of the coordinates that it mentions."""
    return as_function(evaluate(node, env), node, env)


def as_function(found: Value, node: ast.Expr, env: Env) -> Function:
    """A value as a function; an expression is evaluated anew at a fresh point."""
    if isinstance(found, Function):
        return found
    if isinstance(found, Closure):
        from pdespec.model.definitions import closure_function

        made = closure_function(found, env, node.span)
        if made is not None:
            return made
    return abstract(node, env)


def abstract(node: ast.Expr, env: Env) -> Function:
    """λ-abstraction over the coordinates, those of time included."""
    fresh = tuple((name, env.root.like(c.variable)) for name, c in env.root.coordinates.items())
    body = term(node, env.at(*fresh))
    free = body.free_symbols
    used = [(name, v) for name, v in fresh if v in free]
    homes = tuple(env.root.coordinates[name].domain for name, _ in used)
    # A slot is bound: it may have the coordinate's own name, which reads better, unless that is taken.
    own = {v: env.root.coordinates[name].variable for name, v in used}
    own = {v: w for v, w in own.items() if w not in free}
    slots = tuple(own.get(v, v) for _, v in used)
    return Function(node.span.text, slots, tuple(name for name, _ in used), homes, substitute(body, own))


def unknown_function(unknown_id: str, env: Env) -> Function:
    """An unknown as the function that it is."""
    unknown = env.root.unknowns[unknown_id]
    field = unknown.field
    homes = tuple(d for d in unknown.domains for _ in d.coordinates)
    slots = tuple(v for d in unknown.domains for v in d.coordinates)
    names = tuple(map(env.root.coordinate_of, slots))
    return Function(field.name, slots, names, homes, value(field, *slots), field)


def fields_in(expr: Basic) -> set[FieldValue]:
    """Every value of a field in a term."""
    return {n for n in nodes_of(expr) if isinstance(n, FieldValue)}


def nodes_of(expr: Basic) -> set[Basic]:
    """Every node of a term once; shared parts are visited once, where SymPy's traversals repeat them."""
    seen: set[Basic] = {expr}
    pending = [expr]
    while pending:
        for a in pending.pop().args:
            if a not in seen:
                seen.add(a)
                pending.append(a)
    return seen


def measured(expr: Expr, span: Span) -> Expr:
    """The term itself, if it is not too large; shared parts are counted as often as they occur."""
    sizes: dict[Basic, int] = {}
    pending = [expr]
    while pending:
        top = pending[-1]
        todo = [a for a in top.args if a not in sizes]
        if todo:
            pending.extend(todo)
            continue
        pending.pop()
        sizes[top] = 1 + sum(sizes[a] for a in top.args)
    if sizes[expr] > NODES:
        refuse("PDE215", span, f"the expression grows beyond {NODES} nodes when its definitions are put in")
    return expr


def depends_on_boundary(expr: Expr) -> bool:
    """Whether the normal of a boundary occurs."""
    return any(isinstance(n, Normal) for n in nodes_of(expr))
