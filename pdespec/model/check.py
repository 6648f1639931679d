"""Ast → Model: declarations, then equations, solves, checks and reports, each on its own, so that every mistake is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from pdespec.diagnostics import Diagnostic, SpecError
from pdespec.model import declare, equations, prelude, statements
from pdespec.model.definitions import definition_value
from pdespec.model.evaluation import fields_in
from pdespec.model.methods import NETWORK_NAMES
from pdespec.model.model import Definition, Model
from pdespec.model.scope import Scope, base
from pdespec.model.terms import Defined
from pdespec.syntax import ast

T = TypeVar("T")

for _module in ("arithmetic", "application", "builtins", "calculus", "functionals", "integrals", "laws", "regions", "sums"):
    import_module(f"pdespec.model.{_module}")  # each registers the rules for its nodes


def check(
    spec: ast.Spec, *, settings: Mapping[str, str] | None = None, folder: Path | None = None, name: str
) -> tuple[Model | None, tuple[Diagnostic, ...]]:
    """The model of a spec, and what is wrong with it."""
    found: list[Diagnostic] = []

    def attempt(task: Callable[[], T]) -> T | None:
        try:
            return task()
        except SpecError as problem:
            found.extend(problem.diagnostics)
            return None

    scope = Scope(prelude=prelude.prelude())
    all_of = lambda kind: [s for s in spec.statements if isinstance(s, kind)]  # noqa: E731
    times = frozenset(
        n.id for s in all_of(ast.UnknownDecl) if s.over is not None for n in ast.walk(s.over) if isinstance(n, ast.Name)
    )
    values = {k: declare.setting(k, v) for k, v in (settings or {}).items()}
    for s in spec.statements:
        if isinstance(s, ast.Param):
            attempt(lambda s=s: declare.param(s, scope, values))
        elif isinstance(s, ast.DomainDecl):
            attempt(lambda s=s: declare.domain(s, scope, times))
        elif isinstance(s, ast.UnknownDecl):
            attempt(lambda s=s: declare.unknown(s, scope))
        elif isinstance(s, ast.Definition):
            scope.definitions[s.name.id] = s
        elif isinstance(s, ast.Equation) and s.label is not None:
            scope.equations[s.label.id] = s
        elif isinstance(s, ast.Solve) and s.label is not None:
            scope.solves[s.label.id] = s
    for s in all_of(ast.Solve):
        scope.found[s.label.id if s.label else ""] = frozenset(
            u.field for u in scope.unknowns.values() for o in s.optima for n in o.names if n.id == u.field.name
        )
    made: dict[str, Any] = {}
    for s in all_of(ast.Equation):
        if s.label is not None and (e := attempt(lambda s=s: equations.equation(s, scope))) is not None:
            made[s.label.id] = e
    ansatze = []
    for s in all_of(ast.Ansatz):
        nets = tuple(
            n for n in ast.walk(s.body)
            if isinstance(n, ast.Call) and isinstance(n.function, ast.Name) and n.function.id in NETWORK_NAMES
        )  # fmt: skip
        ansatze.append(attempt(lambda s=s, nets=nets: statements.ansatz(s, nets, scope)))
    solves = []
    for s in all_of(ast.Solve):
        found += statements.method_findings(s)
        label = s.label.shown if s.label else ""
        solve = attempt(lambda s=s, label=label: statements.solve(s, label, made, scope))
        if solve is not None:
            solves.append(solve)
            sought = {f for e in made.values() if e.label in solve.equations for f in fields_in(e.lhs) if not f.field.solve}
            scope.found[s.label.id if s.label else ""] |= {v.field for v in sought}
    checks = [attempt(lambda s=s: statements.check_statement(s, made, scope)) for s in all_of(ast.Check)]
    reports = [attempt(lambda i=i: statements.report(i, scope)) for s in all_of(ast.Report) for i in s.items]
    definitions = tuple(_definition(d, scope) for d in scope.definitions.values())
    model = Model(
        name,
        spec.statements[0].span.source if spec.statements else spec.span.source,
        tuple(scope.params.values()),
        tuple(scope.domains.values()),
        tuple(scope.unknowns.values()),
        definitions,
        tuple(made.values()),
        tuple(a for a in ansatze if a is not None),
        tuple(solves),
        tuple(r for r in reports if r is not None),
        tuple(c for c in checks if c is not None),
    )
    return model, tuple(found)


def _definition(d: ast.Definition, scope: Scope) -> Definition:
    """A definition with its value at the current point, if it has one."""
    try:
        value = definition_value(d, scope, base(scope))
    except SpecError:  # told where it is used
        value = None
    term = getattr(value, "term", value)
    return Definition(d.name.shown, term if isinstance(term, Defined) else None, d.span.text, d.span)
