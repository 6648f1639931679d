"""Where a leaf u(y) of a functional meets the point z of its first variation.

Each slot's argument is solved for an integration variable, y = φ⁻¹(z), with the Jacobian's modulus; the cotangent moves
along, and the groups that are left over are integrated.  A leaf that no group moves is a Dirac mass and no function.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Abs, Add, Expr, S

from pdespec.derive import calculus
from pdespec.derive.calculus import depends
from pdespec.derive.scope import Group, NoVariation, maps_onto_itself, unmarked
from pdespec.model.fields import Field, FieldValue
from pdespec.model.sets import Product, Set, plain, product
from pdespec.model.substitution import substitute
from pdespec.model.terms import dimension_of, shape

Scope = tuple[Group, ...]
Domain = tuple[tuple[int, Set], ...]
"""The factors of a field's domain in the order of its slots: how many slots each has, and its set."""


@dataclass(frozen=True, slots=True)
class BoundaryTerm:
    """∮ cotangent : D(η) over a surface: `node` is D(u), the value u or a derivative of it on the boundary."""

    cotangent: Expr
    node: Expr
    region: Set


@dataclass(frozen=True, slots=True)
class FirstVariation:
    """δF = ∫ interior·η + Σ boundary terms."""

    interior: Expr
    boundary: tuple[BoundaryTerm, ...] = ()


@dataclass(slots=True)
class Walk:
    """What a walk collects for δF/δu at `point`."""

    field: Field
    point: tuple[Expr, ...]
    domain: Domain
    interior: list[Expr] = field(default_factory=list)
    boundary: list[BoundaryTerm] = field(default_factory=list)


def transported(walk: Walk, term: FieldValue, w: Expr, scope: Scope) -> tuple[Set | None, Expr]:
    """The surface that the leaf's point lies on, if any, and the cotangent with the point moved to z and integrated."""
    moved: dict[Any, Expr] = {}
    factor: Expr = S.One
    surfaces: list[Group] = []
    taken: dict[Group, list[int]] = {}
    for slot, (x, z) in enumerate(zip(term.point, walk.point, strict=True)):
        bound = {v for g in scope for v in g.variables} & x.free_symbols
        if not bound and x == z:
            continue
        if not bound:
            raise NoVariation("PDE411", f"{term.field} at a fixed point: its variation is a Dirac mass, no function")
        place = substitute(x, moved)
        v, value, scale, shift = _solved(place, z, bound - set(moved), scope)
        g = next(g for g in scope if v in g.variables)
        region = g.part(v)
        if region is not None and not maps_onto_itself(region, scale, shift):
            raise NoVariation("PDE913", f"an integral of {walk.field} over a region that its argument moves")
        taken.setdefault(g, []).append(slot)
        if g.surface and g.region is not None:
            surfaces.append(g)
        moved = {k: substitute(m, {v: value}) for k, m in moved.items()} | {v: value}
        factor = factor / Abs(scale) ** dimension_of(v)
    if not moved:
        raise NoVariation("PDE411", f"{term.field} is not integrated over: this is no functional of it")
    for g, slots in taken.items():
        if g.law is not None and g.weighted()[0].region is None:
            raise NoVariation("PDE411", f"an expectation over points: the variation by {walk.field} is no function")
        _check_region(g, slots, walk)
        w = w * g.weighted()[1]
    left = [g.without(set(moved)) for g in scope]
    if any(rest is None for rest in left):
        raise NoVariation("PDE913", "an integral over a region that is no product, one factor of which a field takes")
    w = substitute(w * factor, moved)
    for g in reversed([_in_scope(g, moved) for groups in left for g in groups or ()]):
        w = g.around(w)
    for g in surfaces:
        w = unmarked(w, g.variables)
    return (surfaces[0].region if surfaces else None), w


def _in_scope(g: Group, moved: dict[Any, Expr]) -> Group:
    return replace(g, law=substitute(g.law, moved)) if g.law is not None else g


def _solved(place: Expr, z: Expr, free: set[Any], scope: Scope) -> tuple[Any, Expr, Expr, Expr]:
    """A bound variable v with place = z solved as v = …, and place = scale·v + shift."""
    for g in reversed(scope):
        for v in g.variables:
            if v not in free or bool(shape(v)) != bool(shape(place)):
                continue
            if place == v:
                return v, z, S.One, S.Zero
            scale, shift = _affine(place, v)
            if scale is not None:
                return v, (z - shift) / scale, scale, shift
    raise NoVariation("PDE914", "a field at a point that is no invertible affine function of an integration variable")


def _affine(place: Expr, v: Any) -> tuple[Expr | None, Expr]:
    """place = scale·v + shift with a scale that is a nonzero constant."""
    scale, shift = [], []
    for t in Add.make_args(place if shape(place) else calculus.multiplied_out(place)):
        if not depends(t, (v,)):
            shift.append(t)
            continue
        rest = t / v if t.is_Mul or t == v else None
        if rest is None or depends(rest, (v,)) or not (rest.is_number or rest.is_nonzero):
            return None, S.Zero
        scale.append(rest)
    total = Add(*scale)
    return (total, Add(*shift)) if total.is_nonzero else (None, S.Zero)


def _check_region(g: Group, slots: list[int], walk: Walk) -> None:
    """A group that a leaf consumes runs over all of the field's domain in those slots."""
    if g.law is not None or g.surface or g.region is None:
        return
    factors, start = [], 0
    for count, factor in walk.domain:
        if set(range(start, start + count)) & set(slots):
            factors.append(factor)
        start += count
    if factors and _plainly(g.region) != _plainly(*factors) and not _covered(g, slots, walk):
        raise NoVariation("PDE915", f"an integral over {g.region}, which is only part of the domain of {walk.field}")


def _covered(g: Group, slots: list[int], walk: Walk) -> bool:
    """Whether each variable that the leaf took runs over the whole of its one-slot factor."""
    sets = [factor for count, factor in walk.domain for _ in range(count)]
    single = [count == 1 for count, _ in walk.domain for _ in range(count)]
    parts = [g.part(v) for v in g.variables]
    whole = {_plainly(p) for p in parts if p is not None}
    return all(single[k] and _plainly(sets[k]) in whole for k in slots)


def _plainly(*sets: Set) -> Set:
    """A product of sets without names."""
    plain_sets = [plain(s) for s in sets]
    return product(*(plain(p) for s in plain_sets for p in (s.parts if isinstance(s, Product) else (s,))))
