"""A network for each unknown, and which conditions its form meets by construction.

With the author's ansatz, a condition is built in if putting the ansatz into it leaves zero on its whole region.
Without one, constant Dirichlet data are built in: with ℓᵢ vanishing on the i-th part of the boundary and gᵢ the
constant there,
    u = Σᵢ gᵢ Πⱼ≠ᵢ ℓⱼ / Σᵢ Πⱼ≠ᵢ ℓⱼ + Πᵢ ℓᵢ · N      (Lagaris, Likas & Fotiadis, IEEE Trans. Neural Networks 9, 1998).
An unknown with values in [lo, hi] that is lo where ℓ₁ = 0 and hi where ℓ₂ = 0 is a mean of both ends by Bayes' rule,
    u = (hi ℓ₁ s + lo ℓ₂ (1 − s))/(ℓ₁ s + ℓ₂ (1 − s)),      s = σ(N).
Data that vary along the boundary are not extended into the domain, since an extension may be the solution itself.
A network sees a periodic coordinate as a point of the circle, by its cosine and sine.
"""

from __future__ import annotations

from itertools import groupby
from operator import ne

from sympy import Add, Expr, Integer, Mul, cos, pi, sin

from pdespec.derive.components import scalar
from pdespec.derive.derivation import Derivation
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Ansatz, Solve, Unknown
from pdespec.model.refusal import refuse
from pdespec.model.sets import Boundary, Difference, Interval, Point, Set, Union, plain, product
from pdespec.model.vectors import Component
from pdespec.plan.conditions import defining, fixed_ends
from pdespec.plan.nets import network
from pdespec.plan.plan import Channel, Condition, Derivative, Mlp, Module, Network, Sigmoid, network_output
from pdespec.plan.values import coordinates, periods, split, values


def networks(
    derivation: Derivation,
    solve: Solve,
    fields: tuple[Field, ...],
    made: tuple[Condition, ...],
    extra: tuple[Channel, ...] = (),
) -> tuple[tuple[Network, ...], tuple[str, ...], tuple[str, ...]]:
    """The networks, the labels of the conditions that are built in, and the reasons in words."""
    nets: list[Network] = []
    built: list[str] = []
    why: list[str] = []
    for f in fields:
        unknown = derivation.model.unknown(f.name)
        given = next((a for a in derivation.model.ansatze if a.unknown == f.name), None)
        if given is not None:
            form, net, features = _given(given, unknown)
            met = tuple(c.label for c in made if _meets(c, f, form))
        else:
            form, met = _dirichlet(unknown, f, made)
            net, features = Mlp(width=32, depth=3), circles(unknown)
        left = [c for c in made if c.label not in met]
        wanted = {ch.orders for c in left for ch in c.channels if ch.field == f} | {
            ch.orders for ch in extra if ch.field == f
        }
        zero = (0,) * len(coordinates(f))
        nets.append(Network(f, coordinates(f), net, form, _sorted(wanted | {zero}), features))
        built += met
        if met:
            why.append(f"{', '.join(met)} built into the ansatz of {f.name}")
    return tuple(nets), tuple(built), tuple(why)


def _sorted(orders: set[Derivative]) -> tuple[Derivative, ...]:
    """By order, a Laplacian last."""
    return tuple(sorted(orders, key=lambda o: (0, sum(o), *(-k for k in o)) if isinstance(o, tuple) else (1, *o.over)))


# ── the author's ansatz ───────────────────────────────────────────────────────────────────────────────────────────────


def _given(ansatz: Ansatz, unknown: Unknown) -> tuple[tuple[Expr, ...], Mlp | Module, tuple[Expr, ...]]:
    """The form of an ansatz in network outputs, its network, and what that network sees of the point."""
    if len(ansatz.networks) != 1:
        refuse("PDE903", ansatz.span, "an ansatz with several networks is not supported yet")
    placeholder, call = ansatz.networks[0]
    shape, term = unknown.field.shape, ansatz.term
    count = shape[0] if shape else 1
    parts = [scalar(Component(term, k)) if shape else scalar(term) for k in range(1, count + 1)]
    inside = [v for v, _ in map(split, values(*parts)) if v.field == placeholder]
    points = {v.point for v in inside}
    if len(points) > 1 or any(any(v.orders) for v in inside):
        refuse("PDE903", call.span, "a network at several points, or a derivative of one, is not supported yet")
    form = tuple(_outputs(e, placeholder) for e in parts)
    features = _features(points.pop() if points else coordinates(unknown.field), unknown)
    _require_periods((*form, *features), ansatz, unknown)
    return form, network(call, len(features or coordinates(unknown.field)), count), features


def _features(point: tuple[Expr, ...], unknown: Unknown) -> tuple[Expr, ...]:
    """What a network sees of the point: its arguments, a bare periodic coordinate as a point of the circle."""
    period = _periods(unknown)
    features = tuple(f for e in point for f in (circle(e, period[e]) if e in period else (e,)))
    return () if features == coordinates(unknown.field) else features


def circles(unknown: Unknown) -> tuple[Expr, ...]:
    """The features of a network over all coordinates: none of its own where none is periodic."""
    return _features(coordinates(unknown.field), unknown)


def circle(x: Expr, period: Expr) -> tuple[Expr, Expr]:
    """The features of a periodic coordinate: cos and sin of 2πx/period."""
    return cos(2 * pi * x / period), sin(2 * pi * x / period)


def _periods(unknown: Unknown) -> dict[Expr, Expr]:
    """The periodic coordinates with their periods."""
    each = periods(product(*(d.set for d in unknown.domains)))
    return {x: p for x, p in zip(coordinates(unknown.field), each, strict=True) if p is not None}


def _require_periods(expressions: tuple[Expr, ...], ansatz: Ansatz, unknown: Unknown) -> None:
    """An ansatz on a circle must close: nothing in it may change by a period."""
    for x, period in _periods(unknown).items():
        for e in expressions:
            if ((e.xreplace({x: x + period}).expand() - e).expand()) != 0:
                message = f"the ansatz is not periodic in `{x.name}`"
                refuse("PDE531", ansatz.span, message, hint=f"write it in cos and sin of 2*π*{x.name}/({period})")


def _outputs(expr: Expr, placeholder: Field) -> Expr:
    """Values of the placeholder as outputs of the network."""
    if isinstance(expr, Component) and isinstance(expr.args[0], FieldValue) and expr.args[0].field == placeholder:
        return network_output(int(expr.args[1]) - 1)
    if isinstance(expr, FieldValue) and expr.field == placeholder:
        return network_output(0)
    return expr.func(*(_outputs(a, placeholder) for a in expr.args)) if expr.args else expr


def _meets(condition: Condition, field: Field, form: tuple[Expr, ...]) -> bool:
    """Whether the form makes every component of a condition zero on each part of its region."""
    if condition.residual.role == "interior" or any(c.field != field or c.order for c in condition.channels):
        return False
    point = condition.coordinates
    values = {c.of(point): form[(c.component or 1) - 1] for c in condition.channels}
    parts = _fixed(condition)
    if not parts:
        return False
    return all((e.xreplace(values).xreplace(fixed)).expand() == 0 for e in condition.components for fixed in parts)


def _fixed(condition: Condition) -> list[dict[Expr, Expr]]:
    """For each part of the region a coordinate and its value, where the parts are such: faces, a point in time."""
    region, offset = plain(condition.points.region), 0
    found: list[dict[Expr, Expr]] = []
    for factor in region.factors:
        inner = plain(factor)
        if isinstance(inner, Point):
            found.append(dict(zip(condition.coordinates[offset:], inner.coordinates, strict=False)))
        offset += inner.dimension
    for _, function in defining(region, condition.coordinates):
        variables = [v for v in condition.coordinates if v in function.free_symbols]
        slope = function.diff(variables[0]) if len(variables) == 1 else None
        if slope is None or slope.free_symbols & set(condition.coordinates):
            return []
        found.append({variables[0]: variables[0] - function / slope})
    return [{k: v.expand() for k, v in f.items()} for f in found]


# ── Dirichlet data by construction ────────────────────────────────────────────────────────────────────────────────────


Data = tuple[tuple[Expr, ...], Expr, str]
"""Functions that vanish on the faces of a condition, the constant there, and its label."""


def _dirichlet(unknown: Unknown, field: Field, made: tuple[Condition, ...]) -> tuple[tuple[Expr, ...], tuple[str, ...]]:
    """The form with constant Dirichlet data built in, and the labels of those conditions.

    Where the data are one constant, faces on which first derivatives vanish too get the square of their function.
    """
    count = field.shape[0] if field.shape else 1
    plain_form = tuple(network_output(k) for k in range(count))
    data: list[Data] = []
    for c in made:
        value = _constant_data(c, field)
        faces = _vanishing(c, unknown)
        if value is not None and faces:
            data.append((faces, value, c.label))
    if not data or (count > 1 and any(value != 0 for _, value, _ in data)):
        return plain_form, ()
    labels = tuple(label for _, _, label in data)
    if len({value for _, value, _ in data}) == 1:
        faces = tuple(dict.fromkeys(f for own, _, _ in data for f in own))
        flat = [c for c in made if _is_flat(c, field) and set(_vanishing(c, unknown) or (None,)) <= set(faces)]
        twice = {f for c in flat for f in _vanishing(c, unknown)}
        factor = Mul(*(f**2 if f in twice else f for f in faces))
        return tuple(data[0][1] + factor * n for n in plain_form), (*labels, *(c.label for c in flat))
    products = [(Mul(*faces), value) for faces, value, _ in data]
    groups = [(Mul(*(f for f, _ in g)), v) for v, g in ((v, list(g)) for v, g in groupby(products, key=lambda d: d[1]))]
    ends = unknown.codomain
    if isinstance(ends, Interval) and sorted((v for _, v in groups), key=float) == [ends.lo, ends.hi]:
        low, high = sorted(groups, key=lambda g: float(g[1]))
        share = Sigmoid(plain_form[0])
        above, below = low[0] * share, high[0] * (1 - share)
        return ((ends.hi * above + ends.lo * below) / (above + below),), labels
    others = [Mul(*(f for j, (f, _) in enumerate(groups) if j != i)) for i in range(len(groups))]
    lift = Add(*(v * o for (_, v), o in zip(groups, others, strict=True))) / Add(*others)
    return (lift + Mul(*(f for f, _ in groups)) * plain_form[0],), labels


def _vanishing(condition: Condition, unknown: Unknown) -> tuple[Expr, ...]:
    """Functions that vanish on the parts of a region and are positive inside; none where they are unknown."""
    sign = -1 if _is_hole(condition.points.region, unknown) else 1
    found = tuple(sign * f for _, f in defining(condition.points.region, condition.coordinates))
    return found or _ends(condition, unknown)


def _ends(condition: Condition, unknown: Unknown) -> tuple[Expr, ...]:
    """The same where one coordinate is at ends of its interval and the others are free: {0} × [0, 1]."""
    domain = product(*(d.set for d in unknown.domains))
    found = fixed_ends(condition.points.region, domain)
    whole, parts = ([plain(f) for f in plain(s).factors] for s in (domain, condition.points.region))
    if found is None or len(parts) != len(whole) or sum(map(ne, parts, whole)) != 1:
        return ()
    place, interval, fixed = found
    x = condition.coordinates[place]
    return tuple(x - v if v == interval.lo else v - x for v in fixed)


def _is_flat(condition: Condition, field: Field) -> bool:
    """Whether a condition on a boundary holds wherever ∇u = 0: ∂n u = 0, say."""
    first = all(c.field == field and c.order == 1 for c in condition.channels)
    zero = {c.of(condition.coordinates): Integer(0) for c in condition.channels}
    return condition.residual.role == "boundary" and first and all(e.xreplace(zero) == 0 for e in condition.components)


def _constant_data(condition: Condition, field: Field) -> Expr | None:
    """g where the condition says u = g, a number or a parameter, on a boundary; for a vector only g = 0."""
    if condition.residual.role != "boundary" or any(c.field != field or c.order for c in condition.channels):
        return None
    value: Expr | None = None
    for channel, expr in zip(condition.channels, condition.components, strict=False):
        atom = channel.of(condition.coordinates)
        rest = (atom - expr).expand()
        rest = rest if not rest.has(FieldValue) else (atom + expr).expand()
        if rest.has(FieldValue) or rest.free_symbols & set(condition.coordinates):
            return None
        if value is not None and rest != value:
            return None
        value = rest
    return value if len(condition.channels) == len(condition.components) else None


def _is_hole(region: Set, unknown: Unknown) -> bool:
    """Whether the boundary is that of a set taken out of the unknown's domain."""
    whole = plain(unknown.domains[0].set)
    of = next((plain(f) for f in plain(region).factors if isinstance(plain(f), Boundary)), None)
    if not isinstance(whole, Difference) or not isinstance(of, Boundary):
        return False
    hole = plain(whole.hole)
    holes = [plain(p) for p in hole.parts] if isinstance(hole, Union) else [hole]
    return plain(of.of) in holes
