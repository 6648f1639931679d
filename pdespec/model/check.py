"""Ast → Model: names resolved, types and well-posedness checked.

Three walks.  Declarations are collected; every name is looked up, and what is still to come is noted; then statements
are elaborated one by one, and one that fails is given up alone.  What rests on it stays silent, so that each mistake is
reported once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pdespec.diagnostics import Diagnostic, error, has_errors
from pdespec.model import application, calculus, functionals, laws, sums  # noqa: F401  (they register their rules)
from pdespec.model.bindings import Defined
from pdespec.model.checking import Checking, expressions
from pdespec.model.collect import declare
from pdespec.model.definitions import closure_function, definition_value
from pdespec.model.equations import equation
from pdespec.model.evaluation import fields_in
from pdespec.model.lookup import look_up
from pdespec.model.model import Ansatz, Check, Definition, Equation, Model, Report, Solve
from pdespec.model.posed import posed
from pdespec.model.refusal import rest_on_broken
from pdespec.model.resolution import mentioned, networks
from pdespec.model.scope import base
from pdespec.model.statements import ansatz, check_statement, report, solve
from pdespec.model.unused import unused
from pdespec.model.values import Closure, Function
from pdespec.syntax import ast

RESULT = "solve"
"""The label of a solve without one; no name can be that word."""


def check(
    spec: ast.Spec, *, settings: Mapping[str, str] = {}, folder: Path | None = None, name: str
) -> tuple[Model | None, tuple[Diagnostic, ...]]:
    """The model of a spec, and every finding; no model where one of them is an error.

    `settings` override params by name, `folder` is where imports may be found.
    """
    run = Checking(spec)
    declare(run, settings, folder)
    look_up(run)
    model = elaborate(run, name)
    found = run.findings
    whole = not has_errors(found)
    found += posed(model, run.scope, whole)
    if whole:
        found += unused(spec, model)
    found.sort(
        key=lambda d: (d.span is not None and d.span.source is not spec.span.source, d.span.start if d.span else -1)
    )
    return (None if has_errors(found) else model), tuple(found)


def elaborate(run: Checking, name: str) -> Model:
    """Every statement in the order of the file."""
    definitions: list[Definition] = []
    equations: dict[str, Equation] = {}
    solves: list[Solve] = []
    ansatze: list[Ansatz] = []
    reports: list[Report] = []
    checks: list[Check] = []
    for s in run.spec.statements:
        if isinstance(s, ast.Definition) and s.name.id in run.places:
            found = run.attempt(s, partial(_definition, run, s), s.name.id)
            definitions += [found] if found is not None else []
    _equations_and_solves(run, equations, solves)
    for s in run.spec.statements:
        if isinstance(s, ast.Ansatz):
            inside = tuple(networks(s.body, run.names()))
            form = run.attempt(s, partial(ansatz, s, inside, run.scope))
            if form is not None and any(form.unknown == other.unknown for other in ansatze):
                run.note((error("PDE102", s.name.span, f"`{s.name.shown}` has two ansätze"),))
            ansatze += [form] if form is not None else []
        elif isinstance(s, ast.Report):
            for item in s.items:
                measured = run.attempt(s, partial(report, item, run.scope))
                reports += [measured] if measured is not None else []
        elif isinstance(s, ast.Check):
            identity = run.attempt(s, partial(check_statement, s, equations, run.scope))
            checks += [identity] if identity is not None else []
    return Model(
        name,
        run.spec.span.source,
        tuple(run.scope.params.values()),
        tuple(run.scope.domains.values()),
        tuple(run.scope.unknowns.values()),
        tuple(definitions),
        tuple(equations.values()),
        tuple(ansatze),
        tuple(solves),
        tuple(reports),
        tuple(checks),
    )


def _equations_and_solves(run: Checking, equations: dict[str, Equation], solves: list[Solve]) -> None:
    """An equation waits for the solves whose results it uses, a solve for its equations; the rest keeps its order."""
    waiting = [s for s in run.spec.statements if isinstance(s, (ast.Equation, ast.Solve))]
    while waiting:
        ready = [s for s in waiting if not _waits(run, s, waiting)]
        for s in ready or waiting:
            if isinstance(s, ast.Solve):
                solved = _solve(run, s, equations, solves)
                solves += [solved] if solved is not None else []
            elif s.label is not None:
                made = run.attempt(s, partial(equation, s, run.scope), s.label.id)
                if made is not None:
                    equations[s.label.id] = made
        waiting = [s for s in waiting if s not in ready] if ready else []
    order = [s.label.id for s in run.spec.statements if isinstance(s, ast.Equation) and s.label is not None]
    for key in sorted(equations, key=order.index):
        equations[key] = equations.pop(key)
    solves.sort(key=lambda s: s.span.start)


def _waits(run: Checking, statement: ast.Equation | ast.Solve, waiting: list[ast.Equation | ast.Solve]) -> bool:
    """Whether something that a statement uses is still to be elaborated."""
    before = {s.label.id for s in waiting if s.label is not None and s is not statement}
    parts = [n for n, _ in expressions(statement)]
    return any(mentioned(n, run.scope.definitions) & before for n in parts)


def _definition(run: Checking, statement: ast.Definition) -> Definition:
    """A definition; one of declared points is elaborated at once, so that its mistakes show without a use."""
    env = base(run.scope)
    value = definition_value(statement, run.scope, env)
    if isinstance(value, Closure) and all(f.id in run.scope.coordinates for g in value.groups for f in g):
        made = closure_function(value, env, statement.span)
        value = made if made is not None else value
    here = value.at(*env.values(value)) if isinstance(value, Function) else None
    kept = here if isinstance(here, Defined) else None
    return Definition(statement.name.shown, kept, " ".join(statement.span.text.split()), statement.span)


def _solve(run: Checking, s: ast.Solve, equations: dict[str, Equation], before: list[Solve]) -> Solve | None:
    key = s.label.id if s.label is not None else _unlabelled(before)
    label = s.label.shown if s.label is not None else key
    if any(isinstance(c, ast.Name) and c.id in run.scope.broken for c in s.conditions):
        run.failed.add(id(s))
    made = run.attempt(s, partial(solve, s, label, equations, run.scope), key)
    if made is None:
        return None
    listed = [e for e in equations.values() if e.label in made.equations]
    values = [v for e in listed for side in (e.lhs, e.rhs) for v in fields_in(side)]
    values += fields_in(made.objective) if made.objective is not None else []
    _check_order(run, s, {v.field.solve for v in values if v.field.solve})
    found = {v.field for v in values if not v.field.solve}
    found |= {u.field for u in run.scope.unknowns.values() if u.name in {n for _, n in made.optima}}
    if not found:
        rest_on_broken()
    run.scope.found[key] = frozenset(found)
    return made


def _check_order(run: Checking, statement: ast.Solve, used: set[str]) -> None:
    """Solves run in file order: the results that one uses come before it."""
    later = {s.label.shown for s in run.scope.solves.values() if s.label and s.span.start >= statement.span.start}
    for label in sorted(used & later):
        run.note(
            (
                error(
                    "PDE220",
                    statement.span,
                    f"this solve uses the result of `{label}`, which does not come before it",
                    hint="solves run in file order",
                ),
            )
        )


def _unlabelled(before: list[Solve]) -> str:
    """`solve`, `solve 2`, …"""
    taken = {s.label for s in before}
    k = 1
    while (name := RESULT if k == 1 else f"{RESULT}_{k}") in taken:
        k += 1
    return name
