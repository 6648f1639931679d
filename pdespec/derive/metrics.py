"""What a metric's operator 𝕂 keeps, tested by quadrature on trial functions.

A metric written by a user should be symmetric, ⟨φ, 𝕂ψ⟩ = ⟨ψ, 𝕂φ⟩, and dissipate, ⟨φ, 𝕂φ⟩ ≥ 0; on a density it should
conserve mass, ∫ 𝕂φ = 0.  A lost property is a warning by name; L2 on a density loses mass, which is an error.
"""

from __future__ import annotations

from random import Random
from typing import Any

from sympy import Expr, S, Symbol

from pdespec.derive.components import scalar
from pdespec.derive.derivation import Flow
from pdespec.derive.identities import known_of
from pdespec.derive.resolve import rewritten
from pdespec.diagnostics import Diagnostic, error, warning
from pdespec.model.bindings import Integrate
from pdespec.model.fields import Field, MetricGradient, Variation, value
from pdespec.model.model import Model, Unknown
from pdespec.model.sets import Ball, Interval, Product, Set, plain, product
from pdespec.model.terms import flat

PRELUDE = ("L2", "Hm1", "W2", "FR", "WFR", "Stein")


def lost_properties(flow: Flow, model: Model) -> tuple[Diagnostic, ...]:
    """The findings about a flow's metric."""
    unknown = model.unknown(flow.field.name)
    if flow.metric == "L2" and unknown.kind == "density":
        hint = "take W2, FR, WFR or Stein, which keep the mass, or declare a function instead of a density"
        message = f"the L2 flow of the density {unknown.name} loses mass"
        return (error("PDE407", flow.equation.span, message, hint=hint),)
    if flow.metric.split("(")[0] in PRELUDE:
        return ()
    node = next(iter(flow.equation.rhs.atoms(MetricGradient) | flow.equation.lhs.atoms(MetricGradient)), None)
    return () if node is None else _tested(node, unknown, flow, model)


def _tested(node: MetricGradient, unknown: Unknown, flow: Flow, model: Model) -> tuple[Diagnostic, ...]:
    from pdespec.derive.quadrature import NoQuadrature

    try:
        lost = _measured(node.body, unknown, model)
    except NoQuadrature as failure:
        return (warning("PDE408", flow.equation.span, f"the metric {node.metric} could not be tested: {failure}"),)
    return tuple(
        warning("PDE408", flow.equation.span, f"the metric {node.metric} is not {name}", notes=(fact,))
        for name, fact in lost
    )


def _window(region: Set, slots: tuple[Symbol, ...]) -> Expr:
    """A factor that vanishes at the walls to fourth order, so that nothing flows through them."""
    region = plain(region)
    if isinstance(region, Product):
        window, start = S.One, 0
        for part in region.parts:
            window *= _window(part, slots[start : start + part.dimension])
            start += part.dimension
        return window
    if isinstance(region, Interval):
        share = (slots[0] - region.lo) / (region.hi - region.lo)
        return (4 * share * (1 - share)) ** 4
    if isinstance(region, Ball):
        square = sum(((x - c) ** 2 for x, c in zip(slots, region.center, strict=False)), S.Zero)
        return (1 - square / region.radius**2) ** 4
    return S.One


def _measured(body: Expr, unknown: Unknown, model: Model) -> list[tuple[str, str]]:
    """The properties that fail for two trial potentials and a trial density."""
    from pdespec.derive.quadrature import estimate
    from pdespec.derive.trial import realise, trial

    known, random = known_of(model), Random(7)
    u = unknown.field
    space = tuple(v for d in unknown.space for v in d.coordinates)
    region = product(*(d.set for d in unknown.space))
    names = [Field(name, u.slots, u.dimensions) for name in ("φ", "ψ")]
    functions: dict[Field, Any] = {u: trial(u, known.spaces[u], random)}
    for f in names:
        slots, formulas = trial(f, type(known.spaces[u])(known.spaces[u].regions), random)
        functions[f] = slots, tuple(formula * _window(region, slots) for formula in formulas)
    here = u.here().point

    def pairing(first: Field | None, second: Field) -> tuple[float, float]:
        operator = rewritten(body, {Variation: lambda v: value(second, *v.point)})
        integrand = operator if first is None else value(first, *here) * operator
        expr = realise(scalar(Integrate(integrand, space, region)), functions)
        at = dict.fromkeys(expr.free_symbols - set(flat(space)), 0.5)
        at |= {k: float(v) for k, v in known.values.items()}
        result, bound = estimate(expr, at)
        return float(result), float(bound)

    phi, psi = names
    (ab, e1), (ba, e2), (aa, e3), (mass, e4) = (
        pairing(phi, psi),
        pairing(psi, phi),
        pairing(phi, phi),
        pairing(None, phi),
    )
    scale = max(abs(ab), abs(ba), abs(aa), 1e-6)
    lost = []
    if abs(ab - ba) > 10 * (e1 + e2) + 1e-5 * scale:
        lost.append(("symmetric", f"⟨φ, 𝕂ψ⟩ = {ab:.6g} but ⟨ψ, 𝕂φ⟩ = {ba:.6g} for two trial functions"))
    if aa < -10 * e3 - 1e-5 * scale:
        lost.append(("positive", f"⟨φ, 𝕂φ⟩ = {aa:.6g} for a trial function: the energy may grow"))
    if unknown.kind == "density" and abs(mass) > 10 * e4 + 1e-5 * scale:
        lost.append(("conservative", f"∫ 𝕂φ = {mass:.6g} for a trial function: mass is not kept"))
    return lost
