"""Every name of the statements is looked up, and every construct that is still to come is noted, before elaboration."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pdespec.model.calls import findings
from pdespec.model.checking import Checking, expressions
from pdespec.model.equations import check_supported
from pdespec.model.methods import NETWORKS
from pdespec.model.resolution import networks
from pdespec.model.statements import method_findings
from pdespec.syntax import ast


def look_up(run: Checking) -> None:
    """Every name of the other statements, and what is still to come."""
    for statement in run.spec.statements:
        for part, bound in expressions(statement):
            run.look_up(statement, part, bound)
        if isinstance(statement, ast.Definition) and id(statement) in run.failed:
            run.scope.broken.add(statement.name.id)
        if isinstance(statement, ast.Equation) and id(statement) not in run.failed:
            run.attempt(statement, partial(check_supported, statement))
        if isinstance(statement, ast.Solve) and run.note(method_findings(statement)):
            run.failed.add(id(statement))
        if isinstance(statement, ast.Ansatz):
            _look_up_ansatz(run, statement)


def _look_up_ansatz(run: Checking, statement: ast.Ansatz) -> None:
    inside = tuple(networks(statement.body, run.names()))
    hidden = frozenset(n.function.id for n in inside if isinstance(n.function, ast.Name))
    for node in inside:
        if run.note(findings(node, NETWORKS)):
            run.failed.add(id(statement))
    if id(statement) not in run.failed:
        formals = {f.id for group in statement.formals for f in group}
        bound = hidden | formals | {"true", "false", *_option_words(inside)}
        run.look_up(statement, statement.body, frozenset(bound))


def _option_words(calls: tuple[ast.Call, ...]) -> Iterator[str]:
    """Bare names after `=` in the options of networks, such as an activation."""
    for node in calls:
        yield from (o.value.id for o in node.options if isinstance(o.value, ast.Name))
