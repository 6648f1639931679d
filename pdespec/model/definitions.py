"""Definitions: named functions of a point, and closures that are put in at each use.

A definition of points alone, without unknowns, stays a named node `V(x)`.  Anything else is elaborated anew with its
formals bound; a formal that is a point gets a fresh variable, becomes the current point of its domain, and is replaced
by the argument at the end, so that no name is captured.  A bare functional stands for itself applied to the functions
named like its formals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, S, Symbol

from pdespec.model.arithmetic import components, only_component, spelled
from pdespec.model.bindings import Defined
from pdespec.model.evaluation import (
    abstract,
    coerce,
    depends_on_boundary,
    evaluate,
    fields_in,
    measured,
    unknown_function,
)
from pdespec.model.formals import applied_formals, function_formals, home
from pdespec.model.refusal import refuse
from pdespec.model.scope import Env, Scope, base
from pdespec.model.substitution import substitute
from pdespec.model.terms import Variable, VectorVariable, shape, variable
from pdespec.model.values import Closure, Function, Value
from pdespec.model.vectors import Vec
from pdespec.source import Span
from pdespec.syntax import ast


def definition_value(definition: ast.Definition, scope: Scope, env: Env) -> Value:
    """What the name of a definition denotes."""
    if definition.formals:
        return Closure(definition, scope, definition.formals)
    key = ("definition", definition.name.id)
    if key not in scope.memo:
        place = replace(base(env.root), scope=scope, depth=env.depth).deeper(definition.span)
        scope.memo[key] = _without_formals(definition, place)
    return scope.memo[key]


def _without_formals(definition: ast.Definition, env: Env) -> Value:
    found = evaluate(definition.body, env)
    if not isinstance(found, Expr):
        return found
    body = measured(found, definition.body.span)
    used = _coordinates_in(body, env)
    if not used:
        return body
    slots = tuple(env.root.coordinates[c].variable for c in used)
    homes = tuple(env.root.coordinates[c].domain for c in used)
    name = definition.name.shown
    kept = body if _must_be_put_in(body) else Defined(name, slots, body, *slots)
    return Function(name, slots, used, homes, kept)


def _coordinates_in(body: Expr, env: Env) -> tuple[str, ...]:
    free = body.free_symbols
    return tuple(c.id for c in env.root.coordinates.values() if c.variable in free)


def _must_be_put_in(body: Expr) -> bool:
    return bool(fields_in(body)) or depends_on_boundary(body)


# ── arguments ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def apply_closure(closure: Closure, node: ast.Call, env: Env) -> Value:
    """One more group of arguments."""
    group, arguments = closure.groups[0], node.arguments
    if len(group) == 1 and len(arguments) > 1:
        arguments = (ast.Tuple(arguments, span=node.span),)
    if len(arguments) != len(group):
        wanted = ", ".join(f.shown for f in group)
        refuse("PDE202", node.span, f"`{closure.name}` takes ({wanted}), and gets {len(arguments)}")
    functions = function_formals(closure.definition, closure.scope)
    applied = applied_formals(closure.definition, closure.scope)
    functions -= {f.id for f, a in zip(group, arguments, strict=True) if f.id not in applied and _is_point(a, env)}
    values = [
        (formal.id, _function_argument(a, env) if formal.id in functions else _point_argument(a, env))
        for formal, a in zip(group, arguments, strict=True)
    ]
    return bind(closure, tuple(values), env, node.span)


def bind(closure: Closure, values: tuple[tuple[str, Value], ...], env: Env, span: Span) -> Value:
    """A closure with its next group bound; the last one makes it a value."""
    closed = replace(closure, groups=closure.groups[1:], bound=(*closure.bound, *values))
    return closed if closed.groups else _completed(closed, env, span)


def _function_argument(node: ast.Expr, env: Env) -> Value:
    found = evaluate(node, env)
    return abstract(node, env) if isinstance(found, Expr) else found


def _is_point(node: ast.Expr, env: Env) -> bool:
    """A coordinate or a bound point by its bare name: that point, not the function x ↦ x."""
    return isinstance(node, ast.Name) and isinstance(evaluate(node, env), (Symbol, VectorVariable))


def _point_argument(node: ast.Expr, env: Env) -> Value:
    found = evaluate(node, env)
    return coerce(found, env, node.span) if isinstance(found, (Function, Closure)) else found


def at_current_point(closure: Closure, env: Env, span: Span) -> Expr:
    """A closure where a value is expected: a functional of the functions named like its formals, or a function here."""
    result: Value = closure
    while isinstance(result, Closure):
        values = _functions_named(result, env, span) or _current_points(result, env)
        if values is None:
            wanted = ", ".join(f.shown for f in result.groups[0])
            refuse("PDE202", span, f"`{result.name}` needs its arguments ({wanted})")
        result = bind(result, values, env, span)
    return coerce(result, env, span)


def _functions_named(closure: Closure, env: Env, span: Span) -> tuple[tuple[str, Value], ...] | None:
    """The functions that a bare functional is applied to; None for a group of points."""
    group = closure.groups[0]
    if not any(f.id in function_formals(closure.definition, closure.scope) for f in group):
        return None
    values: list[tuple[str, Value]] = []
    for formal in group:
        if formal.id in env.locals:
            values.append((formal.id, env.locals[formal.id]))
        elif formal.id in env.root.unknowns:
            values.append((formal.id, unknown_function(formal.id, env)))
        else:
            refuse(
                "PDE202",
                span,
                f"`{closure.name}` needs its argument `{formal.shown}`",
                hint=f"no unknown is named `{formal.shown}`: write `{closure.name}(…)`",
            )
    return tuple(values)


def _current_points(closure: Closure, env: Env) -> tuple[tuple[str, Value], ...] | None:
    values: list[tuple[str, Value]] = []
    for formal in closure.groups[0]:
        coordinates = _home(formal.id, closure, env)
        if coordinates is None:
            return None
        point = [env.current(c) for c in coordinates]
        values.append((formal.id, point[0] if len(point) == 1 else Vec(*point)))
    return tuple(values)


def _home(formal: str, closure: Closure, env: Env) -> tuple[str, ...] | None:
    place = replace(env, scope=closure.scope, locals=dict(closure.bound))
    return home(formal, closure.definition.body, place)


def closure_function(closure: Closure, env: Env, span: Span) -> Function | None:
    """A closure of points as a function of them; None where its points have no domain."""
    slots: list[Variable] = []
    names: list[str] = []
    rest: Value = closure
    while isinstance(rest, Closure):
        group = rest.groups[0]
        if any(f.id in function_formals(rest.definition, rest.scope) for f in group):
            return None
        values: list[tuple[str, Value]] = []
        for formal in group:
            coordinates = _home(formal.id, rest, env)
            if coordinates is None:
                return None
            fresh = [env.root.like(env.root.coordinates[c].variable) for c in coordinates]
            slots += fresh
            names += coordinates
            values.append((formal.id, fresh[0] if len(fresh) == 1 else Vec(*fresh)))
        rest = bind(rest, tuple(values), env, span)
    homes = tuple(env.root.coordinates[c].domain for c in names)
    return Function(closure.name, tuple(slots), tuple(names), homes, coerce(rest, env, span))


# ── bodies ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _completed(closure: Closure, env: Env, span: Span) -> Value:
    place = replace(env.deeper(span), scope=closure.scope, locals={})
    values = [v for _, v in closure.bound]
    points = [v for v in values if isinstance(v, Expr) and len(shape(v)) < 2]
    if not function_formals(closure.definition, closure.scope) and len(points) == len(values):
        found = _of_points(closure, points, place, span)
        if found is not None:
            return found
    return _put_in(closure, place, span)


@dataclass(frozen=True, slots=True)
class Template:
    """The body of a definition of points, elaborated once for each choice of shapes."""

    formals: tuple[Variable, ...]
    others: tuple[str, ...]
    body: Expr


def _of_points(closure: Closure, points: list[Expr], env: Env, span: Span) -> Value | None:
    """A definition of points at its arguments: a named node, unless unknowns occur in it.  None for what is no term."""
    formals = [f for group in closure.definition.formals for f in group]
    typed = [_typed(f, a, env, span) for f, a in zip(formals, points, strict=True)]
    variables = tuple(v for v, _ in typed)
    arguments = tuple(a for _, a in typed)
    template = _template(closure, formals, variables, env)
    if template is None:
        return None
    here = tuple(env.current(c) for c in template.others)
    others = tuple(env.root.coordinates[c].variable for c in template.others)
    whole = (*template.formals, *others)
    if _must_be_put_in(template.body) or not set().union(*(a.free_symbols for a in (*arguments, *here))):
        return substitute(template.body, dict(zip(whole, (*arguments, *here), strict=True)))
    return Defined(closure.name, whole, template.body, *arguments, *here)


def _typed(formal: ast.Name, argument: Expr, env: Env, span: Span) -> tuple[Variable, Expr]:
    """The variable of a formal, by its coordinate or else by the argument's shape, and the argument fitted to it."""
    form = shape(argument)
    if form == (1,):
        form, argument = (), only_component(argument)
    coordinate = env.scope.coordinates.get(formal.id)
    if coordinate is None:
        return variable(formal.shown, form[0] if form else 1), argument
    wanted = shape(coordinate.variable)
    if form != wanted and argument == 0:
        form, argument = wanted, Vec(*(S.Zero,) * wanted[0])
    if form != wanted:
        refuse("PDE201", span, f"`{formal.shown}` is {spelled(wanted)}, and the argument is {spelled(form)}")
    return coordinate.variable, argument


def _template(closure: Closure, formals: list[ast.Name], variables: tuple[Variable, ...], env: Env) -> Template | None:
    key = ("template", closure.definition.name.id, tuple(map(shape, variables)), env.normal)
    if key not in closure.scope.memo:
        named = {f.id: v for f, v in zip(formals, variables, strict=True)}
        points = tuple((f, v) for f, v in named.items() if f in closure.scope.coordinates)
        place = replace(env, levels=base(env.root).levels, locals=named).at(*points)
        closure.scope.memo[key] = _elaborated(closure, variables, place)
    found = closure.scope.memo[key]
    assert found is None or isinstance(found, Template)
    return found


def _elaborated(closure: Closure, variables: tuple[Variable, ...], env: Env) -> Template | None:
    found = evaluate(closure.definition.body, env)
    if not isinstance(found, (Expr, Function, Closure)):
        return None
    body = measured(coerce(found, env, closure.definition.body.span), closure.definition.body.span)
    others = tuple(c for c in _coordinates_in(body, env) if env.root.coordinates[c].variable not in variables)
    return Template(variables, others, body)


def _put_in(closure: Closure, env: Env, span: Span) -> Value:
    """The body with the formals bound: functions as they are, points through fresh variables at the current point."""
    body = closure.definition.body
    env = env.with_names(dict(closure.bound))
    names: dict[str, Value] = {}
    moved: list[tuple[str, Variable]] = []
    arguments: dict[Expr, Expr] = {}
    for formal, given in closure.bound:
        coordinates = home(formal, body, env) if isinstance(given, Expr) else None
        if coordinates is None or not isinstance(given, Expr):
            continue
        fresh = [env.root.like(env.root.coordinates[c].variable) for c in coordinates]
        parts = _parts(given, fresh)
        if parts is None:
            continue
        names[formal] = fresh[0] if len(fresh) == 1 else Vec(*fresh)
        moved += zip(coordinates, fresh, strict=True)
        arguments.update(zip(fresh, parts, strict=True))
    env = env.with_names(names).at(*moved)
    found = evaluate(body, env)
    if arguments and isinstance(found, (Function, Closure)):
        found = coerce(found, env, body.span)
    if isinstance(found, Expr):
        return measured(substitute(found, arguments), span)
    return found


def _parts(given: Expr, fresh: list[Variable]) -> list[Expr] | None:
    """An argument as the values of the variables that stand for it; None where its shape is another."""
    if len(fresh) > 1:
        return components(given) if shape(given) == (len(fresh),) else None
    v = fresh[0]
    if isinstance(v, VectorVariable):
        if given == 0:
            return [Vec(*(S.Zero,) * v.dimension)]
        return [given] if shape(given) == shape(v) else None
    return None if shape(given) else [given]


def applied_to_functions(closure: Closure, functions: tuple[Function, ...], env: Env, span: Span) -> Value:
    """An operator, such as a metric, at functions: one for each group."""
    result: Value = closure
    for given in functions:
        if not isinstance(result, Closure) or len(result.groups[0]) != 1:
            refuse("PDE202", span, f"`{closure.name}` is no operator of the form M(p)(φ)")
        result = bind(result, ((result.groups[0][0].id, given),), env, span)
    return result
