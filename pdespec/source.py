"""A source text and the places in it.

Every node of the syntax tree, and every diagnostic, carries a `Span`: a half-open range of characters of one
`Source`.  Lines and columns are derived from it on demand and count from one, as editors do.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The text of one `.pde` file and the name it is shown under.

    `name` is what a person sees (a path relative to the working folder, or `<text>`); it never enters emitted code.
    """

    name: str
    text: str = field(repr=False)
    _starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]
        object.__setattr__(self, "_starts", tuple(starts))

    @property
    def sha256(self) -> str:
        """The SHA-256 digest of the UTF-8 text, in hexadecimal."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def lines(self) -> int:
        """The number of lines, a trailing empty one not counted."""
        return len(self._starts) - (1 if self.text.endswith("\n") else 0)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from one."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from one) without its newline."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end]


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` (included) to `end` (excluded) of a source."""

    source: Source = field(repr=False, compare=False)
    start: int
    end: int

    @property
    def line(self) -> int:
        """The line on which the span begins."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column at which the span begins."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(self.source, min(self.start, other.start), max(self.end, other.end))

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"
