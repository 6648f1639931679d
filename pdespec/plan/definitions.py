"""Terms in scalar coordinates in which named functions of the point keep their names: f(x, y), ρ(x)."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, Symbol

from pdespec.derive.components import expand, flatten
from pdespec.model.bindings import Defined, Expect, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.terms import VectorVariable, shape
from pdespec.model.vectors import Partial, VectorOperator


def at_a_point(e: Defined) -> bool:
    """Whether a definition is read at the current point, V(x), and not at a moved one."""
    return all(isinstance(a, (Symbol, VectorVariable)) for a in e.arguments)


def scalar_formals(e: Defined) -> bool:
    """Whether a definition is a function of scalars alone, f(x, y)."""
    return all(isinstance(f, Symbol) for f in e.formals)


def is_pointwise(e: Defined) -> bool:
    """Whether a definition is a function in elementary terms, without an integral in it."""
    return not e.has(Integrate, Expect)


def with_definitions(term: Expr, keep: Callable[[Defined], bool], *closed: type) -> tuple[Expr, ...]:
    """The scalar components of a term; scalar definitions to be kept stay, unless a derivative acts on them.

    Nothing is kept inside terms of the types `closed`.
    """
    kept: dict[Expr, Expr] = {}

    def hide(e: Expr) -> Expr:
        if isinstance(e, Defined) and not shape(e) and is_pointwise(e) and keep(e):
            return kept.setdefault(e, Symbol(f"definition {len(kept)}", real=True))
        if not e.args or isinstance(e, (VectorOperator, Partial, FieldValue, *closed)):
            return e
        return e.func(*map(hide, e.args))

    hidden = hide(term)
    back = {symbol: e for e, symbol in kept.items()}
    return tuple(c.xreplace(back) for c in flatten(expand(hidden)))
