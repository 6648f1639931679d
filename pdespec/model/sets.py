"""Subsets of Euclidean space, as values.

A set knows its ambient dimension, whether it is bounded, where it is periodic and which part of it is a boundary.
Numbers in it may be SymPy expressions of parameters.  Sets are compared by structure; membership, measures and points
are the business of the code that is emitted.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr


@dataclass(frozen=True, slots=True)
class Set:
    """The base of all sets."""

    @property
    def dimension(self) -> int:
        """The number of scalar coordinates of a point."""
        raise NotImplementedError(type(self).__name__)

    @property
    def bounded(self) -> bool:
        return True

    @property
    def factors(self) -> tuple[Set, ...]:
        """The set as a product; a set that is none is its own single factor."""
        return (self,)


@dataclass(frozen=True, slots=True)
class Interval(Set):
    """[lo, hi]."""

    lo: Expr
    hi: Expr

    @property
    def dimension(self) -> int:
        return 1

    def __str__(self) -> str:
        return f"[{self.lo}, {self.hi}]"


@dataclass(frozen=True, slots=True)
class RealSpace(Set):
    """R^d."""

    d: int

    @property
    def dimension(self) -> int:
        return self.d

    @property
    def bounded(self) -> bool:
        return False

    def __str__(self) -> str:
        return "R" if self.d == 1 else f"R^{self.d}"


@dataclass(frozen=True, slots=True)
class Torus(Set):
    """A product of circles of the given periods, with coordinates in [0, period)."""

    periods: tuple[Expr, ...]

    @property
    def dimension(self) -> int:
        return len(self.periods)

    def __str__(self) -> str:
        return f"torus({', '.join(map(str, self.periods))})"


@dataclass(frozen=True, slots=True)
class Ball(Set):
    """{|x − center| ≤ radius}: a disk in two dimensions."""

    center: tuple[Expr, ...]
    radius: Expr

    @property
    def dimension(self) -> int:
        return len(self.center)

    def __str__(self) -> str:
        name = "disk" if self.dimension == 2 else "ball"
        return f"{name}(({', '.join(map(str, self.center))}), {self.radius})"


@dataclass(frozen=True, slots=True)
class Sphere(Set):
    """The unit sphere of R^d with its surface measure."""

    d: int

    @property
    def dimension(self) -> int:
        return self.d

    def __str__(self) -> str:
        return f"sphere({self.d - 1})"


@dataclass(frozen=True, slots=True)
class Point(Set):
    """A single point, {c}."""

    coordinates: tuple[Expr, ...]

    @property
    def dimension(self) -> int:
        return len(self.coordinates)

    def __str__(self) -> str:
        return "{" + ", ".join(map(str, self.coordinates)) + "}"


@dataclass(frozen=True, slots=True)
class Finite(Set):
    """Finitely many numbers, with counting measure."""

    values: tuple[Expr, ...]

    @property
    def dimension(self) -> int:
        return 1

    def __str__(self) -> str:
        return "{" + ", ".join(map(str, self.values)) + "}"


@dataclass(frozen=True, slots=True)
class Sublevel(Set):
    """{x in within : condition ≤ 0}, the condition being a term in `variables`; a half-space where it is affine."""

    within: Set
    variables: tuple[Expr, ...]
    condition: Expr

    @property
    def dimension(self) -> int:
        return self.within.dimension

    @property
    def bounded(self) -> bool:
        return self.within.bounded

    def __str__(self) -> str:
        return f"{{{', '.join(map(str, self.variables))} in {self.within} : {self.condition} <= 0}}"


@dataclass(frozen=True, slots=True)
class Product(Set):
    """A × B × …; a box is a product of intervals."""

    parts: tuple[Set, ...]

    @property
    def dimension(self) -> int:
        return sum(p.dimension for p in self.parts)

    @property
    def bounded(self) -> bool:
        return all(p.bounded for p in self.parts)

    @property
    def factors(self) -> tuple[Set, ...]:
        return self.parts

    def __str__(self) -> str:
        return " × ".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Union(Set):
    """A ∪ B ∪ …"""

    parts: tuple[Set, ...]

    @property
    def dimension(self) -> int:
        return self.parts[0].dimension

    @property
    def bounded(self) -> bool:
        return all(p.bounded for p in self.parts)

    def __str__(self) -> str:
        return " ∪ ".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Difference(Set):
    r"""A \ B."""

    whole: Set
    hole: Set

    @property
    def dimension(self) -> int:
        return self.whole.dimension

    @property
    def bounded(self) -> bool:
        return self.whole.bounded

    def __str__(self) -> str:
        hole = f"({self.hole})" if isinstance(self.hole, (Union, Difference)) else self.hole
        return f"{self.whole} \\ {hole}"


@dataclass(frozen=True, slots=True)
class Boundary(Set):
    """∂A; of a product ∂(A × B) = ∂A × B ∪ A × ∂B.  The normal points out of A."""

    of: Set

    @property
    def dimension(self) -> int:
        return self.of.dimension

    @property
    def bounded(self) -> bool:
        return self.of.bounded

    def __str__(self) -> str:
        return f"∂({self.of})"


@dataclass(frozen=True, slots=True)
class Named(Set):
    """A set with the name it was declared under, so that a person reads Ω and not its formula."""

    name: str
    value: Set

    @property
    def dimension(self) -> int:
        return self.value.dimension

    @property
    def bounded(self) -> bool:
        return self.value.bounded

    @property
    def factors(self) -> tuple[Set, ...]:
        return self.value.factors

    def __str__(self) -> str:
        return self.name


def plain(s: Set) -> Set:
    """The set without names at its top."""
    while isinstance(s, Named):
        s = s.value
    return s


def product(*parts: Set) -> Set:
    """The product with nested products flattened; one factor stands for itself, with its name."""
    if len(parts) == 1:
        return parts[0]
    flat = tuple(f for p in parts for f in (plain(p).factors if isinstance(plain(p), Product) else (p,)))
    return flat[0] if len(flat) == 1 else Product(flat)


def power(base: Set, n: int) -> Set:
    """A^n: R^d stays one space, a torus one torus, anything else a product."""
    inner = plain(base)
    if isinstance(inner, RealSpace):
        return RealSpace(inner.d * n)
    if isinstance(inner, Torus):
        return Torus(inner.periods * n)
    return product(*(base,) * n)


def on_boundary(s: Set) -> bool:
    """Whether a set is a boundary, pieces of one, or what is left of one, so that its points have a normal."""
    inner = plain(s)
    match inner:
        case Sublevel(within=within):
            return on_boundary(within)
        case Difference(whole=whole):
            return on_boundary(whole)
        case Union(parts=parts):
            return all(map(on_boundary, parts))
    return isinstance(inner, Boundary)


def has_boundary(region: Set) -> bool:
    """Whether a region is on a boundary, or a product with a set that is: ∂Ω × [0, T]."""
    return any(map(on_boundary, plain(region).factors))
