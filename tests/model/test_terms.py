"""What expressions denote, against terms written by hand with SymPy's and the model's own constructors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sympy import Expr, Integer, Rational, S, Symbol, Tuple, cos, exp, log, pi, sin, sqrt

from pdespec.model.bindings import At, Defined, Density, Expect, IndexedSum, Integrate, Law, RelativeError
from pdespec.model.fields import Exact, Field, MetricGradient, Variation, value
from pdespec.model.model import Model
from pdespec.model.sets import Boundary, Named, Point, Product, RealSpace, Torus, plain
from pdespec.model.terms import Parameter, VectorVariable, variable
from pdespec.model.vectors import Component, Div, Dot, Grad, Lap, Partial, Vec

SPECS = Path(__file__).parents[2] / "specs"
Build = Callable[..., Model]

t = variable("t")
beta = Parameter("β", positive=True)


def lines(*text: str) -> str:
    return "\n".join(text) + "\n"


def test_poisson(model: Build) -> None:
    m = model((SPECS / "poisson.pde").read_text())
    x, y = variable("x"), variable("y")
    u = Field("u", ("x", "y"), (1, 1))
    f = Defined("f", (x, y), 2 * pi**2 * sin(pi * x) * sin(pi * y), x, y)
    bulk, wall = m.equations
    assert (bulk.lhs, bulk.rhs) == (-Lap(value(u, x, y), x, y), f)
    assert (wall.lhs, wall.rhs) == (value(u, x, y), 0)
    assert plain(wall.region) == Boundary(bulk.region) and bulk.coordinates == (x, y)
    (check,) = m.checks
    assert (check.kind, check.lhs, check.rhs) == ("solution", value(u, x, y), sin(pi * x) * sin(pi * y))
    found = u.of("solve")
    (report,) = m.reports
    assert report.quantity == RelativeError(value(found, x, y), Exact(found, x, y), Tuple(x, y), bulk.region, S.One)
    assert report.bound is not None and report.bound.value == Rational(1, 10**8)


def test_one_energy_in_two_metrics(model: Build) -> None:
    m = model((SPECS / "sgd.pde").read_text())
    theta, y = VectorVariable("θ", 2), VectorVariable("y", 2)
    space = Named("Θ", RealSpace(2))
    p = Field("p", ("θ", "t"), (2, 1))
    potential = (Component(theta, 1) ** 2 - 1) ** 2 + 2 * Component(theta, 2) ** 2
    v = Defined("L", (theta,), potential, theta)
    here = value(p, theta, t)
    energy = Integrate(here * log(here), (theta,), space) / beta + Integrate(v * here, (theta,), space)

    def delta(z: Expr) -> Expr:
        return Variation(energy, p, "E", z, t)

    langevin, _, svgd, start = m.equations
    gradient = MetricGradient(-Div(here * Grad(delta(theta), theta), theta), energy, p, "E", "W2")
    assert (langevin.lhs, langevin.rhs) == (Partial(here, t), -gradient)
    psi, phi = VectorVariable("θ", 2), VectorVariable("φ", 2)
    kernel = Defined("K", (psi, phi), exp(-Dot(psi - phi, psi - phi) / 2), theta, y)
    inner = Integrate(kernel * value(p, y, t) * Grad(delta(y), y), (y,), space)
    assert svgd.rhs == -MetricGradient(-Div(here * inner, theta), energy, p, "E", "Stein(K)")
    assert start.rhs == Law("gauss", 0, 1)
    assert start.region == Product((space, Point((S.Zero,))))
    law = Law("gibbs", v, beta, Tuple(theta), space)
    q = value(p.of("c"), theta, t)
    assert m.reports[3].quantity == Integrate(q * (log(q) - log(Density(law, theta))), (theta,), space)


def test_a_nested_functional(model: Build) -> None:
    m = model((SPECS / "mean_field.pde").read_text())
    theta, x = VectorVariable("θ", 3), VectorVariable("x", 3)
    p = Field("p", ("θ", "t"), (3, 1))
    f = Integrate(Dot(theta, x) ** 2 * value(p, theta, t), (theta,), Named("Θ", RealSpace(3)))
    target = Component(x, 1) ** 2 + Component(x, 2) ** 2 / 2 + Component(x, 3) ** 2 / 4
    y = Defined("y", (x,), target, x)
    law = Law("gauss", 0, 1)
    (check,) = m.checks
    assert check.lhs == Variation(Expect((f - y) ** 2 / 2, (x,), law), p, "L", theta, t)
    assert check.rhs == Expect((f - y) * Dot(theta, x) ** 2, (x,), law)


def test_a_process_and_its_generator(model: Build) -> None:
    m = model((SPECS / "committor.pde").read_text())
    x = VectorVariable("x", 2)
    u = value(Field("u", ("x",), (2,)), x)
    i = Symbol("i", integer=True, positive=True)
    v = Defined(
        "V",
        (x,),
        (Component(x, 1) ** 2 - 1) ** 2
        + Rational(3, 10) * IndexedSum(Component(x, i) ** 2, (i,), Integer(2), Integer(2)),
        x,
    )
    strong = m.equation("strong")
    assert strong.lhs == Dot(-Grad(v, x), Grad(u, x)) + Lap(u, x) / beta
    assert str(strong.region) == "Ω" and str(m.equation("atA").region) == "∂(A)"


PLANE = "domain X(x) = R^2\nunknown u : X -> R\n"


def test_definitions_are_hygienic(model: Build) -> None:
    """`shift(a)` moves the point by the value that `a` has where it is called, though `a` is the point itself."""
    m = model(
        PLANE + lines("shift(a)(f)(x) := f(x + a)", "bulk: u + shift(2*x)(u) + shift(x)(u)(3*x) = 0 on X", "solve bulk")
    )
    x = VectorVariable("x", 2)
    u = Field("u", ("x",), (2,))
    assert m.equations[0].lhs == value(u, x) + value(u, 3 * x) + value(u, 4 * x)


def test_an_integral_does_not_capture(model: Build) -> None:
    m = model(
        "domain X(x) = [0, 1]\nunknown u : X -> R\n"
        + lines("pair(f) := ∫ f * u dx", "K(f)(x) := ∫ f(x, y) * u(y) dy", "g(a) := ∫ a * x * u dx")
        + lines("bulk: u - pair(u) + g(x) = 1 on X", "solve bulk")
    )
    x, x_ = variable("x"), variable("x'")
    u = Field("u", ("x",), (1,))
    domain = m.equations[0].region
    captured = Integrate(x * x_ * value(u, x_), (x_,), domain)
    assert m.equations[0].lhs == value(u, x) - Integrate(value(u, x) ** 2, (x,), domain) + captured


def test_a_derivative_elsewhere(model: Build) -> None:
    m = model(
        "domain X(x) = [0, 1]\nunknown u : X -> R\nK(x, y) := exp(x*y)\n"
        + lines("bulk: u + (∂x (u²))(0) = (∂x K(x, 2*x))(x/2) on X", "solve bulk")
    )
    x = variable("x")
    u = Field("u", ("x",), (1,))
    k = Defined("K", (x, Symbol("y", real=True)), exp(x * Symbol("y", real=True)), x, 2 * x)
    assert m.equations[0].lhs == value(u, x) + At(Partial(value(u, x) ** 2, x), (x,), S.Zero)
    assert m.equations[0].rhs == At(Partial(k, x), (x,), x / 2)


def test_the_gradient_acts_at_the_innermost_point(model: Build) -> None:
    m = model(
        lines("domain Θ(θ) = R^2, X(x) = R^2", "unknown u : Θ -> R", "k(θ, x) := θ · x", "w(x) := |x|²")
        + lines("bulk: u = ∫[x in X] |∇(k(θ, x))|² * w dx on Θ", "solve bulk")
    )
    theta, x = VectorVariable("θ", 2), VectorVariable("x", 2)
    body = m.equations[0].rhs
    assert isinstance(body, Integrate)
    (gradient,) = body.atoms(Grad)
    assert gradient.variables == (x,) and theta in gradient.free_symbols


def test_users_metrics_are_elaborated_like_the_prelude(model: Build) -> None:
    """A metric is nothing but its definition: the same text under another name gives the same term."""
    head = "param β = 4\ndomain X(x) = R^2, I(t) = [0, 1]\nunknown p : P(X) over I\nE(p) := 1/β*∫ p*ln(p) dx\n"
    tail = "start: p = gauss(0, 1) on X × {0}\nsolve flow, start\n"
    flow = "flow: ∂t p = -grad(E, p; metric={}) on X × I\n"
    own = "mine(q)(ψ) := -∇·(q * ∇ψ)\nhellinger(q)(ψ)(z) := q(z) * (ψ(z) - ∫ q(w)*ψ(w) dw)\n"
    for theirs, ours in (("W2", "mine"), ("FR", "hellinger")):
        first = model(head + flow.format(theirs) + tail).equations[0].rhs
        second = model(own + head + flow.format(ours) + tail).equations[0].rhs
        (a,), (b,) = first.atoms(MetricGradient), second.atoms(MetricGradient)
        bound = {VectorVariable("w", 2): VectorVariable("y", 2)}
        assert a.body == b.body.xreplace(bound) and b.metric == ours


def test_a_metric_with_a_parameter(model: Build) -> None:
    m = model(
        lines("param α = 2", "domain X(x) = R^2, I(t) = [0, 1]", "unknown p : P(X) over I", "E(p) := ∫ p² dx")
        + lines("flow: ∂t p = -grad(E, p; metric=WFR(α)) on X × I", "start: p = gauss(0, 1) on X × {0}")
        + "solve flow, start\n"
    )
    (g,) = m.equations[0].rhs.atoms(MetricGradient)
    x = VectorVariable("x", 2)
    p = Field("p", ("x", "t"), (2, 1))
    y = VectorVariable("y", 2)
    space = Named("X", RealSpace(2))

    def delta(z: Expr) -> Expr:
        return Variation(g.functional, p, "E", z, t)

    mean = Integrate(value(p, y, t) * delta(y), (y,), space)
    alpha = Parameter("α", positive=True)
    transport = -Div(value(p, x, t) * Grad(delta(x), x), x)
    assert g.body == transport + alpha * (delta(x) - mean) * value(p, x, t)


def test_vectors_in_one_dimension_are_scalars_where_scalars_are_wanted(model: Build) -> None:
    m = model(
        lines("domain X(x) = [0, 1], I(t) = [0, 1]", "unknown u : X × I -> R")
        + lines("bulk: ∂t u + u*∇u = ∇·∇u on X × I", "start: u = x on X × {0}", "ends: u = 0 on ∂X × I")
        + "solve bulk, start, ends\n"
    )
    x = variable("x")
    u = value(Field("u", ("x", "t"), (1, 1)), x, t)
    assert m.equations[0].lhs == Partial(u, t) + u * Component(Grad(u, x), 1)
    assert m.equations[0].rhs == Div(Grad(u, x), x)


def test_bra_and_ket_and_norms(model: Build) -> None:
    m = model(
        lines("domain X(x) = [-1, 1]", "unknown u : X -> R", "H(ψ) := -1/2*Δψ + x²*ψ", "ends: u = 0 on ∂X")
        + lines("solve min[u] ⟨u|H|u⟩/‖u‖², ends using ritz(points=64)", "report norm(u; measure=x²) < 1")
    )
    x = variable("x")
    f = Field("u", ("x",), (1,))
    u, space = value(f, x), m.equations[0].region.of  # type: ignore[attr-defined]
    top = Integrate(u * (-Lap(u, x) / 2 + x**2 * u), (x,), space)
    assert m.solves[0].objective == top / Integrate(u**2, (x,), space)
    found = value(f.of("solve"), x)
    assert m.reports[0].quantity == sqrt(Integrate(x**2 * found**2, (x,), space))


def test_coordinates_of_a_plane_and_its_integrals(model: Build) -> None:
    m = model(
        lines("domain Ω(x, y) = [0, 2] × [1, 3]", "unknown u : Ω -> R")
        + lines("bulk: u = ∫ u dy + ∬ u dx dy + ∫ p(z)*u(z) dz on Ω", "p := x + y", "solve bulk")
    )
    x, y = variable("x"), variable("y")
    u = Field("u", ("x", "y"), (1, 1))
    rhs = m.equations[0].rhs
    regions = {str(i.region): i for i in rhs.atoms(Integrate)}
    assert regions["[1, 3]"].variables == (y,)
    assert set(regions) == {"[1, 3]", "Ω"}
    moved = [i for i in rhs.args if isinstance(i, Integrate) and i.has(Defined)]
    assert len(moved) == 1 and not {x, y} & moved[0].free_symbols
    assert Integrate(value(u, x, y), (x, y), regions["Ω"].region) in rhs.args


def test_periods_and_circles(model: Build) -> None:
    m = model((SPECS / "kuramoto.pde").read_text())
    assert plain(m.domains[0].set) == Torus((2 * pi,))
    theta = variable("θ")
    assert m.equation("start").rhs == (1 + cos(theta) / 5) / (2 * pi)


def test_points_of_many_vectors(codes: Callable[..., list[str]], model: Build) -> None:
    """x in (R^3)^2 is a pair of vectors: sums over pairs are written out."""
    m = model(
        lines(
            "param N = 2",
            "domain X(x) = (R^3)^N",
            "unknown u : X -> R",
            "V := ∑[i < j] |x[i] - x[j]|² + ∑[i in 1..N] x[i][3]",
        )
        + lines("bulk: -Δu + V*u = 0 on X", "solve bulk")
    )
    x = VectorVariable("x", 6)
    v = next(d.term for d in m.definitions if d.name == "V")
    assert v is not None
    c = x.components()
    numbers = {Component(x, k): c[k - 1] for k in range(1, 7)}
    flat = [Component(x, k) for k in range(1, 7)]
    gap = Vec(*flat[:3]) - Vec(*flat[3:])
    assert v.body == Dot(gap, gap) + flat[2] + flat[5]
    assert len(numbers) == 6


def test_params_stay_symbols_and_structure_takes_numbers(model: Build) -> None:
    text = lines("param d = 2, κ = 3", "domain X(x) = R^d", "unknown u : X -> R", "bulk: κ*u = x[d] on X", "solve bulk")
    assert model(text).equations[0].rhs == Component(VectorVariable("x", 2), 2)
    assert Parameter("κ", positive=True) in model(text).equations[0].lhs.free_symbols
    five = model(text, {"d": "4 + 1", "kappa": "1e-3"})
    assert five.domains[0].set.dimension == 5
    assert five.params[1].value == Rational(1, 1000)


def test_sweeps(model: Build) -> None:
    text = lines("param κ in {1, 5, 10}", "domain X(x) = R^2", "unknown u : X -> R", "bulk: κ*u = 1 on X", "solve bulk")
    (param,) = model(text).params
    assert (param.value, param.sweep) == (1, (1, 5, 10))
    (param,) = model(text, {"κ": "{2, 3}"}).params
    assert (param.value, param.sweep) == (2, (2, 3))
    (param,) = model(text, {"κ": "7"}).params
    assert (param.value, param.sweep) == (7, ())


def test_a_negative_param_is_not_positive(model: Build) -> None:
    text = lines("param κ = -2", "domain X(x) = R^2", "unknown u : X -> R", "bulk: κ*u = 1 on X", "solve bulk")
    assert model(text).params[0].symbol.is_positive is None
    assert model(text).params[0].symbol.is_real
