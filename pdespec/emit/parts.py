"""What each realisation contributes to a script: sections, runtime pieces, and the names under which it is used.

A script is mathematics first (parameters, definitions, ansätze, equations, points, training, reports), then the runtime
pieces that it uses, then `main`.  A realisation returns one `SolveCode`; `emit.script` joins them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sympy import Expr

from pdespec.emit.arrays import Array, Points
from pdespec.emit.cost import Cost
from pdespec.emit.names import Namespace, latin
from pdespec.model.bindings import Defined
from pdespec.model.fields import Field
from pdespec.model.model import Model, Solve, Unknown
from pdespec.model.terms import Parameter
from pdespec.plan.plan import Derivative, Plan


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the script; `training` marks those that decide what is trained (and not what is reported)."""

    title: str
    code: str
    provenance: str = ""
    training: bool = True


@dataclass(frozen=True, slots=True)
class SharedClass:
    """A network's class: its name, the unknowns that it represents, and its methods by the channels they return."""

    name: str
    fields: tuple[Field, ...]
    methods: dict[tuple[Derivative, ...], str]


@dataclass(slots=True)
class Script:
    """What the sections of one script share: its names, and the definitions that they have asked for."""

    plan: Plan
    names: Namespace
    engine: str = "auto"
    parameters: set[Parameter] = field(default_factory=set)
    requested: dict[tuple[str, str], Defined] = field(default_factory=dict)
    exact: dict[str, Field] = field(default_factory=dict)
    residuals: set[str] = field(default_factory=set)
    sets: dict[str, str] = field(default_factory=dict)
    classes: dict[tuple[object, ...], SharedClass] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    @property
    def model(self) -> Model:
        return self.plan.derivation.model

    def constants(self, *terms: Expr) -> dict[Expr, str]:
        """The names of the parameters in the terms (also inside definitions), which become module constants."""
        found = sorted(parameters(*terms), key=lambda p: p.name)
        self.parameters.update(found)
        return {p: self.names.name(p.name) for p in found}

    def function(self, term: Defined, kind: str = "value") -> str:
        """The name of a definition's function, which will be emitted: V, its "gradient", the "matrix" K(xᵢ, yⱼ), or
        its "quadrature", where it has integrals."""
        self.requested.setdefault((term.name, kind), term)
        self.constants(term.body)
        name = self.names.name(term.name)
        return {"value": name, "quadrature": name, "gradient": f"grad_{name}", "matrix": f"{name}_matrix"}[kind]


def signature(u: Unknown) -> str:
    """Ω → R^2: where an unknown function lives and what values it takes."""
    values = str(u.codomain) if u.codomain else f"R^{u.field.shape[0]}" if u.field.shape else "R"
    return f"{' × '.join(d.name for d in u.domains)} → {values}"


def term_key(solve: Solve, key: str, script: Script) -> str:
    """The name of a monitored value: its own, or SOLVE.NAME where several solves share a history."""
    return f"{latin(solve.title)}.{key}" if solve.title and len(script.plan.solves) > 1 else key


def prefix(solve: Solve, script: Script) -> str:
    """What the functions of a solve begin with: `ritz_`, or nothing for a solve without a label."""
    return f"{script.names.name(solve.title)}_" if solve.title else ""


def solution_name(solve: Solve, script: Script) -> str:
    """The variable that holds the solution of a solve."""
    return script.names.name(solve.title) if solve.title else "solution"


def unpacked(names: list[str], value: str) -> str:
    """`x, y = value`, and `(x,) = value` for one name."""
    return f"{', '.join(names)} = {value}" if len(names) > 1 else f"({names[0]},) = {value}"


def shown_name(solve: Solve) -> str:
    """The name of a solve in files that a run writes."""
    return latin(solve.title) or "solution"


def parameters(*terms: Expr) -> set[Parameter]:
    """All parameters in the terms, those in the bodies of definitions and in sets included."""
    found: set[Parameter] = set()
    for term in terms:
        for node in _nodes(term):
            if isinstance(node, Parameter):
                found.add(node)
    return found


def _nodes(term: Expr) -> list[Expr]:
    return [term, *(n for a in getattr(term, "args", ()) for n in _nodes(a))]


@dataclass(frozen=True, slots=True)
class SolveCode:
    """One solve in the script.

    `function` builds it: `FUNCTION(config, …) -> (solution, list of stages)`; `arguments` are the solutions of earlier
    solves that it needs.  `labels` name the terms in its history, `save` writes the lines that put it into `arrays`.
    A function is a dictionary of callables; a density brings its own `leaf` (its value at points) and `measure` (the
    points and weights of an integral against it) and, if it is known by independent particles, the `influence` function
    of a functional at them (with their weights).  `cost` is that of an evaluation of its networks with the gradient, of
    which there are `evaluations`.
    """

    label: str
    solution: str
    function: str
    sections: tuple[Section, ...]
    steps: int
    labels: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
    evaluations: int = 0
    save: Callable[[], tuple[str, ...]] = tuple
    leaf: Callable[..., Array | None] | None = None
    measure: Callable[..., tuple[dict[Expr, Points], Expr]] | None = None
    influence: Callable[..., tuple[str, ...]] | None = None
