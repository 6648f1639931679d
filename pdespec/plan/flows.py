"""Plans for flows in time: particles of a density, and grids for densities and periodic fields.

Steps are chosen without a look at the reports.  A grid on R^d without `box=` takes the smallest box that holds
all but 10⁻¹⁰ of the initial and of the stationary mass, where there is a stationary density.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from sympy import Expr, Heaviside, Mul, S, exp

from pdespec.derive.components import scalar
from pdespec.derive.derivation import Derivation, Flow, Residual
from pdespec.derive.laws import density
from pdespec.model.bindings import Expect, Integrate, Law
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Call, Solve
from pdespec.model.refusal import refuse
from pdespec.model.sets import Ball, Interval, Point, Product, Set, plain, product
from pdespec.model.substitution import substitute
from pdespec.plan.evaluate import evaluate, parameter_values
from pdespec.plan.options import whole
from pdespec.plan.plan import Grid, Particles
from pdespec.plan.unbounded import box_of, given_box, unbounded
from pdespec.plan.values import coordinates

INTEGRATORS = ("euler", "heun", "rk4")
"""What moves particles; a grid has steps of its own, for which `with euler(dt=…)` gives the length."""

MOST_STEPS = 10**9
STEPS = {"frozen": 80, "mean field": 400, "spectral": 1000}
"""Steps of a grid where the spec gives no dt; a potential that does not depend on p is exact in time."""


def plan_particles(derivation: Derivation, solve: Solve, why: tuple[str, ...]) -> Particles:
    """n particles; the integrator and its step are those of `with`, Euler with 1000 steps without."""
    flow, start = _flow_and_start(derivation, solve)
    if not flow.conservative:
        refuse(
            "PDE521",
            solve.method_span,
            f"`{flow.label}` is no transport of a density, so it has no particles",
            hint="use grid",
        )
    count = whole(solve.method, "n", 1000)
    begin, end = time_interval(derivation, flow.field)
    integrator = _integrator(solve, INTEGRATORS)
    dt = _step(_asked(solve) or (end - begin) / 1000, begin, end)
    if needs_density(flow):
        refuse(
            "PDE906",
            solve.method_span,
            "particles that need the value of their density are not supported yet",
            hint="use grid" if _has_scheme(flow) else "take a drift -∇V, and use grid",
        )
    noise = "" if flow.diffusion == 0 else ", with the entropy as noise √(2c)"
    more = (f"{count} particles by {integrator}, {int((end - begin) / dt)} steps of {float(dt):g}{noise}",)
    return Particles(
        solve,
        flow,
        start,
        count,
        solve.method or Call("particles", (), (), solve.span),
        integrator,
        float(dt),
        float(end),
        float(begin),
        (*why, *more),
    )


def needs_density(flow: Flow) -> bool:
    """Whether b or s use the value of p other than under an integral against p."""

    def bare(e: Expr) -> bool:
        if isinstance(e, FieldValue):
            return e.field == flow.field
        if isinstance(e, (Integrate, Expect)):
            return False
        return any(bare(a) for a in e.args)

    return any(t is not None and bare(t) for t in (flow.velocity, flow.growth)) or flow.pressure is not None


def _has_scheme(flow: Flow) -> bool:
    """Whether a grid steps a flow that needs the value of its density."""
    return flow.potential is not None or flow.mobility is not None


def plan_grid(derivation: Derivation, solve: Solve, why: tuple[str, ...]) -> Grid:
    """Finite volumes for a density, a spectral scheme for a periodic field."""
    flow, start = _flow_and_start(derivation, solve)
    if isinstance(start.equation.rhs, Law) and start.equation.rhs.family == "points":
        message = "a grid needs a density at the start, and points have none"
        refuse("PDE528", start.equation.span, message, hint="use particles")
    domain = product(*(d.set for d in derivation.model.unknown(flow.field.name).space))
    dimension = domain.dimension
    begin, end = time_interval(derivation, flow.field)
    _integrator(solve, ("euler",))
    dt = _step(_asked(solve) or (end - begin) / STEPS[_pace(flow)], begin, end)
    cells = _cells(solve, dimension, {1: 400, 2: 128, 3: 48}.get(dimension, 32))
    box = _box(derivation, solve, flow, start, domain)
    scheme = scheme_of(flow)
    shown = " × ".join(f"[{float(a):g}, {float(b):g}]" for a, b in box) if box else str(domain)
    more = (
        SCHEMES[scheme],
        f"{' × '.join(map(str, cells))} cells on {shown}, {int((end - begin) / dt)} steps of {float(dt):g}",
    )
    return Grid(
        solve,
        flow,
        start,
        scheme,
        box,
        cells,
        float(dt),
        float(begin),
        float(end),
        (*why, *more),
    )


def _pace(flow: Flow) -> str:
    if not flow.conservative:
        return "spectral"
    frozen = (
        flow.potential is not None and not flow.potential.has(FieldValue) and flow.pressure is None and flow.growth == 0
    )
    return "frozen" if frozen else "mean field"


SCHEMES = {
    "scharfetter-gummel": "Scharfetter–Gummel fluxes: linear diffusion, Gibbs densities stationary",
    "upwind": "upwind fluxes of the variation: nonlinear diffusion",
    "mobility": "fluxes of the variation with a mobility m(p), by local Lax–Friedrichs",
    "spectral": "Fourier modes, linear part exact in time (ETDRK4)",
}
"""The schemes of a grid, and what they are."""


def scheme_of(flow: Flow) -> str:
    """The scheme that suits the form of the flow."""
    if not flow.conservative:
        return "spectral"
    if flow.potential is None and flow.mobility not in (None, flow.field.here()):
        return "mobility"
    return "scharfetter-gummel" if flow.pressure is None and flow.diffusion != 0 else "upwind"


def _flow_and_start(derivation: Derivation, solve: Solve) -> tuple[Flow, Residual]:
    flows = [f for label in solve.equations if (f := derivation.flow(label)) is not None]
    starts = [r for label in solve.equations if (r := derivation.residual(label)).role == "initial"]
    if len(flows) != 1:
        refuse("PDE907", solve.method_span or solve.span, f"one flow at a time is supported here, not {len(flows)}")
    if not starts:
        refuse("PDE303", solve.span, "nothing fixes this flow at the start", hint="list `start: p = … on X × {0}`")
    if len(starts) > 1:
        refuse("PDE302", solve.span, f"a flow has one start, and here are {len(starts)}", hint="list one of them")
    return flows[0], starts[0]


def time_interval(derivation: Derivation, field: Field) -> tuple[Fraction, Fraction]:
    """Begin and end of an unknown's time."""
    domain = derivation.model.unknown(field.name).time
    if domain is None or not isinstance(plain(domain.set), Interval):
        where = derivation.model.unknown(field.name).span
        refuse("PDE522", where, f"`{field.name}` has no interval of time")
    interval = plain(domain.set)
    assert isinstance(interval, Interval)
    values = parameter_values(derivation.model)
    return _fraction(evaluate(interval.lo, values)), _fraction(evaluate(interval.hi, values))


def _fraction(value: object) -> Fraction:
    """A decimal number as it was written."""
    return Fraction(str(value)) if not isinstance(value, Fraction) else value


def _integrator(solve: Solve, known: tuple[str, ...]) -> str:
    """The one integrator that `with` names; the first of those known without one."""
    for call in (*(i for i in solve.iterations if i.name not in known), *solve.iterations[1:]):
        hint = f"one of {', '.join(known)}, or dt= in `using`"
        refuse("PDE902", call.span, f"`with {call.name}` is not supported here yet", hint=hint)
    return solve.iterations[0].name if solve.iterations else known[0]


def _asked(solve: Solve) -> Fraction | None:
    """The step that `with` or `using` asks for."""
    calls = (*solve.iterations, *([solve.method] if solve.method else []))
    return next((_fraction(dt) for call in calls if (dt := call.option("dt")) is not None), None)


def _step(dt: Fraction, begin: Fraction, end: Fraction) -> Fraction:
    """The longest step not above dt that divides the time; what is reported does not enter."""
    if end <= begin or dt <= 0 or (end - begin) / dt > MOST_STEPS:
        span = f"from {float(begin):g} to {float(end):g}"
        refuse("PDE522", None, f"the time {span} cannot be gone in steps of {float(dt):g}")
    return (end - begin) / ceil((end - begin) / dt)


def _cells(solve: Solve, dimension: int, default: int) -> tuple[int, ...]:
    """The cells along each axis."""
    value = solve.method.option("cells") if solve.method else None
    if isinstance(value, tuple):
        return tuple(int(v) for v in value)
    return (whole(solve.method, "cells", default),) * dimension


def _box(
    derivation: Derivation, solve: Solve, flow: Flow, start: Residual, domain: Set
) -> tuple[tuple[Expr, Expr], ...] | None:
    """The box of a grid on an unbounded domain: the author's, or the smallest that holds the mass."""
    given = given_box(solve, domain.dimension)
    if given is not None:
        return given
    if not unbounded(domain):
        return None
    if flow.stationary is None:
        refuse(
            "PDE523",
            solve.method_span or solve.span,
            "a grid on an unbounded domain needs box=, since no stationary density is known",
            hint="grid(box=[-5, 5]^2)",
        )
    x = coordinates(flow.field)[:-1]
    potential, inverse = flow.stationary.parameters[:2]
    own = box_of(exp(-inverse * scalar(potential)), x, derivation.model)
    first = box_of(start_density(start, x), x, derivation.model)
    both = [(min(a, c), max(b, d)) for (a, b), (c, d) in zip(own, first, strict=True)]
    return tuple((S(a), S(b)) for a, b in both)


def start_density(start: Residual, coordinates: tuple[Expr, ...]) -> Expr:
    """The initial density as a formula."""
    right = start.equation.rhs
    if not isinstance(right, Law):
        return scalar(substitute(right, {start.equation.coordinates[-1]: _begin(start)}))
    formula = density(right, coordinates)
    if right.family != "uniform":
        return formula
    return formula * _indicator(plain(right.parameters[0].value), coordinates, start)


def _begin(start: Residual) -> Expr:
    """The point in time at which it stands."""
    last = plain(plain(start.equation.region).factors[-1])
    assert isinstance(last, Point)
    return last.coordinates[0]


def _indicator(region: Set, point: tuple[Expr, ...], start: Residual) -> Expr:
    """One in a part of the domain, and zero outside; 1 where it is all of it."""
    whole = plain(start.equation.region)
    factors = whole.parts[:-1] if isinstance(whole, Product) else ()
    if region == plain(product(*map(plain, factors))):
        return S.One
    if isinstance(region, Interval):
        return Heaviside((point[0] - region.lo) * (region.hi - point[0]), 0)
    if isinstance(region, Ball):
        square = sum(((x - c) ** 2 for x, c in zip(point, region.center, strict=True)), S.Zero)
        return Heaviside(region.radius**2 - square, 0)
    if isinstance(region, Product) and all(part.dimension == 1 for part in region.parts):
        return Mul(*(_indicator(plain(part), (x,), start) for part, x in zip(region.parts, point, strict=True)))
    message = f"a start that is uniform on {region} is not supported yet"
    return refuse("PDE943", start.equation.span, message, hint="intervals, boxes and balls are")
