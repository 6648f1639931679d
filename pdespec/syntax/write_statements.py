"""Statements into text: the declarations of one source line, with the marks that the formatter may align.

The marks are what follows a keyword or a label, and `:=`, `on`, `using`, `with`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from pdespec.source import Source
from pdespec.syntax import ast
from pdespec.syntax.ast import Name, Statement
from pdespec.syntax.notation import ARROW, SUM
from pdespec.syntax.write import Writer


def declarations(writer: Writer, statements: Sequence[Statement]) -> None:
    """The statements that one comma list gives, or a single statement."""
    kind = type(statements[0])
    if kind is ast.UnknownDecl:
        groups = groupby(statements, key=lambda s: s.signature.span if isinstance(s, ast.UnknownDecl) else None)
        _keyword(writer, "unknown", statements[0])
        _comma_list(writer, [tuple(group) for _, group in groups], _unknown)
    elif kind in _LISTED:
        word, write = _LISTED[kind]
        _keyword(writer, word, statements[0])
        _comma_list(writer, statements, write)
    else:
        _SINGLE[kind](writer, statements[0])


def _comma_list(writer: Writer, items: Sequence[Any], write: Callable[[Writer, Any], None]) -> None:
    for i, item in enumerate(items):
        if i:
            writer.add(", ", breaks=True)
        write(writer, item)


def _keyword(writer: Writer, word: str, first: ast.Node) -> None:
    writer.add(f"{word} ", breaks=True)
    _mark(writer, "keyword", first.span.start if first.span.source.text else -1)


def _mark(writer: Writer, tag: str, at: int) -> None:
    """A place before which space may be put."""
    writer.add("", at, tag=tag)


def _clause(writer: Writer, word: str, lead: int, follower: ast.Node) -> None:
    """` word ` before a node, as an alignment mark; `lead` is where the text before it ends."""
    writer.add(" ", breaks=False)
    writer.add(f"{word} ", _find(follower.span.source, word, lead, follower.span.start), breaks=True, tag=word)


def _find(source: Source, word: str, low: int, high: int) -> int:
    """Where a word of the language was read, between two offsets."""
    found = [m.start() for m in re.finditer(rf"(?<![\w'′]){word}(?![\w'′])", source.text[low:high])]
    return low + found[-1] if found else -1


def _head(writer: Writer, name: Name, groups: Sequence[Sequence[Name]]) -> None:
    writer.put(name, SUM)
    for formals in groups:
        writer.add("(", breaks=True)
        writer.list(formals)
        writer.add(")")


def _define(writer: Writer, statement: ast.Definition | ast.Ansatz) -> None:
    text = statement.span.source.text
    low, high = statement.name.span.end, statement.body.span.start
    at = max(text.find(":=", low, high), text.find("≔", low, high))
    writer.add(" ")
    writer.add(":= ", at, breaks=True, tag="head")
    writer.put(statement.body, SUM)


# ── declarations ────────────────────────────────────────────────────────────────────────────────────────────────────


def _param(writer: Writer, node: ast.Param) -> None:
    writer.put(node.name, SUM)
    writer.add(f" {writer.spelling.relation('in') if node.sweep else '='} ", breaks=True)
    writer.put(node.value, SUM)


def _domain(writer: Writer, node: ast.DomainDecl) -> None:
    _head(writer, node.name, [node.coordinates] if node.coordinates else [])
    writer.add(" = ", breaks=True)
    writer.put(node.set, SUM)


def _unknown(writer: Writer, group: Sequence[ast.UnknownDecl]) -> None:
    node = group[0]
    writer.list([unknown.name for unknown in group])
    writer.add(" : ", breaks=True)
    writer.put(node.signature, ARROW)
    if node.over is not None:
        writer.add(" over ", breaks=True)
        writer.put(node.over, SUM)
    for item in node.properties:
        writer.add(" with ", breaks=True)
        writer.put(item, SUM)


def _data(writer: Writer, node: ast.Data) -> None:
    writer.put(node.name, SUM)
    writer.add(" : ", breaks=True)
    writer.put(node.signature, ARROW)
    writer.add(" from ", breaks=True)
    writer.put(node.origin, SUM)


def _check(writer: Writer, node: ast.Check) -> None:
    writer.put(node.left, SUM)
    writer.add(" = ", breaks=True)
    writer.put(node.right, SUM)


# ── single statements ───────────────────────────────────────────────────────────────────────────────────────────────


def _import(writer: Writer, node: ast.Import) -> None:
    _keyword(writer, "import", node.path)
    writer.put(node.path, SUM)


def _ansatz(writer: Writer, node: ast.Ansatz) -> None:
    _keyword(writer, "ansatz", node.name)
    _head(writer, node.name, node.formals)
    _define(writer, node)


def _definition(writer: Writer, node: ast.Definition) -> None:
    _head(writer, node.name, node.formals)
    _define(writer, node)


def _label(writer: Writer, node: ast.Equation | ast.Solve, formals: Sequence[Name]) -> None:
    if node.label is not None:
        _head(writer, node.label, [formals] if formals else [])
        writer.add(": ", breaks=True)
        text, at = node.span.source.text, node.label.span.end
        colon = text.find(":", at)
        _mark(writer, "head", len(text) - len(text[colon + 1 :].lstrip()) if colon >= 0 else -1)


def _equation(writer: Writer, node: ast.Equation) -> None:
    _label(writer, node, node.formals)
    writer.put(node.left, SUM)
    end = node.left.span.end
    if node.right is not None:
        writer.add(f" {writer.spelling.relation(node.relation)} ", breaks=True)
        writer.put(node.right, SUM)
        end = node.right.span.end
    if node.region is not None:
        _clause(writer, "on", end, node.region)
        writer.put(node.region, SUM)


def _solve(writer: Writer, node: ast.Solve) -> None:
    _label(writer, node, ())
    if node.label is None:
        items: list[ast.Node] = [*node.optima, *node.conditions]
        _keyword(writer, "solve", items[0])
    else:
        writer.add("solve ", breaks=True)
    for optimum in node.optima:
        at = optimum.span.start if optimum.span.source.text else -1
        writer.add(f"{optimum.kind}[", at, breaks=True)
        writer.list(optimum.names)
        writer.add("] ")
    goals = ([node.objective] if node.objective is not None else []) + list(node.conditions)
    writer.list(goals)
    last: ast.Node = goals[-1]
    if node.region is not None:
        _clause(writer, "on", last.span.end, node.region)
        writer.put(node.region, SUM)
        last = node.region
    if node.method is not None:
        _clause(writer, "using", last.span.end, node.method)
        writer.put(node.method, SUM)
        last = node.method
    for i, stage in enumerate(node.stages):
        if i:
            writer.add(" then ", breaks=True)
        else:
            _clause(writer, "with", last.span.end, stage[0])
        writer.list(stage)


def _report(writer: Writer, node: ast.Report) -> None:
    _keyword(writer, "report", node.items[0])
    _comma_list(writer, node.items, _report_item)


def _report_item(writer: Writer, item: ast.ReportItem) -> None:
    writer.put(item.expr, SUM)
    if item.bound is not None:
        writer.add(f" {writer.spelling.relation(item.relation)} ", breaks=True)
        writer.put(item.bound, SUM)
    if item.tolerance is not None:
        writer.add(" within ", breaks=True)
        _tolerance(writer, item.tolerance)


def _tolerance(writer: Writer, node: ast.Tolerance) -> None:
    if node.kind == "stderr":
        writer.put(ast.Binary("*", node.value, ast.Name("stderr")), SUM)
    else:
        writer.put(node.value, SUM)
        if node.kind == "percent":
            writer.add("%")


_LISTED: dict[type[Statement], tuple[str, Callable[[Writer, Any], None]]] = {
    ast.Param: ("param", _param),
    ast.DomainDecl: ("domain", _domain),
    ast.Data: ("data", _data),
    ast.Check: ("check", _check),
}
_SINGLE: dict[type[Statement], Callable[[Writer, Any], None]] = {
    ast.Import: _import,
    ast.Ansatz: _ansatz,
    ast.Definition: _definition,
    ast.Equation: _equation,
    ast.Solve: _solve,
    ast.Report: _report,
}
