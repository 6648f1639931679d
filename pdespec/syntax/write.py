"""Syntax tree into text: the least brackets that give the same tree back, in Unicode or in ASCII.

A node below the level that its place asks for is put in brackets.  The text comes as pieces that know where a line may
break after them and where they were read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pdespec.syntax import ast, write_calculus
from pdespec.syntax.ast import Expr, Node
from pdespec.syntax.notation import (
    APPLIED,
    ARROW,
    CHAIN,
    COMPOSITION,
    POSTFIX,
    POWER,
    PREFIX,
    PRODUCT,
    SIGNS,
    SUM,
    Piece,
    Spelling,
    binary_level,
    level_of,
)
from pdespec.syntax.write_calculus import start

_SIGNS_IN_TEXT = frozenset("+-−*∗/·⋅×∪\\∖∩∘")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def show(node: Expr, ascii: bool = False, coordinates: frozenset[str] = frozenset()) -> str:
    """One expression as text, in one line."""
    writer = Writer(Spelling(ascii, coordinates=coordinates))
    writer.put(node, ARROW)
    return writer.text()


@dataclass(slots=True)
class Writer:
    """Collects the pieces of one statement."""

    spelling: Spelling
    pieces: list[Piece] = field(default_factory=list)

    def inner(self) -> Writer:
        """Another one, for a part whose text decides how it is written."""
        return Writer(self.spelling)

    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def add(self, text: str, at: int = -1, breaks: bool = False, tag: str = "") -> None:
        self.pieces.append(Piece(text, at, breaks, tag))

    def close(self, text: str, node: Node) -> None:
        """A closing bracket of the node's own."""
        end = node.span.end - 1
        self.add(text, end if node.span.source.text[end : end + 1] == text else -1)

    def put(self, node: Expr, level: int) -> None:
        """The node, in brackets if it is looser than its place."""
        if level_of(node, self.spelling) < level:
            self.add("(", breaks=True)
            _WRITE[type(node)](self, node)
            self.add(")")
        else:
            _WRITE[type(node)](self, node)

    def list(self, items: Sequence[Expr], level: int = SUM) -> None:
        for i, item in enumerate(items):
            if i:
                self.add(", ", breaks=True)
            self.put(item, level)

    def bracket(self, opening: str, items: Sequence[Expr], closing: str, node: Node) -> None:
        self.add(opening, breaks=True)
        self.list(items)
        self.close(closing, node)

    def word(self, word: str, items: Sequence[Expr], node: Node) -> None:
        """`word(items)`."""
        self.add(word, node.span.start if node.span.source.text else -1)
        self.bracket("(", items, ")", node)

    def pattern(self, names: Sequence[ast.Name]) -> None:
        """`x` or `(x, s)`."""
        self.put(names[0], SUM) if len(names) == 1 else self.bracket("(", names, ")", names[-1])


# ── leaves and operators ────────────────────────────────────────────────────────────────────────────────────────────


def _num(writer: Writer, node: ast.Num) -> None:
    text = node.text
    if not text:
        n, d = node.value.numerator, node.value.denominator
        text = str(n) if d == 1 else _decimal(n, d)
    writer.add(text, start(node))


def _decimal(numerator: int, denominator: int) -> str:
    """A fraction whose denominator divides a power of ten, in decimals."""
    places = 0
    while 10**places % denominator and places <= 400:
        places += 1
    digits = str(numerator * 10**places // denominator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def _str(writer: Writer, node: ast.Str) -> None:
    writer.add(f'"{node.value}"', start(node))


def _name(writer: Writer, node: ast.Name) -> None:
    writer.add(writer.spelling.name(node), start(node))


def _unary(writer: Writer, node: ast.Unary) -> None:
    writer.add(node.op, start(node))
    writer.put(node.operand, PRODUCT)


def _binary(writer: Writer, node: ast.Binary) -> None:
    if node.op == "^":
        _power(writer, node)
        return
    if writer.spelling.ascii and node.op in SIGNS:
        writer.word(node.op, _flat(node), node)
        return
    level = binary_level(node, writer.spelling)
    left, right = {SUM: (SUM, PRODUCT), COMPOSITION: (COMPOSITION, PREFIX)}.get(level, (CHAIN, COMPOSITION))
    writer.put(node.left, left)
    sign = SIGNS.get(node.op, node.op)
    spaced = level == SUM or _spaced(node)
    writer.add(f" {sign} " if spaced else sign, breaks=spaced)
    writer.put(node.right, PRODUCT if isinstance(node.right, ast.Binder) and level != COMPOSITION else right)


def _flat(node: ast.Binary) -> list[Expr]:
    """The operands of `a × b × c`, which one word takes together."""
    operands: list[Expr] = [node.right]
    left = node.left
    while isinstance(left, ast.Binary) and left.op == node.op:
        operands.append(left.right)
        left = left.left
    return [left, *reversed(operands)]


def _spaced(node: ast.Binary) -> bool:
    """Whether the author put space around a product's sign; `*` and `/` have none otherwise."""
    gap = node.span.source.text[node.left.span.end : node.right.span.start]
    at = next((i for i, c in enumerate(gap) if c in _SIGNS_IN_TEXT), -1)
    if at < 0 or node.op not in ("*", "/"):
        return node.op not in ("*", "/")
    return gap[at + 1 : at + 2].isspace() or (at > 0 and gap[at - 1].isspace())


def _power(writer: Writer, node: ast.Binary) -> None:
    writer.put(node.left, POSTFIX)
    exponent = node.right
    sign = ""
    if isinstance(exponent, ast.Unary) and exponent.op == "-":
        sign, exponent = "-", exponent.operand
    whole = isinstance(exponent, ast.Num) and (exponent.text or str(exponent.value)).isdecimal()
    if whole and isinstance(exponent, ast.Num) and not writer.spelling.ascii and not _is_set(node.left):
        writer.add((sign + (exponent.text or str(exponent.value))).translate(_SUPERSCRIPT), start(exponent))
        return
    writer.add("^")
    _exponent(writer, node.right)


def _exponent(writer: Writer, node: Expr) -> None:
    """`x^-a`, and `x^(-1/3)` where more than one factor has the sign."""
    inner = node
    while isinstance(inner, ast.Unary):
        inner = inner.operand
    if level_of(inner, writer.spelling) >= POWER:
        while isinstance(node, ast.Unary):
            writer.add(node.op)
            node = node.operand
    writer.put(node, POWER)


def _is_set(node: Expr) -> bool:
    """Sets keep `^`: R^2, [0, 1]^2."""
    return isinstance(node, ast.Interval | ast.SetLiteral) or node in (ast.Name("R"), ast.Name("C"))


def _compare(writer: Writer, node: ast.Compare) -> None:
    writer.put(node.left, SUM)
    writer.add(f" {writer.spelling.relation(node.op)} ", breaks=True)
    writer.put(node.right, SUM)


def _arrow(writer: Writer, node: ast.Arrow) -> None:
    writer.put(node.source, SUM)
    writer.add(f" {writer.spelling.relation('->')} ", breaks=True)
    writer.put(node.target, ARROW)


# ── brackets and calls ──────────────────────────────────────────────────────────────────────────────────────────────


def _tuple(writer: Writer, node: ast.Tuple) -> None:
    writer.bracket("(", node.items, ")", node)


def _interval(writer: Writer, node: ast.Interval) -> None:
    writer.bracket("[", (node.low, node.high), "]", node)


def _finite_set(writer: Writer, node: ast.SetLiteral) -> None:
    writer.bracket("{", node.items, "}", node)


def _range(writer: Writer, node: ast.Range) -> None:
    writer.add("{", breaks=True)
    writer.list([node.first] if node.second is None else [node.first, node.second])
    writer.add(" .. ", breaks=True)
    writer.put(node.last, SUM)
    writer.close("}", node)


def _comprehension(writer: Writer, node: ast.Comprehension) -> None:
    writer.add("{", breaks=True)
    writer.pattern(node.names)
    writer.add(f" {writer.spelling.relation('in')} ", breaks=True)
    writer.put(node.set, SUM)
    writer.add(" : ", breaks=True)
    writer.put(node.conditions[0], ARROW)
    for before, condition in pairwise(node.conditions):
        chained = isinstance(before, ast.Compare) and isinstance(condition, ast.Compare)
        if chained and before.right is condition.left:  # type: ignore[attr-defined]
            writer.add(f" {writer.spelling.relation(condition.op)} ", breaks=True)  # type: ignore[attr-defined]
            writer.put(condition.right, SUM)  # type: ignore[attr-defined]
        else:
            writer.add(", ", breaks=True)
            writer.put(condition, ARROW)
    writer.close("}", node)


def _abs(writer: Writer, node: ast.Abs) -> None:
    writer.add("|")
    writer.put(node.operand, APPLIED + 1 if isinstance(node.operand, ast.Abs) else SUM)
    writer.add("|")


def _norm(writer: Writer, node: ast.Norm) -> None:
    if writer.spelling.ascii or node.options:
        _call(writer, ast.Call(ast.Name("norm"), (node.operand,), node.options, span=node.span))
        return
    writer.add("‖")
    writer.put(node.operand, SUM)
    writer.add("‖")


def _rows(writer: Writer, node: ast.Rows) -> None:
    writer.word("rows", node.rows, node)


def _boundary(writer: Writer, node: ast.Boundary) -> None:
    if writer.spelling.ascii:
        writer.word("boundary", (node.set,), node)
    elif isinstance(node.set, ast.Name) and writer.spelling.name(node.set)[0].isupper():
        writer.add("∂")
        writer.put(node.set, APPLIED)
    else:
        writer.bracket("∂(", (node.set,), ")", node)


def _call(writer: Writer, node: ast.Call) -> None:
    writer.put(node.function, APPLIED)
    writer.add("(", breaks=True)
    writer.list(node.arguments, ARROW)
    for i, option in enumerate(node.options):
        if i or node.arguments:
            writer.add(", " if i else "; ", breaks=True)
        _option(writer, option, bare=bool(node.arguments))
    writer.close(")", node)


def _option(writer: Writer, option: ast.Option, bare: bool) -> None:
    writer.put(option.name, APPLIED)
    if not (bare and not option.law and option.value == option.name):
        writer.add(" ~ " if option.law else "=", breaks=option.law)
        writer.put(option.value, SUM if option.law else ARROW)


def _index(writer: Writer, node: ast.Index) -> None:
    writer.put(node.base, APPLIED)
    writer.bracket("[", node.indices, "]", node)


_WRITE: dict[type[Expr], Callable[[Writer, Any], None]] = {
    ast.Num: _num,
    ast.Str: _str,
    ast.Name: _name,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Compare: _compare,
    ast.Arrow: _arrow,
    ast.Tuple: _tuple,
    ast.Interval: _interval,
    ast.SetLiteral: _finite_set,
    ast.Range: _range,
    ast.Comprehension: _comprehension,
    ast.Abs: _abs,
    ast.Norm: _norm,
    ast.Rows: _rows,
    ast.Boundary: _boundary,
    ast.Call: _call,
    ast.Index: _index,
    ast.Partial: write_calculus.partial,
    ast.NormalDerivative: write_calculus.normal_derivative,
    ast.Differential: write_calculus.differential,
    ast.Variation: write_calculus.variation,
    ast.Integral: write_calculus.integral,
    ast.Binder: write_calculus.binder,
    ast.Braket: write_calculus.braket,
}
