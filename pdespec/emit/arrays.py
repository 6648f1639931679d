"""Arrays over axes: what the code of a term is, what the points of a variable are, and what names mean around a term.

An axis is named after what runs along it (particles, cells, nodes); the code of a scalar has one dimension for each of
its axes, outermost variable first, a vector has one more for its components.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from sympy import Add, Expr, Mul, Pow, expand_mul

from pdespec.emit.code import Precedence
from pdespec.model.bindings import Defined, Expect, Integrate
from pdespec.model.refusal import refuse
from pdespec.model.terms import Variable


@dataclass(frozen=True, slots=True)
class Array:
    """The text of an expression, the axes that it has, and whether it is a tensor at all."""

    text: str
    axes: tuple[str, ...] = ()
    tensor: bool = True
    level: Precedence = Precedence.ATOM

    def tight(self) -> str:
        """The text, in parentheses unless it is a name, a call or a subscript."""
        return self.within(Precedence.ATOM)

    def within(self, context: Precedence) -> str:
        """The text, in parentheses where it binds more loosely than the context asks."""
        return self.text if self.level >= context else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Points:
    """An array of points: its code, its axis, and the weights of a sum over it.

    Without weights the sum is a mean; `uniform` weights are one number, the same for every point.
    """

    code: str
    axis: str
    weights: str = ""
    uniform: bool = False

    def total(self) -> str:
        """The sum of the weights."""
        if not self.weights:
            return "1"
        return f"{self.weights} * len({self.code})" if self.uniform else f"{self.weights}.sum()"

    def sum_of(self, vectors: Array) -> Array:
        """The weighted sum of vectors along the axis."""
        if not self.weights:
            return Array(f"{vectors.tight()}.mean(0)")
        if self.uniform:
            return Array(f"{vectors.tight()}.sum(0) * {self.weights}", level=Precedence.PRODUCT)
        return Array(f"{self.weights} @ {vectors.tight()}", level=Precedence.PRODUCT)


@dataclass(slots=True)
class Scope:
    """What names mean while a term is printed.

    `points` are the arrays of the variables in order of nesting; `leaf` prints terms that this module does not know
    (fields); `measure` opens an integral: it returns the points of its variables, and the integrand left to sum.
    `request` returns the name of the function of a definition (its kind: "value", "gradient", or "matrix" for all pairs
    of two arrays of points), which is then to be emitted; `known` gives definitions by their formulas.
    """

    points: dict[Variable, Points]
    leaf: Callable[[Expr, Scope], Array | None]
    measure: Callable[[Integrate | Expect, Scope], tuple[dict[Variable, Points], Expr]]
    names: Mapping[Expr, str] = field(default_factory=dict)
    request: Callable[[Defined, str], str] = lambda term, kind: term.name
    known: dict[Expr, Defined] = field(default_factory=dict)

    def inner(self, points: dict[Variable, Points]) -> Scope:
        outer = {v: p for v, p in self.points.items() if v not in points}
        return replace(self, points={**outer, **points})

    def depends(self, term: Expr) -> bool:
        """Whether a term varies along any axis."""
        return bool(term.free_symbols & set(self.points))

    def order(self, axes: set[str]) -> tuple[str, ...]:
        """Axes in order of nesting."""
        known = list(dict.fromkeys(p.axis for p in self.points.values()))
        return tuple(a for a in known if a in axes)


def unsupported(what: str) -> NoReturn:
    """A term without a rule is an error, never a partial print."""
    refuse("PDE941", None, f"{what} cannot be turned into code yet")


def without_factor(body: Expr, factor: Expr) -> Expr | None:
    """body/factor if the factor divides every summand, else None: ∫ g p dφ = 𝔼 g for particles of p."""
    terms = Add.make_args(expand_mul(body, deep=False))
    quotients = []
    for t in terms:
        factors = list(Mul.make_args(t))
        if factor in factors:
            factors.remove(factor)
            quotients.append(Mul(*factors))
            continue
        power = next((f for f in factors if isinstance(f, Pow) and f.base == factor), None)
        if power is None:
            return None
        factors.remove(power)
        quotients.append(Mul(*factors, Pow(factor, power.exp - 1)))
    return Add(*quotients)
