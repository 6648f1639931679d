"""Nodes that bind variables: named functions, ∫, ∑, ∏, max, evaluation at a point, laws and 𝔼 over them.

A bound variable has no meaning outside: it is absent from `free_symbols`, and `substitution` neither replaces nor
captures it.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sympy import Expr, S, Symbol
from sympy.core.basic import Basic

from pdespec.model.sets import Set
from pdespec.model.terms import Shape, Term, Variable, basic, shape


class Binding(Term):
    """A node that binds variables: `args = (body, Tuple(variables), …)`."""

    @property
    def body(self) -> Expr:
        return self.args[0]

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(self.args[1])

    @property
    def shape(self) -> Shape:
        return shape(self.body)

    @cached_property
    def free_symbols(self) -> set[Basic]:
        inner: set[Basic] = self.body.free_symbols - set(self.variables)
        return inner.union(*(a.free_symbols for a in self.args[2:]))

    @property
    def bound_symbols(self) -> list[Basic]:
        return list(self.variables)


class Defined(Term):
    """A named function of the point alone, kept by its name (`V`, `K(x, y)`): `Defined(name, formals, body, *args)`.

    The formals are variables; `substitution.unfold` gives the body at the arguments.
    """

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def formals(self) -> tuple[Variable, ...]:
        return tuple(self.args[1])

    @property
    def body(self) -> Expr:
        return self.args[2]

    @property
    def arguments(self) -> tuple[Expr, ...]:
        return tuple(self.args[3:])

    @property
    def shape(self) -> Shape:
        return shape(self.body)

    @cached_property
    def free_symbols(self) -> set[Basic]:
        inner: set[Basic] = self.body.free_symbols - set(self.formals)
        return inner.union(*(a.free_symbols for a in self.arguments))

    def _sympystr(self, printer: Any) -> str:
        return f"{self.name}({', '.join(map(printer.doprint, self.arguments))})"


class Integrate(Binding):
    """∫ body over a region: `Integrate(body, variables, region)`; over a boundary it is a surface integral."""

    @property
    def region(self) -> Set:
        found: Set = self.args[2].value
        return found

    def _eval_derivative(self, s: Symbol) -> Expr:
        inner = self.body.diff(s)
        return S.Zero if inner == 0 else Integrate(inner, *self.args[1:])


class IndexedSum(Binding):
    """∑[i in lo..hi] body: `IndexedSum(body, (i,), lo, hi)` with an integer symbol i."""

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return self.args[2], self.args[3]


class IndexedProduct(IndexedSum):
    """∏[i in lo..hi] body."""


class Optimum(Binding):
    """max, min, sup, inf over a point of a set: `Optimum(body, (a,), kind, region)`."""

    @property
    def kind(self) -> str:
        return str(self.args[2].name)

    @property
    def region(self) -> Set:
        found: Set = self.args[3].value
        return found


class At(Binding):
    """A derivative evaluated at a point that is no variable: `At(body, variables, *point)`."""

    @property
    def point(self) -> tuple[Expr, ...]:
        return tuple(self.args[2:])


class Law(Basic):  # type: ignore[misc]
    """A probability law written in the language: `Law(family, *parameters)`.

    Families: `gauss(mean, covariance)` (a scalar covariance c means c·I), `gibbs(potential, inverse temperature,
    variables, region)` with density ∝ exp(−βV), `uniform(region)`, `points((…), …)`.
    """

    def __new__(cls, family: Any, *parameters: Any) -> Law:
        self: Law = Basic.__new__(cls, *map(basic, (family, *parameters)))
        return self

    @property
    def family(self) -> str:
        return str(self.args[0].name)

    @property
    def parameters(self) -> tuple[Basic, ...]:
        return tuple(self.args[1:])

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables bound by the potential of a Gibbs law."""
        return tuple(self.args[3]) if self.family == "gibbs" else ()

    @property
    def free_symbols(self) -> set[Basic]:
        inner: set[Basic] = set().union(*(a.free_symbols for a in self.args))
        return inner - set(self.variables)


class Expect(Binding):
    """𝔼[x ~ law] body, the law being written in the language: `Expect(body, variables, law)`."""

    @property
    def law(self) -> Law:
        found: Law = self.args[2]
        return found

    def _eval_derivative(self, s: Symbol) -> Expr:
        inner = self.body.diff(s)
        return S.Zero if inner == 0 else Expect(inner, *self.args[1:])


class Density(Term):
    """The density of a law at a point: `Density(law, *point)`."""

    @property
    def law(self) -> Law:
        found: Law = self.args[0]
        return found

    @property
    def point(self) -> tuple[Expr, ...]:
        return tuple(self.args[1:])


class RelativeError(Term):
    """‖f − g‖/‖g‖ in L²(weight), the variables being bound: `RelativeError(f, g, variables, region, weight)`."""

    @property
    def free_symbols(self) -> set[Basic]:
        inner = set().union(*(a.free_symbols for a in (self.args[0], self.args[1], self.args[4])))
        return inner - set(self.args[2])
