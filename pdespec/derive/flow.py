"""Flows: equations ∂t u = right, from an energy and a metric or written out.

A metric's gradient is its operator 𝕂 applied to δE/δu; on a density the right-hand side is read as a transport
(`conservation`).  dE/dt = −⟨δE/δu, 𝕂 δE/δu⟩ is kept as an identity to monitor, and where δE/δu = c ln p + Φ the
stationary law is the Gibbs law ∝ e^{−Φ/c}.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sympy import Add, Expr, Mul, S, log

from pdespec.derive import calculus
from pdespec.derive.calculus import depends
from pdespec.derive.conservation import FluxForm, Transport, advected, flux_form, rebuilt, transport
from pdespec.derive.derivation import Flow, Residual, Step
from pdespec.derive.resolve import first_variation, resolved, rewritten
from pdespec.derive.spread import CHAIN, PARTS
from pdespec.derive.tidy import tidy
from pdespec.model.bindings import Expect, Integrate, Law
from pdespec.model.fields import Field, FieldValue, MetricGradient, Variation
from pdespec.model.model import Model, Unknown
from pdespec.model.prelude import prelude
from pdespec.model.sets import product
from pdespec.model.substitution import substitute
from pdespec.model.terms import Region, shape
from pdespec.model.vectors import Curl, Div, Grad, Hess, Lap, Partial
from pdespec.source import Span


@dataclass(frozen=True, slots=True)
class _Gradient:
    """What a metric gradient says: its node, its sign in the equation, δE/δu, and 𝕂 as flux and source."""

    node: MetricGradient
    asked: Variation
    variation: Expr
    form: FluxForm


def flow_of(residual: Residual, model: Model) -> Flow | None:
    """The flow that an equation is, or None where it is none."""
    found = _time_derivative(residual, model)
    if found is None:
        return None
    u, unknown, sign = found
    space = tuple(v for d in unknown.space for v in d.coordinates)
    given = residual.equation.lhs - residual.equation.rhs
    written = calculus.multiplied_out(-sign * (given - sign * _slope(u, unknown)))
    gradient = _gradient(residual, model, space)
    right = tidy(resolved(written, model))
    if unknown.kind == "density" and not shape(u):
        return _density(residual, unknown, u, space, right, written, gradient, model)
    return _field(residual, unknown, right, gradient, model)


def _slope(u: FieldValue, unknown: Unknown) -> Expr:
    assert unknown.time is not None
    return Partial(u, unknown.time.coordinates[0])


def _time_derivative(residual: Residual, model: Model) -> tuple[FieldValue, Unknown, int] | None:
    """The field whose first time derivative stands alone in the equation, and its sign in lhs − rhs."""
    if residual.role != "interior" or residual.equation.relation != "=" or isinstance(residual.equation.rhs, Law):
        return None
    terms = Add.make_args(residual.term)
    for unknown in model.unknowns:
        if unknown.time is None or unknown.field not in residual.fields:
            continue
        u = unknown.field.here()
        slope = _slope(u, unknown)
        for sign in (1, -1):
            rest = Add(*terms) - sign * slope
            if sign * slope in terms and not _has_time_derivative(rest, unknown):
                return u, unknown, sign
    return None


def _has_time_derivative(expr: Expr, unknown: Unknown) -> bool:
    assert unknown.time is not None
    t = unknown.time.coordinates[0]
    return any(t in node.variables for node in expr.atoms(Partial))


def _gradient(residual: Residual, model: Model, space: tuple[Any, ...]) -> _Gradient | None:
    nodes = residual.equation.lhs.atoms(MetricGradient) | residual.equation.rhs.atoms(MetricGradient)
    if len(nodes) != 1:
        return None
    (node,) = nodes
    asked = next((v for v in node.body.atoms(Variation) if v.point == node.field.here().point), None)
    if asked is None:
        asked = Variation(node.functional, node.field, node.functional_name, *node.field.here().point)
    first = first_variation(asked, model).interior
    return _Gradient(node, asked, tidy(first), flux_form(tidy(-node.body), space))


# ── fields and densities ──────────────────────────────────────────────────────────────────────────────────────────────


def _field(residual: Residual, unknown: Unknown, right: Expr, gradient: _Gradient | None, model: Model) -> Flow:
    steps = _first_steps(gradient, model)
    if gradient is not None:
        steps.append(Step(right, "δE/δu put in; constants leave the derivatives"))
        steps.append(Step(_dissipation_by_name(gradient, unknown), DISSIPATION))
    return _flow(residual, unknown.field, right, gradient, _dissipation(gradient, unknown, model), steps)


def _density(
    residual: Residual,
    unknown: Unknown,
    u: FieldValue,
    space: tuple[Any, ...],
    right: Expr,
    written: Expr,
    gradient: _Gradient | None,
    model: Model,
) -> Flow:
    form = advected(flux_form(right, space), u, space)
    found = transport(form, u, space)
    conservative = not _local_derivatives(found.growth, u)
    rebuilt_right = rebuilt(found, u, space) if conservative else right
    steps = _first_steps(gradient, model)
    steps += _transport_steps(found, right, rebuilt_right, gradient is not None)
    if gradient is not None:
        steps.append(Step(_dissipation_by_name(gradient, unknown), DISSIPATION))
    dissipation = _dissipation(gradient, unknown, model)
    flow = _flow(residual, unknown.field, rebuilt_right, gradient, dissipation, steps)
    if not conservative:
        return flow
    return replace(
        flow,
        conservative=True,
        velocity=found.velocity,
        potential=found.potential,
        diffusion=found.diffusion,
        pressure=found.pressure if found.pressure != 0 else None,
        growth=found.growth,
        stationary=_stationary(unknown, u, space, gradient, found),
        mobility=None if gradient is None else _mobility(gradient, u, space),
    )


def _mobility(gradient: _Gradient, u: FieldValue, space: tuple[Any, ...]) -> Expr | None:
    """m where the flux of the metric is m(p) ∇φ with a function m of the density and the place."""
    slope = Grad(gradient.asked, *space)
    factors = [Mul.make_args(t) for t in Add.make_args(calculus.multiplied_out(gradient.form.flux))]
    if not all(f.count(slope) == 1 for f in factors):
        return None
    m = Add(*(Mul(*(a for a in f if a != slope)) for f in factors))
    return m if m.atoms(FieldValue) == {u} and not m.has(Integrate, Expect, Partial, Grad, Lap) else None


def _flow(
    residual: Residual,
    field: Field,
    right: Expr,
    gradient: _Gradient | None,
    dissipation: Expr | None,
    steps: list[Step],
) -> Flow:
    node = gradient.node if gradient else None
    return Flow(
        residual.equation,
        field,
        right,
        node.functional if node else None,
        node.functional_name if node else "",
        node.metric if node else "",
        gradient.variation if gradient else None,
        conservative=False,
        velocity=None,
        potential=None,
        diffusion=S.Zero,
        pressure=None,
        growth=S.Zero,
        dissipation=dissipation,
        stationary=None,
        steps=tuple(steps),
    )


def _local_derivatives(growth: Expr, u: FieldValue) -> bool:
    """Whether a source per mass holds derivatives of the density at the point, so that it is no growth rate."""
    kinds = (Grad, Div, Lap, Hess, Curl, Partial)
    return any(u in node.operand.atoms(FieldValue) for kind in kinds for node in growth.atoms(kind))


# ── what follows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _dissipation(gradient: _Gradient | None, unknown: Unknown, model: Model) -> Expr | None:
    """−⟨δE, 𝕂 δE⟩ by parts, δE/δu put in as a whole."""
    if gradient is None:
        return None
    here = gradient.asked

    def rule(v: Variation) -> Expr:
        moved = {x: y for x, y in zip(here.point, v.point, strict=True) if x != y}
        return substitute(gradient.variation, moved) if v.functional == here.functional else v

    return resolved(rewritten(_dissipation_by_name(gradient, unknown), {Variation: rule}), model)


def _dissipation_by_name(gradient: _Gradient, unknown: Unknown) -> Expr:
    """With −𝕂φ = ∇·F + q it is ∫ −∇φ·F + φ q for φ = δE/δu, which is left by name."""
    space = tuple(v for d in unknown.space for v in d.coordinates)
    g, form = gradient.asked, gradient.form
    flow = -calculus.dot(Grad(g, *space), form.flux) if form.flux != 0 else S.Zero
    integrand = calculus.distributed(flow + g * form.source)
    negative = integrand.could_extract_minus_sign()
    region = product(*(d.set for d in unknown.space))
    return -Integrate(-integrand, space, region) if negative else Integrate(integrand, space, region)


def _stationary(
    unknown: Unknown, u: FieldValue, space: tuple[Any, ...], gradient: _Gradient | None, found: Transport
) -> Law | None:
    """The Gibbs law ∝ e^{−Φ/c}, from δE/δp = c ln p + Φ or from drift −∇Φ and diffusion c."""
    potential, temperature = found.potential, found.diffusion
    if gradient is not None:
        potential, temperature = _affine_in_logarithm(gradient.variation, u)
    elif found.pressure != 0 or found.growth != 0:
        return None
    if potential is None or temperature == 0 or temperature.is_positive is not True or potential.has(FieldValue):
        return None
    region = Region(product(*(d.set for d in unknown.space)))
    return Law("gibbs", potential, 1 / temperature, space, region)


def _affine_in_logarithm(variation: Expr, u: FieldValue) -> tuple[Expr | None, Expr]:
    """Φ and c of c ln p + Φ, constants left out of Φ."""
    potential, temperature = S.Zero, S.Zero
    for t in Add.make_args(calculus.multiplied_out(variation)):
        if t.has(log(u)):
            temperature += t / log(u)
        elif depends(t, u.point):
            potential += t
    if temperature.has(FieldValue) or depends(temperature, u.point):
        return None, S.Zero
    return potential, temperature


# ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _first_steps(gradient: _Gradient | None, model: Model) -> list[Step]:
    """𝕂 unfolded: the metric's definition with δE/δu in place of φ."""
    if gradient is None:
        return []
    span = _definition(gradient.node.metric.partition("(")[0], model)
    rule = " ".join(span.text.split()) if span is not None else f"the metric {gradient.node.metric}"
    return [Step(tidy(-gradient.node.body), rule, span)]


def _definition(metric: str, model: Model) -> Span | None:
    """Where a metric is defined: in the spec, or in the prelude."""
    own = next((d.span for d in model.definitions if d.name == metric), None)
    built_in = prelude().definitions.get(metric)
    return own if own is not None or built_in is None else built_in.span


DISSIPATION = "dE/dt, monitored as an identity"


def _transport_steps(found: Transport, right: Expr, final: Expr, derived: bool) -> list[Step]:
    """The simplifications in order, each only where it changed the term."""
    steps = [Step(right, "δE/δp put in; constants drop under ∇")] if derived else []
    if final == right:
        return steps
    names = {CHAIN: "p ∇ ln p = ∇p", PARTS: "∫ K ∇p = −∫ (∇K) p, by parts"}
    rules = [names[r] for r in (CHAIN, PARTS) if r in found.rules]
    if found.pressure != 0:
        rules.append("P′(p) ∇p = ∇P(p)")
    steps.append(Step(final, "; ".join(rules) or "collected as a transport of p"))
    return steps
