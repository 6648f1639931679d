"""Calls that occur several times in the text of an expression, each computed once under a name.

    kernel = K_matrix(theta, theta)
    return kernel @ grad_L(theta) / len(theta) - …
Two pieces of text are the same if they parse to the same tree; the longest that repeats goes first, then those inside.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator

from pdespec.emit.layout import statement
from pdespec.emit.names import Namespace

Assignments = list[tuple[str, str]]

WORTH = 20
"""Characters from which a repeated piece gets a name."""


def mentions(text: str, name: str) -> bool:
    """Whether an expression uses a name."""
    return name in names(text)


def live_lines(lines: list[str], result: str) -> list[str]:
    """The assignments `a, b = …` that a result needs, in order."""
    kept: list[str] = []
    wanted = names(result)
    for line in reversed(lines):
        targets, _, value = line.partition(" = ")
        if wanted & names(targets):
            kept.insert(0, line)
            wanted |= names(value)
    return kept


def names(text: str) -> set[str]:
    """The names in an expression."""
    return {n.id for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, ast.Name)}


def returned(text: str, scope: Namespace, indent: int = 4) -> str:
    """The end of a function: what occurs several times under names, then the return."""
    assignments, last = share_calls(text, scope.inner().fresh)
    lines = [statement(f"{name} =", value, indent) for name, value in assignments]
    return "\n".join([*lines, statement("return", last, indent)])


def share_calls(text: str, fresh: Callable[[str], str]) -> tuple[Assignments, str]:
    """(name, text) of what is named, in order, and the text that uses them; `fresh` makes an identifier of a hint."""
    texts = [("", text)]
    while (found := _repeated([t for _, t in texts])) is not None:
        name = fresh(_hint(found))
        first = next(k for k, (_, t) in enumerate(texts) if any(_same(n, found) for n in _calls(t)))
        shared = next(ast.unparse(n) for n in _calls(texts[first][1]) if _same(n, found))
        texts = [(n, _replaced(t, found, name)) for n, t in texts]
        texts.insert(first, (name, shared))
    *assignments, (_, last) = texts
    return assignments, last


def _repeated(texts: list[str]) -> ast.expr | None:
    """The longest call that occurs at least twice."""
    counts: Counter[str] = Counter()
    nodes: dict[str, ast.expr] = {}
    for text in texts:
        for node in _calls(text):
            key = ast.dump(node)
            counts[key] += 1
            nodes.setdefault(key, node)
    repeated = [nodes[key] for key, times in counts.items() if times > 1 and len(ast.unparse(nodes[key])) >= WORTH]
    return max(repeated, key=lambda n: (len(ast.unparse(n)), -n.col_offset), default=None)


def _calls(text: str) -> Iterator[ast.expr]:
    """The calls of an expression that stand outside of functions and comprehensions, the outer ones first."""
    open_: list[ast.AST] = [ast.parse(text, mode="eval").body]
    while open_:
        node = open_.pop(0)
        if isinstance(node, (ast.Lambda, ast.GeneratorExp, ast.ListComp)):
            continue
        if isinstance(node, ast.Call) and not _is_length(node):
            yield node
        open_ += list(ast.iter_child_nodes(node))


def _is_length(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "len"


def _same(a: ast.expr, b: ast.expr) -> bool:
    return ast.dump(a) == ast.dump(b)


def _replaced(text: str, found: ast.expr, name: str) -> str:
    """The text with every occurrence of a piece replaced."""
    raw = text.encode()
    places = sorted({(n.col_offset, n.end_col_offset or 0) for n in _calls(text) if _same(n, found)}, reverse=True)
    for start, end in places:
        raw = raw[:start] + name.encode() + raw[end:]
    return raw.decode()


def _hint(node: ast.expr) -> str:
    """What is called, and of what: `exp`, `L_theta`, `mean_x`, `weight_values`; a matrix of all pairs as `kernel`."""
    assert isinstance(node, ast.Call)
    function, of = node.func, [a.id for a in node.args if isinstance(a, ast.Name)]
    if isinstance(function, ast.Attribute):
        of = [function.value.id] if isinstance(function.value, ast.Name) and function.value.id != "torch" else of
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "part")
    if name.endswith("_matrix"):
        return "kernel"
    if len(of) == len(node.args):
        return "_".join([name, *dict.fromkeys(of)])
    return f"{name}_values" if isinstance(function, ast.Name) else name  # a local name must not hide the function
