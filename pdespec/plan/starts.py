"""Whether a flow of a density starts from one: p₀ ≥ 0 and ∫p₀ = 1, by the midpoint rule on a fine grid.

The rule is exact to rounding for smooth densities that vanish at the walls; a jump costs a share of a cell, so that a
mass within 1 % of one is taken as one, and nothing is said where two grids disagree.  The script divides by the mass in
any case: what is found here is told.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sympy import Expr

from pdespec.diagnostics import Diagnostic, error, warning
from pdespec.model.bindings import Law
from pdespec.model.model import Equation, Model
from pdespec.model.sets import Interval, Torus, plain, product
from pdespec.model.terms import NoRule
from pdespec.plan.evaluate import evaluate, parameter_values
from pdespec.plan.flows import start_density
from pdespec.plan.plan import Grid, Particles
from pdespec.plan.unbounded import CELLS, box_of, unbounded
from pdespec.plan.values import coordinates

TOLERANCE = 1e-2
EMPTY = 1e-6


def start_findings(plan: Grid | Particles, model: Model) -> Iterator[Diagnostic]:
    """What is wrong with the initial density of a flow, where it is given by a formula and has few coordinates."""
    start = plan.start.equation
    law = isinstance(start.rhs, Law)
    if not plan.flow.conservative or (law and start.rhs.family != "gauss"):
        return
    variables = coordinates(plan.flow.field)[:-1]
    density = start_density(plan.start, variables)
    sides = _sides(plan, density, variables, model)
    if sides is None:
        return
    try:
        mass, least, where = _measured(density, variables, sides, model, 1)
        coarse, *_ = _measured(density, variables, sides, model, 2)
    except NoRule:  # a formula that has no values here has no code either, which the emission says
        return
    if law and mass < 1 - TOLERANCE:
        yield _outside(start, mass)
    elif not np.isfinite(mass):
        message = "the initial density is not finite everywhere"
        yield error("PDE535", start.rhs_span, message, hint="choose another start, or a smaller box")
    elif least < -1e-12 * mass:
        place = ", ".join(f"{v} = {x:.3g}" for v, x in zip(variables, where, strict=True))
        message = f"the initial density is negative: {least:.3g} at {place}"
        yield error(
            "PDE534", start.rhs_span, message, hint="a function that may be negative is `unknown u : X × I -> R`"
        )
    elif abs(mass - 1) > TOLERANCE and abs(mass - coarse) < TOLERANCE / 10 * mass:
        message = f"the initial density has mass {mass:.5g}, and a density has mass one: it is divided by its mass"
        yield warning("PDE533", start.rhs_span, message, hint=f"write ({start.rhs_span.text.strip()})/{mass:.5g}")


def _outside(start: Equation, mass: float) -> Diagnostic:
    """A law that reaches beyond the walls, or lies beyond them."""
    message = f"only {mass:.3g} of the mass of {start.rhs_span.text.strip()} lies where the flow is solved"
    if mass < EMPTY:
        return error("PDE536", start.rhs_span, message, hint="choose a start that lies inside")
    hint = "a grid divides by what is left, and walls reflect particles: choose a start that lies inside"
    return warning("PDE536", start.rhs_span, message, hint=hint)


def _sides(
    plan: Grid | Particles, density: Expr, variables: tuple[Expr, ...], model: Model
) -> list[tuple[float, float]] | None:
    """The box of the grid, or one that holds the mass; None where there is none to be had."""
    if len(variables) not in CELLS:
        return None
    domain = product(*(d.set for d in model.unknown(plan.flow.field.name).space))
    values = parameter_values(model)
    if isinstance(plan, Grid) and plan.box:
        return [(float(evaluate(a, values)), float(evaluate(b, values))) for a, b in plan.box]
    if unbounded(domain):
        return None if isinstance(plan.start.equation.rhs, Law) else list(box_of(density, variables, model))
    sides = []
    for factor in plain(domain).factors:
        match plain(factor):
            case Interval(lo=lo, hi=hi):
                sides.append((float(evaluate(lo, values)), float(evaluate(hi, values))))
            case Torus(periods=periods):
                sides += [(0.0, float(evaluate(p, values))) for p in periods]
            case _:
                return None
    return sides


def _measured(
    density: Expr, variables: tuple[Expr, ...], sides: list[tuple[float, float]], model: Model, coarser: int
) -> tuple[float, float, list[float]]:
    """The mass, the least value, and where that is."""
    n = CELLS[len(variables)] // coarser
    axes = [a + (b - a) * (np.arange(n) + 0.5) / n for a, b in sides]
    mesh = np.meshgrid(*axes, indexing="ij")
    with np.errstate(all="ignore"):  # what is not finite is found below
        known = {**parameter_values(model), **dict(zip(variables, mesh, strict=True))}
        values = np.broadcast_to(evaluate(density, known), mesh[0].shape)
        mass = float(values.sum() * np.prod([(b - a) / n for a, b in sides]))
    least = np.unravel_index(np.argmin(values), values.shape)
    return mass, float(values[least]), [float(m[least]) for m in mesh]
