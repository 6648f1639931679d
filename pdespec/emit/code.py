"""A piece of Python text that knows how tightly it binds and whether its value is a tensor.

Precedence follows the Python reference, §6.17; a piece is put in parentheses exactly where its context binds tighter.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache


class Precedence(IntEnum):
    """From loosest to tightest."""

    CONDITIONAL = 0
    OR = 1
    AND = 2
    NOT = 3
    COMPARE = 4
    BIT_OR = 5
    BIT_AND = 6
    SUM = 7
    PRODUCT = 8
    SIGN = 9
    POWER = 10
    ATOM = 11


@dataclass(frozen=True, slots=True)
class Code:
    """Text, its precedence, and whether it is a tensor (else a Python number or truth value)."""

    text: str
    precedence: Precedence = Precedence.ATOM
    tensor: bool = False

    def within(self, context: Precedence) -> str:
        """The text, in parentheses where it binds more loosely than the context asks."""
        return self.text if self.precedence >= context else f"({self.text})"

    @property
    def operand(self) -> str:
        """The text as something that a method may be called on or an index applied to."""
        return self.within(Precedence.ATOM)


@lru_cache(maxsize=4096)
def precedence(text: str) -> Precedence:
    """How tightly a Python expression binds; a matrix product as a sum does, as `y * K @ w` is not `y * (K @ w)`."""
    node = ast.parse(text, mode="eval").body
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)):
        return Precedence.ATOM
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return Precedence.SIGN
    return _BINARY.get(type(node.op), Precedence.CONDITIONAL) if isinstance(node, ast.BinOp) else Precedence.CONDITIONAL


_BINARY: dict[type, Precedence] = {
    ast.Add: Precedence.SUM,
    ast.Sub: Precedence.SUM,
    ast.MatMult: Precedence.SUM,
    ast.Mult: Precedence.PRODUCT,
    ast.Div: Precedence.PRODUCT,
    ast.Pow: Precedence.POWER,
}
