"""Names and calls: functions at points, definitions at arguments, results of solves.

A name is a formal or bound name, then a declaration, then a notion of the language.  A call applies what its callee
denotes; a callee that is an expression, `(∇φ)(y)`, is abstracted to a function first.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, S

from pdespec.model.arithmetic import components, spelled
from pdespec.model.bindings import Density, Law
from pdespec.model.builtins import CONSTANTS, NOTIONS, SETS
from pdespec.model.definitions import apply_closure, definition_value
from pdespec.model.evaluation import abstract, coerce, evaluate, function, rule, term, unknown_function
from pdespec.model.fields import Field, value
from pdespec.model.refusal import refuse, rest_on_broken
from pdespec.model.scope import Env, Scope
from pdespec.model.terms import Normal, Variable, VectorVariable, shape
from pdespec.model.values import Builtin, Closure, Function, Label, Operator, Region, Value, kind
from pdespec.model.vectors import Vec
from pdespec.source import Span
from pdespec.syntax import ast


@rule(ast.Name)
def named(node: ast.Name, env: Env) -> Value:
    """What a name stands for at a place."""
    if node.id in env.locals:
        return env.locals[node.id]
    found = _declared(node, env.scope, env)
    if found is None and env.scope.prelude is not None:
        found = _declared(node, env.scope.prelude, env)
    if found is not None:
        return found
    if node.id in CONSTANTS:
        return CONSTANTS[node.id]
    if node.id in SETS:
        return Region(SETS[node.id])
    if node.id in NOTIONS or node.id == "n":
        return Builtin(node.id)
    return refuse("PDE101", node.span, f"unknown name `{node.shown}`")


def _declared(node: ast.Name, scope: Scope, env: Env) -> Value | None:
    if node.id in scope.broken:
        rest_on_broken()
    if node.id in scope.params:
        return scope.params[node.id].symbol
    if node.id in scope.coordinates:
        return env.current(node.id)
    if node.id in scope.regions:
        return scope.regions[node.id]
    if node.id in scope.unknowns:
        unknown = scope.unknowns[node.id]
        return unknown_function(node.id, env) if unknown.domains else value(unknown.field)
    if node.id in scope.definitions:
        return definition_value(scope.definitions[node.id], scope, env)
    if node.id in scope.equations or node.id in scope.solves:
        return Label(node.id, node.shown)
    return None


@rule(ast.Call)
def call(node: ast.Call, env: Env) -> Value:
    """What a call gives."""
    callee = node.function
    if not isinstance(callee, (ast.Name, ast.Call)):
        return _at_point(abstract(callee, env), node, env)
    found = evaluate(callee, env)
    if isinstance(found, Builtin):
        return _normal(node, env) if found.id == "n" else NOTIONS[found.id](node, env)
    if node.options:
        refuse("PDE202", node.options[0].span, "this takes no options")
    if isinstance(found, Label):
        return _result(found, node, env)
    if isinstance(found, Closure) and found.groups:
        return apply_closure(found, node, env)
    if isinstance(found, Operator):
        return _operated(found, node, env)
    if isinstance(found, Law):
        return Density(found, *(term(a, env) for a in node.arguments))
    if isinstance(found, Function):
        return _at_point(found, node, env)
    if isinstance(found, Expr) and isinstance(callee, ast.Call):
        return _at_point(abstract(callee, env), node, env)
    return refuse("PDE202", callee.span, f"{kind(found)} cannot be applied", hint="there is no implicit multiplication")


def _operated(operator: Operator, node: ast.Call, env: Env) -> Expr:
    if len(node.arguments) != 1:
        refuse("PDE202", node.span, f"{operator.name} takes one function")
    operand = function(node.arguments[0], env)
    return operator.apply(operand, env)


def _normal(node: ast.Call, env: Env) -> Expr:
    """n(x), the outward normal at the current point of a boundary."""
    if not env.normal:
        refuse("PDE212", node.span, "the normal `n` is defined on a boundary only")
    return Normal(env.normal)


# ── a function at a point ─────────────────────────────────────────────────────────────────────────────────────────────


def _at_point(function: Function, node: ast.Call, env: Env) -> Expr:
    arguments = [term(a, env) for a in node.arguments]
    return function.at(*point_of(function, arguments, node.span, env))


def point_of(function: Function, arguments: Sequence[Expr], span: Span, env: Env) -> list[Expr]:
    """The slots of a function from the arguments of a call.  Time may be left out: it stays at its current point."""
    timeless = [k for k, c in enumerate(function.coordinates) if not env.root.coordinates[c].time]
    for chosen in (list(range(len(function.slots))), timeless):
        filled = _filled([function.slots[k] for k in chosen], arguments, span)
        if filled is not None:
            point: list[Expr] = list(env.values(function))
            for k, argument in zip(chosen, filled, strict=True):
                point[k] = argument
            return point
    slots = ", ".join(env.root.coordinates[c].variable.name for c in function.coordinates)
    given = ", ".join(spelled(shape(a)) for a in arguments)
    return refuse("PDE202", span, f"`{function.name}` is a function of ({slots}), and gets {given or 'nothing'}")


def _filled(slots: Sequence[Variable], arguments: Sequence[Expr], span: Span) -> list[Expr] | None:
    """The arguments slot by slot; otherwise all their components, tuples being concatenated."""
    sizes = [v.dimension if isinstance(v, VectorVariable) else 1 for v in slots]
    if len(arguments) == len(slots):
        fitted = [_fitted(a, n) for a, n in zip(arguments, sizes, strict=True)]
        if all(f is not None for f in fitted):
            return [f for f in fitted if f is not None]
    flat = [e for a in arguments for e in (components(a) if shape(a) else [a])]
    if len(flat) != sum(sizes) or not slots:
        return [S.Zero for _ in slots] if list(arguments) == [S.Zero] and set(sizes) == {1} and slots else None
    filled: list[Expr] = []
    for n in sizes:
        filled.append(Vec(*flat[:n]) if n > 1 else flat[0])
        flat = flat[n:]
    return filled


def _fitted(argument: Expr, size: int) -> Expr | None:
    form = shape(argument)
    if size == 1:
        return argument if not form else components(argument)[0] if form == (1,) else None
    if form == (size,):
        return argument
    return Vec(*(S.Zero,) * size) if argument == 0 else None


# ── the result of a solve ─────────────────────────────────────────────────────────────────────────────────────────────


def _result(label: Label, node: ast.Call, env: Env) -> Value:
    """`label(e)`: e with the solve's own solutions in place of the unknowns."""
    if label.id not in env.root.solves:
        refuse("PDE202", node.function.span, f"`{label.shown}` labels an equation, not a solve")
    if label.id not in env.root.found:
        refuse(
            "PDE220",
            node.function.span,
            f"`{label.shown}` is not solved yet at this place",
            hint="solves run in file order",
        )
    if len(node.arguments) != 1:
        refuse("PDE202", node.span, f"`{label.shown}(…)` takes one expression")
    found = evaluate(node.arguments[0], env)
    if isinstance(found, Closure):
        found = coerce(found, env, node.span)
    return solved(found, {f: f.of(label.shown) for f in env.root.found[label.id]}, node.span)


def solved(found: Value, fields: dict[Field, Field], span: Span) -> Value:
    """A value with unknowns replaced by results."""
    if isinstance(found, Function):
        field = fields.get(found.field, found.field) if found.field is not None else None
        return Function(found.name, found.slots, found.coordinates, found.homes, found.term.xreplace(fields), field)
    if isinstance(found, (Expr, Law)):
        return found.xreplace(fields)
    return refuse("PDE203", span, f"{kind(found)} has no value in a solve")
