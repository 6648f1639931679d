"""Which global names a piece of Python uses, by the language's own scoping rules (`symtable`).

Names in annotations are counted too: under `from __future__ import annotations` they are not evaluated, but a reader
and a type checker look them up.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator


def global_names(text: str) -> set[str]:
    """The names that the text looks up in the module's scope (or among the builtins), those that it binds included."""
    return _looked_up(symtable.symtable(text, "<emitted>", "exec")) | _annotations(ast.parse(text))


def _looked_up(table: symtable.SymbolTable) -> set[str]:
    module = table.get_type() == "module"
    own = {s.get_name() for s in table.get_symbols() if module or _is_global(s)}
    return own.union(*(_looked_up(child) for child in table.get_children()))


def _is_global(symbol: symtable.Symbol) -> bool:
    """Whether a function looks a name up outside: symtable takes the locals of a function called `top` for global."""
    return symbol.is_declared_global() or (symbol.is_global() and not symbol.is_local())


def _annotations(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        parts: list[ast.expr | None] = []
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts.append(node.returns)
        elif isinstance(node, (ast.arg, ast.AnnAssign)):
            parts.append(node.annotation)
        found |= {n.id for part in parts if part for n in ast.walk(part) if isinstance(n, ast.Name)}
    return found


def own_names(text: str, users: frozenset[str]) -> frozenset[str]:
    """What a script binds where users' names are in use: at its top, and in every function that has one of them."""
    top = symtable.symtable(text, "<emitted>", "exec")
    found = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    for chain in _functions(top, ()):
        if users & set(chain[-1].get_identifiers()):
            found |= {s.get_name() for table in chain for s in table.get_symbols() if s.is_local()}
    return frozenset(found - users)


def _functions(
    table: symtable.SymbolTable, outer: tuple[symtable.SymbolTable, ...]
) -> Iterator[tuple[symtable.SymbolTable, ...]]:
    """Each function with those around it, the innermost last."""
    for child in table.get_children():
        chain = (*outer, child) if child.get_type() == "function" else outer
        if chain is not outer:
            yield chain
        yield from _functions(child, chain)


def bound_names(tree: ast.Module) -> dict[str, ast.stmt]:
    """The names that the top level of a module binds, each with its statement: definitions, assignments and imports."""
    bound: dict[str, ast.stmt] = {}
    for statement in tree.body:
        for name in _targets(statement):
            bound[name] = statement
    return bound


def _targets(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.split(".")[0] for alias in statement.names]
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.For, ast.With, ast.If, ast.Try)):
        return [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return []
