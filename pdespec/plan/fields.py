"""Plans for fields from equations: random features, and networks trained on residuals."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from sympy import exp

from pdespec.derive.components import scalar
from pdespec.derive.derivation import Derivation, Residual
from pdespec.model.bindings import Integrate
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Solve
from pdespec.model.refusal import refuse
from pdespec.model.sets import Set, plain, product
from pdespec.model.terms import flat, shape
from pdespec.plan.conditions import channels, conditions, is_integral, renewal, sampler_of
from pdespec.plan.descents import descents
from pdespec.plan.evaluate import evaluate, parameter_values
from pdespec.plan.networks import networks
from pdespec.plan.options import whole
from pdespec.plan.plan import Collocation, Condition, Features, PointSet
from pdespec.plan.unbounded import Box, box_of, given_box, invariant_weight, shown, unbounded, within
from pdespec.plan.values import coordinates, periods


def fields_of(derivation: Derivation, solve: Solve) -> tuple[Field, ...]:
    """The unknowns of a solve, in the order of their declaration."""
    found = {f for label in solve.equations for f in derivation.residual(label).fields if not f.solve}
    found |= {u.field for u in derivation.model.unknowns for _, name in solve.optima if u.name == name}
    return tuple(u.field for u in derivation.model.unknowns if u.field in found)


def domain_of(derivation: Derivation, field: Field) -> Set:
    """The domain of an unknown, time included."""
    return product(*(d.set for d in derivation.model.unknown(field.name).domains))


def same_domain(derivation: Derivation, solve: Solve, fields: tuple[Field, ...]) -> Set:
    """The one domain that all unknowns of a solve share."""
    domain = domain_of(derivation, fields[0])
    for f in fields[1:]:
        if coordinates(f) != coordinates(fields[0]):
            refuse(
                "PDE952",
                solve.span,
                f"`{fields[0].name}` and `{f.name}` live on different domains",
                hint="solve for them in solves of their own",
            )
    return domain


COLUMNS = {1: 400, 2: 1200, 3: 1600}
REPEATED = {1: 400, 2: 600, 3: 800}
"""The most columns of a least-squares matrix by dimension: of one that is solved once, and of those of Gauss–Newton."""


T = TypeVar("T")


def by_role(interior: T, conditions: T) -> dict[str, T]:
    """One value for the equations in the interior, one for the conditions, by the role of a residual."""
    return {"interior": interior, "boundary": conditions, "initial": conditions, "terminal": conditions}


def plan_features(derivation: Derivation, solve: Solve, why: tuple[str, ...]) -> Features:
    """One least-squares problem; interior equations weigh 1 and conditions 10, relative to the size of their rows."""
    fields = fields_of(derivation, solve)
    domain = same_domain(derivation, solve, fields)
    dimension = len(coordinates(fields[0]))
    residuals = [derivation.residual(label) for label in solve.equations]
    linear = all(r.linear for r in residuals)
    functions = sum(f.shape[0] if f.shape else 1 for f in fields)
    columns = (COLUMNS if linear else REPEATED).get(dimension, 1500) // functions
    count = whole(solve.method, "count", min({1: 200, 2: 800, 3: 1200}.get(dimension, 1500), columns))
    interior = whole(solve.method, "points", 3 * count)
    counts, weights = by_role(interior, interior // 3), by_role(1.0, 10.0)
    pointwise = tuple(r.label for r in residuals if not is_integral(r))
    made = conditions(derivation, solve, pointwise, counts, weights)
    constraints = _constraints(derivation, solve, domain, interior)
    periodic = tuple(period is not None for period in periods(domain))
    return Features(solve, fields, coordinates(fields[0]), made, constraints, count, linear, periodic, domain, why)


def _constraints(derivation: Derivation, solve: Solve, domain: Set, count: int) -> tuple[Condition, ...]:
    """The equations between integrals of a solve."""
    fields = fields_of(derivation, solve)
    integral = (r for r in map(derivation.residual, solve.equations) if is_integral(r))
    return tuple(_constraint(r, fields, domain, count, sampler_of(solve)) for r in integral)


def _constraint(residual: Residual, fields: tuple[Field, ...], domain: Set, count: int, sampler: str) -> Condition:
    """∫ g(u) dx = c over the domain as one row, g by its values at points with weights."""
    where = residual.equation.span
    point = coordinates(fields[0])
    (expr,) = residual.components
    found = list(expr.atoms(Integrate))
    factor = expr.coeff(found[0]) if len(found) == 1 else None
    rest = None if factor is None else (expr - factor * found[0]).expand()
    if factor is None or rest is None or (factor + rest).has(Integrate, FieldValue, *point):
        refuse(
            "PDE953",
            where,
            "only a condition ∫ … = c over the whole domain is supported here yet",
            hint="a norm that is fixed belongs into a quotient: min[u] E(u)/∫ u² dx",
        )
    integral = found[0]
    if plain(integral.region) != plain(domain) or len(flat(integral.variables)) != len(point):
        refuse("PDE953", where, f"the integral runs over {integral.region}, not over {domain}")
    body = integral.body.xreplace(dict(zip(flat(integral.variables), point, strict=True)))
    points = PointSet(residual.label, domain, "integral", count, sampler)
    return Condition(residual, points, point, (body,), channels(body, point, residual), 10.0, -rest / factor)


def plan_collocation(derivation: Derivation, solve: Solve, why: tuple[str, ...]) -> Collocation:
    """Networks for all unknowns, and the residuals that their form does not meet by itself."""
    fields = fields_of(derivation, solve)
    domain = same_domain(derivation, solve, fields)
    interior = whole(solve.method, "points", 2048)
    counts, weights = by_role(interior, max(64, interior // 4)), by_role(1.0, 10.0)
    pointwise = tuple(e for e in solve.equations if not is_integral(derivation.residual(e)))
    made = conditions(derivation, solve, pointwise, counts, weights)
    made += _constraints(derivation, solve, domain, interior)
    nets, built_in, reasons = networks(derivation, solve, fields, made)
    box = None
    if unbounded(domain):
        box, reason = _box(derivation, solve, made)
        made = tuple(replace(c, points=replace(c.points, region=within(c.points.region, box))) for c in made)
        why = (*why, f"{domain} cut to {shown(box)}, {reason}")
    left = tuple(c for c in made if c.label not in built_in)
    rows = sum(len(c.components) * (1 if is_integral(c.residual) else c.points.count) for c in left)
    chain, reason = descents(solve, nets, rows)
    why = (*why, *reasons, *([reason] if reason else []))
    return Collocation(solve, fields, nets, left, built_in, chain, why, box, renewal(solve))


def _box(derivation: Derivation, solve: Solve, made: tuple[Condition, ...]) -> tuple[Box, str]:
    """The box in which points are drawn on an unbounded domain, and where it comes from.

    It is the author's `box=`, that of a density of the spec which is invariant under the equation's process, or that of
    another density of the spec.
    """
    inner = next((c for c in made if c.residual.role == "interior"), made[0])
    point, model = inner.coordinates, derivation.model
    given = given_box(solve, len(point))
    if given is not None:
        values = parameter_values(model)
        return tuple((float(evaluate(a, values)), float(evaluate(b, values))) for a, b in given), "as `box=` asks"
    weight = invariant_weight(inner.residual, point, model)
    if weight is not None:
        return box_of(weight, point, model), "outside which the invariant density has less than 1e-10"
    for definition in model.definitions:
        w = None if definition.term is None or shape(definition.term) else scalar(definition.term)
        if isinstance(w, exp) and w.free_symbols & set(point):
            text = f"outside which {definition.name} (not invariant here) has less than 1e-10"
            return box_of(w, point, model), text
    where = solve.method_span or solve.span
    message = "points on an unbounded domain need a density, and the spec has none"
    refuse("PDE527", where, message, hint="add box= to `using`, or give a bounded domain")
