"""Shared subexpressions as named temporaries, each computed once: `sin_x = torch.sin(math.pi * x)`.

A subexpression is worth a name if it occurs at least twice, is a tensor and calls an elementary function or takes a
real power; inside a temporary the earlier ones are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from sympy import Basic, Expr

from pdespec.emit.expression import Printer


def share(
    expressions: Sequence[Expr], printer: Printer, fresh: Callable[[str], str]
) -> tuple[list[tuple[str, str]], Printer]:
    """Temporaries (name, code) in the order of their definition, and the printer that uses them.

    `fresh` turns a hint such as `sin_x` into an identifier that is free in the scope.
    """
    counts: Counter[Basic] = Counter()
    seen: list[Basic] = []
    for expr in expressions:
        _count(expr, printer, counts, seen)
    assignments: list[tuple[str, str]] = []
    current = replace(printer, order=tuple(printer.names) if printer.order is None else printer.order)
    for node in seen:
        if counts[node] < 2 or not _costly(node, printer):
            continue
        code = current.code(node)
        if code.tensor:
            name = fresh(hint(node, printer))
            assignments.append((name, code.text))
            current = replace(current, names={**current.names, node: name}, tensors={*current.tensors, name})
    return assignments, current


def hint(node: Basic, printer: Printer) -> str:
    """A readable name for a subexpression: `sin_x`, `exp_t`, `root`, `product`."""
    kind = type(node).__name__.lower()
    kind = {"mul": "product", "add": "sum", "pow": "power", "piecewise": "cases"}.get(kind, kind)
    if not node.is_Function:
        return kind
    names = dict.fromkeys(printer.names[a] for a in printer.atoms(node) if printer.names[a] in printer.tensors)
    simple = [name for name in names if name.isidentifier()]
    return "_".join([kind, *simple]) if 0 < len(simple) == len(names) <= 2 else kind


def _count(expr: Basic, printer: Printer, counts: Counter[Basic], seen: list[Basic]) -> None:
    """Occurrences of each node, the inside of a repeated node being counted once; `seen` lists inner nodes first."""
    if expr in printer.names or not expr.args:
        return
    counts[expr] += 1
    if counts[expr] > 1:
        return
    for arg in expr.args:
        _count(arg, printer, counts, seen)
    seen.append(expr)


def _costly(node: Basic, printer: Printer) -> bool:
    """Whether it calls a function or takes a real power, and is not merely an integer power or multiple of one."""
    if node.is_Pow:
        return not node.exp.is_Integer
    if node.is_Mul and sum(not arg.is_Number for arg in node.args) < 2:
        return False
    if node.is_Function:
        return True
    return bool((node.is_Mul or node.is_Add) and any(_calls(arg, printer) for arg in node.args))


def _calls(node: Basic, printer: Printer) -> bool:
    if node in printer.names:
        return False
    return bool(node.is_Function or (node.is_Pow and not node.exp.is_Integer)) or any(
        _calls(arg, printer) for arg in node.args
    )
