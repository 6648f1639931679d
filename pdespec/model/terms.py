"""Mathematics as SymPy expressions: the base of every term, and the variables.

A term is a SymPy expression whose leaves may be fields (`fields`) and whose inner nodes may be ∇, Δ, ∇· (`vectors`) and
∫, ∑, 𝔼 (`bindings`), kept as they were written: vectors are not expanded into coordinates (an N-electron Laplacian
stays one node).  Every node is immutable, hashable and commutative; `shape(term)` is `()` for a scalar, `(n,)` for a
vector, `(n, m)` for a matrix.  Names are internal strings that never reach a parser.  `derive.components` expands a
term into coordinates.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer, S, Symbol, Tuple
from sympy.core.basic import Atom, Basic
from sympy.core.symbol import Str

from pdespec.model.sets import Set

Shape = tuple[int, ...]


class NoRule(TypeError):
    """A term of a shape or kind that an operation has no rule for: what the mathematics of a spec may bring about."""


class Term(Expr):  # type: ignore[misc]
    """The base of every node of this module."""

    is_commutative = True
    is_number = False
    is_real = True
    is_scalar: bool = True

    @property
    def shape(self) -> Shape:
        return ()

    def __new__(cls, *args: Any) -> Term:
        self: Term = Expr.__new__(cls, *map(basic, args))
        return self


def basic(value: Any) -> Basic:
    """Python values of our own making as SymPy objects; text becomes a name and is never parsed."""
    if isinstance(value, Basic):
        return value
    if isinstance(value, str):
        return Str(value)
    if isinstance(value, int):
        return Integer(value)
    if isinstance(value, (tuple, list)):
        return Tuple(*map(basic, value))
    if isinstance(value, Set):
        return Region(value)
    raise NoRule(f"{type(value).__name__} is no term")


def shape(expr: Expr) -> Shape:
    """The shape of any term: a sum has that of its first summand, a product that of its one vector factor."""
    if isinstance(expr, Term):
        return expr.shape
    if expr.is_Add:
        return next((s for s in map(shape, expr.args) if s), ())
    if expr.is_Mul:
        return next((s for s in map(shape, expr.args) if s), ())
    return ()


class Region(Atom):  # type: ignore[misc]
    """A set of the model as a leaf of an expression."""

    def __new__(cls, value: Set) -> Region:
        self: Region = Atom.__new__(cls)
        self.value = value
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.value,)

    def sort_key(self, order: Any = None) -> Any:
        return self.class_key(), (1, (str(self.value),)), S.One.sort_key(), S.One

    def compare(self, other: Basic) -> int:
        """An order of regions, by what a person reads and then by structure."""
        if not isinstance(other, Region):
            return int(super().compare(other))
        mine, others = ((str(r.value), repr(r.value)) for r in (self, other))
        return (mine > others) - (mine < others)

    def _sympystr(self, printer: Any) -> str:
        return str(self.value)


class Parameter(Symbol):  # type: ignore[misc]
    """A `param`: a constant whose value may be set from outside; positive if its value is."""


class VectorVariable(Term):
    """A coordinate with several components, `x ∈ R^d`: `VectorVariable(name, d)`."""

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def dimension(self) -> int:
        return int(self.args[1])

    @property
    def shape(self) -> Shape:
        return (self.dimension,)

    @property
    def free_symbols(self) -> set[Basic]:
        return {self}

    def components(self) -> tuple[Symbol, ...]:
        """The scalar coordinates x[1] … x[d], as symbols."""
        return tuple(Symbol(f"{self.name}[{k}]", real=True) for k in range(1, self.dimension + 1))

    def _sympystr(self, printer: Any) -> str:
        return self.name


Variable = Any
"""A coordinate: a real `Symbol`, or a `VectorVariable`."""


def variable(name: str, dimension: int = 1) -> Variable:
    """A coordinate: a real symbol, or a vector where the dimension is above one."""
    return Symbol(name, real=True) if dimension == 1 else VectorVariable(name, dimension)


def dimension_of(v: Variable) -> int:
    """The number of scalar coordinates of a variable."""
    return v.dimension if isinstance(v, VectorVariable) else 1


def flat(variables: tuple[Variable, ...] | Tuple) -> tuple[Symbol, ...]:
    """The scalar coordinates of several variables, in order."""
    return tuple(s for v in variables for s in (v.components() if isinstance(v, VectorVariable) else (v,)))


class Normal(Term):
    """The outward unit normal of the boundary on which the current point lies: `Normal(d)`."""

    @property
    def shape(self) -> Shape:
        return (int(self.args[0]),)

    @property
    def free_symbols(self) -> set[Basic]:
        return {self}

    def components(self) -> tuple[Symbol, ...]:
        return tuple(Symbol(f"n[{k}]", real=True) for k in range(1, int(self.args[0]) + 1))
