"""Text into syntax tree.

Each statement is parsed by itself, so that a mistake is reported once and the others are read nevertheless.  A first
round parses all, which gives the declared coordinates; a second builds nodes, since `∂xy` needs to know them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from pdespec.diagnostics import Diagnostic, Severity, error, warning
from pdespec.source import Source, Span
from pdespec.syntax.ast import Comment, Name, Spec, Statement, walk
from pdespec.syntax.build import build, declared_coordinates
from pdespec.syntax.expressions import Mistake
from pdespec.syntax.lint import lint
from pdespec.syntax.messages import explain, stop
from pdespec.syntax.names import LOOKALIKES
from pdespec.syntax.statements import Chunk, lookalikes, split
from pdespec.syntax.tables import parser

MAX_DIAGNOSTICS = 100


@dataclass(frozen=True, slots=True)
class Block:
    """The text of one statement and what was read from it: nothing if it is wrong, several for a comma list."""

    chunk: Chunk
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that a text gives: its statements with their places, its comments, the coordinates it declares."""

    source: Source
    blocks: tuple[Block, ...]
    comments: tuple[Comment, ...]
    coordinates: frozenset[str]
    diagnostics: tuple[Diagnostic, ...]


def parse(source: Source) -> tuple[Spec, tuple[Diagnostic, ...]]:
    """The syntax tree of a text, statements with mistakes left out, and all diagnostics.  Raises nothing."""
    reading = read(source)
    statements = tuple(statement for block in reading.blocks for statement in block.statements)
    spec = Spec(statements, reading.comments, span=Span(source, 0, len(source.text)))
    return spec, reading.diagnostics


def read(source: Source) -> Reading:
    """As `parse`, with the place of each statement, for the formatter."""
    chunks, comments, found = split(source)
    diagnostics = list(found)
    trees = [(chunk, _tree(source, chunk, diagnostics)) for chunk in chunks]
    coordinates = frozenset(name for _, tree in trees if tree is not None for name in declared_coordinates(tree))
    blocks = []
    for chunk, tree in trees:
        statements: tuple[Statement, ...] = ()
        if tree is not None:
            try:
                statements = build(tree, source, chunk.start, coordinates)
            except Mistake as wrong:
                diagnostics.append(wrong.diagnostic)
        blocks.append(Block(chunk, statements))
    for block in blocks:
        for statement in block.statements:
            diagnostics.extend(lint(statement))
    diagnostics.extend(_lookalike_warnings(source, chunks))
    diagnostics.extend(_two_spellings(blocks))
    return Reading(source, tuple(blocks), comments, coordinates, _ordered(source, diagnostics))


def _tree(source: Source, chunk: Chunk, diagnostics: list[Diagnostic]) -> Tree[Token] | None:
    if chunk.broken:
        return None
    text = source.text[chunk.start : chunk.end]
    try:
        return parser().parse(text)
    except UnexpectedInput as failure:
        place = stop(failure, text)
        message = explain(place)
        start, end = chunk.start + place.start, chunk.start + place.end
        if message.at_opening:
            start, end = chunk.start, chunk.start + len(place.opening or place.before)
        diagnostics.append(error("PDE001", Span(source, start, end), message.text, hint=message.hint))
        return None


def _lookalike_warnings(source: Source, chunks: tuple[Chunk, ...]) -> list[Diagnostic]:
    return [
        warning(
            "PDE022", span, f"this `{letter}` is the Greek letter, which looks like the Latin {LOOKALIKES[letter]}",
            hint="the two are different names; write the Latin letter if you mean it",
        )
        for letter, span in lookalikes(source, chunks)
    ]  # fmt: skip


def _two_spellings(blocks: list[Block]) -> list[Diagnostic]:
    """β and `beta` in one file: they are one name, which its reader cannot know."""
    first: dict[str, Name] = {}
    found: dict[str, Diagnostic] = {}
    for name in _names(blocks):
        known = first.setdefault(name.id, name)
        if known.shown != name.shown and name.id not in found:
            line = known.span.line
            message = f"`{name.shown}` and `{known.shown}` (line {line}) are one name; use one spelling in a file"
            found[name.id] = error("PDE110", name.span, message, hint="`pdespec fmt` writes one spelling throughout")
    return list(found.values())


def _names(blocks: list[Block]) -> list[Name]:
    """Every name that is written out, in file order."""
    nodes = (node for block in blocks for statement in block.statements for node in walk(statement))
    return [node for node in nodes if isinstance(node, Name) and node.shown]


def _ordered(source: Source, diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the order of the text, each once, and not more than anyone would read."""
    unique = {(d.code, d.span.start if d.span else 0): d for d in diagnostics}
    ordered = sorted(unique.values(), key=lambda d: d.span.start if d.span else 0)
    if len(ordered) <= MAX_DIAGNOSTICS:
        return tuple(ordered)
    errors_first = sorted(ordered, key=lambda d: d.severity is not Severity.ERROR)[:MAX_DIAGNOSTICS]
    kept = sorted(errors_first, key=lambda d: d.span.start if d.span else 0)
    rest = len(ordered) - MAX_DIAGNOSTICS
    last = replace(kept[-1], code="PDE018", message=f"and {rest + 1} more; correct these first", hint="", notes=())
    return (*kept[:-1], last)
