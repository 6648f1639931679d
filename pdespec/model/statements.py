"""Solves, ansatz, reports and checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from sympy import Expr

from pdespec.diagnostics import Diagnostic, SpecError, error
from pdespec.model.arithmetic import scalar, spelled
from pdespec.model.bindings import Law
from pdespec.model.calls import call, findings, parts
from pdespec.model.equations import located
from pdespec.model.evaluation import coerce, evaluate, fields_in, measured, term, unknown_function
from pdespec.model.fields import Field, value
from pdespec.model.magnitude import params_put_in
from pdespec.model.methods import ITERATIONS, METHODS, NETWORKS
from pdespec.model.model import Ansatz, Bound, Call, Check, Report, Solve
from pdespec.model.refusal import refuse, unsupported
from pdespec.model.scope import Env, Scope, base
from pdespec.model.terms import Variable, VectorVariable, shape
from pdespec.model.values import Label, Value
from pdespec.source import Span
from pdespec.syntax import ast


def text_of(span: Span) -> str:
    """The author's words on one line."""
    return " ".join(span.text.split())


# ── solve ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def method_findings(statement: ast.Solve) -> Iterator[Diagnostic]:
    """What is wrong with `using … with … then …`, and which of it is still to come."""
    if statement.method is not None:
        yield from findings(statement.method, METHODS)
    to_come = _method_to_come(statement)
    for stage in statement.stages:
        for item in stage:
            yield from (d for d in findings(item, ITERATIONS) if not to_come or _is_planned(item))
        if len(stage) > 1 and not to_come:
            yield error("PDE961", stage[1].span, "two iterations at once are not supported yet")
    if to_come:
        return
    if len(statement.optima) > 1:
        yield error("PDE961", statement.optima[1].span, "an optimum within an optimum is not supported yet")
    if statement.region is not None:
        yield error("PDE961", statement.region.span, "a solve `on` a part of the domain is not supported yet")


def _method_to_come(statement: ast.Solve) -> bool:
    if statement.method is None:
        return False
    name = parts(statement.method)[0]
    return isinstance(name, ast.Name) and name.id in METHODS.planned


def _is_planned(node: ast.Expr) -> bool:
    name = parts(node)[0]
    return isinstance(name, ast.Name) and name.id in ITERATIONS.planned


def solve(statement: ast.Solve, label: str, equations: dict[str, Any], scope: Scope) -> Solve:
    """A solve; `equations` are those elaborated so far, by id."""
    env = base(scope)
    listed = tuple(_listed(c, equations, scope) for c in statement.conditions)
    for k, name in enumerate(listed):
        if name in listed[:k]:
            refuse("PDE113", statement.conditions[k].span, f"`{name}` is listed twice", hint="drop one of the two")
    optima = tuple((o.kind, _sought(n, scope)) for o in statement.optima for n in o.names)
    objective = None
    if statement.objective is not None:
        objective = _objective(statement.objective, optima, env)
    domains = max((scope.unknowns[k].domains for k in scope.unknowns), key=len, default=())
    where = located(statement.region, domains, env).set if statement.region is not None else None
    method = call(statement.method, METHODS, env) if statement.method is not None else None
    stages = tuple(call(item, ITERATIONS, env) for stage in statement.stages for item in stage)
    words = text_of(statement.objective.span) if statement.objective is not None else ""
    return Solve(
        label,
        listed,
        optima,
        objective,
        words,
        where,
        method,
        stages,
        text_of(statement.span),
        statement.span,
        statement.method.span if statement.method is not None else None,
    )


def _listed(node: ast.Expr, equations: dict[str, Any], scope: Scope) -> str:
    """The label of an equation in the list of a solve."""
    callee = node.function if isinstance(node, ast.Call) else None
    if isinstance(callee, ast.Name) and (callee.id in scope.equations or callee.id in scope.broken):
        if callee.id in scope.broken:
            raise SpecError(())
        unsupported(node.span, "a parametric equation")
    if not isinstance(node, ast.Name) or node.id not in scope.equations:
        refuse("PDE107", node.span, "a solve lists labels of equations", hint="an objective is written `min[u] E(u)`")
    if node.id in scope.broken or node.id not in equations:
        raise SpecError(())
    return str(equations[node.id].label)


def _sought(name: ast.Name, scope: Scope) -> str:
    if name.id in scope.broken:
        raise SpecError(())
    if name.id not in scope.unknowns:
        refuse("PDE107", name.span, f"`{name.shown}` is no unknown", hint="an optimum is sought over unknowns")
    return scope.unknowns[name.id].name


def _objective(node: ast.Expr, optima: tuple[tuple[str, str], ...], env: Env) -> Expr:
    found = measured(term(node, env), node.span)
    if shape(found) and shape(found) != (1,):
        refuse("PDE209", node.span, f"an objective must be a scalar, and this is {spelled(shape(found))}")
    found = scalar(found, node.span)
    for c in env.root.coordinates.values():
        if c.variable in found.free_symbols:
            refuse(
                "PDE209",
                node.span,
                f"an objective must be a number, and this varies with {c.variable.name}",
                hint="integrate it over the domain",
            )
    sought = {name for _, name in optima}
    inside = {v.field.name for v in fields_in(found) if not v.field.solve}
    for name in sorted(sought - inside):
        refuse("PDE209", node.span, f"the objective does not depend on `{name}`")
    for name in sorted(inside - sought):
        refuse(
            "PDE311",
            node.span,
            f"nothing determines `{name}` in this objective",
            hint=f"write `min[{', '.join(sorted(inside))}] …`, or use the result of a solve",
        )
    return found


# ── ansatz ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ansatz(statement: ast.Ansatz, networks: tuple[ast.Call, ...], scope: Scope) -> Ansatz:
    """How an unknown is represented; networks stand in the term as fields of their own."""
    if statement.name.id not in scope.unknowns:
        refuse("PDE107", statement.name.span, f"`{statement.name.shown}` is no unknown")
    unknown = scope.unknowns[statement.name.id]
    for formal in (f for group in statement.formals for f in group if f.id not in scope.coordinates):
        refuse("PDE111", formal.span, f"`{formal.shown}` is no coordinate", hint="an ansatz is written in coordinates")
    env = base(scope)
    made: list[tuple[Field, Call]] = []
    names: dict[str, Value] = {}
    body: ast.Expr = statement.body
    for k, node in enumerate(networks):
        placeholder, point, described = _network(
            node, len(made), unknown_function(statement.name.id, env).slots, unknown.field.shape, env
        )
        made.append((placeholder, described))
        key = f"network {k}"
        names[key] = value(placeholder, *point)
        body = _replaced(body, node, ast.Name(key, key, span=node.span))
    inner = env.with_names(names)
    found = scalar_or(term(body, inner), unknown.field.shape, statement.body.span)
    own = {v for d in unknown.domains for v in d.coordinates}
    for c in scope.coordinates.values():
        if c.variable in found.free_symbols and c.variable not in own:
            refuse("PDE213", statement.body.span, f"`{unknown.name}` does not depend on `{c.variable.name}`")
    return Ansatz(unknown.name, found, tuple(made), text_of(statement.span), statement.span)


def scalar_or(found: Expr, form: tuple[int, ...], span: Span) -> Expr:
    """A term of a given shape."""
    if shape(found) != form and found != 0:
        refuse("PDE201", span, f"this is {spelled(shape(found))}, and the unknown is {spelled(form)}")
    return found


def _network(
    node: ast.Call, number: int, slots: tuple[Variable, ...], form: tuple[int, ...], env: Env
) -> tuple[Field, tuple[Expr, ...], Call]:
    """The placeholder of a network, the point at which it stands, and its description."""
    assert isinstance(node.function, ast.Name)
    point = tuple(term(a, env) for a in node.arguments) or slots
    bare = replace(node, arguments=())
    described = call(bare, NETWORKS, env)
    names = tuple(p.name if isinstance(p, (VectorVariable,)) or p.is_Symbol else f"{k}" for k, p in enumerate(point, 1))
    sizes = tuple(shape(p)[0] if shape(p) else 1 for p in point)
    name = node.function.id if number == 0 else f"{node.function.id}_{number + 1}"
    return Field(name, names, sizes, form), point, replace(described, arguments=point, span=node.span)


def _replaced(tree: Any, old: ast.Node, new: ast.Node) -> Any:
    """The tree with one node replaced."""
    if tree is old:
        return new
    if isinstance(tree, tuple):
        return tuple(_replaced(item, old, new) for item in tree)
    if isinstance(tree, ast.Node) and is_dataclass(tree):
        changed = {f.name: _replaced(getattr(tree, f.name), old, new) for f in fields(tree) if f.name != "span"}
        return replace(tree, **changed)
    return tree


# ── report ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def report(item: ast.ReportItem, scope: Scope) -> Report:
    """One measured quantity; a bare unknown is that of the only solve that determines it."""
    env = base(scope)
    found = measured(term(item.expr, env), item.expr.span)
    found = scalar(found, item.expr.span, "a reported quantity")
    for c in scope.coordinates.values():
        if c.variable in found.free_symbols and not c.time:
            refuse("PDE209", item.expr.span, f"a report is a number, and this varies with {c.variable.name}")
    bare = {v.field for v in fields_in(found) if not v.field.solve}
    labels = {f: f.of(_only_solve(f, item.expr, scope)) for f in sorted(bare, key=str)}
    return Report(found.xreplace(labels), _bound(item, env), text_of(item.expr.span), item.span)


def _only_solve(field: Field, node: ast.Expr, scope: Scope) -> str:
    """The label of the one solve that determines an unknown."""
    span = next((n.span for n in ast.walk(node) if isinstance(n, ast.Name) and n.shown == field.name), node.span)
    shown = {
        key: scope.solves[key].label.shown if key in scope.solves and scope.solves[key].label else key  # type: ignore[union-attr]
        for key in scope.found
    }
    labels = [shown[key] for key, found in scope.found.items() if field in found]
    if not labels:
        if any(key in scope.broken for key in (*scope.solves, "solve")):
            raise SpecError(())
        refuse("PDE221", span, f"no solve determines `{field.name}`")
    if len(labels) > 1:
        refuse(
            "PDE221",
            span,
            f"{len(labels)} solves determine `{field.name}`",
            hint=f"say which: {', '.join(f'`{label}(…)`' for label in labels)}",
        )
    return labels[0]


def _bound(item: ast.ReportItem, env: Env) -> Bound | None:
    if not item.relation or item.bound is None:
        return None
    bound = _number(item.bound, env)
    if item.tolerance is None:
        return Bound(item.relation, bound)
    tolerance = _number(item.tolerance.value, env)
    if params_put_in(tolerance, env).is_positive is False:
        refuse("PDE222", item.tolerance.span, "a tolerance must be positive")
    kind = {"absolute": "absolute", "percent": "relative", "stderr": "stderr"}[item.tolerance.kind]
    return Bound(item.relation, bound, tolerance / 100 if kind == "relative" else tolerance, kind)


def _number(node: ast.Expr, env: Env) -> Expr:
    found = scalar(term(node, env), node.span, "a bound")
    if not params_put_in(found, env).is_number:
        refuse("PDE222", node.span, "a bound must be a number")
    return found


# ── check ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_statement(statement: ast.Check, equations: dict[str, Any], scope: Scope) -> Check:
    """An identity: of two equations, of an unknown and its solution, or of two expressions."""
    env = base(scope)
    sides = (statement.left, statement.right)
    words = text_of(statement.span)
    labels = [isinstance(n, ast.Name) and n.id in scope.equations for n in sides]
    if any(labels):
        if not all(labels):
            refuse(
                "PDE223", sides[labels.index(False)].span, "an equation is compared with another equation by its label"
            )
        names = [_listed(n, equations, scope) for n in sides]
        return Check("equations", names[0], names[1], (), words, statement.span)
    lhs, rhs = (_side(n, env) for n in sides)
    if shape(lhs) != shape(rhs) and lhs != 0 and rhs != 0:
        refuse("PDE201", statement.span, f"{spelled(shape(lhs))} and {spelled(shape(rhs))} are never equal")
    left = statement.left
    if isinstance(left, ast.Name) and left.id in scope.unknowns and not fields_in(rhs):
        coordinates = tuple(v for d in scope.unknowns[left.id].domains for v in d.coordinates)
        _check_solution(statement, rhs, coordinates, scope.unknowns[left.id].field, scope)
        return Check("solution", lhs, rhs, coordinates, words, statement.span)
    free = lhs.free_symbols | rhs.free_symbols
    met = tuple(c.variable for c in scope.coordinates.values() if c.variable in free)
    return Check("equal", lhs, rhs, met, words, statement.span)


def _side(node: ast.Expr, env: Env) -> Expr:
    found = evaluate(node, env)
    if isinstance(found, Label):
        refuse("PDE223", node.span, "a solve is no side of an identity")
    if isinstance(found, Law):
        unsupported(node.span, "a law in an identity")
    return measured(coerce(found, env, node.span), node.span)


def _check_solution(
    statement: ast.Check, rhs: Expr, coordinates: tuple[Variable, ...], field: Field, scope: Scope
) -> None:
    """A solution satisfies the equations listed with its unknown, so there must be some."""
    if not any(field in found for found in scope.found.values()):
        if any(key in scope.broken for key in (*scope.solves, "solve")):
            raise SpecError(())
        refuse("PDE223", statement.left.span, f"no solve lists equations for `{field.name}`")
    for c in scope.coordinates.values():
        if c.variable in rhs.free_symbols and c.variable not in coordinates:
            refuse("PDE213", statement.right.span, f"the unknown does not depend on `{c.variable.name}`")
