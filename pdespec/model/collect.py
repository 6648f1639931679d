"""Declarations collected: who has which name; params, domains and unknowns elaborated; imports read.

There is one namespace for names and labels.  The language's own names are taken, but a definition that repeats one of
the prelude word for word is the same definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pdespec.diagnostics import Diagnostic, SpecError, error
from pdespec.model.builtins import NOTIONS
from pdespec.model.checking import Checking
from pdespec.model.declare import domain, param, place, setting, unknown
from pdespec.model.names import nearest
from pdespec.model.prelude import closed, imported
from pdespec.model.resolution import circular
from pdespec.source import Span
from pdespec.syntax import ast
from pdespec.syntax.names import canonical


def declare(run: Checking, settings: Mapping[str, str], folder: Path | None) -> None:
    """Who has which name; params, domains and unknowns are elaborated."""
    _import(run, folder)
    for statement in run.spec.statements:
        for name, span in _declared(statement):
            _claim(run, name, statement, span)
    _tables(run)
    given = _settings(run, settings)
    times = frozenset(
        n.id
        for s in run.spec.statements
        if isinstance(s, ast.UnknownDecl) and s.over is not None
        for n in ast.walk(s.over)
        if isinstance(n, ast.Name)
    )
    for statement in run.spec.statements:
        if isinstance(statement, ast.Param):
            run.look_up(statement, statement.value)
            run.attempt(statement, partial(param, statement, run.scope, given), statement.name.id)
        elif isinstance(statement, ast.DomainDecl):
            run.look_up(statement, statement.set)
            ids = (statement.name.id, *(c.id for c in statement.coordinates))
            run.attempt(statement, partial(domain, statement, run.scope, times), *ids)
        elif isinstance(statement, ast.UnknownDecl):
            if run.note(_unknown_to_come(statement)):
                run.failed.add(id(statement))
            else:
                run.look_up(statement, statement.signature)
            run.attempt(statement, partial(unknown, statement, run.scope), statement.name.id)
        elif isinstance(statement, ast.Data):
            run.note((error("PDE963", statement.span, "`data` is not supported yet"),))
            run.scope.broken.add(statement.name.id)
    run.scope.memo.clear()


def _import(run: Checking, folder: Path | None) -> None:
    """The definitions of imported files, closed under the names of those files."""
    seen: set[Path] = set()
    found: list[ast.Definition] = []
    for statement in run.spec.statements:
        if isinstance(statement, ast.Import):
            new = run.attempt(statement, partial(imported, statement, folder, seen))
            found += new or []
    own = run.prelude.definitions
    for d in found:
        if d.name.id in own:
            run.note((error("PDE102", d.name.span, f"`{d.name.shown}` is defined twice"),))
        own[d.name.id] = d
    names = frozenset(own)
    for d in found:
        if run.note(closed(d, names)):
            run.prelude.broken.add(d.name.id)
    run.prelude.broken.update(d.name.id for d in _circles(run, own))


def _claim(run: Checking, name: ast.Name, statement: ast.Statement, span: Span) -> None:
    """One namespace for names and labels; the language's own names are taken."""
    if name.id in run.places:
        first = run.places[name.id]
        run.note((error("PDE102", span, f"`{name.shown}` is declared twice", label=f"first: {first}"),))
        run.failed.add(id(statement))
        return
    if isinstance(statement, ast.Definition) and run.prelude.definitions.get(name.id) == statement:
        return
    if name.id in NOTIONS or name.id in run.prelude.definitions or name.id in ("R", "P", "pi"):
        run.note((error("PDE103", span, f"`{name.shown}` is a name of the language", hint="choose another name"),))
        run.failed.add(id(statement))
        run.scope.broken.add(name.id)
    run.places[name.id] = f"`{name.shown}` ({place(span)})"


def _tables(run: Checking) -> None:
    """Definitions and labels, which need no elaboration to be known."""
    for s in run.spec.statements:
        if id(s) in run.failed:
            continue
        if isinstance(s, ast.Definition) and s.name.id in run.places:
            run.scope.definitions[s.name.id] = s
        elif isinstance(s, ast.Equation) and s.label is not None:
            run.scope.equations[s.label.id] = s
        elif isinstance(s, ast.Solve) and s.label is not None:
            run.scope.solves[s.label.id] = s
    for d in _circles(run, run.scope.definitions):
        run.failed.add(id(d))
        run.scope.broken.add(d.name.id)


def _circles(run: Checking, definitions: dict[str, ast.Definition]) -> Iterator[ast.Definition]:
    """The definitions that rest on themselves; each circle is one finding."""
    for circle in circular(definitions):
        names = " and ".join(f"`{d.name.shown}`" for d in circle)
        what = f"{names} are defined by each other" if len(circle) > 1 else f"{names} is defined by itself"
        run.note((error("PDE112", circle[0].name.span, what),))
        yield from circle


def _settings(run: Checking, settings: Mapping[str, str]) -> dict[str, ast.Expr]:
    given: dict[str, ast.Expr] = {}
    params = {s.name.id: s for s in run.spec.statements if isinstance(s, ast.Param)}
    for written, text in settings.items():
        try:
            key = canonical(written)
            if key not in params:
                meant = nearest(key, params)
                hint = f"did you mean {run.places[meant]}?" if meant else f"params: {', '.join(params) or 'none'}"
                raise SpecError([error("PDE108", None, f"--set: there is no param `{written}`", hint=hint)])
            given[key] = setting(params[key].name.shown, text)
        except SpecError as wrong:
            run.note(wrong.diagnostics)
    return given


def _declared(s: ast.Statement) -> Iterator[tuple[ast.Name, Span]]:
    """The names that a statement declares."""
    if isinstance(s, (ast.Param, ast.UnknownDecl, ast.Data, ast.Definition)):
        yield s.name, s.name.span
    elif isinstance(s, ast.DomainDecl):
        yield s.name, s.name.span
        for c in s.coordinates:
            yield c, c.span
    elif isinstance(s, (ast.Equation, ast.Solve)) and s.label is not None:
        yield s.label, s.label.span


def _unknown_to_come(s: ast.UnknownDecl) -> Iterator[Diagnostic]:
    """What an unknown asks for that cannot be compiled yet."""
    arrows = [n for n in ast.walk(s.signature) if isinstance(n, ast.Arrow)]
    calls = [n for n in ast.walk(s.signature) if isinstance(n, ast.Call) and isinstance(n.function, ast.Name)]
    if len(arrows) > 1 or any(isinstance(c.function, ast.Name) and c.function.id == "fields" for c in calls):
        yield error("PDE964", s.signature.span, "a map between functions as an unknown is not supported yet")
    for p in s.properties:
        name = p.function if isinstance(p, ast.Call) else p
        yield error("PDE964", name.span, f"the property `{name.span.text}` is not supported yet")
