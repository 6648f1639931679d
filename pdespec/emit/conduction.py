"""A gradient flow with a mobility m as fields over the cells: ∂ₜp = ∇·(p k(p) ∇ξ) + ΔQ(p) with k = m/p.

Entropy is taken out of the variation, δE/δp = c ln p + ξ, so that ξ is finite where p = 0; m c ∇ ln p = ∇Q, Q′ = c k.
The diffusivity D = m ∂ξ/∂p + Q′ bounds the steps.
"""

from __future__ import annotations

from sympy import Expr, Integer, Symbol, log

from pdespec.derive import calculus
from pdespec.derive.calculus import depends
from pdespec.derive.differentiate import differentiate
from pdespec.derive.notation import unicode
from pdespec.derive.spread import antiderivative
from pdespec.model.fields import FieldValue
from pdespec.model.refusal import refuse
from pdespec.plan.plan import Grid


def conduction(plan: Grid) -> dict[str, tuple[Expr, str]]:
    """ξ, k, m′, Q and D with what they are called in words."""
    flow = plan.flow
    value = flow.field.here()
    assert flow.mobility is not None and flow.variation is not None
    per_mass = calculus.multiplied_out(flow.mobility / value)
    variation = calculus.multiplied_out(flow.variation)
    entropy = variation.coeff(log(value))
    pressure = antiderivative(entropy * per_mass, value)
    at_zero, inside = (per_mass.xreplace({value: n}) for n in (Integer(0), Symbol("_p", positive=True)))
    varies = entropy != 0 and depends(inside, value.point)
    if at_zero.is_finite is False or pressure is None or entropy.has(FieldValue) or varies:
        refuse(
            "PDE921",
            plan.solve.method_span,
            f"the mobility {unicode(flow.mobility)} is not supported on a grid yet",
            hint="take a sum of powers p, p², … with constants, or write the flow with metric=W2",
        )
    force = calculus.multiplied_out(variation - entropy * log(value))
    return {
        "variation": (force, "ξ"),
        "per_mass": (per_mass, "m/p"),
        "slope": (_derivative(flow.mobility, value), "m′"),
        "pressure": (pressure, "Q"),
        "diffusivity": (flow.mobility * _derivative(force, value) + entropy * per_mass, "m ∂ξ/∂p + Q′"),
    }


def _derivative(term: Expr, value: FieldValue) -> Expr:
    """∂/∂p of what depends on p at the point; integrals of p are constants here."""
    symbol = Symbol("_p", positive=True)
    return differentiate(term.xreplace({value: symbol}), symbol).xreplace({symbol: value})
