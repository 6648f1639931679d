"""A checked spec: declarations and statements whose mathematics are terms.

Every entry keeps the span of its statement and the author's text, so that later stages can quote them.  Equations
hold terms at the current point of their region; functionals and operators have been applied, named functions of the
point alone are kept by name (`Defined`), and δE/δp, metric gradients and exact solutions wait for derivation.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr

from pdespec.model.bindings import Defined, Law
from pdespec.model.fields import Field
from pdespec.model.sets import Set
from pdespec.model.terms import Parameter, Variable
from pdespec.source import Source, Span


@dataclass(frozen=True, slots=True)
class Param:
    """A constant: `value` is exact and holds no params but earlier ones; `sweep` lists all values of a sweep."""

    symbol: Parameter
    value: Expr
    sweep: tuple[Expr, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Domain:
    """A set with the names of its coordinates; `time` where it is an interval of time."""

    name: str
    coordinates: tuple[Variable, ...]
    set: Set
    time: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is to be found.

    `kind` is "function", "density" or "scalar"; `domains` are the factors of its domain in slot order (time, if any, is
    one of them); `codomain` restricts the values (an interval is a property of the ansatz).  Properties such as
    antisymmetry are pairs of a name and its arguments.
    """

    field: Field
    kind: str
    domains: tuple[Domain, ...]
    codomain: Set | None
    properties: tuple[tuple[str, tuple[object, ...]], ...]
    span: Span = field(compare=False)

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def space(self) -> tuple[Domain, ...]:
        return tuple(d for d in self.domains if not d.time)

    @property
    def time(self) -> Domain | None:
        return next((d for d in self.domains if d.time), None)


@dataclass(frozen=True, slots=True)
class Definition:
    """A `:=`; `term` is its value at the current point where it is a function of the point alone, else `None`."""

    name: str
    term: Defined | None
    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Equation:
    """lhs RELATION rhs on a region, in the coordinates of the region (all of them, also those fixed by it).

    `rhs` may be a law, for a density at the start.  `relation` is "=", "<=" or ">=".
    """

    label: str
    relation: str
    lhs: Expr
    rhs: Expr | Law
    region: Set
    coordinates: tuple[Variable, ...]
    text: str
    span: Span = field(compare=False)
    lhs_span: Span = field(compare=False)
    rhs_span: Span = field(compare=False)
    region_span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class Call:
    """A method, iteration, network …: a name with positional and named options (numbers, names, sets, laws, calls)."""

    name: str
    arguments: tuple[object, ...]
    options: tuple[tuple[str, object], ...]
    span: Span = field(compare=False)

    def option(self, name: str, default: object = None) -> object:
        return next((v for k, v in self.options if k == name), default)


@dataclass(frozen=True, slots=True)
class Ansatz:
    """How an unknown is represented: `term` is an expression in which networks stand as `Network` placeholders.

    `networks` maps each placeholder field's name to the call that describes it (`mlp(x, t; width=32, depth=3)`).
    """

    unknown: str
    term: Expr
    networks: tuple[tuple[Field, Call], ...]
    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Solve:
    """What is solved: equations by label, an optimum (kind and unknown, outermost first) of an objective, or both."""

    label: str
    equations: tuple[str, ...]
    optima: tuple[tuple[str, str], ...]
    objective: Expr | None
    objective_text: str
    on: Set | None
    method: Call | None
    iterations: tuple[Call, ...]
    text: str
    span: Span = field(compare=False)
    method_span: Span | None = field(compare=False, default=None)

    @property
    def title(self) -> str:
        """The author's label; "" for a solve without one."""
        return "" if self.label == "solve" else self.label


@dataclass(frozen=True, slots=True)
class Bound:
    """What a reported value must meet: "<" or "<=" or ">" a value, or "~" a value within a tolerance.

    `tolerance_kind` is "absolute", "relative" or "stderr".
    """

    relation: str
    value: Expr
    tolerance: Expr | None = None
    tolerance_kind: str = "absolute"


@dataclass(frozen=True, slots=True)
class Report:
    """One measured quantity, with the text that names it; fields in it carry the solve that they come from.

    `quantity` is a term, at the final time unless `times` gives others.
    """

    quantity: Expr
    bound: Bound | None
    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Check:
    """An identity to prove.

    `kind` is "equal" (two terms), "equations" (two labels: equal up to a factor that is nowhere zero) or "solution"
    (`lhs` is the value of an unknown, `rhs` the expression declared to satisfy every equation listed with it).
    """

    kind: str
    lhs: Expr | str
    rhs: Expr | str
    coordinates: tuple[Variable, ...]
    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Model:
    """A whole spec, names resolved and types checked."""

    name: str
    source: Source = field(compare=False)
    params: tuple[Param, ...] = ()
    domains: tuple[Domain, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    definitions: tuple[Definition, ...] = ()
    equations: tuple[Equation, ...] = ()
    ansatze: tuple[Ansatz, ...] = ()
    solves: tuple[Solve, ...] = ()
    reports: tuple[Report, ...] = ()
    checks: tuple[Check, ...] = ()

    def unknown(self, name: str) -> Unknown:
        return next(u for u in self.unknowns if u.name == name)

    def equation(self, label: str) -> Equation:
        return next(e for e in self.equations if e.label == label)

    def param(self, symbol: Parameter) -> Param:
        return next(p for p in self.params if p.symbol == symbol)
