"""What the names of a file stand for, and where the current point is.

A `Scope` holds the declarations of one file.  An `Env` adds what changes on the way down an expression: formals and
bound names, and the current point, a stack of levels.  A level maps coordinates to the variables that stand for them;
the innermost one that knows a coordinate gives its current point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import Basic, Expr, Symbol

from pdespec.model.fields import Field
from pdespec.model.model import Domain, Param, Unknown
from pdespec.model.refusal import refuse
from pdespec.model.terms import Variable, VectorVariable
from pdespec.model.values import Closure, Coordinate, Function, Region, Value
from pdespec.source import Span
from pdespec.syntax import ast

EVALUATIONS = 30_000
"""A spec that asks for more steps of elaboration is refused."""

DEPTH = 60
"""Definitions may be nested this deep."""


@dataclass(slots=True)
class Scope:
    """The declarations of a file, filled in their order.  Names are ids.

    `broken` names rest on an error that was reported; `found` tells which unknowns a solve determines.
    """

    params: dict[str, Param] = field(default_factory=dict)
    coordinates: dict[str, Coordinate] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    unknowns: dict[str, Unknown] = field(default_factory=dict)
    definitions: dict[str, ast.Definition] = field(default_factory=dict)
    equations: dict[str, ast.Equation] = field(default_factory=dict)
    solves: dict[str, ast.Solve] = field(default_factory=dict)
    found: dict[str, frozenset[Field]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    prelude: Scope | None = None
    memo: dict[object, object] = field(default_factory=dict)
    evaluations: int = 0
    variables: int = 0

    def names(self) -> set[str]:
        """Every id that the file declares."""
        tables = (
            self.params,
            self.coordinates,
            self.domains,
            self.unknowns,
            self.definitions,
            self.equations,
            self.solves,
        )
        return set().union(*tables) | self.broken

    def like(self, v: Variable) -> Variable:
        """A variable of the kind of `v` that occurs nowhere else."""
        self.variables += 1
        name = f"{v.name.partition('°')[0]}°{self.variables}"
        return VectorVariable(name, v.dimension) if isinstance(v, VectorVariable) else Symbol(name, real=True)

    def coordinate_of(self, v: Variable) -> str:
        """The id of the coordinate that a variable of a domain is."""
        return next(c.id for c in self.coordinates.values() if c.variable == v)

    def unknown_of(self, field: Field) -> Unknown | None:
        """The declaration of a field, whichever solve it comes from."""
        return next((u for u in self.unknowns.values() if u.field.name == field.name), None)


@dataclass(frozen=True, slots=True)
class Level:
    """Coordinates whose current points were set together."""

    variables: tuple[tuple[str, Variable], ...]


@dataclass(frozen=True, slots=True)
class Env:
    """A place in an expression: `scope` resolves names, `root` is the spec's own scope.

    `normal` is the dimension in which a boundary's normal is defined, 0 where there is none.
    """

    scope: Scope
    root: Scope
    locals: Mapping[str, Value] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    normal: int = 0
    depth: int = 0

    def with_names(self, names: Mapping[str, Value]) -> Env:
        """The same place with more names."""
        return replace(self, locals={**self.locals, **names})

    def at(self, *variables: tuple[str, Variable]) -> Env:
        """The same place with the current point of some coordinates moved."""
        return replace(self, levels=(*self.levels, Level(variables))) if variables else self

    def deeper(self, span: Span) -> Env:
        """One definition further down."""
        if self.depth >= DEPTH:
            refuse("PDE215", span, f"definitions are nested more than {DEPTH} deep")
        return replace(self, depth=self.depth + 1)

    def current(self, coordinate: str) -> Variable:
        """The variable at the current point of a coordinate."""
        for level in reversed(self.levels):
            for name, v in level.variables:
                if name == coordinate:
                    return v
        return self.root.coordinates[coordinate].variable

    def values(self, function: Function) -> tuple[Variable, ...]:
        """The current point of a function's slots."""
        return tuple(self.current(c) for c in function.coordinates)

    def taken(self) -> set[Basic]:
        """The variables that values of local names hold: what a new bound variable must not capture."""
        return set().union(*(_free(v) for v in self.locals.values()))


def _free(value: Value) -> set[Basic]:
    if isinstance(value, Function):
        free: set[Basic] = value.term.free_symbols - set(value.slots)
        return free
    if isinstance(value, Closure):
        return set().union(*(_free(v) for _, v in value.bound))
    return set(value.free_symbols) if isinstance(value, (Expr, Basic)) else set()


def base(scope: Scope) -> Env:
    """Where no statement has set a point yet: every coordinate stands for itself."""
    return Env(scope, scope, {}, (Level(tuple((c.id, c.variable) for c in scope.coordinates.values())),))
