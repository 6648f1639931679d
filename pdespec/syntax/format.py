"""`pdespec fmt`: the same spec in the house style, in Unicode or in ASCII, comments kept.

Statements are written from their trees; formatting twice changes nothing.  From the author's layout stay the blank
lines (one at most together), the line breaks and their indentation, and columns: where neighbouring lines have the same
mark in one column, they do again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pdespec.diagnostics import SpecError, has_errors
from pdespec.source import Source
from pdespec.syntax.ast import Comment, Spec, Statement
from pdespec.syntax.notation import Piece, Spelling
from pdespec.syntax.parse import Block, Reading, read
from pdespec.syntax.write import Writer
from pdespec.syntax.write_statements import declarations

_GLYPHS = frozenset("≤≥≠∈→")
_CLOSERS = ")]}"
_NEXT_LINE = re.compile(r"\n[ \t\r]*(?=[^\s#])")


@dataclass(frozen=True, slots=True)
class Line:
    """One line to come.  `row` is its line in the source; only a line that begins a statement is aligned."""

    row: int
    pieces: tuple[Piece, ...]
    indent: str = ""
    begins: bool = True
    comment: str = ""
    comment_column: int = 0
    blank_before: bool = False


def format_text(source: Source, ascii: bool = False) -> str:
    """The text of a spec in the house style.  Raises `SpecError` where the text does not parse."""
    reading = read(source)
    if has_errors(d for d in reading.diagnostics if d.code != "PDE110"):
        raise SpecError(reading.diagnostics)
    spelling = Spelling(ascii, _GLYPHS & frozenset(source.text), reading.coordinates)
    lines = _lines(reading, spelling)
    aligned = _align_comments(_align(lines, source))
    text = "".join(("\n" if line.blank_before and i else "") + _render(line) for i, line in enumerate(aligned))
    return text


def format_spec(spec: Spec, ascii: bool = False, coordinates: frozenset[str] = frozenset()) -> str:
    """The statements of a tree, one line each, for a tree that no text stands behind."""
    return "".join(format_statement(s, ascii, coordinates) + "\n" for s in spec.statements)


def format_statement(statement: Statement, ascii: bool = False, coordinates: frozenset[str] = frozenset()) -> str:
    """One statement in one line."""
    writer = Writer(Spelling(ascii, coordinates=coordinates))
    declarations(writer, (statement,))
    return _joined(writer.pieces)


# ── from statements and comments to lines ───────────────────────────────────────────────────────────────────────────


def _lines(reading: Reading, spelling: Spelling) -> list[Line]:
    """All lines in order, statements with the comments that follow them."""
    lines: list[Line] = []
    loose = list(reading.comments)
    for block in reading.blocks:
        while loose and loose[0].span.start < block.chunk.start:
            lines.append(_comment_line(loose.pop(0)))
        inside = []
        while loose and (loose[0].span.start < block.chunk.end or _same_row(loose[0], block, reading.source)):
            inside.append(loose.pop(0))
        lines.extend(_statement_lines(block, inside, reading.source, spelling))
    lines.extend(_comment_line(comment) for comment in loose)
    return [replace(line, blank_before=_blank_before(line, reading.source)) for line in lines]


def _same_row(comment: Comment, block: Block, source: Source) -> bool:
    return comment.span.line == source.position(block.chunk.end - 1)[0]


def _comment_line(comment: Comment) -> Line:
    return Line(comment.span.line, (), comment=comment.text, comment_column=1)


def _blank_before(line: Line, source: Source) -> bool:
    return line.row > 1 and not source.line(line.row - 1).strip()


def _statement_lines(block: Block, comments: Sequence[Comment], source: Source, spelling: Spelling) -> list[Line]:
    """A statement broken where its author broke it, each comment on the line that it stood on."""
    writer = Writer(spelling)
    declarations(writer, block.statements)
    first, last = source.position(block.chunk.start)[0], source.position(block.chunk.end - 1)[0]
    by_row = {comment.span.line: comment for comment in comments}
    parts = _break(writer.pieces, first, _code_starts(block, source))
    lines: list[Line] = []
    for row in range(first, last + 1):
        pieces, comment = parts.get(row, ()), by_row.get(row)
        if pieces or comment is not None:
            text = source.line(row).expandtabs(4)
            indent = "" if row == first else text[: len(text) - len(text.lstrip())]
            column = comment.span.column if comment is not None else 0
            lines.append(Line(row, tuple(pieces), indent, row == first, comment.text if comment else "", column))
    return lines


def _code_starts(block: Block, source: Source) -> dict[int, int]:
    """Where the code begins in each line of a statement but its first."""
    starts: dict[int, int] = {}
    for match in _NEXT_LINE.finditer(source.text, block.chunk.start, block.chunk.end):
        starts[source.position(match.end())[0]] = match.end()
    return starts


def _break(pieces: list[Piece], first: int, starts: dict[int, int]) -> dict[int, list[Piece]]:
    """The pieces by the row on which they stand; a line break that no piece can follow is dropped."""
    rows, cuts = [first], [0]
    for row, start in starts.items():
        cut = _cut(pieces, start)
        if cut > cuts[-1]:
            rows.append(row)
            cuts.append(cut)
    ends = [*cuts[1:], len(pieces)]
    return {row: pieces[begin:end] for row, begin, end in zip(rows, cuts, ends, strict=True)}


def _cut(pieces: list[Piece], start: int) -> int:
    """Before which piece the line that starts at `start` begins; 0 if it cannot begin anywhere."""
    at = next((i for i, piece in enumerate(pieces) if piece.at >= start), 0)
    while at > 0 and not (pieces[at - 1].breaks or (pieces[at].at == start and pieces[at].text in _CLOSERS)):
        at -= 1
    return at


# ── alignment ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _align(lines: list[Line], source: Source) -> list[Line]:
    """Widen the gaps before marks that stand in one column in neighbouring lines.

    The columns are the source's first and then those of the result, until nothing moves: so a second run moves nothing.
    """
    columns = [{p.tag: source.position(p.at)[1] - 1 for p in line.pieces if p.tag and p.at >= 0} for line in lines]
    padded = [{p.tag for p in line.pieces if p.at >= 2 and source.text[p.at - 2 : p.at] == "  "} for line in lines]
    while True:
        result = list(lines)
        for tag in ("keyword", "head", "on", "using", "with"):
            for group in _clusters(result, tag, columns, padded):
                width = max(_width_before(result[i], tag) for i in group)
                for i in group:
                    result[i] = _widen(result[i], tag, width - _width_before(result[i], tag))
        now = [_columns(line) for line in result]
        if now == columns:
            return result
        columns = now
        padded = [{p.tag for p in line.pieces if p.tag and p.text.startswith(" ")} for line in result]


def _clusters(lines: list[Line], tag: str, columns: list[dict[str, int]], padded: list[set[str]]) -> list[list[int]]:
    """Runs of neighbouring lines whose mark stands in one column, or beside it where one of them is padded."""
    clusters: list[list[int]] = []
    for i, line in enumerate(lines):
        if tag not in columns[i] or not line.begins:
            continue
        last = clusters[-1][-1] if clusters else i
        apart = abs(columns[i][tag] - columns[last][tag])
        slip = apart == 1 and tag in ("on", "using", "with") and (tag in padded[i] or tag in padded[last])
        between = lines[last + 1 : i]
        adjacent = i > 0 and line.row == lines[i - 1].row + 1 and not any(other.begins for other in between)
        if clusters and adjacent and (apart == 0 or slip):
            clusters[-1].append(i)
        else:
            clusters.append([i])
    return [cluster for cluster in clusters if len(cluster) > 1]


def _columns(line: Line) -> dict[str, int]:
    """Where each mark stands in the line's text."""
    columns: dict[str, int] = {}
    width = 0
    for piece in line.pieces:
        if piece.tag and piece.at >= 0:
            columns[piece.tag] = width + len(piece.text) - len(piece.text.lstrip(" "))
        width += len(piece.text)
    return columns


def _widen(line: Line, tag: str, gap: int) -> Line:
    return replace(line, pieces=tuple(replace(p, text=" " * gap + p.text) if p.tag == tag else p for p in line.pieces))


def _width_before(line: Line, tag: str) -> int:
    at = next(i for i, piece in enumerate(line.pieces) if piece.tag == tag)
    return len(_joined(line.pieces[:at]))


def _align_comments(lines: list[Line]) -> list[Line]:
    """Comments behind statements keep their column, or move right until there is room."""
    result: list[Line] = []
    group: list[Line] = []
    for line in [*lines, Line(-1, ())]:
        follows = group and line.row == group[-1].row + 1 and line.comment_column == group[-1].comment_column
        if not (line.pieces and line.comment and (follows or not group)):
            result.extend(_move(group))
            group = []
        if line.pieces and line.comment:
            group.append(line)
        else:
            result.append(line)
    return result[:-1]


def _move(group: list[Line]) -> list[Line]:
    column = max(
        (max(line.comment_column, len(line.indent + _joined(line.pieces).rstrip()) + 3) for line in group), default=0
    )
    return [replace(line, comment_column=column) for line in group]


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _render(line: Line) -> str:
    code = line.indent + _joined(line.pieces).rstrip()
    if line.comment:
        code = code.ljust(line.comment_column - 1) if line.pieces else line.indent
        code += line.comment
    return code.rstrip() + "\n"
