"""Plans for fields from equations: random features, and networks trained on residuals."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr

from pdespec.derive.derivation import Derivation, Residual
from pdespec.diagnostics import SpecError, error
from pdespec.model.model import Call, Solve
from pdespec.model.sets import Set, Torus, plain, product
from pdespec.model.terms import Field, Integrate, flat
from pdespec.plan.conditions import channels, conditions, coordinates, is_integral
from pdespec.plan.networks import networks
from pdespec.plan.plan import Collocation, Condition, Descent, Features, PointSet
from pdespec.plan.unbounded import Box, box_of, invariant_weight, shown, unbounded, within

ITERATIONS = (Descent("adam", 1000, 5e-3), Descent("lbfgs", 1500, 1.0))
"""What a network is trained by where the spec does not say."""


def fields_of(derivation: Derivation, solve: Solve) -> tuple[Field, ...]:
    """The unknowns of a solve, in the order of their declaration."""
    found = {f for label in solve.equations for f in derivation.residual(label).fields if not f.solve}
    found |= {u.field for u in derivation.model.unknowns for _, name in solve.optima if u.name == name}
    return tuple(u.field for u in derivation.model.unknowns if u.field in found)


def domain_of(derivation: Derivation, field: Field) -> Set:
    """The domain of an unknown, time included."""
    return product(*(d.set for d in derivation.model.unknown(field.name).domains))


def periods(domain: Set) -> tuple[tuple[int, Expr], ...]:
    """(coordinate, period) of the periodic coordinates."""
    found, offset = [], 0
    for factor in plain(domain).factors:
        inner = plain(factor)
        if isinstance(inner, Torus):
            found += [(offset + k, period) for k, period in enumerate(inner.periods)]
        offset += inner.dimension
    return tuple(found)


def option(call: Call | None, name: str, default: int) -> int:
    """A whole number among a call's options."""
    value = default if call is None else call.option(name, default)
    return int(value)  # type: ignore[call-overload, no-any-return]


def same_domain(derivation: Derivation, solve: Solve, fields: tuple[Field, ...]) -> Set:
    """The one domain that all unknowns of a solve share."""
    domain = domain_of(derivation, fields[0])
    for f in fields[1:]:
        if coordinates(f) != coordinates(fields[0]):
            raise SpecError(
                [
                    error(
                        "PDE952",
                        solve.span,
                        f"`{fields[0].name}` and `{f.name}` live on different domains",
                        hint="solve for them in solves of their own",
                    )
                ]
            )
    return domain


def plan_features(derivation: Derivation, solve: Solve, why: tuple[str, ...]) -> Features:
    """One least-squares problem; interior equations weigh 1 and conditions 10, relative to the size of their rows."""
    fields = fields_of(derivation, solve)
    domain = same_domain(derivation, solve, fields)
    dimension = len(coordinates(fields[0]))
    count = option(solve.method, "count", {1: 200, 2: 800, 3: 1200}.get(dimension, 1500))
    interior = option(solve.method, "points", {1: 600, 2: 2400}.get(dimension, 4000))
    counts = {"interior": interior, "boundary": interior // 3, "initial": interior // 3, "terminal": interior // 3}
    weights = {"interior": 1.0, "boundary": 10.0, "initial": 10.0, "terminal": 10.0}
    residuals = [derivation.residual(label) for label in solve.equations]
    pointwise = tuple(r.label for r in residuals if not is_integral(r))
    integral = [r for r in residuals if is_integral(r)]
    made = conditions(derivation, solve, pointwise, counts, weights)
    constraints = tuple(_constraint(r, fields, domain, interior) for r in integral)
    linear = all(r.linear for r in residuals)
    return Features(
        solve, fields, coordinates(fields[0]), made, constraints, count, linear, periods(domain), domain, why
    )


def _constraint(residual: Residual, fields: tuple[Field, ...], domain: Set, count: int) -> Condition:
    """∫ g(u) dx = 0 over the domain as one row: the mean of the rows of g over points of the domain."""
    where = residual.equation.span
    point = coordinates(fields[0])
    (expr,) = residual.components
    found = list(expr.atoms(Integrate))
    factor = expr.coeff(found[0]) if len(found) == 1 else None
    if factor is None or factor.free_symbols & set(point) or (expr - factor * found[0]).expand() != 0:
        raise SpecError(
            [error("PDE953", where, "only a condition ∫ … = 0 over the whole domain is supported here yet")]
        )
    integral = found[0]
    if plain(integral.region) != plain(domain) or len(flat(integral.variables)) != len(point):
        raise SpecError([error("PDE953", where, f"the integral runs over {integral.region}, not over {domain}")])
    body = integral.body.xreplace(dict(zip(flat(integral.variables), point, strict=True)))
    points = PointSet(residual.label, domain, "integral", count)
    return Condition(residual, points, point, (body,), channels(body, point, residual), 10.0)


def plan_collocation(derivation: Derivation, solve: Solve, why: tuple[str, ...]) -> Collocation:
    """Networks for all unknowns, and the residuals that their form does not meet by itself."""
    fields = fields_of(derivation, solve)
    domain = same_domain(derivation, solve, fields)
    interior = option(solve.method, "points", 2048)
    share = max(64, interior // 4)
    counts = {"interior": interior, "boundary": share, "initial": share, "terminal": share}
    weights = {"interior": 1.0, "boundary": 10.0, "initial": 10.0, "terminal": 10.0}
    made = conditions(derivation, solve, solve.equations, counts, weights)
    box = _box(derivation, solve, made) if unbounded(domain) else None
    if box:
        made = tuple(replace(c, points=replace(c.points, region=within(c.points.region, box))) for c in made)
        why = (*why, f"{domain} cut to {shown(box)}, outside which the invariant density has less than 1e-10")
    nets, built_in, reasons = networks(derivation, solve, fields, made)
    left = tuple(c for c in made if c.label not in built_in)
    return Collocation(solve, fields, nets, left, built_in, iterations(solve), (*why, *reasons), box)


def _box(derivation: Derivation, solve: Solve, made: tuple[Condition, ...]) -> Box:
    """The box in which points are drawn on an unbounded domain: that of an invariant density."""
    inner = next((c for c in made if c.residual.role == "interior"), made[0])
    weight = invariant_weight(inner.residual, inner.coordinates, derivation.model)
    if weight is None:
        raise SpecError(
            [
                error(
                    "PDE527",
                    solve.method_span or solve.span,
                    "points on an unbounded domain need a density, and none of the spec is invariant",
                    hint="give a bounded domain",
                )
            ]
        )
    return box_of(weight, inner.coordinates, derivation.model)


def iterations(solve: Solve) -> tuple[Descent, ...]:
    """The chain of `with … then …`."""
    if not solve.iterations:
        return ITERATIONS
    chain = []
    for call in solve.iterations:
        default = {"adam": Descent("adam", 1000, 5e-3), "lbfgs": Descent("lbfgs", 1000, 1.0)}.get(call.name)
        if default is None:
            raise SpecError(
                [error("PDE902", call.span, f"`with {call.name}` is not supported here yet", hint="adam and lbfgs are")]
            )
        rate = float(call.option("lr", default.rate))  # type: ignore[arg-type]
        chain.append(Descent(call.name, option(call, "steps", default.steps), rate))
    return tuple(chain)
