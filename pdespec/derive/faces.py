"""The region of an equation as faces on which a declared solution can be tested exactly.

A face fixes some scalar coordinates by others: x = 0 and x = 1 for the ends of an interval,
x₂ = c₂ ± √(r² − (x₁ − c₁)²) for a circle, and t = 0 for the start.  It carries the outward normal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product as cartesian
from random import Random

from sympy import Expr, Rational, S, Symbol, sqrt

from pdespec.derive.components import scalar
from pdespec.derive.differentiate import differentiate
from pdespec.model import sets
from pdespec.model.sets import (
    Ball,
    Boundary,
    Difference,
    Finite,
    Interval,
    Point,
    Product,
    RealSpace,
    Set,
    Sphere,
    Sublevel,
    Torus,
    plain,
)
from pdespec.model.substitution import substitute
from pdespec.model.terms import flat

Symbols = tuple[Symbol, ...]
TRIES = 200


@dataclass(frozen=True, slots=True)
class Face:
    """Part of a region: coordinates fixed by others, the normal on it, and its name for a person.

    The others lie in the sets of `within`, and each expression of `levels` is at most zero.
    """

    fixed: dict[Symbol, Expr]
    normal: tuple[Expr, ...] = ()
    within: tuple[tuple[Set, Symbols], ...] = ()
    levels: tuple[Expr, ...] = ()
    name: str = field(default="", compare=False)

    def replacements(self) -> dict[Expr, Expr]:
        """What to put in place of the fixed coordinates and of the normal."""
        normals = {Symbol(f"n[{k}]", real=True): c for k, c in enumerate(self.normal, 1)}
        return {**self.fixed, **{n: substitute(c, self.fixed) for n, c in normals.items()}}

    def times(self, other: Face) -> Face:
        """The face of a product."""
        name = ", ".join(filter(None, (self.name, other.name)))
        return Face(
            {**self.fixed, **other.fixed},
            self.normal or other.normal,
            self.within + other.within,
            self.levels + other.levels,
            name,
        )


class NoFaces(Exception):
    """A region whose boundary has no exact description here."""


def faces(region: Set, at: Symbols) -> tuple[Face, ...]:
    """The region in scalar coordinates."""
    region = plain(region)
    if isinstance(region, Product):
        parts = (faces(part, own) for part, own in _slices(region, at))
        return tuple(_product(combination) for combination in cartesian(*parts))
    if isinstance(region, Point):
        fixed = dict(zip(at, region.coordinates, strict=True))
        return (Face(fixed, name=_named(fixed)),)
    if isinstance(region, Finite):
        return tuple(Face({at[0]: v}, name=f"{at[0]} = {v}") for v in region.values)
    if isinstance(region, sets.Union):
        return tuple(face for part in region.parts for face in faces(part, at))
    if isinstance(region, Boundary):
        return tuple(_boundary(plain(region.of), at))
    if isinstance(region, Sublevel) and sets.on_boundary(region.within):
        return tuple(_pieces(region, at))
    if isinstance(region, Sphere):
        return tuple(_sphere(tuple(S.Zero for _ in at), S.One, at))
    return (Face({}, within=((region, at),)),)


def _pieces(region: Sublevel, at: Symbols) -> Iterator[Face]:
    """The faces of a boundary as far as an inequality holds on them."""
    level = substitute(scalar(region.condition), dict(zip(flat(region.variables), at, strict=True)))
    for face in faces(region.within, at):
        here = substitute(level, face.fixed)
        if not here.is_positive:
            yield replace(face, levels=(*face.levels, here))


def _product(parts: tuple[Face, ...]) -> Face:
    face = Face({})
    for part in parts:
        face = face.times(part)
    return face


def _slices(region: Product, at: Symbols) -> Iterator[tuple[Set, Symbols]]:
    start = 0
    for part in region.parts:
        yield part, at[start : start + part.dimension]
        start += part.dimension


def _named(fixed: dict[Symbol, Expr]) -> str:
    return ", ".join(f"{s} = {v}" for s, v in fixed.items())


# ── boundaries ────────────────────────────────────────────────────────────────────────────────────────────────────────


def oriented(face: Face, at: Symbols, home: Set | None) -> Face:
    """A face that a product with a point describes, with the normal that points out of its box of intervals."""
    if face.normal or home is None:
        return face
    space = plain(home)
    sides = [plain(part) for part in (space.parts if isinstance(space, Product) else (space,))]
    normal = []
    for x, side in zip(at, sides, strict=False):
        end = face.fixed.get(x)
        outward = 0
        if isinstance(side, Interval) and end is not None:
            outward = int(end == side.hi) - int(end == side.lo)
        normal.append(S(outward))
    known = sum(map(abs, normal)) == 1 and len(normal) == len(sides)
    return replace(face, normal=tuple(normal)) if known else face


def _boundary(of: Set, at: Symbols) -> Iterator[Face]:
    if isinstance(of, Interval):
        (x,) = at
        for end, outward in ((of.lo, -1), (of.hi, 1)):
            yield Face({x: end}, (S(outward),), name=f"{x} = {end}")
    elif isinstance(of, Product):
        yield from _product_boundary(of, at)
    elif isinstance(of, Ball):
        yield from _sphere(of.center, of.radius, at)
    elif isinstance(of, Sublevel):
        yield from _level(of, at)
    elif isinstance(of, Difference):
        yield from _boundary(plain(of.whole), at)
        yield from (_turned(face) for face in _boundary(plain(of.hole), at))
    elif isinstance(of, sets.Union):
        for part in of.parts:
            yield from _boundary(plain(part), at)
    elif not isinstance(of, (RealSpace, Torus, Sphere)):
        raise NoFaces(f"the boundary of {of}")


def _turned(face: Face) -> Face:
    return replace(face, normal=tuple(-c for c in face.normal))


def _product_boundary(of: Product, at: Symbols) -> Iterator[Face]:
    parts = list(_slices(of, at))
    for k, (part, own) in enumerate(parts):
        before = sum(len(s) for _, s in parts[:k])
        after = len(at) - before - len(own)
        for face in _boundary(plain(part), own):
            normal = (S.Zero,) * before + face.normal + (S.Zero,) * after
            rest = tuple((p, s) for j, (p, s) in enumerate(parts) if j != k)
            yield replace(face, normal=normal, within=face.within + rest)


def _sphere(center: tuple[Expr, ...], radius: Expr, at: Symbols) -> Iterator[Face]:
    """Both halves of |x − c| = r, the last coordinate fixed by the others."""
    *free, last = at
    offset = tuple(x - c for x, c in zip(at, center, strict=True))
    height = sqrt(radius**2 - sum(o**2 for o in offset[:-1]))
    normal = tuple(o / radius for o in offset)
    shadow = ((Ball(center[:-1], radius * Rational(9, 10)), tuple(free)),) if free else ()
    for side in (1, -1):
        yield Face({last: center[-1] + side * height}, normal, shadow, name=f"|x| = {radius}")


def _level(of: Sublevel, at: Symbols) -> Iterator[Face]:
    """A hyperplane: the condition is affine, and one coordinate is solved for."""
    condition = scalar(of.condition)
    rename = dict(zip(flat(of.variables), at, strict=True))
    condition = substitute(condition, rename)
    slopes = tuple(differentiate(condition, x) for x in at)
    if any(slope.free_symbols & set(at) for slope in slopes):
        raise NoFaces(f"the boundary of {of}, which is no half-space")
    x, slope = next((x, slope) for x, slope in zip(at, slopes, strict=True) if slope != 0)
    solution = x - condition / slope
    length = sqrt(sum(s**2 for s in slopes))
    fixed = {x: solution.expand()}
    rest = ((plain(of.within), at),) if not isinstance(plain(of.within), RealSpace) else ()
    yield Face(fixed, tuple(s / length for s in slopes), rest, name=_named(fixed))


# ── sample points ─────────────────────────────────────────────────────────────────────────────────────────────────────


def sample(face: Face, at: Symbols, random: Random, values: dict[Expr, Expr]) -> dict[Symbol, Expr]:
    """Rational coordinates of a random point of the face, those that it fixes left out.

    Raises `NoFaces` where the inequalities of the face held at none of many points.
    """
    for _ in range(TRIES if face.levels else 1):
        point = {x: Rational(random.randint(-1400, 1400), 1000) for x in at}
        for region, own in face.within:
            point.update(zip(own, _inside(region, own, random, values), strict=True))
        point = {x: v for x, v in point.items() if x not in face.fixed}
        if all(bool(substitute(level, point | values) <= 0) for level in face.levels):
            return point
    raise NoFaces(f"{face.name} where an inequality holds: no point of it was found")


def _inside(region: Set, at: Symbols, random: Random, values: dict[Expr, Expr]) -> list[Expr]:
    """A random point of a set; the last one tried where a set is so thin that none of many lies in it."""
    for _ in range(TRIES):
        point = _near(region, at, random, values)
        if contains(region, dict(zip(at, point, strict=True)), values):
            break
    return point


def _near(region: Set, at: Symbols, random: Random, values: dict[Expr, Expr]) -> list[Expr]:
    """A random point of a set from which others may be cut away."""
    region = plain(region)
    if isinstance(region, Interval):
        share = Rational(random.randint(60, 940), 1000)
        return [substitute(region.lo + (region.hi - region.lo) * share, values)]
    if isinstance(region, Torus):
        return [substitute(p * Rational(random.randint(60, 940), 1000), values) for p in region.periods]
    if isinstance(region, Product):
        return [v for part, own in _slices(region, at) for v in _inside(part, own, random, values)]
    if isinstance(region, Ball):
        d = region.dimension
        shares = (Rational(random.randint(-950, 950), 1000 * d) for _ in range(d))
        return [substitute(c + region.radius * s, values) for c, s in zip(region.center, shares, strict=True)]
    if isinstance(region, Point):
        return list(region.coordinates)
    if isinstance(region, Difference):
        return _near(region.whole, at, random, values)
    if isinstance(region, Sublevel):
        return _near(region.within, at, random, values)
    if isinstance(region, sets.Union):
        return _near(random.choice(region.parts), at, random, values)
    return [Rational(random.randint(-1400, 1400), 1000) for _ in at]


def contains(region: Set, point: dict[Symbol, Expr], values: dict[Expr, Expr]) -> bool:
    """Whether a point lies in what unions, differences and level sets leave of a set."""
    region, at = plain(region), tuple(point)
    if isinstance(region, Product):
        return all(contains(p, {x: point[x] for x in own}, values) for p, own in _slices(region, at))
    if isinstance(region, sets.Union):
        return any(contains(part, point, values) for part in region.parts)
    if isinstance(region, Difference):
        return contains(region.whole, point, values) and not contains(region.hole, point, values)
    if isinstance(region, Sublevel):
        own = dict(zip(flat(region.variables), point.values(), strict=True))
        level = substitute(scalar(region.condition), own | values)
        return contains(region.within, point, values) and bool(level <= 0)
    if isinstance(region, Interval):
        (x,) = point.values()
        return bool(substitute(region.lo, values) <= x) and bool(x <= substitute(region.hi, values))
    if isinstance(region, Ball):
        distance = sum(((x - c) ** 2 for x, c in zip(point.values(), region.center, strict=True)), S.Zero)
        return bool(substitute(distance - region.radius**2, values) <= 0)
    return True


def positive_coordinates(region: Set, at: Symbols) -> frozenset[Symbol]:
    """The coordinates that are non-negative throughout the region (and so positive almost everywhere)."""
    region = plain(region)
    if isinstance(region, Difference):
        return positive_coordinates(region.whole, at)
    if isinstance(region, Sublevel):
        return positive_coordinates(region.within, at)
    if isinstance(region, Product):
        return frozenset().union(*(positive_coordinates(part, own) for part, own in _slices(region, at)))
    if isinstance(region, Interval) and region.lo.is_nonnegative:
        return frozenset(at)
    return frozenset()
