"""Plans for an optimum of a functional by networks and quadrature (Ritz).

Dirichlet data are built into the networks where they can be; an integral constraint ∫ v k = 0 that is linear and
homogeneous in the unknown enters as a penalty on the squared cosine between v and k, which no scaling of v can evade.
"""

from __future__ import annotations

from sympy import Expr, Mul, S

from pdespec.derive.components import scalar
from pdespec.derive.derivation import Derivation, Residual
from pdespec.model.bindings import Integrate
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Solve
from pdespec.model.refusal import refuse
from pdespec.model.sets import Interval, Set, Torus, plain
from pdespec.model.terms import flat
from pdespec.plan.conditions import conditions, is_integral
from pdespec.plan.definitions import at_a_point, with_definitions
from pdespec.plan.descents import descents
from pdespec.plan.fields import by_role, fields_of
from pdespec.plan.networks import networks
from pdespec.plan.options import whole
from pdespec.plan.plan import Channel, Ritz
from pdespec.plan.unbounded import Box, box_of, shown, unbounded
from pdespec.plan.values import split, values


def plan_ritz(derivation: Derivation, solve: Solve, why: tuple[str, ...]) -> Ritz:
    """Networks, the functional in scalar coordinates, its quadrature, and how each condition is met."""
    if len(solve.optima) != 1 or solve.objective is None:
        refuse("PDE905", solve.span, "`ritz` takes one `min` or `max` of a functional")
    found = next(o for o in derivation.objectives if o.solve == solve.label)
    fields = fields_of(derivation, solve)
    (objective,) = with_definitions(found.term, at_a_point)
    count = whole(solve.method, "points", 1024)
    share = max(64, count // 4)
    pointwise = tuple(e for e in solve.equations if not is_integral(derivation.residual(e)))
    integral = tuple(e for e in solve.equations if is_integral(derivation.residual(e)))
    made = conditions(derivation, solve, pointwise, by_role(share, share), by_role(100.0, 100.0))
    constraints = tuple((e, _orthogonality(derivation.residual(e), fields)) for e in integral)
    extra = tuple(c for expr in (objective, *(c for _, c in constraints)) for c in _channels(expr, fields))
    nets, built_in, reasons = networks(derivation, solve, fields, made, extra)
    left = tuple(c for c in made if c.label not in built_in)
    box = _box(scalar(found.term), derivation)
    more = (f"R^{len(box)} cut to {shown(box)}, which holds all but 1e-10 of the weight",) if box else ()
    penalties = tuple(f"{c.label} by a penalty" for c in left) + tuple(
        f"{e} by a penalty on a cosine" for e in integral
    )
    sign = 1 if solve.optima[0][0] in ("min", "inf") else -1
    sampled = any(not is_box(i.region) for i in integrals(objective))
    chain, reason = descents(solve, nets, None, sampled)
    if sampled:
        more = (*more, f"{count} fresh Sobol points in every step, since the domain is no box")
    return Ritz(
        solve,
        fields,
        nets,
        objective,
        sign,
        count,
        left,
        constraints,
        built_in,
        chain,
        (*why, *reasons, *more, *penalties, *([reason] if reason else [])),
        box,
        sampled,
    )


def _orthogonality(residual: Residual, fields: tuple[Field, ...]) -> Expr:
    """∫ v k dx of a condition ∫ v k dx = 0 with one unknown v (or component) and a known k."""
    where = residual.equation.span
    (expr,) = residual.components
    found = integrals(expr)
    own = [v for v in values(*(i.body for i in found)) if split(v)[0].field in fields]
    known = len(found) == 1 and len(own) == 1 and not (found[0].body / own[0]).has(own[0])
    if not known or (expr / found[0]).has(Integrate) or any(split(own[0])[0].orders):
        message = "only a condition ∫ v * k dx = 0 with one unknown v and a known k is supported here yet"
        refuse("PDE953", where, message, hint="a norm that is fixed belongs into a quotient: min[u] E(u)/∫ u² dx")
    return found[0]


def _channels(expr: Expr, fields: tuple[Field, ...]) -> set[Channel]:
    """The derivatives of the unknowns inside the integrals."""
    found = [(v, component) for v, component in map(split, values(expr)) if v.field in fields]
    return {Channel(v.field, component, v.orders or (0,) * len(v.point)) for v, component in found}


def is_box(region: Set) -> bool:
    """Whether Gauss–Legendre and trapezoidal rules serve: intervals and circles, up to dimension two."""
    parts = [plain(p) for p in plain(region).factors]
    return all(isinstance(p, (Interval, Torus)) for p in parts) and sum(p.dimension for p in parts) <= 2


def integrals(expr: Expr) -> list[Integrate]:
    """The outermost integrals of an expression."""
    if isinstance(expr, Integrate):
        return [expr]
    return [i for a in expr.args for i in integrals(a)]


def weight_of(integral: Integrate) -> Expr:
    """The factors of an integrand that hold no field."""
    body = integral.body
    summands = body.args if body.is_Add else (body,)
    common = set.intersection(*(set(Mul.make_args(s)) for s in summands))
    return Mul(*(f for f in common if not f.has(FieldValue) and f.free_symbols & set(integral.variables)), S.One)


def _box(objective: Expr, derivation: Derivation) -> Box | None:
    """The box for integrals over unbounded regions, which holds the weight of each of them."""
    boxes = [
        box_of(weight_of(i), flat(i.variables), derivation.model) for i in integrals(objective) if unbounded(i.region)
    ]
    sides = zip(*boxes, strict=True)
    return tuple((min(a for a, _ in side), max(b for _, b in side)) for side in sides) if boxes else None
