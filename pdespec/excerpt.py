"""Lines of a spec with marks under them, aligned in terminal columns.

A character is one column wide, two when East Asian wide, none when it combines with the one before (Unicode Standard
Annex 11).  Tabs are expanded; control and format characters, which could hide or reorder text on a terminal, are
printed as ⟨U+202E⟩.  Marks on one line share a row of carets, with the labels hung below from right to left.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from pdespec.source import Source, Span

TAB = 4
WIDEST = 160  # columns; a longer line is cropped around its first mark
CONTEXT = 48  # columns kept to the left of that mark

Painted = tuple[tuple[str, str], ...]
"""A printed line as runs of (text, role); a role names a colour and "" is none."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A span to underline, with the words to write there; secondary marks are drawn with dashes."""

    span: Span
    text: str
    primary: bool


@dataclass(frozen=True, slots=True)
class _Underline:
    """Columns `first` to `last` (excluded) of one printed line."""

    first: int
    last: int
    text: str
    primary: bool

    @property
    def role(self) -> str:
        return "primary" if self.primary else "secondary"


def printable(text: str) -> str:
    """The text with every character that could upset a terminal spelt out; newlines stay."""
    return "".join(c if c == "\n" else _glyph(c, 0) for c in text)


def columns(text: str) -> int:
    """The number of terminal columns that the text fills."""
    return sum(_width(c) for c in text)


def excerpt(source: Source, marks: Iterable[Mark]) -> Iterator[tuple[int | None, Painted]]:
    """Source lines with their underlines: (line number, painted text); no number for rows of marks and for gaps."""
    by_line: dict[int, list[tuple[int, int, str, bool]]] = {}
    for mark in marks:
        for number, start, end, text in _per_line(mark):
            by_line.setdefault(number, []).append((start, end, text, mark.primary))
    previous: int | None = None
    for number in sorted(by_line):
        if previous is not None and number == previous + 2:
            yield previous + 1, ((_laid_out(source.line(previous + 1))[0][:WIDEST], ""),)
        elif previous is not None and number > previous + 2:
            yield None, (("...", "gutter"),)
        yield from _marked_line(number, source.line(number), by_line[number])
        previous = number


def _per_line(mark: Mark) -> Iterator[tuple[int, int, int, str]]:
    """(line, first character, last character, label) of each line that the mark covers.

    Blank lines are left out, and so is the middle of a span of more than four lines.
    """
    source, first = mark.span.source, mark.span.line
    last = source.position(max(mark.span.start, mark.span.end - 1))[0]
    numbers = range(first, last + 1) if last - first < 4 else (first, first + 1, last)
    for number in numbers:
        text = source.line(number)
        if first != last and not text.strip():
            continue
        indent = len(text) - len(text.lstrip())
        start = mark.span.column - 1 if number == first else indent
        end = source.position(mark.span.end - 1)[1] if number == last and mark.span.end > mark.span.start else len(text)
        if first == last and mark.span.end <= mark.span.start:
            end = start
        yield number, start, end, mark.text if number == last else ""


def _marked_line(
    number: int, text: str, spans: list[tuple[int, int, str, bool]]
) -> Iterator[tuple[int | None, Painted]]:
    printed, starts = _laid_out(text)

    def column(character: int) -> int:
        return starts[character] if character < len(starts) else starts[-1] + character - len(starts) + 1

    lines = [_Underline(column(a), max(column(b), column(a) + 1), words, main) for a, b, words, main in spans]
    printed, lines = _cropped(printed, lines)
    yield number, ((printed, ""),)
    for row in _rows(lines):
        yield None, row


def _laid_out(text: str) -> tuple[str, list[int]]:
    """What is printed for a line, and the column at which each of its characters (and the end) begins."""
    pieces, starts, at = [], [], 0
    for character in text:
        starts.append(at)
        piece = _glyph(character, at)
        pieces.append(piece)
        at += columns(piece)
    return "".join(pieces), [*starts, at]


def _glyph(character: str, at: int) -> str:
    if character == "\t":
        return " " * (TAB - at % TAB)
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
        return f"⟨U+{ord(character):04X}⟩"
    return character


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cropped(printed: str, lines: list[_Underline]) -> tuple[str, list[_Underline]]:
    """At most `WIDEST` columns of a line, with the first primary mark in view."""
    if columns(printed) <= WIDEST:
        return printed, lines
    anchor = min((u.first for u in lines if u.primary), default=lines[0].first)
    left = max(0, anchor - CONTEXT)
    at, begin = 0, left
    kept: list[str] = []
    for character in printed:
        width = _width(character)
        if left <= at and at + width <= left + WIDEST:
            if not kept:
                begin = at
            kept.append(character)
        at += width
    head, tail = ("…" if left else ""), ("…" if at > left + WIDEST else "")
    shift = len(head) - begin
    window = begin + WIDEST
    moved = [
        _Underline(max(u.first, begin) + shift, min(u.last, window) + shift, u.text, u.primary)
        for u in lines
        if u.last > begin and u.first < window
    ]
    return head + "".join(kept) + tail, moved


def _rows(lines: list[_Underline]) -> Iterator[Painted]:
    """The row of carets, then the labels that do not fit beside it."""
    ordered = sorted(lines, key=lambda u: (u.first, u.primary))
    last = ordered[-1]
    inline = last.text and all(u.last <= last.last for u in ordered)
    cells = [(" ", "")] * max(u.last for u in ordered)
    for mark in sorted(ordered, key=lambda u: u.primary):
        cells[mark.first : mark.last] = [("^" if mark.primary else "-", mark.role)] * (mark.last - mark.first)
    if inline:
        cells += [(" ", ""), *((c, last.role) for c in printable(last.text))]
    yield _painted(cells)

    hung = [u for u in ordered if u.text and not (inline and u is last)]
    if hung:
        yield _painted(_bars(hung))
    while hung:
        mark = hung.pop()
        cells = _bars([u for u in hung if u.first < mark.first])
        cells += [(" ", "")] * (mark.first - len(cells))
        yield _painted([*cells, *((c, mark.role) for c in printable(mark.text))])


def _bars(lines: list[_Underline]) -> list[tuple[str, str]]:
    cells = [(" ", "")] * (max((u.first for u in lines), default=-1) + 1)
    for mark in lines:
        cells[mark.first] = ("|", mark.role)
    return cells


def _painted(cells: list[tuple[str, str]]) -> Painted:
    return tuple(("".join(c for c, _ in run), role) for role, run in groupby(cells, key=lambda cell: cell[1]))
