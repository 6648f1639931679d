"""How tightly notation holds together, and how names and relations are spelt.

Each node has a level, from `SUM` (loose) to `APPLIED` (tight), the grammar's own; written where a higher level is asked
for, it needs brackets.  A level depends on the spelling: `Δu` is a prefix and its operand, `lap(u)` a call.
"""

from __future__ import annotations

from dataclasses import dataclass

from pdespec.syntax import ast
from pdespec.syntax.ast import Expr
from pdespec.syntax.names import split_coordinates, unicode_spelling

ARROW, SUM, PRODUCT, CHAIN, COMPOSITION, PREFIX, POWER, POSTFIX, APPLIED = range(9)

SIGNS = {"dot": "·", "cross": "×", "union": "∪", "minus": "\\", "intersection": "∩", "compose": "∘"}
"""Operators with a sign in Unicode and a word in ASCII, the word being their name in the tree."""

PREFIXES = {"grad": "∇", "div": "∇·", "curl": "∇×", "lap": "Δ"}
"""Differential operators with a sign of their own; `hess` has none."""

_GLYPHS = {"<=": "≤", ">=": "≥", "!=": "≠", "in": "∈", "->": "→"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text.  `at` is where it was read (−1: nowhere); a line may end after it if `breaks`; a piece with a `tag`
    may be aligned with its like in the lines around."""

    text: str
    at: int = -1
    breaks: bool = False
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How to write: in ASCII or Unicode, and which of `≤ ≥ ≠ ∈ →` the author uses."""

    ascii: bool = False
    glyphs: frozenset[str] = frozenset()
    coordinates: frozenset[str] = frozenset()

    def relation(self, op: str) -> str:
        """`<=`, or `≤` for an author who writes it."""
        glyph = _GLYPHS.get(op, op)
        return glyph if not self.ascii and glyph in self.glyphs else op

    def name(self, name: ast.Name) -> str:
        """A name as it is shown."""
        if self.ascii:
            return name.id
        text = unicode_spelling(name.id) if name.shown.isascii() else name.shown
        return name.id if len(text) > 1 and text[0] == "δ" and text[1].isalpha() else text

    def coordinate(self, identifier: str) -> str:
        """A coordinate as it is shown."""
        return identifier if self.ascii else unicode_spelling(identifier)

    def run(self, coordinates: tuple[str, ...]) -> str | None:
        """What stands after ∂, or nothing if only `diff(u, x1, x2)` can say it."""
        text = "".join(self.coordinate(c) for c in coordinates)
        readable = text[:1].islower() and not (text == "n" and "n" not in self.coordinates)
        return text if readable and split_coordinates(text, self.coordinates) == coordinates else None


def level_of(node: Expr, spelling: Spelling) -> int:
    """How tightly a node's text holds together."""
    match node:
        case ast.Arrow() | ast.Compare():
            return ARROW
        case ast.Unary():
            return SUM
        case ast.Binder():
            return PRODUCT
        case ast.Num():
            return POSTFIX
        case ast.Binary():
            return binary_level(node, spelling)
        case ast.Integral() if not spelling.ascii:
            return PREFIX
        case ast.NormalDerivative() if not spelling.ascii:
            return PREFIX
        case ast.Partial() if not spelling.ascii and spelling.run(node.coordinates):
            return PREFIX
        case ast.Differential() if not spelling.ascii and node.op in PREFIXES:
            return PREFIX
        case _:
            return APPLIED


def binary_level(node: ast.Binary, spelling: Spelling) -> int:
    if node.op == "^":
        return POWER
    if spelling.ascii and node.op in SIGNS:
        return APPLIED
    if node.op in ("+", "-", "union", "minus"):
        return SUM
    if node.op == "compose":
        return COMPOSITION
    return PRODUCT if isinstance(node.right, ast.Binder) else CHAIN
