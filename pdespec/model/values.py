"""What an expression of a spec can denote while it is elaborated.

A value at the current point is a SymPy term; a function is a term with slots, f = (x ↦ term); functionals and operators
are closures, applied again at each use.  Laws are terms of their own (`Law`).  Sets, processes and texts do not meet
arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

from sympy import Expr

from pdespec.model.bindings import Law
from pdespec.model.fields import Field
from pdespec.model.model import Domain
from pdespec.model.sets import Set
from pdespec.model.substitution import substitute
from pdespec.model.terms import Variable
from pdespec.syntax import ast

if TYPE_CHECKING:
    from pdespec.model.scope import Env, Scope


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A coordinate of a declared domain: its id, its variable, and the block size where points are lists of vectors."""

    id: str
    variable: Variable
    domain: Domain
    time: bool
    block: int = 0


@dataclass(frozen=True, slots=True)
class Function:
    """`slots ↦ term`.  Each slot belongs to a coordinate (by id), whose current point gives the function's value.

    `homes` are the domains of the slots.  `field` is the unknown that this function is, if it is one.
    """

    name: str
    slots: tuple[Variable, ...]
    coordinates: tuple[str, ...]
    homes: tuple[Domain, ...]
    term: Expr
    field: Field | None = None

    def at(self, *point: Expr) -> Expr:
        """The value at a point, slot by slot."""
        return substitute(self.term, dict(zip(self.slots, point, strict=True)))


@dataclass(frozen=True, slots=True)
class Closure:
    """A definition with arguments still to come: one group of formals for each curried list."""

    definition: ast.Definition
    scope: Scope
    groups: tuple[tuple[ast.Name, ...], ...]
    bound: tuple[tuple[str, Value], ...] = ()

    @property
    def name(self) -> str:
        return self.definition.name.shown


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of the language itself, on one function: the generator of a process, say."""

    name: str
    apply: Callable[[Function, Env], Expr]


@dataclass(frozen=True, slots=True)
class Process:
    """A stochastic process by the name of its kind and its coefficients, each a function of the state or a constant."""

    kind: str
    coefficients: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A set, with the coordinates of its points where it was made from declared domains."""

    set: Set
    coordinates: tuple[str, ...] = ()
    domains: tuple[Domain, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function or a notion of the language by its id; it becomes something only when it is called."""

    id: str


@dataclass(frozen=True, slots=True)
class Label:
    """The label of an equation or of a solve."""

    id: str
    shown: str = field(compare=False, default="")


Value = Union[Expr, Law, Function, Closure, Operator, Process, Region, Text, Builtin, Label]  # noqa: UP007


def kind(value: Value) -> str:
    """What a value is, for a message."""
    if isinstance(value, Closure):
        return f"`{value.name}`, which still takes arguments,"
    words = {
        Law: "a law",
        Function: "a function",
        Operator: "an operator",
        Process: "a process",
        Region: "a set",
        Text: "a text",
        Builtin: "a name of the language",
        Label: "a label",
    }
    return next((word for type_, word in words.items() if isinstance(value, type_)), "a number or a vector")
