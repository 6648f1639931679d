"""What the tests here share: a small spec, its diagnostics, and what an emitted script holds outside its strings."""

from __future__ import annotations

import ast
import io
import symtable
import tokenize
from collections.abc import Iterator
from pathlib import Path

from pdespec.compiler import Compiled, compile
from pdespec.source import Source

SMALL = """\
domain X(x) = [0, 1]
param κ = 1
unknown u : X -> R
f := {}
bulk: -∂xx u + κ*u = f on X
wall: u = 0 on ∂X
solve bulk, wall
report u(0.5) < 1
"""


def small(f: str = "1", more: str = "") -> str:
    """A boundary value problem on a line with a right side, and more statements."""
    return SMALL.replace("{}", f) + more


def compiled(text: str, name: str = "hostile.pde", folder: Path | None = None) -> Compiled:
    return compile(Source(name, text), folder=folder, seconds=5)


def codes(text: str, **more: object) -> set[str]:
    """The codes of the errors."""
    found = compiled(text, **more).diagnostics  # type: ignore[arg-type]
    return {d.code for d in found if d.severity.value == "error"}


def script(text: str, **more: object) -> str:
    source = compiled(text, **more).require().source  # type: ignore[arg-type]
    assert source is not None
    return source


def skeleton(source: str) -> str:
    """The syntax tree of a script with every text in it made the same: what is left is code."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def outside_of_texts(source: str) -> str:
    """The tokens of a script that are neither strings nor comments."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return " ".join(t.string for t in tokens if t.type not in (tokenize.STRING, tokenize.COMMENT))


def functions(source: str) -> Iterator[tuple[str, tuple[symtable.SymbolTable, ...]]]:
    """Each function by its path, and the scopes of it and of the functions around it, the innermost first."""

    def below(table: symtable.SymbolTable, path: str, outer: tuple[symtable.SymbolTable, ...]) -> Iterator[object]:
        for number, child in enumerate(table.get_children()):
            here = f"{path}/{child.get_name()}.{number}"
            chain = (child, *outer) if child.get_type() == "function" else outer
            if child.get_type() == "function":
                yield here, chain
            yield from below(child, here, chain)

    yield from below(symtable.symtable(source, "<script>", "exec"), "", ())  # type: ignore[misc]


def bound_at_top(source: str) -> list[str]:
    """Every name that the top of a script binds, as often as it does."""
    found: list[str] = []
    for statement in ast.parse(source).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            found.append(statement.name)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            found += [alias.asname or alias.name.split(".")[0] for alias in statement.names]
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            found += [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return found
