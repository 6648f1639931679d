"""Ast → Model: names resolved, types and well-posedness checked.

Three walks.  Declarations are collected; every name is looked up, and what is still to come is noted; then statements
are elaborated one by one, and one that fails is given up alone.  What rests on it stays silent, so that each mistake is
reported once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pdespec.diagnostics import Diagnostic, SpecError, error, has_errors
from pdespec.model import application, calculus, functionals, laws, sums  # noqa: F401  (they register their rules)
from pdespec.model.builtins import NOTIONS
from pdespec.model.declare import domain, param, place, setting, unknown
from pdespec.model.definitions import closure_function, definition_value
from pdespec.model.equations import check_supported, equation
from pdespec.model.evaluation import fields_in
from pdespec.model.model import Ansatz, Check, Definition, Equation, Model, Report, Solve
from pdespec.model.names import nearest
from pdespec.model.posed import posed
from pdespec.model.prelude import closed, imported, prelude
from pdespec.model.refusal import rest_on_broken
from pdespec.model.resolution import Names, circular, mentioned, networks, resolve
from pdespec.model.scope import Scope, base
from pdespec.model.statements import ansatz, check_statement, method_findings, report, solve
from pdespec.model.terms import Defined
from pdespec.model.unused import unused
from pdespec.model.values import Closure, Function
from pdespec.source import Span
from pdespec.syntax import ast

T = TypeVar("T")
RESULT = "solve"
"""The label of a solve without one; no name can be that word."""


def check(
    spec: ast.Spec, *, settings: Mapping[str, str] = {}, folder: Path | None = None, name: str
) -> tuple[Model | None, tuple[Diagnostic, ...]]:
    """The model of a spec, and every finding; no model where one of them is an error.

    `settings` override params by name, `folder` is where imports may be found.
    """
    checking = Checking(spec)
    checking.declare(settings, folder)
    checking.look_up()
    model = checking.elaborate(name)
    found = checking.findings
    whole = not has_errors(found)
    found += posed(model, checking.scope, whole)
    if whole:
        found += unused(spec, model)
    found.sort(key=lambda d: (d.span is not None and d.span.source is not spec.span.source, d.span.start if d.span else -1))
    return (None if has_errors(found) else model), tuple(found)


class Checking:
    """One run over a spec: its scope, its findings, and the statements that are given up."""

    def __init__(self, spec: ast.Spec) -> None:
        self.spec = spec
        self.scope = Scope(prelude=prelude())
        self.findings: list[Diagnostic] = []
        self.failed: set[int] = set()
        self.places: dict[str, str] = {}

    # ── what happens to findings ──────────────────────────────────────────────────────────────────────────────────

    def note(self, found: Iterator[Diagnostic] | tuple[Diagnostic, ...]) -> bool:
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

    # ── declarations ──────────────────────────────────────────────────────────────────────────────────────────────

    def declare(self, settings: Mapping[str, str], folder: Path | None) -> None:
        """Who has which name; params, domains and unknowns are elaborated."""
        self._import(folder)
        for statement in self.spec.statements:
            for name, span in _declared(statement):
                self._claim(name, statement, span)
        self._tables()
        given = self._settings(settings)
        times = frozenset(
            n.id for s in self.spec.statements if isinstance(s, ast.UnknownDecl) and s.over is not None
            for n in ast.walk(s.over) if isinstance(n, ast.Name)
        )  # fmt: skip
        names = self._names()
        for statement in self.spec.statements:
            if isinstance(statement, ast.Param):
                self._look_up(statement, statement.value, names)
                self.attempt(statement, lambda s=statement: param(s, self.scope, given), statement.name.id)  # type: ignore[misc]
            elif isinstance(statement, ast.DomainDecl):
                self._look_up(statement, statement.set, names)
                ids = (statement.name.id, *(c.id for c in statement.coordinates))
                self.attempt(statement, lambda s=statement: domain(s, self.scope, times), *ids)  # type: ignore[misc]
            elif isinstance(statement, ast.UnknownDecl):
                if self.note(_unknown_to_come(statement)):
                    self.failed.add(id(statement))
                else:
                    self._look_up(statement, statement.signature, names)
                self.attempt(statement, lambda s=statement: unknown(s, self.scope), statement.name.id)  # type: ignore[misc]
            elif isinstance(statement, ast.Data):
                self.note((error("PDE963", statement.span, "`data` is not supported yet"),))
                self.scope.broken.add(statement.name.id)
        self.scope.memo.clear()

    def _import(self, folder: Path | None) -> None:
        """The definitions of imported files, closed under the names of those files."""
        seen: set[Path] = set()
        found: list[ast.Definition] = []
        for statement in self.spec.statements:
            if isinstance(statement, ast.Import):
                new = self.attempt(statement, lambda s=statement: list(imported(s, folder, seen)))  # type: ignore[misc]
                found += new or []
        assert self.scope.prelude is not None
        own = self.scope.prelude.definitions
        for d in found:
            if d.name.id in own:
                self.note((error("PDE102", d.name.span, f"`{d.name.shown}` is defined twice"),))
            own[d.name.id] = d
        names = frozenset(own)
        for d in found:
            if self.note(closed(d, names)):
                self.scope.prelude.broken.add(d.name.id)
        self.scope.prelude.broken.update(d.name.id for d in self._circles(own))

    def _claim(self, name: ast.Name, statement: ast.Statement, span: Span) -> None:
        """One namespace for names and labels; the language's own names are taken."""
        assert self.scope.prelude is not None
        if name.id in self.places:
            first = self.places[name.id]
            self.note((error("PDE102", span, f"`{name.shown}` is declared twice", label=f"first: {first}"),))
            self.failed.add(id(statement))
            return
        if isinstance(statement, ast.Definition) and self.scope.prelude.definitions.get(name.id) == statement:
            return
        if name.id in NOTIONS or name.id in self.scope.prelude.definitions or name.id in ("R", "P", "pi"):
            self.note((error("PDE103", span, f"`{name.shown}` is a name of the language", hint="choose another name"),))
            self.failed.add(id(statement))
            self.scope.broken.add(name.id)
        self.places[name.id] = f"`{name.shown}` ({place(span)})"

    def _tables(self) -> None:
        """Definitions and labels, which need no elaboration to be known."""
        for s in self.spec.statements:
            if id(s) in self.failed:
                continue
            if isinstance(s, ast.Definition) and s.name.id in self.places:
                self.scope.definitions[s.name.id] = s
            elif isinstance(s, ast.Equation) and s.label is not None:
                self.scope.equations[s.label.id] = s
            elif isinstance(s, ast.Solve) and s.label is not None:
                self.scope.solves[s.label.id] = s
        for d in self._circles(self.scope.definitions):
            self.failed.add(id(d))
            self.scope.broken.add(d.name.id)

    def _circles(self, definitions: dict[str, ast.Definition]) -> Iterator[ast.Definition]:
        """The definitions that rest on themselves; each circle is one finding."""
        for circle in circular(definitions):
            names = " and ".join(f"`{d.name.shown}`" for d in circle)
            what = f"{names} are defined by each other" if len(circle) > 1 else f"{names} is defined by itself"
            self.note((error("PDE112", circle[0].name.span, what),))
            yield from circle

    def _settings(self, settings: Mapping[str, str]) -> dict[str, ast.Expr]:
        given: dict[str, ast.Expr] = {}
        params = {s.name.id: s for s in self.spec.statements if isinstance(s, ast.Param)}
        for written, text in settings.items():
            try:
                key = _id(written)
                if key not in params:
                    meant = nearest(key, params)
                    hint = f"did you mean {self.places[meant]}?" if meant else f"params: {', '.join(params) or 'none'}"
                    raise SpecError([error("PDE108", None, f"--set: there is no param `{written}`", hint=hint)])
                given[key] = setting(params[key].name.shown, text)
            except SpecError as wrong:
                self.note(wrong.diagnostics)
        return given

    # ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _names(self) -> Names:
        assert self.scope.prelude is not None
        return Names({**dict.fromkeys(self.scope.prelude.definitions, ""), **self.places})

    def _look_up(self, statement: ast.Statement, node: ast.Node, names: Names, bound: frozenset[str] = frozenset()) -> None:
        if self.note(resolve(node, names, bound)):
            self.failed.add(id(statement))

    def look_up(self) -> None:
        """Every name of the other statements, and what is still to come."""
        names = self._names()
        for statement in self.spec.statements:
            for part, bound in _expressions(statement):
                self._look_up(statement, part, names, bound)
            if isinstance(statement, ast.Definition) and id(statement) in self.failed:
                self.scope.broken.add(statement.name.id)
            if isinstance(statement, ast.Equation) and id(statement) not in self.failed:
                self.attempt(statement, lambda s=statement: check_supported(s))  # type: ignore[misc]
            if isinstance(statement, ast.Solve) and self.note(method_findings(statement)):
                self.failed.add(id(statement))
            if isinstance(statement, ast.Ansatz):
                self._look_up_ansatz(statement, names)

    def _look_up_ansatz(self, statement: ast.Ansatz, names: Names) -> None:
        from pdespec.model.calls import findings
        from pdespec.model.methods import NETWORKS

        inside = tuple(networks(statement.body, names))
        hidden = frozenset(n.function.id for n in inside if isinstance(n.function, ast.Name))
        for node in inside:
            if self.note(findings(node, NETWORKS)):
                self.failed.add(id(statement))
        if id(statement) not in self.failed:
            bound = hidden | {"true", "false", *_option_words(inside)}
            self._look_up(statement, statement.body, names, frozenset(bound))

    # ── elaboration ───────────────────────────────────────────────────────────────────────────────────────────────

    def elaborate(self, name: str) -> Model:
        """Every statement in the order of the file."""
        definitions: list[Definition] = []
        equations: dict[str, Equation] = {}
        solves: list[Solve] = []
        ansatze: list[Ansatz] = []
        reports: list[Report] = []
        checks: list[Check] = []
        for s in self.spec.statements:
            if isinstance(s, ast.Definition) and s.name.id in self.places:
                found = self.attempt(s, lambda s=s: self._definition(s), s.name.id)  # type: ignore[misc]
                definitions += [found] if found is not None else []
        self._equations_and_solves(equations, solves)
        for s in self.spec.statements:
            if isinstance(s, ast.Ansatz):
                inside = tuple(networks(s.body, self._names()))
                form = self.attempt(s, lambda s=s, inside=inside: ansatz(s, inside, self.scope))  # type: ignore[misc]
                ansatze += [form] if form is not None else []
            elif isinstance(s, ast.Report):
                for item in s.items:
                    measured = self.attempt(s, lambda item=item: report(item, self.scope))  # type: ignore[misc]
                    reports += [measured] if measured is not None else []
            elif isinstance(s, ast.Check):
                identity = self.attempt(s, lambda s=s: check_statement(s, equations, self.scope))  # type: ignore[misc]
                checks += [identity] if identity is not None else []
        return Model(
            name, self.spec.span.source, tuple(self.scope.params.values()), tuple(self.scope.domains.values()),
            tuple(self.scope.unknowns.values()), tuple(definitions), tuple(equations.values()), tuple(ansatze),
            tuple(solves), tuple(reports), tuple(checks),
        )  # fmt: skip

    def _equations_and_solves(self, equations: dict[str, Equation], solves: list[Solve]) -> None:
        """An equation waits for the solves whose results it uses, a solve for its equations; the rest keeps its order."""
        waiting = [s for s in self.spec.statements if isinstance(s, (ast.Equation, ast.Solve))]
        while waiting:
            ready = [s for s in waiting if not self._waits(s, waiting)]
            for s in ready or waiting:
                if isinstance(s, ast.Solve):
                    solved = self._solve(s, equations, solves)
                    solves += [solved] if solved is not None else []
                elif s.label is not None:
                    made = self.attempt(s, lambda s=s: equation(s, self.scope), s.label.id)  # type: ignore[misc]
                    if made is not None:
                        equations[s.label.id] = made
            waiting = [s for s in waiting if s not in ready] if ready else []
        order = [s.label.id for s in self.spec.statements if isinstance(s, ast.Equation) and s.label is not None]
        for key in sorted(equations, key=order.index):
            equations[key] = equations.pop(key)
        solves.sort(key=lambda s: s.span.start)

    def _waits(self, statement: ast.Equation | ast.Solve, waiting: list[ast.Equation | ast.Solve]) -> bool:
        """Whether something that a statement uses is still to be elaborated."""
        before = {s.label.id for s in waiting if s.label is not None and s is not statement}
        parts = [n for n, _ in _expressions(statement)]
        return any(mentioned(n, self.scope.definitions) & before for n in parts)

    def _definition(self, statement: ast.Definition) -> Definition:
        """A definition; one of declared points is elaborated at once, so that its mistakes show without a use."""
        env = base(self.scope)
        value = definition_value(statement, self.scope, env)
        if isinstance(value, Closure) and all(f.id in self.scope.coordinates for g in value.groups for f in g):
            made = closure_function(value, env, statement.span)
            value = made if made is not None else value
        here = value.at(*env.values(value)) if isinstance(value, Function) else None
        kept = here if isinstance(here, Defined) else None
        return Definition(statement.name.shown, kept, " ".join(statement.span.text.split()), statement.span)

    def _solve(self, s: ast.Solve, equations: dict[str, Equation], before: list[Solve]) -> Solve | None:
        key = s.label.id if s.label is not None else _unlabelled(before)
        label = s.label.shown if s.label is not None else key
        if any(isinstance(c, ast.Name) and c.id in self.scope.broken for c in s.conditions):
            self.failed.add(id(s))
        made = self.attempt(s, lambda: solve(s, label, equations, self.scope), key)
        if made is None:
            return None
        listed = [e for e in equations.values() if e.label in made.equations]
        values = [v for e in listed for side in (e.lhs, e.rhs) for v in fields_in(side)]
        values += fields_in(made.objective) if made.objective is not None else []
        self._check_order(s, {v.field.solve for v in values if v.field.solve})
        found = {v.field for v in values if not v.field.solve}
        found |= {u.field for u in self.scope.unknowns.values() if u.name in {n for _, n in made.optima}}
        if not found:
            rest_on_broken()
        self.scope.found[key] = frozenset(found)
        return made


    def _check_order(self, statement: ast.Solve, used: set[str]) -> None:
        """Solves run in file order: the results that one uses come before it."""
        later = {s.label.shown for s in self.scope.solves.values() if s.label and s.span.start >= statement.span.start}
        for label in sorted(used & later):
            self.note((error("PDE220", statement.span, f"this solve uses the result of `{label}`, which does not come before it",
                             hint="solves run in file order"),))  # fmt: skip


def _unlabelled(before: list[Solve]) -> str:
    """`solve`, `solve 2`, …"""
    taken = {s.label for s in before}
    k = 1
    while (name := RESULT if k == 1 else f"{RESULT}_{k}") in taken:
        k += 1
    return name


def _file(d: Diagnostic) -> str:
    return d.span.source.name if d.span else ""


def _id(written: str) -> str:
    from pdespec.syntax.names import canonical

    return canonical(written)


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


def _expressions(s: ast.Statement) -> Iterator[tuple[ast.Node, frozenset[str]]]:
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


def _option_words(calls: tuple[ast.Call, ...]) -> Iterator[str]:
    """Bare names after `=` in the options of networks, such as an activation."""
    for node in calls:
        yield from (o.value.id for o in node.options if isinstance(o.value, ast.Name))


def _unknown_to_come(s: ast.UnknownDecl) -> Iterator[Diagnostic]:
    """What an unknown asks for that cannot be compiled yet."""
    arrows = [n for n in ast.walk(s.signature) if isinstance(n, ast.Arrow)]
    calls = [n for n in ast.walk(s.signature) if isinstance(n, ast.Call) and isinstance(n.function, ast.Name)]
    if len(arrows) > 1 or any(isinstance(c.function, ast.Name) and c.function.id == "fields" for c in calls):
        yield error("PDE964", s.signature.span, "a map between functions as an unknown is not supported yet")
    for p in s.properties:
        name = p.function if isinstance(p, ast.Call) else p
        yield error("PDE964", name.span, f"the property `{name.span.text}` is not supported yet")
