"""Derivatives, integrals, sums and brackets as text: ∂xx u, ∫[x in X] f dx, ∑[i in 1..n], ⟨f|A|g⟩, or ASCII words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdespec.syntax import ast
from pdespec.syntax.ast import Node
from pdespec.syntax.notation import APPLIED, PREFIX, PREFIXES, PRODUCT, SUM

if TYPE_CHECKING:
    from pdespec.syntax.write import Writer

_BINDER = {"sum": "∑", "prod": "∏", "mean": "𝔼"}
_INTEGRAL = {1: "∫", 2: "∬", 3: "∭"}


def start(node: Node) -> int:
    """Where a node was read, -1 for one that was made."""
    return node.span.start if node.span.source.text else -1


def partial(writer: Writer, node: ast.Partial) -> None:
    """∂xy u, or diff(u, x, y)."""
    run = writer.spelling.run(node.coordinates)
    if writer.spelling.ascii or run is None:
        names = tuple(ast.Name(c) for c in node.coordinates)
        writer.word("diff", (node.operand, *names), node)
    else:
        writer.add(f"∂{run} ", start(node))
        writer.put(node.operand, PREFIX)


def normal_derivative(writer: Writer, node: ast.NormalDerivative) -> None:
    """∂n u, or diff(u, n)."""
    if writer.spelling.ascii:
        writer.word("diff", (node.operand, ast.Name("n")), node)
    else:
        writer.add("∂n ", start(node))
        writer.put(node.operand, PREFIX)


def differential(writer: Writer, node: ast.Differential) -> None:
    """∇u, ∇·v, ∇×v, Δu, or their words."""
    if writer.spelling.ascii or node.op not in PREFIXES:
        writer.word(node.op, (node.operand,), node)
    else:
        writer.add(PREFIXES[node.op], start(node))
        writer.put(node.operand, PREFIX)


def variation(writer: Writer, node: ast.Variation) -> None:
    """δE/δu, or variation(E, u)."""
    called = node.functional.function if isinstance(node.functional, ast.Call) else node.functional
    if not writer.spelling.ascii and isinstance(called, ast.Name):
        inner = writer.inner()
        inner.put(node.functional, APPLIED)
        if _depth(inner.text()) <= 2:
            field = writer.spelling.name(node.field)
            writer.add(f"δ{inner.text()}/δ{field}", start(node))
            return
    writer.word("variation", (node.functional, node.field), node)


def _depth(text: str) -> int:
    depth = deepest = 0
    for c in text:
        depth += (c == "(") - (c == ")")
        deepest = max(deepest, depth)
    return deepest


def integral(writer: Writer, node: ast.Integral) -> None:
    """∫[x in X] f dx, or integral[x in X](f)."""
    if writer.spelling.ascii:
        _integral_word(writer, node)
        return
    writer.add(_INTEGRAL.get(len(node.variables), "∫"), start(node))
    if node.region is not None:
        writer.add("[", breaks=True)
        writer.pattern(node.variables)
        writer.add(f" {writer.spelling.relation('in')} ")
        writer.put(node.region, SUM)
        writer.add("] ")
    else:
        writer.add(" ")
    inner = writer.inner()
    inner.put(node.body, SUM)
    nested = inner.pieces[-1].tag == "measure"
    if nested:
        writer.add("(", breaks=True)
    writer.pieces.extend(inner.pieces)
    if nested:
        writer.add(")")
    names = " ".join(f"d{writer.spelling.name(name)}" for name in node.variables)
    writer.add(f" {names}", tag="measure")


def _integral_word(writer: Writer, node: ast.Integral) -> None:
    writer.add("integral[", start(node), breaks=True)
    if node.region is None:
        writer.list(node.variables)
    else:
        writer.pattern(node.variables)
        writer.add(f" {writer.spelling.relation('in')} ")
        writer.put(node.region, SUM)
    writer.add("]")
    writer.bracket("(", (node.body,), ")", node)


def binder(writer: Writer, node: ast.Binder) -> None:
    """∑[i in 1..n] f, and likewise ∏, 𝔼, max."""
    kind = node.kind if writer.spelling.ascii else _BINDER.get(node.kind, node.kind)
    writer.add(f"{kind}[", start(node), breaks=True)
    for i, binding in enumerate(node.bindings):
        if i:
            writer.add(", ", breaks=True)
        _bound(writer, binding)
    writer.add("] ")
    writer.put(node.body, PRODUCT)


def _bound(writer: Writer, node: ast.Binding) -> None:
    """x in X, x ~ μ, i < j."""
    if node.relation in ("<", "!="):
        writer.put(node.names[0], SUM)
        writer.add(f" {writer.spelling.relation(node.relation)} ")
        writer.put(node.names[1], SUM)
        return
    writer.pattern(node.names)
    if node.domain is None:
        return
    writer.add(f" {writer.spelling.relation(node.relation)} ")
    domain = node.domain
    if node.relation == "in" and isinstance(domain, ast.Range) and domain.second is None:
        simple = isinstance(domain.first, ast.Num | ast.Name) and isinstance(domain.last, ast.Name | ast.Num)
        decimal = isinstance(domain.last, ast.Num) and domain.last.text.startswith(".")
        writer.put(domain.first, SUM)
        writer.add(".." if simple and not decimal else " .. ")
        writer.put(domain.last, SUM)
    else:
        writer.put(domain, SUM)


def braket(writer: Writer, node: ast.Braket) -> None:
    """⟨f|A|g⟩, or braket(f, A, g)."""
    parts = [part for part in (node.bra, node.operator, node.ket) if part is not None]
    if writer.spelling.ascii:
        writer.word("braket", parts, node)
        return
    writer.add("⟨")
    for i, part in enumerate(parts):
        if i:
            writer.add("|")
        writer.put(part, APPLIED + 1 if isinstance(part, ast.Abs) else SUM)
    writer.add("⟩")
