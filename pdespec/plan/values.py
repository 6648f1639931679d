"""Which values of fields an expression in scalar coordinates reads, and which coordinates it reads beside them."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Expr, Symbol

from pdespec.model.bindings import Defined
from pdespec.model.fields import Field, FieldValue
from pdespec.model.sets import Set, Torus, plain
from pdespec.model.terms import flat, variable
from pdespec.model.vectors import Component


def coordinates(field: Field) -> tuple[Expr, ...]:
    """The scalar coordinates of a field's domain, in the order of a point's columns."""
    return flat(tuple(variable(n, d) for n, d in zip(field.slots, field.dimensions, strict=True)))


def periods(domain: Set) -> tuple[Expr | None, ...]:
    """The period of each coordinate; None where it is not periodic."""
    factors = [plain(f) for f in plain(domain).factors]
    return tuple(p for f in factors for p in (f.periods if isinstance(f, Torus) else (None,) * f.dimension))


def is_value(expr: Expr) -> bool:
    """Whether it is a value of a field, or a component of one."""
    return isinstance(expr, FieldValue) or (isinstance(expr, Component) and isinstance(expr.args[0], FieldValue))


def split(expr: Expr) -> tuple[FieldValue, int | None]:
    """The field value behind a value, and which component of it this is."""
    if isinstance(expr, Component):
        return expr.args[0], int(expr.args[1])
    return expr, None


def values(*expressions: Expr) -> tuple[Expr, ...]:
    """The field values that the expressions read, a component of a vector as a whole, each once, in their order."""
    return tuple(dict.fromkeys(v for e in expressions for v in _values(e)))


def _values(expr: Expr) -> Iterable[Expr]:
    if is_value(expr):
        return [expr]
    return (v for a in getattr(expr, "args", ()) for v in _values(a))


def free_coordinates(*expressions: Expr) -> set[Symbol]:
    """The symbols that occur other than as the point of a field."""
    return set().union(*(_free(e) for e in expressions))


def _free(expr: Expr) -> set[Symbol]:
    if is_value(expr):
        return set()
    if isinstance(expr, Defined):
        return free_coordinates(*expr.arguments)
    if isinstance(expr, Symbol):
        return {expr}
    return set().union(*(_free(a) for a in expr.args))
