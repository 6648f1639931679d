"""Any stage of the compilation as an indented tree: frozen dataclasses by their fields, one node a line.

Spans are printed as line:column; a node whose fields are all plain stands on one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from pdespec.source import Source, Span

INLINE = 60  # characters of a tuple that stands on its node's line

Named = tuple[str, object]


def tree(root: object, without: frozenset[str] = frozenset()) -> str:
    """The tree, a newline after each line; fields of the root in `without` are left out."""
    plain, nested = _parts(root)
    lines = [plain]
    for name, child in nested:
        if name not in without:
            lines += _lines(child, name, "  ")
    return "".join(line + "\n" for line in lines)


def _lines(node: object, label: str, indent: str) -> Iterator[str]:
    plain, nested = _parts(node)
    yield f"{indent}{label}: {plain}"
    for name, child in nested:
        yield from _lines(child, name, indent + "  ")


def _parts(node: object) -> tuple[str, list[Named]]:
    """A node's own line, and its children with the names they are shown under."""
    if is_dataclass(node) and not isinstance(node, type | Span | Source):
        own, nested = [], []
        for field in fields(node):
            value = getattr(node, field.name)
            if not field.repr:
                continue
            if _is_plain(value):
                own.append(f"{field.name}={_plain(value)}")
            else:
                nested.append((field.name, value))
        return f"{type(node).__name__}({', '.join(own)})", nested
    if isinstance(node, Mapping):
        return f"{{{len(node)}}}", [(_plain(key), value) for key, value in node.items()]
    if isinstance(node, tuple | list | frozenset | set):
        items = sorted(node, key=str) if isinstance(node, frozenset | set) else node
        return f"[{len(node)}]", [("-", item) for item in items]
    return _plain(node), []


def _is_plain(value: object) -> bool:
    if isinstance(value, Span | Source):
        return True
    if isinstance(value, tuple):
        return all(map(_is_plain, value)) and len(_plain(value)) <= INLINE
    if isinstance(value, list | frozenset | set | Mapping):
        return not value
    return not is_dataclass(value)


def _plain(value: object) -> str:
    if isinstance(value, Span):
        return f"{value.line}:{value.column}"
    if isinstance(value, Source):
        return value.name
    if isinstance(value, tuple):
        return f"({', '.join(map(_plain, value))})"
    if isinstance(value, Enum):
        return value.name
    return repr(value) if isinstance(value, str) else str(value)
