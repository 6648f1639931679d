"""The parser: LALR(1) tables computed from `grammar/pde.lark`, kept beside it as JSON.

Computing the tables takes several tenths of a second, reading them a hundredth.  The file names the grammar's SHA-256
and Lark's version; where either differs the tables are computed anew.  `tables.write()` rewrites it.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from pdespec.syntax.resources import grammar_path

TABLES = "pde.tables.json"


def compute(strict: bool = False) -> lark.Lark:
    """The parser from the grammar's text; `strict` refuses conflicts and terminals that overlap (needs interegular)."""
    text = grammar_path().read_text(encoding="utf-8")
    return lark.Lark(
        text, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=True, strict=strict
    )


@cache
def parser() -> lark.Lark:
    """The parser, from the stored tables if they belong to this grammar and this Lark."""
    path = grammar_path(TABLES)
    if path.is_file():
        stored = json.loads(path.read_text(encoding="utf-8"), object_hook=_integer_keys)
        if stored["stamp"] == stamp():
            read: lark.Lark = lark.Lark._load_from_dict(stored["data"], stored["memo"])  # type: ignore[no-untyped-call]
            return read
    return compute()


def stamp() -> str:
    """What the stored tables must agree with."""
    digest = hashlib.sha256(grammar_path().read_bytes()).hexdigest()
    return f"lark {lark.__version__}, grammar {digest}"


def write() -> None:
    """Compute the tables and store them."""
    data, memo = compute().memo_serialize([TerminalDef, Rule])
    text = json.dumps({"stamp": stamp(), "data": data, "memo": memo}, separators=(",", ":"), ensure_ascii=True)
    grammar_path(TABLES).write_text(text + "\n", encoding="utf-8")


def _integer_keys(pairs: dict[str, Any]) -> dict[Any, Any]:
    """JSON turns the states' numbers into texts; turn them back."""
    return {int(key) if key.isdigit() else key: value for key, value in pairs.items()}
