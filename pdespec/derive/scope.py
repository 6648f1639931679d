"""The points that are integrated over while a functional is differentiated, and where they lie.

A group is what one ∫ or 𝔼 binds.  Integration by parts moves it to the boundary of its region; a leaf u(y) consumes the
group of y, and what is left is integrated again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sympy import Add, Expr, Mul, S, Tuple

from pdespec.derive import calculus
from pdespec.derive.calculus import component
from pdespec.model.bindings import Density, Expect, Integrate, Law
from pdespec.model.sets import Boundary, Interval, Product, RealSpace, Set, Sphere, Torus, plain
from pdespec.model.substitution import substitute
from pdespec.model.terms import Normal, VectorVariable, dimension_of
from pdespec.model.vectors import Component, Dot, Vec

Variables = tuple[Any, ...]


class NoVariation(Exception):
    """Why a functional has no first variation here, with the code of the finding."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Group:
    """Variables bound together, and the region or the law that they run over."""

    variables: Variables
    region: Set | None
    law: Law | None = None

    @property
    def dimension(self) -> int:
        return sum(map(dimension_of, self.variables))

    @property
    def surface(self) -> bool:
        return isinstance(plain(self.region), Boundary) if self.region is not None else False

    def around(self, body: Expr) -> Expr:
        """∫ body or 𝔼 body over the group; the normals of other boundaries stand before an integral over a boundary."""
        if body == 0:
            return S.Zero
        variables = Tuple(*self.variables)
        if self.surface and body.has(Normal):
            return _around_surface(self, body)
        return Expect(body, variables, self.law) if self.law is not None else Integrate(body, variables, self.region)

    def weighted(self) -> tuple[Group, Expr]:
        """An expectation as an integral with a weight."""
        if self.law is None:
            return self, S.One
        return Group(self.variables, support(self.law, self.dimension)), Density(self.law, *self.variables)

    def boundary(self) -> Group | None:
        """The group on the boundary of its region, if there is one."""
        if self.region is None or not has_boundary(self.region):
            return None
        return replace(self, region=Boundary(self.region))

    def normal(self, variables: Variables) -> Expr:
        """The outward normal of the group's region in the directions of some variables; zero in foreign ones."""
        n = self._normal()
        if variables == self.variables:
            return n
        entries: list[Expr] = []
        for v in variables:
            entries += self._entries(v, n)
        return entries[0] if len(entries) == 1 and not isinstance(variables[0], VectorVariable) else Vec(*entries)

    def _normal(self) -> Normal:
        """The normal, marked with the variables of its boundary until it stands alone."""
        return Normal(self.dimension, Tuple(*self.variables))

    def _entries(self, v: Any, n: Expr) -> list[Expr]:
        start = 1
        for own in self.variables:
            if own == v:
                return [component(n, start + k) for k in range(dimension_of(v))]
            start += dimension_of(own)
        return [S.Zero] * dimension_of(v)

    def renamed(self, names: dict[Any, Any]) -> Group:
        law = substitute(self.law, names) if self.law is not None else None
        return Group(tuple(names.get(v, v) for v in self.variables), self.region, law)

    def without(self, consumed: set[Any]) -> tuple[Group, ...] | None:
        """The rest of the group after some of its variables are gone; None where the region does not split."""
        rest = tuple(v for v in self.variables if v not in consumed)
        if not rest:
            return ()
        if len(rest) == len(self.variables):
            return (self,)
        if self.region is None or self.law is not None:
            return None
        parts = split(self.region, self.variables)
        if parts is None:
            return None
        return tuple(Group((v,), part) for v, part in zip(self.variables, parts, strict=True) if v not in consumed)

    def part(self, v: Any) -> Set | None:
        """The region of one variable, where the region is a product."""
        if self.region is None:
            return None
        if len(self.variables) == 1:
            return self.region
        parts = split(self.region, self.variables)
        return parts[self.variables.index(v)] if parts else None


def unmarked(expr: Expr, variables: Variables) -> Expr:
    """The normal of the boundary on which these variables lie as the normal of the current point."""
    marked = {n: Normal(n.args[0]) for n in expr.atoms(Normal) if n.args[1:] == (Tuple(*variables),)}
    return expr.xreplace(marked)


def _around_surface(g: Group, body: Expr) -> Expr:
    """∮ over one boundary of a term with the normals of others, which are constant there."""
    total = S.Zero
    for t in Add.make_args(calculus.multiplied_out(calculus.distributed(body))):
        outside, inside, vector = S.One, S.One, None
        for factor in Mul.make_args(t):
            foreign = [n for n in factor.atoms(Normal) if n.args[1:] != (Tuple(*g.variables),)]
            if not foreign:
                inside = inside * factor
            elif isinstance(factor, (Normal, Component)):
                outside = outside * factor
            elif isinstance(factor, Dot) and factor.args[0] in foreign and vector is None:
                vector, inside = factor.args[0], inside * factor.args[1]
            elif isinstance(factor, Dot) and factor.args[1] in foreign and vector is None:
                vector, inside = factor.args[1], inside * factor.args[0]
            else:
                raise NoVariation("PDE916", "a normal under an integral over another boundary")
        whole = Integrate(unmarked(inside, g.variables), Tuple(*g.variables), g.region)
        total += outside * (whole if vector is None else calculus.dot(vector, whole))
    return total


def split(region: Set, variables: Variables) -> tuple[Set, ...] | None:
    """The region as a product of one set for each variable, or nothing."""
    region = plain(region)
    if isinstance(region, (RealSpace, Torus)):
        sizes = [dimension_of(v) for v in variables]
        if isinstance(region, RealSpace):
            return tuple(map(RealSpace, sizes))
        starts = [sum(sizes[:k]) for k in range(len(sizes))]
        return tuple(Torus(region.periods[a : a + n]) for a, n in zip(starts, sizes, strict=True))
    if not isinstance(region, Product):
        return None
    parts: list[Set] = []
    remaining = list(region.parts)
    for v in variables:
        taken: list[Set] = []
        while remaining and sum(p.dimension for p in taken) < dimension_of(v):
            taken.append(remaining.pop(0))
        if sum(p.dimension for p in taken) != dimension_of(v):
            return None
        parts.append(taken[0] if len(taken) == 1 else Product(tuple(taken)))
    return tuple(parts) if not remaining else None


def has_boundary(region: Set) -> bool:
    """Whether integration by parts leaves a boundary term (never on a circle, nor at infinity)."""
    region = plain(region)
    if isinstance(region, Product):
        return any(map(has_boundary, region.parts))
    return not isinstance(region, (RealSpace, Torus, Sphere, Boundary))


def support(law: Law, dimension: int) -> Set | None:
    """Where a law lives; None for a law without a density."""
    if law.family == "gibbs":
        return _set(law.parameters[3])
    if law.family == "uniform":
        return _set(law.parameters[0])
    return RealSpace(dimension) if law.family == "gauss" else None


def _set(region: Any) -> Set:
    return region.value  # type: ignore[no-any-return]


def maps_onto_itself(region: Set, factor: Expr, shift: Expr) -> bool:
    """Whether y ↦ factor·y + shift maps the region onto itself."""
    region = plain(region)
    if isinstance(region, RealSpace):
        return True
    if isinstance(region, Torus):
        return bool(factor**2 == 1)
    if isinstance(region, Interval) and factor == -1:
        return bool((shift - region.lo - region.hi).expand() == 0)
    return bool(factor == 1 and shift == 0)
