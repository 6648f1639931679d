"""Terms in their plainest form at vector level, without expanding coordinates.

Vector operators are linear and constants leave them; constants leave integrals; integrals that are equal up to the
names of their points, or by the symmetry of a kernel, are added.
"""

from __future__ import annotations

from typing import Any

from sympy import Add, Expr, Mul, S

from pdespec.derive import calculus
from pdespec.derive.calculus import depends
from pdespec.derive.components import expand, flatten
from pdespec.derive.normal_form import Normal
from pdespec.derive.resolve import rewritten
from pdespec.model.bindings import Expect, Integrate
from pdespec.model.substitution import substitute
from pdespec.model.terms import shape
from pdespec.model.vectors import Div, Dot, Grad, Hess, Lap

MOST_MERGED = 12
"""Sums of more integrals are left as they are."""


def tidy(term: Any) -> Any:
    """The plain form of a term."""
    return rewritten(
        term,
        {
            Grad: lambda n: calculus.grad(n.operand, n.variables),
            Div: lambda n: calculus.div(n.operand, n.variables),
            Lap: lambda n: calculus.lap(n.operand, n.variables),
            Hess: lambda n: calculus.hess(n.operand, n.variables),
            Mul: calculus.distributed,
            Dot: lambda n: calculus.dot(*n.args),
            Integrate: constants_out,
            Expect: constants_out,
            Add: merged,
        },
    )


def shorter(term: Expr) -> Expr:
    """A sum with its products multiplied out once, where equal parts then add up."""
    if not term.is_Add:
        return term
    expanded = calculus.multiplied_out(term)
    return expanded if expanded.count_ops() < term.count_ops() else term


def constants_out(node: Integrate | Expect) -> Expr:
    """∫ c f = c ∫ f."""
    if node.body == 0:
        return S.Zero
    factors = Mul.make_args(node.body)
    constant = [a for a in factors if not depends(a, node.variables) and not shape(a)]
    if not constant or len(constant) == len(factors):
        return node
    rest = Mul(*(a for a in factors if a not in constant))
    return Mul(*constant) * node.func(rest, *node.args[1:])


def merged(total: Expr) -> Expr:
    """Equal integrals of a sum under one name, the one with fewer primes."""
    if not total.is_Add:
        return total
    found: list[tuple[Expr, Expr]] = []
    rest = []
    for t in total.args:
        coefficient, node = _integral(t)
        if node is None or len(found) > MOST_MERGED:
            rest.append(t)
            continue
        for k, (c, other) in enumerate(found):
            if _same(node, other):
                better = min(node, other, key=lambda n: (str(n.variables).count("'"), str(n)))
                found[k] = (c + coefficient, better)
                break
        else:
            found.append((coefficient, node))
    if len(found) + len(rest) == len(total.args):
        return total
    return Add(*rest, *(c * node for c, node in found))


def _integral(t: Expr) -> tuple[Expr, Any]:
    """A term as coefficient × integral, where it has exactly one."""
    factors = Mul.make_args(t)
    nodes = [a for a in factors if isinstance(a, (Integrate, Expect))]
    if len(nodes) != 1:
        return t, None
    return Mul(*(a for a in factors if a is not nodes[0])), nodes[0]


def _same(a: Any, b: Any) -> bool:
    """Whether two integrals are equal: over the same set or law, with integrands of one normal form."""
    if type(a) is not type(b) or a.args[2:] != b.args[2:] or len(a.variables) != len(b.variables):
        return False
    if any(v.args[1:] != w.args[1:] for v, w in zip(a.variables, b.variables, strict=True)):
        return False
    body = substitute(b.body, dict(zip(b.variables, a.variables, strict=True)))
    if body == a.body:
        return True
    if a.body.free_symbols != body.free_symbols:
        return False
    rules = Normal()
    return all(
        rules.vanishes(rules.form(x - y)) for x, y in zip(flatten(expand(a.body)), flatten(expand(body)), strict=True)
    )
