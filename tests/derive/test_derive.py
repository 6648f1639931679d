"""Whole models through the pass: residuals, flows, natural conditions, checks and their diagnostics."""

from __future__ import annotations

import time

import pytest
from sympy import Integer, Rational, Symbol, log, pi, sin

from pdespec.derive.derive import derive
from pdespec.diagnostics import Severity
from pdespec.model.bindings import Integrate
from pdespec.model.fields import Exact, FieldValue, MetricGradient, value
from pdespec.model.model import Model
from pdespec.model.sets import Boundary, Interval, Named, Point, Sublevel, plain, product
from pdespec.model.terms import variable
from pdespec.model.vectors import Div, Dot, Grad, Lap, Partial
from tests.derive import models
from tests.derive.models import SOURCE, check, delta, domain, equation, solve, unknown

x, y, t = variable("x"), variable("y"), variable("t")


# ── residuals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_roles_and_linearity() -> None:
    space = domain("X", (x,), Interval(Integer(0), Integer(1)))
    times = domain("I", (t,), Interval(Integer(0), Integer(2)), time=True)
    u = unknown("u", (space, times))
    U = u.field.here()
    whole = product(space.set, times.set)
    at = (x, t)
    model = Model(
        "roles",
        SOURCE,
        domains=(space, times),
        unknowns=(u,),
        equations=(
            equation("bulk", Partial(U, t) + U * Partial(U, x), Partial(U, x, x), whole, at),
            equation("start", U, sin(x), product(space.set, Point((Integer(0),))), at),
            equation("end", U, Integer(0), product(space.set, Point((Integer(2),))), at),
            equation("walls", Partial(U, x), U, product(Boundary(space.set), times.set), at),
            equation("mean", Integrate(U, at, whole), Integer(1), whole, ()),
        ),
    )
    derivation, found = derive(model)
    assert not found
    assert [(r.label, r.role, r.linear) for r in derivation.residuals] == [
        ("bulk", "interior", False),
        ("start", "initial", True),
        ("end", "terminal", True),
        ("walls", "boundary", True),
        ("mean", "constraint", True),
    ]
    (bulk,) = derivation.residual("bulk").components
    u_x = FieldValue(u.field, (1, 0), x, t)
    assert bulk - (FieldValue(u.field, (0, 1), x, t) + U * u_x - FieldValue(u.field, (2, 0), x, t)) == 0
    flow = derivation.flow("bulk")
    assert flow is not None and not flow.conservative
    assert flow.right == Partial(U, x, x) - U * Partial(U, x)


# ── flows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_langevin_explicit_and_stein_of_one_energy() -> None:
    derivation, found = derive(models.sgd())
    assert not found
    langevin, explicit, svgd = derivation.flows
    p = langevin.field.here()
    theta = p.point[0]
    beta = derivation.model.params[0].symbol
    loss = next(iter(langevin.velocity.atoms(Grad))).operand
    for flow in (langevin, explicit):
        assert flow.conservative and flow.velocity == -Grad(loss, theta) and flow.potential == loss
        assert flow.diffusion == 1 / beta and flow.pressure is None and flow.growth == 0
        assert flow.right == Div(p * Grad(loss, theta), theta) + Lap(p, theta) / beta
        assert flow.stationary.family == "gibbs" and flow.stationary.parameters[:2] == (loss, beta)
    assert (
        langevin.variation == loss + (log(p) + 1) / beta
        or (langevin.variation - loss - (log(p) + 1) / beta).expand() == 0
    )
    assert [s.rule for s in langevin.steps][1:3] == ["δE/δp put in; constants drop under ∇", "p ∇ ln p = ∇p"]
    assert svgd.diffusion == 0 and svgd.potential is None and not svgd.velocity.has(log)
    assert svgd.stationary == langevin.stationary
    repulsion, attraction = sorted(svgd.velocity.args, key=lambda a: a.has(1 / beta), reverse=True)
    kernel = next(iter(repulsion.atoms(Grad))).operand
    y = repulsion.atoms(Integrate).pop().variables[0]
    assert (
        repulsion
        == Integrate(value(langevin.field, y, t) * Grad(kernel, y), (y,), derivation.model.domains[0].set) / beta
    )
    assert attraction.could_extract_minus_sign()
    (outcome,) = derivation.identities
    assert outcome.verdict == "proved" and outcome.factor == 1


def test_a_nonlocal_potential_is_one_integral() -> None:
    derivation, found = derive(models.kuramoto())
    assert not found
    (flow,) = derivation.flows
    assert len(flow.potential.atoms(Integrate)) == 1
    kappa = derivation.model.params[1].symbol
    coefficient = flow.potential / flow.potential.atoms(Integrate).pop()
    assert coefficient == -kappa
    assert flow.stationary is None


def test_pressure_of_the_porous_medium() -> None:
    (flow,) = derive(models.powers())[0].flows
    p = flow.field.here()
    assert flow.pressure == p**2 and flow.velocity == 0 and flow.diffusion == 0
    assert flow.right == Lap(p**2, x)


def test_fisher_rao_grows_and_keeps_mass_one() -> None:
    (flow,) = derive(models.powers("FR"))[0].flows
    p = flow.field.here()
    mean = flow.growth.atoms(Integrate).pop()
    assert flow.velocity == 0 and flow.growth == 2 * mean - 2 * p
    assert mean.body == value(flow.field, mean.variables[0], t) ** 2


@pytest.mark.parametrize("metric", ["L2", "Hm1"])
def test_flows_of_fields(metric: str) -> None:
    (flow,) = derive(models.double_well_field(metric))[0].flows
    u = flow.field.here()
    eps = flow.equation.rhs.atoms(MetricGradient).pop().functional.free_symbols - {x, t}
    reaction = (u**2 - 1) * u
    (e,) = eps
    if metric == "L2":
        assert flow.right == e**2 * Lap(u, x) - reaction
    else:
        assert flow.right == Lap(reaction, x) - e**2 * Lap(Lap(u, x), x)
    assert not flow.conservative and flow.velocity is None


def test_l2_flow_of_a_density_is_refused() -> None:
    space = domain("X", (x,), Interval(Integer(0), Integer(1)))
    times = domain("I", (t,), Interval(Integer(0), Integer(1)), time=True)
    p = unknown("p", (space, times), kind="density")
    P = p.field.here()
    energy = Integrate(P**2, (x,), space.set)
    gradient = MetricGradient(delta(energy, P), energy, p.field, "E", "L2")
    _, found = derive(one_flow(space, times, p, gradient))
    assert [d.code for d in found] == ["PDE407"]


@pytest.mark.parametrize(
    ("name", "lost"), [("good", []), ("sign", ["positive"]), ("loss", ["conservative"]), ("skew", ["symmetric"])]
)
def test_a_metric_of_a_user_is_tested(name: str, lost: list[str]) -> None:
    space = domain("X", (x,), models.Torus((2 * pi,)))
    times = domain("I", (t,), Interval(Integer(0), Integer(1)), time=True)
    p = unknown("p", (space, times), kind="density")
    P = p.field.here()
    energy = Integrate(P**2, (x,), space.set)
    D = delta(energy, P)
    bodies = {
        "good": -Div(P**2 * Grad(D, x), x),
        "sign": Div(P * Grad(D, x), x),
        "loss": P * D,
        "skew": -Div(P * Grad(D, x), x) + 3 * Partial(D, x),
    }
    _, found = derive(one_flow(space, times, p, MetricGradient(bodies[name], energy, p.field, "E", "mine")))
    assert [d.code for d in found] == ["PDE408"] * len(lost)
    assert all(word in d.message for word, d in zip(lost, found, strict=True))


def one_flow(space: object, times: object, p: object, gradient: MetricGradient) -> Model:
    P = p.field.here()
    region = product(space.set, times.set)
    return Model(
        "flow",
        SOURCE,
        domains=(space, times),
        unknowns=(p,),
        equations=(equation("flow", Partial(P, t), -gradient, region, (x, t)),),
    )


def test_a_nested_functional() -> None:
    derivation, found = derive(models.mean_field())
    assert not found
    (flow,) = derivation.flows
    assert flow.diffusion == 0 and flow.potential == flow.variation
    assert derivation.identities[0].verdict == "proved"


# ── checks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("d", [2, 10])
def test_weak_and_strong_committor(d: int) -> None:
    start = time.perf_counter()
    derivation, found = derive(models.committor(d))
    assert time.perf_counter() - start < 2
    assert not found
    (outcome,) = derivation.identities
    assert outcome.verdict == "proved" and outcome.factor.could_extract_minus_sign()
    ritz, half = derivation.objectives
    assert ritz.natural == ()
    (free,) = half.natural
    assert isinstance(plain(free.region), Boundary) and isinstance(plain(free.region.of), Sublevel)


def test_a_rotation_in_the_drift_is_refuted_with_a_witness() -> None:
    derivation, found = derive(models.committor(rotation=1))
    (outcome,) = derivation.identities
    assert outcome.verdict == "refuted" and outcome.residual is not None
    assert [d.code for d in found] == ["PDE401"] and found[0].severity is Severity.ERROR
    assert any("residual" in n for n in found[0].notes) and any("witness" in n for n in found[0].notes)
    assert {s for s, _ in outcome.witness} >= {"x[1]", "x[2]"}


def test_a_declared_solution_is_proved_and_reaches_the_reports() -> None:
    derivation, found = derive(models.poisson())
    assert not found
    ((field, term),) = derivation.exact
    assert field.name == "u" and term == sin(pi * x) * sin(pi * y)
    assert not derivation.reports[0].quantity.has(Exact)
    assert {i.verdict for i in derivation.identities} == {"proved"}


@pytest.mark.parametrize(
    "model",
    [
        models.poisson(sign=1),
        models.poisson(solution=sin(pi * x) * sin(2 * pi * y)),
        models.poisson(solution=sin(pi * x) * sin(pi * y) + x / 10**9),
        models.poisson(free=True),
        models.stokes(slip=1),
    ],
)
def test_a_wrong_sign_or_solution_is_refused(model: Model) -> None:
    derivation, found = derive(model)
    assert "PDE401" in {d.code for d in found}
    assert any(i.verdict == "refuted" and i.residual is not None for i in derivation.identities)


def test_systems_of_declared_solutions() -> None:
    derivation, found = derive(models.stokes())
    assert not found
    assert [i.verdict for i in derivation.identities] == ["proved", "proved"]
    assert [s.rule for s in derivation.identities[1].steps] == ["momentum: proved", "gauge: proved"]


def test_a_declared_solution_on_a_circle_and_with_a_normal_derivative() -> None:
    """Δu = 4 on a disk of radius 2 with ∂ₙu = 4 and u = 4 on its boundary: u = x² + y²."""
    from pdespec.model.sets import Ball

    disk = domain("Ω", (x, y), Ball((Integer(1), Integer(0)), Integer(2)))
    u = unknown("u", (disk,))
    U = u.field.here()
    edge = Boundary(disk.set)
    from pdespec.model.terms import Normal

    def spec(solution: object) -> Model:
        return Model(
            "disk",
            SOURCE,
            domains=(disk,),
            unknowns=(u,),
            equations=(
                equation("bulk", Lap(U, x, y), Integer(4), disk.set, (x, y)),
                equation("slope", Dot(Normal(2), Grad(U, x, y)), Integer(4), edge, (x, y)),
                equation("edge", U, Integer(4), edge, (x, y)),
            ),
            solves=(solve("s", "bulk", "slope", "edge"),),
            checks=(check("solution", U, solution, (x, y)),),
        )

    assert derive(spec((x - 1) ** 2 + y**2))[0].identities[0].verdict == "proved"
    assert derive(spec(x**2 + y**2))[0].identities[0].verdict == "refuted"


def test_undecided_is_a_warning() -> None:
    from sympy import atan

    s = Symbol("s", positive=True)
    model = Model("m", SOURCE, checks=(check("equal", atan(s) + atan(1 / s), pi / 2),))
    derivation, found = derive(model)
    assert derivation.identities[0].verdict == "undecided"
    assert [(d.code, d.severity) for d in found] == [("PDE402", Severity.WARNING)]


# ── limits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_time_limit_is_kept() -> None:
    symbols = [Symbol(f"a{k}", real=True) for k in range(14)]
    big = sum(symbols, Integer(0)) ** 30
    model = Model("big", SOURCE, checks=(check("equal", big * (1 + big), big**2),))
    start = time.perf_counter()
    _, found = derive(model, seconds=0.3)
    assert time.perf_counter() - start < 3
    assert [d.code for d in found] == ["PDE403"]


def test_a_dirac_has_no_strong_form() -> None:
    line = domain("X", (x,), Interval(Integer(0), Integer(1)))
    u = unknown("u", (line,))
    U = u.field.here()
    functional = value(u.field, Rational(1, 2)) ** 2 + Integrate(U**2, (x,), line.set)
    from pdespec.model.fields import Variation

    model = Model(
        "dirac",
        SOURCE,
        domains=(line,),
        unknowns=(u,),
        equations=(equation("weak", Variation(functional, u.field, "E", x), Integer(0), line.set, (x,)),),
        solves=(solve("direct", optima=(("min", "u"),), objective=functional),),
    )
    derivation, found = derive(model)
    assert [d.code for d in found] == ["PDE411"]
    assert derivation.objectives[0].variations == () and "Dirac" in derivation.objectives[0].steps[0].rule


def test_names_of_sets_survive() -> None:
    derivation, _ = derive(models.poisson(free=True))
    free = derivation.objectives[-1].natural[0]
    assert isinstance(free.region, Boundary) and isinstance(free.region.of, Named)
    assert models.kuramoto().name == "kuramoto"
