"""The state of one run over a spec: what is declared, what was found, which statements are given up.

A statement that fails is given up alone, and its names are broken: what rests on them stays silent.  Findings are kept
once for each code and place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pdespec.diagnostics import Diagnostic, SpecError, error
from pdespec.model.prelude import prelude
from pdespec.model.resolution import Names, resolve
from pdespec.model.scope import Scope
from pdespec.syntax import ast

T = TypeVar("T")


class Checking:
    """A spec on its way to a model.  `places` says where each name was declared, for messages."""

    def __init__(self, spec: ast.Spec) -> None:
        self.spec = spec
        self.prelude = prelude()
        self.scope = Scope(prelude=self.prelude)
        self.findings: list[Diagnostic] = []
        self.failed: set[int] = set()
        self.places: dict[str, str] = {}

    def note(self, found: Iterable[Diagnostic]) -> bool:
        """Keep findings, each place once for a code; whether there was any."""
        any_found = False
        for d in found:
            any_found = True
            if not any(o.code == d.code and o.span == d.span and _file(o) == _file(d) for o in self.findings):
                self.findings.append(d)
        return any_found

    def attempt(self, statement: ast.Statement, work: Callable[[], T], *names: str) -> T | None:
        """The result of elaborating a statement, or None where it fails; then its names are broken."""
        if id(statement) in self.failed:
            self.scope.broken.update(names)
            return None
        try:
            return work()
        except SpecError as stopped:
            self.note(stopped.diagnostics)
        except RecursionError:
            self.note((error("PDE215", statement.span, "the statement is nested too deeply"),))
        self.failed.add(id(statement))
        self.scope.broken.update(names)
        return None

    def names(self) -> Names:
        """The names that a statement may use."""
        declared = {**dict.fromkeys(self.prelude.definitions, ""), **self.places}
        return Names(declared, frozenset(self.scope.coordinates))

    def look_up(self, statement: ast.Statement, node: ast.Node, bound: frozenset[str] = frozenset()) -> None:
        """Look up the names of an expression; a statement with an unknown one is given up."""
        if self.note(resolve(node, self.names(), bound)):
            self.failed.add(id(statement))


def _file(d: Diagnostic) -> str:
    return d.span.source.name if d.span else ""


def expressions(s: ast.Statement) -> Iterator[tuple[ast.Node, frozenset[str]]]:
    """The expressions of a statement whose names are those of the file, with the names bound in them."""
    if isinstance(s, ast.Definition):
        yield s.body, frozenset(f.id for group in s.formals for f in group)
    elif isinstance(s, ast.Equation) and not s.formals and s.relation != "holds":
        yield from ((n, frozenset()) for n in (s.left, s.right, s.region) if n is not None)
    elif isinstance(s, ast.Solve):
        yield from ((n, frozenset()) for n in (s.objective, *s.conditions, s.region) if n is not None)
        yield from ((n, frozenset()) for o in s.optima for n in o.names)
    elif isinstance(s, ast.Report):
        for item in s.items:
            yield from ((n, frozenset()) for n in (item.expr, item.bound, item.tolerance) if n is not None)
    elif isinstance(s, ast.Check):
        yield s.left, frozenset()
        yield s.right, frozenset()
