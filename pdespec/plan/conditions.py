"""The equations of a solve as scalar residuals at points: what a collocation or least-squares method needs to know.

Each residual names the channels that it uses (derivatives of components of fields at the current point), the region
where its points lie, and its weight.  Conditions that an ansatz meets by construction are found by putting it in.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Integer, Symbol

from pdespec.derive.components import scalar
from pdespec.derive.derivation import Derivation, Residual
from pdespec.model.bindings import Binding, Integrate
from pdespec.model.model import Call, Solve
from pdespec.model.refusal import refuse
from pdespec.model.sets import (
    Ball,
    Boundary,
    Difference,
    Finite,
    Interval,
    Point,
    Product,
    Set,
    Sublevel,
    Union,
    has_boundary,
    plain,
    product,
)
from pdespec.model.terms import flat
from pdespec.plan.collapse import collapse, written_laplacians
from pdespec.plan.definitions import scalar_formals, with_definitions
from pdespec.plan.options import whole, word
from pdespec.plan.plan import Channel, Condition, PointSet
from pdespec.plan.values import coordinates, split, values


def channels(expr: Expr, point: tuple[Expr, ...], residual: Residual) -> tuple[Channel, ...]:
    """The derivatives of fields in an expression, all at the current point; the lowest orders first."""
    found: set[Channel] = set()
    for value, component in map(split, values(expr)):
        if value.point != point:
            where = residual.equation.lhs_span
            refuse(
                "PDE951",
                where,
                f"`{value.field.name}` at another point than the current one",
                hint="write the condition on a region of its own",
            )
        found.add(Channel(value.field, component, value.orders or (0,) * len(point)))
    return tuple(sorted(found, key=_rank))


def scalar_residuals(
    term: Expr, point: tuple[Expr, ...], residual: Residual, normal: Mapping[Expr, Expr]
) -> tuple[tuple[Expr, ...], tuple[Channel, ...]]:
    """The components of a residual's term (or of one like it), and the channels that they read."""
    written, whole = written_laplacians(term, point)
    components = tuple(c.xreplace(dict(normal)) for c in with_definitions(written, scalar_formals, Binding))
    found = (c for e in components for c in channels(e, point, residual))
    components, read = collapse(components, tuple(dict.fromkeys(found)), point)
    return components, tuple(dict.fromkeys((*read, *whole)))


def _rank(c: Channel) -> tuple[object, ...]:
    orders = c.orders if isinstance(c.orders, tuple) else ()
    return c.field.name, c.component or 0, c.order, tuple(-k for k in orders)


def fixed_ends(region: Set, domain: Set) -> tuple[int, Interval, tuple[Expr, ...]] | None:
    """Where a region fixes a coordinate at ends of its interval, as {0} × [0, 1] does: place, interval, ends."""
    intervals: dict[int, Interval] = {}
    offset = 0
    for factor in product(domain).factors:
        inner = plain(factor)
        intervals |= {offset: inner} if isinstance(inner, Interval) else {}
        offset += inner.dimension
    offset = 0
    for factor in plain(region).factors:
        inner = plain(factor)
        fixed = inner.coordinates if isinstance(inner, Point) else inner.values if isinstance(inner, Finite) else ()
        if offset in intervals and inner.dimension == 1 and fixed:
            interval = intervals[offset]
            at_ends = all(any((v - end).expand() == 0 for end in (interval.lo, interval.hi)) for v in fixed)
            return (offset, interval, tuple(fixed)) if at_ends else None
        offset += inner.dimension
    return None


def face_normal(region: Set, domain: Set, point: tuple[Expr, ...]) -> dict[Expr, Expr]:
    """The components of the normal where the region fixes a coordinate at ends of its interval: faces of the domain.

    At {a} and {b} it is ∓1, and (2x − a − b)/(b − a) on both of them, {a, b}.
    """
    found = fixed_ends(region, domain)
    if found is None:
        return {}
    place, interval, fixed = found
    a, b = interval.lo, interval.hi
    sides = {-1 if (v - a).expand() == 0 else 1 for v in fixed}
    outward = (2 * point[place] - a - b) / (b - a) if len(sides) == 2 else Integer(sides.pop())
    return dict.fromkeys(_normals(point), Integer(0)) | {_normals(point)[place]: outward}


def _normals(point: tuple[Expr, ...]) -> list[Expr]:
    return [Symbol(f"n[{k + 1}]", real=True) for k in range(len(point))]


def conditions(
    derivation: Derivation, solve: Solve, labels: tuple[str, ...], counts: dict[str, int], weights: dict[str, float]
) -> tuple[Condition, ...]:
    """The conditions of the given equations, with `counts` points and `weights` by role; those of one region share
    their points, and with them the derivatives of the unknowns."""
    made, sampler = [], sampler_of(solve)
    shared: dict[tuple[object, ...], PointSet] = {}
    for label in labels:
        residual = derivation.residual(label)
        if not residual.fields:
            refuse("PDE311", residual.equation.span, f"`{label}` holds no unknown", hint="state it as a `check`")
        point = coordinates(residual.fields[0])
        region = residual.equation.region
        domain = product(*(d.set for d in derivation.model.unknown(residual.fields[0].name).domains))
        normal = face_normal(region, domain, point)
        if not (normal or has_boundary(region)) and any(c.has(*_normals(point)) for c in residual.components):
            where = residual.equation.region_span or residual.equation.span
            refuse("PDE212", where, f"`{region}` is no part of a boundary along which the normal is known")
        components, found = scalar_residuals(residual.term, point, residual, normal)
        kind = "boundary" if has_boundary(region) else "interior"
        points = PointSet(label, region, kind, counts[residual.role], sampler)
        oriented = any(e.has(*_normals(point)) for e in components)
        points = shared.setdefault((region, point, residual.role, oriented), points)
        made.append(Condition(residual, points, point, components, found, weights[residual.role]))
    return tuple(made)


def sampler_of(solve: Solve) -> str:
    """The sampler that `using` names; Sobol points without one, and for points that follow the residual."""
    if renewal(solve) and solve.method is not None and solve.method.name != "collocation":
        text = f"points that follow the residual are not supported in `{solve.method.name}`"
        refuse("PDE904", solve.method.span, text, hint="`collocation` has them")
    return "sobol" if renewal(solve) else word(solve.method, "sampler", "sobol")


def renewal(solve: Solve) -> int:
    """The steps after which points are drawn anew by the residual; 0 where they stay."""
    call = solve.method.option("sampler") if solve.method else None
    return whole(call, "every", 100) if isinstance(call, Call) and call.name == "residual" else 0


def is_integral(residual: Residual) -> bool:
    """Whether the equation is one between numbers, such as an integral of a field, and no residual at points."""
    return residual.role == "constraint" or any(c.has(Integrate) for c in residual.components)


def defining(region: Set, point: tuple[Expr, ...]) -> list[tuple[Set, Expr]]:
    """Smooth functions, positive inside, that vanish on the parts of a boundary: [(part, function)].

    An interval has two ends, a box its faces, a ball r² − |x|², a half-space or level set its condition.
    """
    region = plain(region)
    match region:
        case Boundary(of=inside):
            return _faces(plain(inside), point)
        case Product(parts=parts):
            offset, found = 0, []
            for part in parts:
                own = point[offset : offset + part.dimension]
                found += defining(part, own) if has_boundary(part) else []
                offset += part.dimension
            return found
    return []


def _faces(inside: Set, point: tuple[Expr, ...]) -> list[tuple[Set, Expr]]:
    match inside:
        case Interval(lo=lo, hi=hi):
            return [(inside, point[0] - lo), (inside, hi - point[0])]
        case Ball(center=center, radius=radius):
            return [(inside, radius**2 - sum(((x - c) ** 2 for x, c in zip(point, center, strict=True)), Integer(0)))]
        case Product(parts=parts):
            offset, found = 0, []
            for part in parts:
                found += _faces(plain(part), point[offset : offset + part.dimension])
                offset += part.dimension
            return found
        case Sublevel(variables=variables, condition=condition):
            symbols = dict(zip(flat(variables), point, strict=True))
            return [(inside, -scalar(condition).xreplace(symbols))]
        case Difference(whole=whole, hole=hole):
            return _faces(plain(whole), point) + [(s, -f) for s, f in _faces(plain(hole), point)]
        case Union(parts=parts):
            return [pair for part in parts for pair in _faces(plain(part), point)]
    return []
