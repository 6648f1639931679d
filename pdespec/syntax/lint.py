"""Warnings about notation that reads two ways.

`Δu^2` is Δ(u²) here and (Δu)² to some readers; `max[a in A] r + w` is (max r) + w even where w depends on a.
Brackets settle both; as the tree does not keep them, the text is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from pdespec.diagnostics import Diagnostic, warning
from pdespec.syntax import ast
from pdespec.syntax.ast import Node, walk


def lint(statement: Node) -> tuple[Diagnostic, ...]:
    """The warnings about one statement, in the order of its text."""
    return tuple(found for node in walk(statement) for found in (*_power(node), *_reach(node)))


def _power(node: Node) -> Iterator[Diagnostic]:
    """A derivative directly before a power."""
    if not isinstance(node, ast.Differential | ast.Partial | ast.NormalDerivative):
        return
    operand = node.operand
    if not isinstance(operand, ast.Binary) or operand.op != "^":
        return
    source = node.span.source.text
    operator = source[node.span.start : operand.span.start]
    if node.span.end == operand.span.end and "(" not in operator and "[" not in operator:
        operator, base = operator.strip(), operand.left.span.text
        gap = " " if operator.startswith("∂") else ""
        power = source[operand.left.span.end : operand.span.end].strip()
        message = f"`{node.span.text}` is read as {operator}{gap.strip()}({base}{power})"
        hint = f"write `{operator}{gap}({base}{power})` or `({operator}{gap}{base}){power}`"
        yield warning("PDE020", node.span, message, hint=hint)


def _reach(node: Node) -> Iterator[Diagnostic]:
    """A name bound in a sum's left term and used in its right one."""
    if not isinstance(node, ast.Binary) or node.op not in ("+", "-"):
        return
    source = node.span.source.text
    binder = _last_factor(node.left)
    if binder is None or ")" in source[binder.span.end : node.right.span.start]:
        return
    bound = {name.id: name for binding in binder.bindings for name in binding.names}
    used = next((n for n in walk(node.right) if isinstance(n, ast.Name) and n.id in bound), None)
    if used is not None and not _rebinds(node.right, used.id):
        name = used.shown or used.id
        message = f"`{name}` is bound on the left of `{node.op}` and used on its right, where it is not bound"
        hint = "a binder takes one product; put its whole body in brackets"
        yield warning("PDE021", used.span, message, hint=hint)


def _last_factor(node: ast.Expr) -> ast.Binder | None:
    """The binder that ends a term, if one does."""
    while True:
        if isinstance(node, ast.Binder):
            return node
        if isinstance(node, ast.Unary):
            node = node.operand
        elif isinstance(node, ast.Binary) and node.op not in ("^", "compose"):
            node = node.right
        else:
            return None


def _rebinds(node: Node, identifier: str) -> bool:
    """Whether something below binds the name again (then its use may be its own)."""
    for inner in walk(node):
        if isinstance(inner, ast.Binding) and any(n.id == identifier for n in inner.names):
            return True
        if isinstance(inner, ast.Integral) and any(n.id == identifier for n in inner.variables):
            return True
    return False
