r"""One line of the account of a derivation, for the terminal and for LaTeX.

A line is a lead, a term, the rule that gave it and the place of the rule: columns in the terminal, a row of `align*` in
LaTeX.  Each part is made of pieces: words, terms, and pieces whose two forms are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from pdespec.derive.bound_names import distinct
from pdespec.derive.glyphs import LETTERS, SIGNS, latex_name, latex_text, plainer
from pdespec.derive.notation import latex as latex_of
from pdespec.derive.notation import unicode
from pdespec.model.sets import Set
from pdespec.source import Span

RULES_AT, PLACES_AT = 54, 88
WIDTH = 80
"""The columns of the terminal, and how many characters of a formula go beside its rule on a page."""


@dataclass(frozen=True, slots=True)
class Both:
    """A piece in both alphabets; the LaTeX is mathematics."""

    text: str
    tex: str


def named_by(name: str) -> Both:
    """A name."""
    return Both(name, latex_name(name))


@dataclass(frozen=True, slots=True)
class Line:
    """A lead, a term, a rule and its place; lead, term and rule are pieces, or tuples of pieces."""

    lead: Any
    term: Any
    rule: Any = ""
    span: Span | None = None
    indent: int = 2
    in_latex: bool = True

    def text(self) -> str:
        """The line for the terminal; a rule that does not fit between its columns stands below the term."""
        left = " " * self.indent + _unicode(self.lead) + _unicode(self.term)
        rule, where = _unicode(self.rule), place(self.span)
        room = PLACES_AT - RULES_AT - 2 if where else len(rule)
        beside = len(left) < RULES_AT and len(rule) <= room
        first = f"{left.ljust(RULES_AT)}{rule}" if rule and beside else left
        if where:
            first = f"{first}  ".ljust(PLACES_AT) + where
        return first.rstrip() if beside or not rule else f"{first.rstrip()}\n{' ' * RULES_AT}{rule}"

    def latex(self, regions: Mapping[Set, str]) -> tuple[str, str]:
        """The line as a row of an `align*`, and what is said about it."""
        row = f"{_latex(self.lead, regions)} & {_latex(self.term, regions)}".strip()
        where = rf"\texttt{{{words(place(self.span))}}}" if self.span else ""
        return row, r" \quad ".join(filter(None, (_latex(self.rule, regions), where)))


def aligned(lines: Iterable[Line], regions: Mapping[Set, str]) -> str:
    """Lines as one `align*`; what is said about them stands at the right, or below each where the rows are wide."""
    rows = [line.latex(regions) for line in lines if line.in_latex]
    if not rows:
        return ""
    wide = max(_width(row) for row, _ in rows) + max(_width(note) for _, note in rows) > WIDTH
    between = " \\\\\n& \\qquad " if wide else " && "
    told = (row + (between + note if note else "") for row, note in rows)
    return "\\begin{align*}\n" + " \\\\\n".join(told) + "\n\\end{align*}"


def _width(tex: str) -> int:
    """About how many characters wide a formula is set."""
    tex = re.sub(r"\\(?:text|left|right|frac|[a-z]*quad|mathrm|operatorname)(?![a-z])|[{}^_& $]", "", tex)
    return len(re.sub(r"\\[A-Za-z]+", "x", tex))


def _pieces(part: Any) -> Iterator[Any]:
    """The pieces of a part, words that follow each other put together."""
    for is_words, group in groupby(part if isinstance(part, tuple) else (part,), lambda p: isinstance(p, str)):
        pieces = list(group)
        yield from ["".join(pieces)] if is_words else pieces


def _unicode(part: Any) -> str:
    def one(piece: Any) -> str:
        if isinstance(piece, Both):
            return piece.text
        return piece if isinstance(piece, str) else unicode(distinct(piece))

    return "".join(map(one, _pieces(part)))


def _latex(part: Any, regions: Mapping[Set, str]) -> str:
    def one(piece: Any) -> str:
        if isinstance(piece, Both):
            return piece.tex
        if isinstance(piece, str):
            return rf"\text{{{words(piece)}}}" if piece.strip() else ""
        return latex_of(distinct(piece), regions)

    return plainer("".join(map(one, _pieces(part))))


def place(span: Span | None) -> str:
    """`sgd.pde:7`."""
    return f"{Path(span.source.name).name}:{span.line}" if span is not None else ""


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_FORMULAS = {
    "chain": (r"(?P<p>\w+) ∇ ln (?P=p) = ∇(?P=p)", r"@ \nabla \ln @ = \nabla @"),
    "parts": (r"∫ K ∇(?P<q>\w+) = −∫ \(∇K\) (?P=q)", r"\int K \nabla @ = -\int (\nabla K)\, @"),
    "pressure": (r"P′\((?P<r>\w+)\) ∇(?P=r) = ∇P\((?P=r)\)", r"P'(@) \nabla @ = \nabla P(@)"),
}
"""The formulas in the names of rules, about a density @."""

_ESCAPED = {c: f"\\{c}" for c in "{}$&#_%"} | {
    "\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}", "|": r"\textbar{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "–": "--", "…": r"\dots{}", "’": "'",
}  # fmt: skip

_TOKEN = re.compile(
    "|".join(
        (
            *(f"(?P<{name}>{pattern})" for name, (pattern, _) in _FORMULAS.items()),
            r"(?P<variation>δ\w+/δ\w+)",
            r"`(?P<code>[^`]*)`",
            r"(?P<one>[^\w\s]|_|[^\x00-\x7f])",
        )
    )
)


def words(text: str) -> str:
    """Words for LaTeX's text mode, in ASCII: formulas and Greek letters in dollars, quoted code as `\\texttt`."""
    return _TOKEN.sub(_typeset, text)


def _typeset(found: re.Match[str]) -> str:
    token = found[0]
    match found.lastgroup:
        case "chain" | "parts" | "pressure" as rule:
            density = next(filter(None, found.group("p", "q", "r")))
            return f"${_FORMULAS[rule][1].replace('@', latex_name(density))}$"
        case "variation":
            above, below = (latex_name(part[1:]) for part in token.split("/"))
            return rf"$\delta {above}/\delta {below}$"
        case "code":
            return rf"\texttt{{{words(found['code'])}}}"
    if token in LETTERS or token in SIGNS:
        return f"${latex_text(token)}$"
    return _ESCAPED.get(token, token if token.isascii() else rf'\symbol{{"{ord(token):X}}}')
