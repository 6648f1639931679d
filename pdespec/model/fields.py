"""Functions to be found: u, its values and derivatives ∂ᵅu(x) at a point, and what derivation puts in their place.

A `Field` is the function, a `FieldValue` is it, or a partial derivative of it, at a point.  δE/δu, grad(E, u; metric)
and the exact solution are nodes of their own until `derive` replaces them.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, S, Symbol
from sympy.core.basic import Basic

from pdespec.model.terms import NoRule, Shape, Term, basic, shape, variable


class Field(Basic):  # type: ignore[misc]
    """A function to be found (or a formal one): `Field(name, slot names, slot dimensions, shape, solve)`.

    A slot is one coordinate of its domain.  `solve` names the solve whose solution is meant, "" for the unknown itself.
    """

    def __new__(cls, name: Any, slots: Any, dimensions: Any, shape: Any = (), solve: Any = "") -> Field:
        self: Field = Basic.__new__(cls, *map(basic, (name, slots, dimensions, shape, solve)))
        return self

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(str(s.name) for s in self.args[1])

    @property
    def dimensions(self) -> tuple[int, ...]:
        return tuple(int(d) for d in self.args[2])

    @property
    def shape(self) -> Shape:
        return tuple(int(d) for d in self.args[3])

    @property
    def solve(self) -> str:
        return str(self.args[4].name)

    @property
    def free_symbols(self) -> set[Basic]:
        return set()

    def of(self, solve: str) -> Field:
        """The same unknown as found by a solve."""
        return Field(self.name, self.slots, self.dimensions, self.shape, solve)

    def here(self) -> FieldValue:
        """Its value at the current point, the coordinates by their own names."""
        return value(self, *map(variable, self.slots, self.dimensions))

    def _sympystr(self, printer: Any) -> str:
        return f"{self.solve}({self.name})" if self.solve else self.name


class FieldValue(Term):
    """A field, or a partial derivative of it, at a point: `FieldValue(field, orders, *point)`.

    The point is given slot by slot, or in scalar coordinates (see `derive.components`); `orders` counts the derivatives
    by each scalar coordinate and is empty for the value itself.
    """

    @property
    def field(self) -> Field:
        found: Field = self.args[0]
        return found

    @property
    def orders(self) -> tuple[int, ...]:
        return tuple(int(k) for k in self.args[1])

    @property
    def point(self) -> tuple[Expr, ...]:
        return tuple(self.args[2:])

    @property
    def shape(self) -> Shape:
        return self.field.shape

    def _eval_derivative(self, s: Symbol) -> Expr:
        """The chain rule; only for a point in scalar coordinates."""
        total = S.Zero
        for k, x in enumerate(self.point):
            if shape(x):
                raise NoRule("differentiate a field by coordinate only after the expansion into coordinates")
            inner = x.diff(s)
            if inner != 0:
                orders = self.orders or (0,) * len(self.point)
                total += FieldValue(self.field, (*orders[:k], orders[k] + 1, *orders[k + 1 :]), *self.point) * inner
        return total

    def _sympystr(self, printer: Any) -> str:
        index = "".join(str(x) * n for x, n in zip(self.point, self.orders, strict=False))
        name = printer.doprint(self.field) + ("_" + index if index else "")
        return f"{name}({', '.join(map(printer.doprint, self.point))})"


def value(field: Field, *point: Expr) -> FieldValue:
    """The field at a point."""
    return FieldValue(field, (), *point)


class Exact(Term):
    """The declared and proved exact solution of an unknown: `Exact(field, *point)`; derivation puts it in."""

    @property
    def field(self) -> Field:
        found: Field = self.args[0]
        return found

    @property
    def shape(self) -> Shape:
        return self.field.shape


class Variation(Term):
    """δE/δu at a point, to be derived: `Variation(functional, field, name of the functional, *point)`.

    The point has one entry for each slot of the field, time included.
    """

    @property
    def functional(self) -> Expr:
        return self.args[0]

    @property
    def field(self) -> Field:
        found: Field = self.args[1]
        return found

    @property
    def name(self) -> str:
        return str(self.args[2].name)

    @property
    def point(self) -> tuple[Expr, ...]:
        return tuple(self.args[3:])

    @property
    def shape(self) -> Shape:
        return self.field.shape


class MetricGradient(Term):
    """grad(E, p; metric=M): `MetricGradient(body, functional, field, functional name, metric name)`.

    `body` is the metric's operator applied to δE/δp (a `Variation`) by the rules of the language, so that a metric is
    nothing but its definition; the rest records where it came from.
    """

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def functional(self) -> Expr:
        return self.args[1]

    @property
    def field(self) -> Field:
        found: Field = self.args[2]
        return found

    @property
    def functional_name(self) -> str:
        return str(self.args[3].name)

    @property
    def metric(self) -> str:
        return str(self.args[4].name)

    @property
    def shape(self) -> Shape:
        return shape(self.body)
