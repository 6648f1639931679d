"""Derivatives as they are written elsewhere, `du/dt`, `u_xx`, `dx(u)`, `laplacian(u)`, and how they are written here.

Each is one finding, which covers all of its names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pdespec.diagnostics import Diagnostic, error
from pdespec.source import Span
from pdespec.syntax import ast
from pdespec.syntax.names import unicode_spelling

OPERATORS = {
    "laplacian": ("Δ", "lap"), "laplace": ("Δ", "lap"), "delta": ("Δ", "lap"), "del2": ("Δ", "lap"),
    "gradient": ("∇", "grad"), "nabla": ("∇", "grad"), "divergence": ("∇·", "div"), "hessian": ("hess", "hess"),
}  # fmt: skip
DERIVATIVES = ("d", "D", "deriv", "derivative", "partial", "pd", "Derivative")
QUOTIENT = re.compile(r"d(?P<order>[2-4]?)(?P<name>[^\W\d]\w*)")


@dataclass(frozen=True, slots=True)
class Declared:
    """The ids of all declared names, and of the coordinates among them."""

    names: frozenset[str]
    coordinates: frozenset[str]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What to say, and the names that it covers."""

    finding: Diagnostic
    covered: tuple[ast.Name, ...]


def written_elsewhere(node: ast.Node, declared: Declared) -> Elsewhere | None:
    """The finding where a node is a derivative in another notation."""
    if isinstance(node, ast.Binary) and node.op == "/":
        return _quotient(node, declared)
    if isinstance(node, ast.Call) and isinstance(node.function, ast.Name):
        return _call(node, node.function, declared)
    if isinstance(node, ast.Name) and node.id not in declared.names:
        return _subscript(node, declared)
    return None


def _quotient(node: ast.Binary, declared: Declared) -> Elsewhere | None:
    """`du/dx`, also after a factor, `d2u/dx2`, and `d/dx(u)`."""
    below = node.right.function if isinstance(node.right, ast.Call) else node.right
    above = node.left
    while isinstance(above, (ast.Binary, ast.Unary)):
        above = above.right if isinstance(above, ast.Binary) else above.operand
    if not isinstance(above, ast.Name) or not isinstance(below, ast.Name):
        return None
    if {above.id, below.id} & declared.names:
        return None
    by = re.fullmatch(r"d(?P<name>[^\W\d]+)(?P<order>[2-4]?)", below.id)
    of = QUOTIENT.fullmatch(above.id)
    if by is None or by["name"] not in declared.coordinates:
        return None
    order = int(by["order"] or 1)
    if above.id in ("d", "d2") and isinstance(node.right, ast.Call):
        operand = _short(", ".join(a.span.text for a in node.right.arguments))
    elif of is not None and of["name"] in declared.names and node.right is below:
        operand = unicode_spelling(of["name"])
    else:
        return None
    return _partial(Span(node.span.source, above.span.start, node.span.end), operand, by["name"], order, (above, below))


def _call(node: ast.Call, callee: ast.Name, declared: Declared) -> Elsewhere | None:
    """`laplacian(u)`, `dx(u)`, `D(u, x)`."""
    if callee.id in declared.names or not node.arguments or node.options:
        return None
    operand = _short(node.arguments[0].span.text)
    if callee.id in OPERATORS and len(node.arguments) == 1:
        sign, ascii_name = OPERATORS[callee.id]
        spelled = f"`{sign}{_tight(operand)}`, in ASCII " if sign != ascii_name else ""
        hint = f"it is written {spelled}`{ascii_name}({operand})`"
        return Elsewhere(error("PDE101", callee.span, f"unknown name `{callee.shown}`", hint=hint), (callee,))
    last = node.arguments[-1]
    if callee.id in DERIVATIVES and len(node.arguments) > 1 and isinstance(last, ast.Name):
        by = [a.id for a in node.arguments[1:] if isinstance(a, ast.Name)]
        return _partial(node.span, operand, by[0], len(by), (callee,)) if len(set(by)) == 1 else None
    short = re.fullmatch(r"[dD]_?(?P<name>[^\W\d_]+)", callee.id)
    found = _run(short["name"], declared) if short is not None and len(node.arguments) == 1 else None
    return None if found is None else _partial(node.span, operand, *found, (callee,))


def _subscript(node: ast.Name, declared: Declared) -> Elsewhere | None:
    """`u_t`, `u_xx`; `u'` and `u''` where one coordinate is all there is."""
    name, _, by = node.id.rpartition("_")
    if name in declared.names and (found := _run(by, declared)) is not None:
        return _partial(node.span, unicode_spelling(name), *found, (node,))
    name = node.id.rstrip("'")
    if name in declared.names and name != node.id:
        by = min(declared.coordinates - {"t"} or {"x"}, key=lambda c: (len(c), c))
        return _partial(node.span, unicode_spelling(name), by, len(node.id) - len(name), (node,))
    return None


def _run(text: str, declared: Declared) -> tuple[str, int] | None:
    """A coordinate and how often it stands: `xx` is x twice."""
    for order in (1, 2, 3, 4):
        name = text[: len(text) // order]
        if name in declared.coordinates and name * order == text:
            return name, order
    return None


def _partial(span: Span, operand: str, by: str, order: int, covered: tuple[ast.Name, ...]) -> Elsewhere:
    x = unicode_spelling(by)
    gap = "" if operand.startswith("(") else " "
    unicode = f"∂{x * order}{gap}{_tight(operand)}"
    hint = f"a derivative is written `{unicode}`, in ASCII `diff({operand}, {', '.join([x] * order)})`"
    message = f"`{_short(span.text)}` is no derivative here"
    return Elsewhere(error("PDE101", span, message, hint=hint), covered)


def _tight(operand: str) -> str:
    """An operand as a derivative's: a sum in brackets."""
    return operand if re.fullmatch(r"[\w'²³∂∇Δ·]+(\(.*\))?", operand) else f"({operand})"


def _short(text: str) -> str:
    return text if len(text) <= 40 else "…"
