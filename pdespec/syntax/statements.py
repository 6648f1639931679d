"""A text cut into statements, the units of recovery: a mistake in one leaves the others readable.

A newline ends a statement except inside brackets or after a trailing operator.  So that a bracket left open does not
swallow the rest of the file, a line that starts in column one and can only begin a statement ends the one before it.
What no statement may contain (invisible characters, letters of other scripts, open brackets) is reported here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from pdespec.diagnostics import Diagnostic, error
from pdespec.source import Source, Span
from pdespec.syntax.ast import Comment
from pdespec.syntax.names import CLAUSE_WORDS, LATIN, LOOKALIKES, STATEMENT_WORDS

MAX_BYTES = 1 << 20
MAX_NESTING = 200
MAX_STATEMENT = 10_000
MAX_STATEMENTS = 2_000

_LETTERS = "A-Za-z" + "".join(LATIN)
_TOKEN = re.compile(
    rf"""(?P<comment>\#[^\n]*) | (?P<string>"[^"\n]*"?) | (?P<newline>\n(?:[ \t\r]*\n)*)
    | (?P<open>[(\[{{]) | (?P<close>[)\]}}])
    | (?P<word>[{_LETTERS}][{_LETTERS}0-9_]*['′]*) | (?P<space>[ \t\r]+) | (?P<number>[0-9.]+) | (?P<other>.)""",
    re.VERBOSE,
)
_BEGINS = re.compile(
    rf"(?:{'|'.join(STATEMENT_WORDS)})[ \t]+[^ \t=:]"
    rf"|[{_LETTERS}][{_LETTERS}0-9_]*['′]*(?:\([^()\n]*\))*[ \t]*(?::|≔)"
)
_CLOSER = {"(": ")", "[": "]", "{": "}"}
_SYMBOLS = frozenset("+-−*∗/^·⋅×∘∪∩\\∖=:≔,;<>≤≥≠~∼→.|!%_'′‖∥⟨⟩∂∇Δ∆δ∫∬∭∑∏𝔼∈⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_TRAILING = frozenset("+-−*∗/^·⋅×∘∪∩\\∖=:≔,;<>≤≥≠~∼→")
_INVISIBLE_CATEGORIES = {"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}
_INSTEAD = {
    "ℝ": "write R", "ℂ": "write C", "ℕ": "write the range, `1..N`", "ℤ": "name a finite set or an interval",
    "√": "write sqrt(…)", "“": 'write a straight "', "”": 'write a straight "', "’": "write a straight '",
    "–": "write -", "—": "write -", "⊗": "write ×", "…": "write `..`", "@": "the language has no @",
    "&": "write a comma between conditions", "∧": "write a comma between conditions",
    "\xa0": "replace the no-break space by a space", "∞": "an unbounded set is R, or a domain of its own",
    "$": "formulas are written without dollar signs", "⟦": "write [", "≈": "write ~ and `within`",
    "±": "write `~ value within tolerance`", "≡": "write =", "⊂": "write `in`", "∀": "use `on`",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chunk:
    """The characters of one statement.  `broken` says that a mistake in it has been reported already."""

    start: int
    end: int
    broken: bool


@dataclass(slots=True)
class _Scan:
    """The statement being read: where it began, its open brackets, the last token that counts."""

    source: Source
    chunks: list[Chunk] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    start: int = -1
    end: int = -1
    broken: bool = False
    brackets: list[tuple[str, int]] = field(default_factory=list)
    last: str = ""
    reported: set[str] = field(default_factory=set)

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def refuse(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)
        self.broken = True

    def take(self, text: str, at: int) -> None:
        """One token that counts."""
        if self.start < 0:
            self.start = at
        self.end, self.last = at + len(text), text

    def finish(self) -> None:
        """The statement ends here."""
        if self.start >= 0:
            if self.brackets and not self.broken:
                bracket, at = self.brackets[-1]
                hint = f"close it with `{_CLOSER[bracket]}`; a line goes on only inside brackets or after an operator"
                self.refuse(error("PDE002", self.span(at, at + 1), f"`{bracket}` is never closed", hint=hint))
            if self.end - self.start > MAX_STATEMENT and not self.broken:
                message = f"this statement is longer than {MAX_STATEMENT} characters"
                hint = "split it with definitions (`name := …`)"
                self.refuse(error("PDE009", self.span(self.start, self.start + 1), message, hint=hint))
            self.chunks.append(Chunk(self.start, self.end, self.broken))
        self.start = self.end = -1
        self.broken, self.last = False, ""
        self.brackets.clear()
        self.reported.clear()

    def goes_on(self, following: int) -> bool:
        """Whether the statement goes on after a newline, `following` being the first character of the next line."""
        if self.start < 0:
            return False
        trailing = self.last in _TRAILING or self.last in CLAUSE_WORDS or self.last.endswith("..")
        if self.last in STATEMENT_WORDS:
            trailing = self.source.text[following : following + 1].isspace()
        return (bool(self.brackets) or trailing) and not _BEGINS.match(self.source.text, following)


def split(source: Source) -> tuple[tuple[Chunk, ...], tuple[Comment, ...], tuple[Diagnostic, ...]]:
    """The statements of a text, its comments, and what is wrong before any grammar is asked."""
    if len(source.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        message = "the file is larger than 1 MiB"
        return (), (), (error("PDE006", Span(source, 0, 0), message, hint="split it and `import` the parts"),)
    invisible, hidden = _invisible(source)
    scan = _Scan(source)
    for match in _TOKEN.finditer(source.text):
        kind, at, text = match.lastgroup, match.start(), match.group()
        if hidden and kind != "newline" and not hidden.isdisjoint(range(at, match.end())):
            scan.broken = scan.broken or kind != "comment"
        elif kind == "comment":
            scan.comments.append(Comment(text.rstrip(), span=scan.span(at, at + len(text.rstrip()))))
        elif kind == "newline":
            if not scan.goes_on(match.end()):
                scan.finish()
        elif kind != "space":
            scan.take(text, at)
            _examine(scan, kind or "", text, at)
    scan.finish()
    if len(scan.chunks) > MAX_STATEMENTS:
        message = f"the file has more than {MAX_STATEMENTS} statements"
        place = scan.chunks[MAX_STATEMENTS].start
        return (), (), (error("PDE006", Span(source, place, place), message, hint="split it and `import` the parts"),)
    return tuple(scan.chunks), tuple(scan.comments), tuple(invisible + scan.diagnostics)


def _examine(scan: _Scan, kind: str, text: str, at: int) -> None:
    """Refuse what is wrong with a single token; keep track of brackets."""
    here = scan.span(at, at + len(text))
    if kind == "open":
        scan.brackets.append((text, at))
        if len(scan.brackets) == MAX_NESTING + 1:
            message = f"brackets are nested more than {MAX_NESTING} deep"
            scan.refuse(error("PDE007", here, message, hint="name the inner parts (`part := …`)"))
    elif kind == "close":
        _close(scan, text, at)
    elif kind == "string" and (len(text) == 1 or text[-1] != '"'):
        scan.refuse(error("PDE003", here, 'this text has no closing `"`', hint='close it with `"` on the same line'))
    elif kind == "other" and text not in _SYMBOLS and text not in scan.reported:
        scan.reported.add(text)
        scan.refuse(_foreign(text, here))


def _close(scan: _Scan, text: str, at: int) -> None:
    if not scan.brackets:
        if not scan.broken:
            scan.refuse(error("PDE002", scan.span(at, at + 1), f"`{text}` closes nothing", hint="remove it"))
        return
    opened, where = scan.brackets.pop()
    if _CLOSER[opened] != text and not scan.broken:
        line = scan.source.position(where)[0]
        place = "" if line == scan.source.position(at)[0] else f" of line {line}"
        message = f"`{opened}`{place} is closed by `{text}`"
        hint = f"write `{_CLOSER[opened]}`"
        scan.refuse(error("PDE002", scan.span(at, at + 1), message, hint=hint))


def _foreign(character: str, span: Span) -> Diagnostic:
    """A visible character that the language does not use."""
    name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
    decomposed = unicodedata.normalize("NFKD", character)
    if character in _INSTEAD:
        hint = _INSTEAD[character]
    elif character in "₀₁₂₃₄₅₆₇₈₉":
        hint = f"an entry of a vector is x[{decomposed}], a name with a number x_{decomposed}"
    elif character.isalpha():
        hint = "names are made of the letters A to Z, Greek letters, ℓ, digits, _ and primes"
    else:
        hint = ""
    return error("PDE005", span, f"`{character}` ({name}) is not part of the language", hint=hint)


def _invisible(source: Source) -> tuple[list[Diagnostic], frozenset[int]]:
    """Characters that cannot be seen, or that reorder what is seen: refused everywhere, comments included."""
    unseen = {c for c in set(source.text) if not " " <= c <= "~" and c not in "\n\t" and _is_invisible(c)}
    positions: list[int] = []
    found: list[Diagnostic] = []
    if unseen:
        lines: set[int] = set()
        for match in re.finditer("[" + "".join(map(re.escape, sorted(unseen))) + "]", source.text):
            at, character = match.start(), match.group()
            if character == "\r" and source.text[at + 1 : at + 2] == "\n":
                continue
            positions.append(at)
            line = source.position(at)[0]
            if line not in lines:
                lines.add(line)
                name = unicodedata.name(character, "control character").lower()
                message = f"an invisible character, U+{ord(character):04X} ({name})"
                hint = "remove it; a text must be what it looks like"
                found.append(error("PDE004", Span(source, at, at + 1), message, hint=hint))
    return found, frozenset(positions)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES or character in _INVISIBLE


def lookalikes(source: Source, chunks: tuple[Chunk, ...]) -> list[tuple[str, Span]]:
    """The first place of each Greek letter that looks like a Latin one."""
    seen: dict[str, Span] = {}
    for chunk in chunks:
        for at in range(chunk.start, chunk.end):
            letter = source.text[at]
            if letter in LOOKALIKES and letter not in seen:
                seen[letter] = Span(source, at, at + 1)
    return list(seen.items())
