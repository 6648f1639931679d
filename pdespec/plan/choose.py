"""Derivation ─plan▶ Plan: a realisation for every solve, as its `using` asks, or the planner's choice with its reasons.

The choice follows from what the derivation knows.  Equations affine in the unknowns, in at most five coordinates, are
one least-squares problem for random features; mildly nonlinear ones are a few Gauss–Newton steps of it; an optimum is
Ritz; a flow of a density is a grid in one or two dimensions and particles beyond; a periodic field's flow is a spectral
grid.
"""

from __future__ import annotations

from collections.abc import Callable

from pdespec.derive.derivation import Derivation, Flow, Residual
from pdespec.diagnostics import Diagnostic, SpecError, error, has_errors, located, note
from pdespec.model.bindings import Law
from pdespec.model.model import Solve
from pdespec.model.refusal import refuse
from pdespec.model.terms import NoRule
from pdespec.plan.fields import fields_of, plan_collocation, plan_features
from pdespec.plan.flows import plan_grid, plan_particles
from pdespec.plan.plan import Grid, Particles, Plan, Realisation
from pdespec.plan.starts import start_findings
from pdespec.plan.variational import plan_ritz

Planner = Callable[[Derivation, Solve, tuple[str, ...]], Realisation]

REALISATIONS: dict[str, Planner] = {
    "features": plan_features,
    "collocation": plan_collocation,
    "ritz": plan_ritz,
    "particles": plan_particles,
    "grid": plan_grid,
}
"""Methods of `using`, each with the function that plans it."""


def plan(derivation: Derivation) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """A realisation for each solve, in file order."""
    solves: list[Realisation] = []
    found: list[Diagnostic] = []
    for solve in derivation.model.solves:
        try:
            with located(solve.method_span or solve.span):
                solves.append(_realise(derivation, solve))
                if isinstance(solves[-1], (Grid, Particles)):
                    found += start_findings(solves[-1], derivation.model)
        except SpecError as problem:
            found += problem.diagnostics
        except NoRule as problem:
            found.append(error("PDE405", solve.method_span or solve.span, f"the plan: {problem}"))
    if has_errors(found):
        return None, tuple(found)
    for p in derivation.model.params:
        if len(p.sweep) > 1:
            text = f"`{p.symbol.name}` is a sweep, and one script has one value: {p.value}"
            found.append(note("PDE530", p.span, text, hint="`pdespec run` runs every value; `--set` chooses one"))
    return Plan(derivation, tuple(solves), derivation.reports), tuple(found)


def _realise(derivation: Derivation, solve: Solve) -> Realisation:
    number = next((f for f in fields_of(derivation, solve) if not f.slots), None)
    if number is not None:
        refuse(
            "PDE952",
            solve.span,
            f"`{number.name}` is a number, and numbers are not solved for yet",
            hint="an eigenvalue is the least value of a quotient: solve min[u] E(u)/∫ u² dx, and report the quotient",
        )
    if solve.method is not None:
        planner = REALISATIONS.get(solve.method.name)
        if planner is None:
            refuse("PDE901", solve.method.span, f"`using {solve.method.name}` is not supported yet")
        return planner(derivation, solve, (f"using {solve.method.name}: as the spec asks",))
    name, why = choose(derivation, solve)
    return REALISATIONS[name](derivation, solve, (f"{name}: {why}",))


def choose(derivation: Derivation, solve: Solve) -> tuple[str, str]:
    """The realisation that suits a solve without `using`, and the reason."""
    if solve.optima:
        return "ritz", "an optimum of a functional, by quadrature and descent"
    flow = next((f for label in solve.equations if (f := derivation.flow(label)) is not None and _is_flow(f)), None)
    if flow is not None and flow.conservative:
        if any(_from_points(derivation.residual(label)) for label in solve.equations):
            return "particles", "a density that starts as points"
        dimension = sum(flow.field.dimensions) - 1
        if dimension <= 2:
            return "grid", f"a density in dimension {dimension}: finite volumes keep mass and positivity"
        return "particles", f"a density in dimension {dimension}: a grid has too many cells"
    if flow is not None:
        return "grid", "a gradient flow of a periodic field: spectral in space, semi-implicit in time"
    residuals = [derivation.residual(label) for label in solve.equations]
    dimension = max((sum(f.dimensions) for r in residuals for f in r.fields), default=0)
    if dimension <= 5 and all(r.linear for r in residuals):
        return "features", f"linear in the unknown, {dimension} coordinates: one least-squares solve in random features"
    if dimension <= 3:
        return "features", f"mildly nonlinear, {dimension} coordinates: Gauss–Newton steps in random features"
    return "collocation", f"{dimension} coordinates: a network trained on the residuals"


def _from_points(residual: Residual) -> bool:
    right = residual.equation.rhs
    return isinstance(right, Law) and right.family == "points"


def _is_flow(flow: Flow) -> bool:
    """Whether it is a gradient flow or transports a density; any equation first order in time has a `Flow`."""
    return bool(flow.metric) or flow.conservative
