"""Diagnostics for people (in the manner of rustc) and for programs (JSON).

    error[PDE303]: the equation is first order in t, and nothing fixes u at the start
      --> heat.pde:6:7
       |
     6 | bulk: ∂t u = κ*Δu on Ω × I
       |       ^^^^ needs u at t = 0

Nothing here prints: `render` returns text, `as_json` returns plain values.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from pdespec.diagnostics import Diagnostic, Fix, Severity
from pdespec.excerpt import Mark, Painted, excerpt, printable
from pdespec.source import Source, Span

ROLES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "gutter": "1;34",
    "secondary": "1;34",
    "help": "1;32",
    "strong": "1",
}


def colour_for(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour what goes to a stream: only a terminal, and never against NO_COLOR (no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All findings in the order of the text, then their number; "" when there are none.

    A code's `explain` line is printed with its first finding only.
    """
    ordered = sorted(diagnostics, key=_place)
    blocks: list[str] = []
    explained: set[str] = set()
    for diagnostic in ordered:
        lines = _block(diagnostic, explain=diagnostic.code not in explained)
        explained.add(diagnostic.code)
        blocks.append("\n".join(_coloured(line, diagnostic.severity, colour) for line in lines))
    if total := count(ordered):
        blocks.append(_coloured(((total, "strong"),), Severity.ERROR, colour))
    return "".join(block + "\n" for block in "\n\n".join(blocks).split("\n")) if blocks else ""


def count(diagnostics: Iterable[Diagnostic]) -> str:
    """ "2 errors, 1 warning"; notes are not counted."""
    severities = [d.severity for d in diagnostics]
    parts = []
    for severity in (Severity.ERROR, Severity.WARNING):
        if number := severities.count(severity):
            parts.append(f"{number} {severity.value}{'s' if number > 1 else ''}")
    return ", ".join(parts)


def as_json(diagnostic: Diagnostic) -> dict[str, object]:
    """A finding as plain values, with lines and columns counted from one and offsets from zero."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "place": _json_span(diagnostic.span),
        "label": diagnostic.label,
        "notes": list(diagnostic.notes),
        "hint": diagnostic.hint,
        "related": [{"place": _json_span(other.span), "text": other.text} for other in diagnostic.related],
        "fix": _json_fix(diagnostic.fix),
    }


def _json_span(span: Span | None) -> dict[str, object] | None:
    if span is None:
        return None
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
    }


def _json_fix(fix: Fix | None) -> dict[str, object] | None:
    return None if fix is None else {"place": _json_span(fix.span), "replacement": fix.replacement}


def _place(diagnostic: Diagnostic) -> tuple[bool, str, int]:
    span = diagnostic.span
    return (span is not None, "", 0) if span is None else (True, span.source.name, span.start)


def _block(diagnostic: Diagnostic, *, explain: bool) -> Iterator[Painted]:
    severity = diagnostic.severity.value
    head, *rest = printable(diagnostic.message).split("\n")
    yield (f"{severity}[{diagnostic.code}]", severity), (f": {head}", "strong")
    for line in rest:
        yield (("  " + line, "strong"),)

    margin = " " * (_digits(diagnostic) + 2)
    if diagnostic.span is not None:
        yield from _main_excerpt(diagnostic, diagnostic.span, margin)
    remarks = [("note", note) for note in diagnostic.notes]
    if diagnostic.hint and diagnostic.fix is None:
        remarks.append(("help", diagnostic.hint))
    closing = [("explain", f"pdespec explain {diagnostic.code}")] if explain else []
    if diagnostic.fix is None:
        remarks += closing
    if remarks and diagnostic.span is not None:
        yield ((margin + "|", "gutter"),)
    for kind, text in remarks:
        yield from _remark(kind, text, margin)
    if diagnostic.fix is not None:
        yield from _fixed(diagnostic.fix, diagnostic.hint or "write", margin)
        if closing:
            yield ((margin + "|", "gutter"),)
            yield from _remark(*closing[0], margin)


def _main_excerpt(diagnostic: Diagnostic, span: Span, margin: str) -> Iterator[Painted]:
    """The excerpt of the finding, with related places of the same file in it and of other files after it."""
    groups: dict[str, tuple[Source, list[Mark]]] = {
        span.source.name: (span.source, [Mark(span, diagnostic.label, primary=True)])
    }
    for other in diagnostic.related:
        _, marks = groups.setdefault(other.span.source.name, (other.span.source, []))
        marks.append(Mark(other.span, other.text, primary=False))
    for position, (source, marks) in enumerate(groups.values()):
        if position:
            yield ((margin + "|", "gutter"),)
        arrow = ":::" if position else "-->"
        yield (margin[1:] + arrow, "gutter"), (f" {printable(str(marks[0].span))}", "")
        yield ((margin + "|", "gutter"),)
        for number, painted in excerpt(source, marks):
            yield _with_gutter(number, painted, margin)


def _fixed(fix: Fix, hint: str, margin: str) -> Iterator[Painted]:
    """The lines of the text as they would be with the fix applied."""
    text = fix.span.source.text
    after = Source(fix.span.source.name, text[: fix.span.start] + fix.replacement + text[fix.span.end :])
    first, first_column = after.position(fix.span.start)
    last, last_column = after.position(fix.span.start + len(fix.replacement))
    if fix.replacement.startswith("\n") and first_column > len(after.line(first)):
        first += 1
    if fix.replacement.endswith("\n") and last_column == 1:
        last -= 1
    yield ((margin + "|", "gutter"),)
    yield ("help", "help"), (f": {printable(hint)}", "strong")
    yield ((margin + "|", "gutter"),)
    for number in range(first, max(first, last) + 1):
        yield _with_gutter(number, ((printable(after.line(number)), "help"),), margin)


def _remark(kind: str, text: str, margin: str) -> Iterator[Painted]:
    head, *rest = printable(text).split("\n")
    yield (margin + "=", "gutter"), (f" {kind}", "strong"), (f": {head}", "")
    for line in rest:
        yield ((margin + " " * (len(kind) + 4) + line, ""),)


def _with_gutter(number: int | None, painted: Painted, margin: str) -> Painted:
    if number is None and painted == (("...", "gutter"),):
        return painted
    gutter = f"{'' if number is None else number:>{len(margin) - 1}} |"
    return (gutter, "gutter"), (" ", ""), *painted


def _digits(diagnostic: Diagnostic) -> int:
    """The number of digits of the greatest line number that is shown."""
    spans = [diagnostic.span, *(other.span for other in diagnostic.related)]
    ends = [span.source.position(max(span.start, span.end - 1))[0] for span in spans if span is not None]
    if diagnostic.fix is not None:
        ends.append(diagnostic.fix.span.line + diagnostic.fix.replacement.count("\n"))
    return len(str(max(ends, default=1)))


def _coloured(line: Painted, severity: Severity, colour: bool) -> str:
    if not colour:
        return "".join(text for text, _ in line).rstrip()
    roles = {**ROLES, "primary": ROLES[severity.value]}
    return "".join(f"\x1b[{roles[role]}m{text}\x1b[0m" if role else text for text, role in line)
