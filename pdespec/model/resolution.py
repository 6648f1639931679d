"""Every name of a file is looked up before anything is elaborated, and every construct that is still to come is noted.

Both are static walks, so that all slips of a statement are found at once, each with the nearest name.  A construct that
is not supported is one finding, and nothing below it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from pdespec.diagnostics import Diagnostic, error
from pdespec.model.builtins import CONSTANTS, NOTIONS, SETS
from pdespec.model.derivatives_elsewhere import Declared, written_elsewhere
from pdespec.model.methods import FUNCTIONS_TO_COME, NETWORK_NAMES
from pdespec.model.names import nearest
from pdespec.syntax import ast
from pdespec.syntax.names import unicode_spelling

WORDS = frozenset(CONSTANTS) | frozenset(SETS) | {"C", "P", "n", "i", "rows", "stderr"}


def builtin_names() -> frozenset[str]:
    """The names of the language itself; those of networks and methods have their own places."""
    return frozenset(NOTIONS) | WORDS | FUNCTIONS_TO_COME


class Names:
    """The declared names, each with the words that say where it was declared."""

    def __init__(self, declared: dict[str, str], coordinates: frozenset[str] = frozenset()) -> None:
        self.declared = declared
        self.coordinates = coordinates

    def unknown(self, node: ast.Name) -> Diagnostic:
        meant = nearest(node.id, [*self.declared, *builtin_names()])
        place = self.declared.get(meant, "") if meant else ""
        shown = unicode_spelling(meant) if meant in ("pi",) else meant
        label = f"did you mean {place or f'`{shown}`'}?" if meant else ""
        return error("PDE101", node.span, f"unknown name `{node.shown}`", label=label)


def resolve(node: ast.Node, names: Names, bound: frozenset[str] = frozenset()) -> Iterator[Diagnostic]:
    """The unknown names and the unsupported constructs of an expression."""
    pending: list[tuple[ast.Node, frozenset[str]]] = [(node, bound)]
    known = frozenset(names.declared) | builtin_names()
    covered: set[int] = set()
    while pending:
        top, inner = pending.pop()
        callee = top.function if isinstance(top, ast.Call) else top
        elsewhere = (
            written_elsewhere(top, Declared(known | inner, names.coordinates)) if id(callee) not in covered else None
        )
        if elsewhere is not None:
            covered.update(map(id, elsewhere.covered))
            yield elsewhere.finding
        finding = _unsupported(top, names, inner)
        if finding is not None:
            yield finding
            continue
        if isinstance(top, ast.Name):
            if top.id not in inner and top.id not in known and id(top) not in covered:
                yield names.unknown(top)
            continue
        if isinstance(top, ast.Partial):
            for c in top.coordinates:
                if c not in inner and c not in names.declared:
                    yield _no_coordinate(c, top, names)
        pending.extend(reversed([(child, b) for child, b in _below(top, inner)]))


def _below(node: ast.Node, bound: frozenset[str]) -> Iterator[tuple[ast.Node, frozenset[str]]]:
    """The nodes below with the names that are bound there; names that bind, and names of options, are no uses."""
    if isinstance(node, ast.Integral):
        if node.region is not None:
            yield node.region, bound
        yield node.body, bound | {n.id for n in node.variables}
    elif isinstance(node, ast.Binder):
        inner = bound
        for binding in node.bindings:
            if binding.domain is not None:
                yield binding.domain, inner
            inner = inner | {n.id for n in binding.names}
        yield node.body, inner
    elif isinstance(node, ast.Comprehension):
        yield node.set, bound
        for condition in node.conditions:
            yield condition, bound | {n.id for n in node.names}
    elif isinstance(node, ast.Option):
        yield node.value, bound
    else:
        for child in ast.children(node):
            yield child, bound


def _no_coordinate(name: str, node: ast.Partial, names: Names) -> Diagnostic:
    shown = unicode_spelling(name)
    return error(
        "PDE111",
        node.span,
        f"`∂{shown}` differentiates by no declared coordinate",
        hint="after ∂ comes a coordinate of a domain",
    )


def _unsupported(node: ast.Node, names: Names, bound: frozenset[str]) -> Diagnostic | None:
    """The finding for a construct that cannot be compiled yet."""
    what = None
    if isinstance(node, ast.Binder) and node.kind not in ("sum", "prod", "mean"):
        what = f"`{node.kind}` over a set"
    elif isinstance(node, ast.Binary) and node.op == "compose":
        what = "composition of operators"
    elif isinstance(node, ast.Binary) and node.op == "intersection":
        what = "the intersection of sets"
    elif isinstance(node, ast.Call):
        return _unsupported_call(node, names, bound)
    elif isinstance(node, ast.Name) and node.id not in bound and node.id not in names.declared:
        what = {"i": "the imaginary unit", "C": "complex values"}.get(node.id)
    return (
        error("PDE961", node.span, f"{what} is not supported yet".replace("values is", "values are")) if what else None
    )


def _unsupported_call(node: ast.Call, names: Names, bound: frozenset[str]) -> Diagnostic | None:
    callee = node.function
    if isinstance(callee, ast.Index):
        callee = callee.base
    if isinstance(callee, ast.Name) and callee.id not in bound and callee.id not in names.declared:
        if callee.id in FUNCTIONS_TO_COME:
            return error("PDE961", callee.span, f"`{callee.shown}` is not supported yet")
        if callee.id in NETWORK_NAMES:
            return error(
                "PDE961", callee.span, f"a network outside an `ansatz` (`{callee.shown}`) is not supported yet"
            )
    return None


def networks(node: ast.Expr, names: Names, bound: frozenset[str] = frozenset()) -> Iterator[ast.Call]:
    """The calls of networks in an ansatz, outermost ones only."""
    pending: list[ast.Node] = [node]
    while pending:
        top = pending.pop()
        if isinstance(top, ast.Call) and isinstance(top.function, ast.Name) and is_network(top.function, names):
            yield top
            continue
        pending.extend(reversed(tuple(ast.children(top))))


def is_network(name: ast.Name, names: Names) -> bool:
    """Whether a name in an ansatz is that of a network, or a slip of one: nothing else has it."""
    return name.id in NETWORK_NAMES and name.id not in names.declared


def mentioned(node: ast.Node, definitions: dict[str, ast.Definition]) -> set[str]:
    """Every name that an expression rests on, through definitions."""
    found: set[str] = set()
    pending: list[ast.Node] = [node]
    while pending:
        for below in ast.walk(pending.pop()):
            if isinstance(below, ast.Name) and below.id not in found:
                found.add(below.id)
                if below.id in definitions:
                    pending.append(definitions[below.id].body)
    return found


def circular(definitions: dict[str, ast.Definition]) -> list[list[ast.Definition]]:
    """The circles of definitions that rest on each other, and with them what is defined by itself."""
    edges = {
        name: {n.id for n in ast.walk(d.body) if isinstance(n, ast.Name)}
        & set(definitions) - {f.id for group in d.formals for f in group}
        for name, d in definitions.items()
    }
    reached = {name: _reached(name, edges) for name in definitions}
    circles: list[list[ast.Definition]] = []
    seen: set[str] = set()
    for name in definitions:
        if name in reached[name] and name not in seen:
            circle = [other for other in definitions if other in reached[name] and name in reached[other]]
            seen.update(circle)
            circles.append([definitions[other] for other in circle])
    return circles


def _reached(name: str, edges: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    pending = list(edges[name])
    while pending:
        top = pending.pop()
        if top not in found:
            found.add(top)
            pending.extend(edges[top])
    return found
