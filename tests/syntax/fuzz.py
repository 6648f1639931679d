"""Random and mutated specs through the parser: it answers with diagnostics, never with an exception, and soon.

A mutation deletes, repeats, swaps or inserts characters, tokens or lines of a good spec, or splices two specs.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from pdespec.diagnostics import has_errors
from pdespec.source import Source
from pdespec.syntax.format import format_text
from pdespec.syntax.parse import parse

FIXTURES = Path(__file__).resolve().parent.parent / "drafts"
BOUND = 1.0
NESTS = (("(", ")"), ("{", "}"), ("|", "|"), ("∂x ", ""), ("sin(", ")"), ("-(", ")"), ("x^", ""))
ALPHABET = [
    *"+-*/^·×∘∪∩\\=:;,<>~|‖⟨⟩∂∇Δδ∫∬∑∏𝔼()[]{}.%'\"#_ \n\t²³⁻xyuθβΩA0129ℓ′",
    *(":=", "->", "..", "<=", ">=", "!=", " on ", " in ", "param ", "solve ", "report ", " using ", " with ", " dx"),
    *("∂x ", "max[", "sum[i in 1..N] ", "integral[x](", "diff(", "grad(", "δE/δp", "lap(", "1e999", "9^9^9^9", "∂Ω"),
    *("\x00", "\r", "\u202e", "\u200b", "\ud800", "\ufeff", "é", "ж", "漢", "𝛽", "²²", "\u2028", "\xa0", "🙂"),
]  # fmt: skip


def specs(count: int, seed: int) -> Iterator[str]:
    """Texts, each determined by the seed and its number."""
    good = [path.read_text(encoding="utf-8") for path in sorted(FIXTURES.glob("*.pde"))]
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        yield soup(rng) if rng.random() < 0.15 else mutated(rng.choice(good), rng.choice(good), rng)


def soup(rng: random.Random) -> str:
    """Symbols in no order."""
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(1, 120)))


def mutated(text: str, other: str, rng: random.Random) -> str:
    """One to eight mutations of a text, most often of some lines of it only."""
    lines = text.splitlines(keepends=True)
    if rng.random() < 0.8:
        start = rng.randrange(len(lines))
        text = "".join(lines[start : start + rng.randrange(1, 9)])
    for _ in range(rng.randrange(1, 9)):
        text = rng.choice(MUTATIONS)(text, other, rng)
    return text


def _cut(text: str, rng: random.Random, longest: int = 30) -> tuple[int, int]:
    start = rng.randrange(len(text) + 1)
    return start, min(len(text), start + rng.randrange(longest))


def delete(text: str, other: str, rng: random.Random) -> str:
    a, b = _cut(text, rng, 8)
    return text[:a] + text[b:]


def insert(text: str, other: str, rng: random.Random) -> str:
    a, _ = _cut(text, rng)
    return text[:a] + rng.choice(ALPHABET) + text[a:]


def replace(text: str, other: str, rng: random.Random) -> str:
    a, b = _cut(text, rng, 4)
    return text[:a] + rng.choice(ALPHABET) + text[b:]


def repeat(text: str, other: str, rng: random.Random) -> str:
    a, b = _cut(text, rng)
    return text[:b] + text[a:b] * rng.choice((1, 1, 1, 2, 40)) + text[b:]


def nest(text: str, other: str, rng: random.Random) -> str:
    a, b = _cut(text, rng)
    opening, closing = rng.choice(NESTS)
    depth = rng.choice((1, 2, 5, 150, 500))
    return text[:a] + opening * depth + text[a:b] + closing * depth + text[b:]


def move(text: str, other: str, rng: random.Random) -> str:
    a, b = _cut(text, rng)
    piece, rest = text[a:b], text[:a] + text[b:]
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + piece + rest[at:]


def splice(text: str, other: str, rng: random.Random) -> str:
    a, b = _cut(other, rng, 200)
    at = rng.randrange(len(text) + 1)
    return text[:at] + other[a:b] + text[at:]


def drop_line(text: str, other: str, rng: random.Random) -> str:
    lines = text.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def join_lines(text: str, other: str, rng: random.Random) -> str:
    ends = [i for i, c in enumerate(text) if c == "\n"]
    if not ends:
        return text
    at = rng.choice(ends)
    return text[:at] + " " + text[at + 1 :]


MUTATIONS = (delete, insert, replace, repeat, nest, move, splice, drop_line, join_lines)


def examine(text: str) -> tuple[int, float]:
    """Parse a text; if it is right, format it both ways and parse that.  The number of diagnostics, and seconds."""
    source = Source("fuzz.pde", text)
    start = time.process_time()
    spec, diagnostics = parse(source)
    seconds = time.process_time() - start
    for diagnostic in diagnostics:
        assert diagnostic.code.startswith("PDE")
        assert diagnostic.span is not None
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
    if not has_errors(diagnostics):
        for ascii in (False, True):
            written = format_text(source, ascii=ascii)
            again, found = parse(Source("fuzz.pde", written))
            assert again == spec and not has_errors(found), f"another tree after formatting, ascii={ascii}"
            assert format_text(Source("fuzz.pde", written), ascii=ascii) == written, f"not idempotent, ascii={ascii}"
    return len(diagnostics), seconds
