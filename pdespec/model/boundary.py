"""Conditions on the boundary: present on each part of it, on no other set, not too many, not contradictory.

An equation of order 2k in space needs k conditions for each scalar unknown on each part of the boundary of its region.
Parts are compared as sets: ∂(X \\ (A ∪ B)) consists of ∂X, ∂A and ∂B.  Where a condition stands on a set that cannot be
compared (a face, a piece given by an inequality), nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from sympy import Expr, S

from pdespec.diagnostics import Diagnostic, Label, error
from pdespec.model.bindings import Law
from pdespec.model.fields import Field, FieldValue, MetricGradient, Variation
from pdespec.model.magnitude import params_put_in
from pdespec.model.model import Equation, Solve, Unknown
from pdespec.model.orders import Kind, difference, fields_of, kind_of, order
from pdespec.model.scope import Env, Scope, base
from pdespec.model.sets import (
    Ball,
    Boundary,
    Difference,
    Finite,
    Interval,
    Named,
    Point,
    Product,
    RealSpace,
    Set,
    Sphere,
    Sublevel,
    Torus,
    Union,
    plain,
)
from pdespec.model.terms import Variable, VectorVariable, shape
from pdespec.model.vectors import Component

Listed = list[tuple[Equation, Kind]]
Part = tuple[Set, str]
"""A part of a boundary, and its name."""


def parts(s: Set, name: str = "") -> list[Part]:
    """The parts of the boundary of a set: ends of an interval, walls, holes."""
    if isinstance(s, Named):
        inner = plain(s)
        return parts(inner, f"∂{s.name}")
    if isinstance(s, (RealSpace, Torus, Sphere, Point, Finite)):
        return []
    if isinstance(s, Interval):
        return [(Point((s.lo,)), f"{{{s.lo}}}"), (Point((s.hi,)), f"{{{s.hi}}}")]
    if isinstance(s, Difference):
        return [*parts(s.whole), *parts(s.hole)]
    if isinstance(s, Union):
        return [p for part in s.parts for p in parts(part)]
    if isinstance(s, Sublevel):
        return [*parts(s.within), (s, name or f"∂{s}")]
    if isinstance(s, Product):
        if all(isinstance(plain(f), (RealSpace, Torus)) for f in s.parts):
            return []
        return [(s, name or f"∂({s})")]
    return [(s, name or f"∂({s})")]


def covered(s: Set, region: Set) -> list[Part] | None:
    """The parts on which a condition stands; None where they cannot be told.

    The boundary of a level set inside another set is its surface alone, unless it is the region of the equation itself.
    """
    inner = plain(s)
    if isinstance(inner, Boundary):
        if isinstance(plain(inner.of), Sublevel) and plain(inner.of) != plain(region):
            return [(inner.of, f"∂{inner.of.name}" if isinstance(inner.of, Named) else f"∂({inner.of})")]
        return parts(inner.of)
    if isinstance(inner, Point):
        return [(inner, str(inner))]
    if isinstance(inner, Finite):
        return [(Point((v,)), f"{{{v}}}") for v in inner.values]
    return None


# ── each unknown ──────────────────────────────────────────────────────────────────────────────────────────────────────


def boundary_findings(solve: Solve, listed: Listed, scope: Scope) -> Iterator[Diagnostic]:
    """What is wrong with the conditions of a solve on boundaries."""
    fields = sorted(set().union(*(fields_of(e) for e, _ in listed)), key=str)
    for field in fields:
        on = [
            (e, k) for e, k in listed if field in fields_of(e) and k.name in ("boundary", "pin") and k.space is not None
        ]
        contradictions = list(_contradictions(field, on, scope))
        yield from contradictions
        inside = [e for e, k in listed if k.name == "interior" and field in fields_of(e)]
        if inside and not contradictions:
            yield from _walls(solve, field, inside, on, scope)


def _walls(solve: Solve, field: Field, inside: list[Equation], on: Listed, scope: Scope) -> Iterator[Diagnostic]:
    unknown = scope.unknown_of(field)
    if unknown is None or unknown.kind == "scalar":
        return
    main = max(inside, key=lambda e: _space_order(e, field, scope))
    n = _space_order(main, field, scope)
    region = kind_of(main, scope).space
    if region is None or len(unknown.space) != 1:
        return
    own = unknown.space[0]
    wanted = [(p, f"∂{own.name}" if plain(p) == plain(own.set) else name) for p, name in parts(region)]
    told = [(e, covered(k.space, region)) for e, k in on if k.space is not None]
    yield from _elsewhere(field, told, wanted, region)
    free = (
        solve.optima
        or unknown.kind == "density"
        or difference(main).has(MetricGradient)
        or difference(main).has(Variation)
    )
    if any(c is None for _, c in told) or n < 2 or n % 2:
        return
    for part, name in wanted:
        here = [e for e, c in told if c is not None and any(_same(part, p, scope) for p, _ in c)]
        given = sum(_components(e, field) for e in here)
        room = n // 2 * (field.shape[0] if field.shape else 1)
        if not free and not here:
            yield error(
                "PDE301",
                main.lhs_span,
                f"the equation is of order {n} in space, and nothing fixes {field.name} on {name}",
                hint=f"add a boundary condition: wall: {field.name} = … on {name}{_over_time(unknown)}",
            )
            return
        if not free and given < room and not field.shape:
            yield error(
                "PDE301",
                here[0].span,
                f"the equation is of order {n} in space and needs {n // 2} conditions on {name}",
                hint=f"such as {field.name} and ∂n {field.name}, or {field.name} and Δ{field.name}",
            )
            return
        if given > room:
            yield error(
                "PDE315",
                here[-1].span,
                f"`{field.name}` has {len(here)} conditions on {name}, and order {n} has room for {n // 2}",
                related=tuple(Label(e.span, "another one") for e in here[:-1]),
            )
            return


def _over_time(unknown: Unknown) -> str:
    return f" × {unknown.time.name}" if unknown.time is not None else ""


def _space_order(equation: Equation, field: Field, scope: Scope) -> int:
    space: frozenset[Variable] = frozenset(c.variable for c in scope.coordinates.values() if not c.time)
    return order(difference(equation), field, space)


def _components(equation: Equation, field: Field) -> int:
    """How many scalar conditions an equation is; one on a component of a vector counts as one."""
    form = shape(equation.lhs) or (() if isinstance(equation.rhs, Law) else shape(equation.rhs))
    return form[0] if form else 1


def _same(a: Set, b: Set, scope: Scope) -> bool:
    """Whether two parts are one set; points are compared by value."""
    if isinstance(a, Point) and isinstance(b, Point) and a.dimension == b.dimension:
        env = base(scope)
        pairs = zip(a.coordinates, b.coordinates, strict=True)
        return all(params_put_in(x - y, env).expand() == 0 for x, y in pairs)
    return plain(a) == plain(b)


def _elsewhere(
    field: Field, told: list[tuple[Equation, list[Part] | None]], wanted: list[Part], region: Set
) -> Iterator[Diagnostic]:
    """Conditions on sets that are no part of the boundary."""
    known = [plain(p) for p, _ in wanted]
    if any(not isinstance(p, (Ball, Sublevel, Product)) for p in known):
        return
    for e, own in told:
        for part, name in own or []:
            inner = plain(part)
            if isinstance(inner, (Ball, Sublevel, Product)) and inner not in known:
                yield error(
                    "PDE313",
                    e.region_span or e.span,
                    f"{name} is no part of the boundary of {region}",
                    hint=f"its parts are {', '.join(n for _, n in wanted)}" if wanted else "it has no boundary",
                )


# ── contradictions ────────────────────────────────────────────────────────────────────────────────────────────────────


def _contradictions(field: Field, on: Listed, scope: Scope) -> Iterator[Diagnostic]:
    """Two values for one unknown on sets that meet."""
    env = base(scope)
    values = [(e, k, v) for e, k in on if (v := _value(e, field)) is not None]
    for (e, k, v), (f, l, w) in combinations(values, 2):
        if k.space is None or l.space is None or k.time != l.time:
            continue
        apart = params_put_in(v - w, env).expand()
        if apart == 0 or not apart.is_number:
            continue
        if _meet(plain(k.space), plain(l.space), env):
            yield error(
                "PDE309",
                f.span,
                f"`{field.name}` is fixed to {v} and to {w} where the sets meet",
                related=(Label(e.span, f"fixed to {v} here"),),
                hint="make the sets disjoint",
            )


def _value(equation: Equation, field: Field) -> Expr | None:
    """c in a condition u = c."""
    if isinstance(equation.rhs, Law):
        return None
    for a, b in ((equation.lhs, equation.rhs), (equation.rhs, equation.lhs)):
        if isinstance(a, FieldValue) and a.field == field and not field.shape and not b.atoms(FieldValue):
            return b
    return None


def _meet(a: Set, b: Set, env: Env) -> bool:
    """Whether two sets, or what they bound, are known to have a point in common."""
    if a == b:
        return True
    surfaces = isinstance(a, Boundary) and isinstance(b, Boundary)
    inner_a, inner_b = (plain(s.of) if isinstance(s, Boundary) else s for s in (a, b))
    if isinstance(inner_a, Ball) and isinstance(inner_b, Ball) and inner_a.dimension == inner_b.dimension:
        square = sum(((x - y) ** 2 for x, y in zip(inner_a.center, inner_b.center, strict=True)), S.Zero)
        near = params_put_in((inner_a.radius + inner_b.radius) ** 2 - square, env).is_positive
        nested = params_put_in((inner_a.radius - inner_b.radius) ** 2 - square, env).is_positive
        return bool(near) and not (surfaces and nested)
    if isinstance(inner_a, Sublevel) and isinstance(inner_b, Sublevel) and inner_a.within == inner_b.within:
        return _half_spaces_meet(inner_a, inner_b, surfaces, env)
    return False


def _half_spaces_meet(a: Sublevel, b: Sublevel, surfaces: bool, env: Env) -> bool:
    """{s x ≤ c} and {−s x ≤ d} with one coordinate x meet where c + d ≥ 0; of nested ones, the surfaces do not."""
    ha, hb = (_half_space(s, env) for s in (a, b))
    if ha is None or hb is None or ha[0] != hb[0]:
        return False
    if ha[1] * hb[1] > 0:
        return not surfaces or bool((ha[2] / ha[1] - hb[2] / hb[1]).is_zero)
    return bool((ha[2] / abs(ha[1]) + hb[2] / abs(hb[1])).is_nonnegative)


def _half_space(s: Sublevel, env: Env) -> tuple[Expr, Expr, Expr] | None:
    """(x, a, c) with the condition a x ≤ c in one coordinate x."""
    condition = params_put_in(s.condition, env).expand()
    leaves = set(condition.atoms(Component)) | {
        v for v in s.variables if not isinstance(v, VectorVariable) and v in condition.free_symbols
    }
    if len(leaves) != 1:
        return None
    (x,) = leaves
    slope = condition.coeff(x, 1)
    rest = condition.coeff(x, 0)
    if (condition - slope * x - rest).expand() != 0 or not slope.is_number or not rest.is_number or slope == 0:
        return None
    return x, slope, -rest
