"""Models built by hand, as the check of a spec would build them."""

from __future__ import annotations

from sympy import Expr, Integer, Rational, Symbol, cos, exp, log, pi, sin

from pdespec.model.bindings import Defined, Expect, IndexedSum, Integrate, Law
from pdespec.model.fields import Exact, Field, FieldValue, MetricGradient, Variation, value
from pdespec.model.model import Check, Definition, Domain, Equation, Model, Param, Report, Solve, Unknown
from pdespec.model.sets import (
    Boundary,
    Difference,
    Interval,
    Named,
    Point,
    Product,
    RealSpace,
    Set,
    Sublevel,
    Torus,
    Union,
    product,
)
from pdespec.model.substitution import substitute
from pdespec.model.terms import Parameter, VectorVariable, variable
from pdespec.model.vectors import Component, Div, Dot, Grad, Lap, Partial, Vec
from pdespec.source import Source, Span

SOURCE = Source("test.pde", "x\n")
SPAN = Span(SOURCE, 0, 1)


def domain(name: str, coordinates: tuple, region: Set, *, time: bool = False) -> Domain:
    return Domain(name, coordinates, Named(name, region), time, SPAN)


def unknown(name: str, domains: tuple[Domain, ...], *, kind: str = "function", shape: tuple[int, ...] = ()) -> Unknown:
    coordinates = [v for d in domains for v in d.coordinates]
    names = tuple(v.name for v in coordinates)
    sizes = tuple(v.dimension if isinstance(v, VectorVariable) else 1 for v in coordinates)
    return Unknown(Field(name, names, sizes, shape), kind, domains, None, (), SPAN)


def equation(label: str, lhs: Expr, rhs: Expr, region: Set, coordinates: tuple) -> Equation:
    return Equation(label, "=", lhs, rhs, region, coordinates, label, SPAN, SPAN, SPAN)


def solve(label: str, *equations: str, optima: tuple = (), objective: Expr | None = None) -> Solve:
    return Solve(label, equations, optima, objective, "E", None, None, (), label, SPAN)


def check(kind: str, lhs: object, rhs: object, coordinates: tuple = ()) -> Check:
    return Check(kind, lhs, rhs, coordinates, f"{lhs} = {rhs}", SPAN)


def param(name: str, number: Expr | int) -> Param:
    return Param(Parameter(name, positive=True), Integer(1) * number, (), SPAN)


def definition(name: str) -> Definition:
    return Definition(name, None, name, SPAN)


# ── the metrics of the language, applied as the check applies them ────────────────────────────────────────────────────


def delta(energy: Expr, p: FieldValue, *, at: dict | None = None, name: str = "E") -> Variation:
    point = tuple(substitute(x, at or {}) for x in p.point)
    return Variation(energy, p.field, name, *point)


def wasserstein(energy: Expr, p: FieldValue, x: Expr) -> MetricGradient:
    body = -Div(p * Grad(delta(energy, p), x), x)
    return MetricGradient(body, energy, p.field, "E", "W2")


def fisher_rao(energy: Expr, p: FieldValue, x: Expr, region: Set) -> MetricGradient:
    y = variable(x.name + "'", getattr(x, "dimension", 1))
    there = substitute(p, {x: y})
    mean = Integrate(there * delta(energy, p, at={x: y}), (y,), region)
    return MetricGradient(p * (delta(energy, p) - mean), energy, p.field, "E", "FR")


def stein(energy: Expr, p: FieldValue, x: Expr, region: Set, kernel: Expr, y: Expr) -> MetricGradient:
    there = substitute(p, {x: y})
    inner = Integrate(kernel * there * Grad(delta(energy, p, at={x: y}), y), (y,), region)
    return MetricGradient(-Div(p * inner, x), energy, p.field, "E", "Stein(K)")


# ── systems ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def sgd() -> Model:
    """One energy in two metrics, and the first flow written out."""
    beta = param("β", 4)
    theta, phi, t = variable("θ", 2), variable("φ", 2), variable("t")
    space = domain("Θ", (theta,), RealSpace(2))
    time = domain("I", (t,), Interval(Integer(0), Integer(20)), time=True)
    p = unknown("p", (space, time), kind="density")
    P = p.field.here()
    well = (Component(theta, 1) ** 2 - 1) ** 2 + 2 * Component(theta, 2) ** 2
    loss = Defined("L", (theta,), well, theta)
    energy = Integrate(P * log(P), (theta,), space.set) / beta.symbol + Integrate(loss * P, (theta,), space.set)
    kernel = Defined("K", (theta, phi), exp(-Dot(theta - phi, theta - phi) / 2), theta, phi)
    region = product(space.set, time.set)
    at = (theta, t)
    equations = (
        equation("langevin", Partial(P, t), -wasserstein(energy, P, theta), region, at),
        equation(
            "explicit", Partial(P, t), Div(P * Grad(loss, theta), theta) + Lap(P, theta) / beta.symbol, region, at
        ),
        equation("svgd", Partial(P, t), -stein(energy, P, theta, space.set, kernel, phi), region, at),
        equation("start", P, Law("gauss", 0, 1), product(space.set, Point((Integer(0),))), at),
    )
    return Model(
        "sgd",
        SOURCE,
        params=(beta,),
        domains=(space, time),
        unknowns=(p,),
        definitions=(definition("W2"), definition("Stein")),
        equations=equations,
        solves=(solve("a", "langevin", "start"),),
        checks=(check("equations", "langevin", "explicit"),),
    )


def kuramoto() -> Model:
    """Noisy oscillators on a circle with a cosine interaction."""
    beta, kappa = param("β", 1), param("κ", 4)
    theta, phi, t = variable("θ"), variable("φ"), variable("t")
    space = domain("Θ", (theta,), Torus((2 * pi,)))
    time = domain("I", (t,), Interval(Integer(0), Integer(3)), time=True)
    p = unknown("p", (space, time), kind="density")
    P = p.field.here()
    Q = value(p.field, phi, t)
    pair = Integrate(Integrate(cos(theta - phi) * P * Q, (phi,), space.set), (theta,), space.set)
    energy = Integrate(P * log(P), (theta,), space.set) / beta.symbol - kappa.symbol / 2 * pair
    return Model(
        "kuramoto",
        SOURCE,
        params=(beta, kappa),
        domains=(space, time),
        unknowns=(p,),
        equations=(
            equation("flow", Partial(P, t), -wasserstein(energy, P, theta), product(space.set, time.set), (theta, t)),
        ),
    )


def powers(metric: str = "W2") -> Model:
    """∫ p² on an interval: the porous-medium equation."""
    x, t = variable("x"), variable("t")
    space = domain("X", (x,), Interval(Integer(-6), Integer(6)))
    time = domain("I", (t,), Interval(Integer(1), Integer(8)), time=True)
    p = unknown("p", (space, time), kind="density")
    P = p.field.here()
    energy = Integrate(P**2, (x,), space.set)
    gradient = wasserstein(energy, P, x) if metric == "W2" else fisher_rao(energy, P, x, space.set)
    return Model(
        "powers",
        SOURCE,
        domains=(space, time),
        unknowns=(p,),
        equations=(equation("flow", Partial(P, t), -gradient, product(space.set, time.set), (x, t)),),
    )


def double_well_field(metric: str) -> Model:
    """The Ginzburg–Landau energy of a field on a circle, in L2 or H⁻¹."""
    eps = param("ε", Rational(1, 5))
    x, t = variable("x"), variable("t")
    space = domain("X", (x,), Torus((2 * pi,)))
    time = domain("I", (t,), Interval(Integer(0), Integer(4)), time=True)
    u = unknown("u", (space, time))
    U = u.field.here()
    density = eps.symbol**2 / 2 * Dot(Grad(U, x), Grad(U, x)) + (U**2 - 1) ** 2 / 4
    energy = Integrate(density, (x,), space.set)
    body = delta(energy, U) if metric == "L2" else -Lap(delta(energy, U), x)
    gradient = MetricGradient(body, energy, u.field, "E", metric)
    return Model(
        "field",
        SOURCE,
        params=(eps,),
        domains=(space, time),
        unknowns=(u,),
        equations=(equation("flow", Partial(U, t), -gradient, product(space.set, time.set), (x, t)),),
    )


def mean_field() -> Model:
    """A nested functional: L(p) = 𝔼ₓ ½(f(p)(x) − y(x))² with f(p)(x) = ∫ (θ·x)² p dθ."""
    theta, x, t = variable("θ", 3), variable("x", 3), variable("t")
    space = domain("Θ", (theta,), RealSpace(3))
    time = domain("I", (t,), Interval(Integer(0), Integer(1)), time=True)
    p = unknown("p", (space, time), kind="density")
    P = p.field.here()
    target = Component(x, 1) ** 2 + Component(x, 2) ** 2 / 2 + Component(x, 3) ** 2 / 4
    y = Defined("y", (x,), target, x)
    f = Integrate(Dot(theta, x) ** 2 * P, (theta,), space.set)
    normal = Law("gauss", 0, 1)
    loss = Expect((f - y) ** 2 / 2, (x,), normal)
    phi = variable("φ", 3)
    model_output = Integrate(Dot(phi, x) ** 2 * value(p.field, phi, t), (phi,), space.set)
    claimed = Expect((model_output - y) * Dot(theta, x) ** 2, (x,), normal)
    return Model(
        "mean_field",
        SOURCE,
        domains=(space, domain("X", (x,), RealSpace(3)), time),
        unknowns=(p,),
        equations=(
            equation("flow", Partial(P, t), -wasserstein(loss, P, theta), product(space.set, time.set), (theta, t)),
        ),
        checks=(check("equal", delta(loss, P, name="L"), claimed, (theta, t)),),
    )


def committor(d: int = 2, *, rotation: int = 0) -> Model:
    """The committor strong and weak; a rotation in the drift makes them differ."""
    beta = param("β", 2)
    x = variable("x", d)
    space = RealSpace(d)
    a = Named("A", Sublevel(space, (x,), Component(x, 1) + 1))
    b = Named("B", Sublevel(space, (x,), 1 - Component(x, 1)))
    omega = domain("Ω", (x,), Difference(Named("X", space), Union((a, b))))
    u = unknown("u", (omega,))
    U = u.field.here()
    i = Symbol("i", integer=True)
    well = (Component(x, 1) ** 2 - 1) ** 2 + Rational(3, 10) * IndexedSum(Component(x, i) ** 2, (i,), 2, d)
    V = Defined("V", (x,), well, x)
    rho = Defined("ρ", (x,), exp(-beta.symbol * V), x)
    energy = Integrate(Dot(Grad(U, x), Grad(U, x)) * rho, (x,), omega.set) / 2
    drift = -Grad(V, x) + rotation * Vec(-Component(x, 2), Component(x, 1), *[0] * (d - 2))
    equations = (
        equation("strong", Dot(drift, Grad(U, x)) + Lap(U, x) / beta.symbol, Integer(0), omega.set, (x,)),
        equation("weak", Variation(energy, u.field, "E", x), Integer(0), omega.set, (x,)),
        equation("atA", U, Integer(1), Boundary(a), (x,)),
        equation("atB", U, Integer(0), Boundary(b), (x,)),
    )
    return Model(
        "committor",
        SOURCE,
        params=(beta,),
        domains=(omega,),
        unknowns=(u,),
        equations=equations,
        solves=(
            solve("ritz", "atA", "atB", optima=(("min", "u"),), objective=energy),
            solve("half", "atA", optima=(("min", "u"),), objective=energy),
        ),
        checks=(check("equations", "weak", "strong"),),
    )


def poisson(*, sign: int = -1, solution: Expr | None = None, free: bool = False) -> Model:
    """−Δu = f on the unit square with a declared solution; `free` adds a solve that leaves the boundary free."""
    x, y = variable("x"), variable("y")
    square = domain("Ω", (x, y), Product((Interval(Integer(0), Integer(1)),) * 2))
    u = unknown("u", (square,))
    U = u.field.here()
    f = Defined("f", (x, y), 2 * pi**2 * sin(pi * x) * sin(pi * y), x, y)
    energy = Integrate(Dot(Grad(U, x, y), Grad(U, x, y)) / 2 - f * U, (x, y), square.set)
    declared = sin(pi * x) * sin(pi * y) if solution is None else solution
    return Model(
        "poisson",
        SOURCE,
        domains=(square,),
        unknowns=(u,),
        equations=(
            equation("bulk", sign * Lap(U, x, y), f, square.set, (x, y)),
            equation("weak", Variation(energy, u.field, "E", x, y), Integer(0), square.set, (x, y)),
            equation("wall", U, Integer(0), Boundary(square.set), (x, y)),
        ),
        solves=(
            solve("strong", "bulk", "wall"),
            solve("ritz", "wall", optima=(("min", "u"),), objective=energy),
            *([solve("free", optima=(("min", "u"),), objective=energy)] if free else []),
        ),
        checks=(check("solution", U, declared, (x, y)), check("equations", "weak", "bulk")),
        reports=(Report(Exact(u.field, x, y) - U, None, "error(u)", SPAN),),
    )


def stokes(*, slip: int = 0) -> Model:
    """Steady Stokes flow with a manufactured vortex."""
    x, y = variable("x"), variable("y")
    square = domain("Ω", (x, y), Product((Interval(Integer(0), Integer(1)),) * 2))
    v, p = unknown("v", (square,), shape=(2,)), unknown("p", (square,))
    V, P = v.field.here(), p.field.here()
    a = pi * sin(pi * x) ** 2 * sin(2 * pi * y)
    b = -pi * sin(2 * pi * x) * sin(pi * y) ** 2
    q = cos(pi * x) * sin(pi * y)
    f = Vec(
        -2 * pi**3 * (2 * cos(2 * pi * x) - 1) * sin(2 * pi * y) - pi * sin(pi * x) * sin(pi * y),
        2 * pi**3 * (2 * cos(2 * pi * y) - 1) * sin(2 * pi * x) + pi * cos(pi * x) * cos(pi * y),
    )
    at = (x, y)
    return Model(
        "stokes",
        SOURCE,
        domains=(square,),
        unknowns=(v, p),
        equations=(
            equation("momentum", -Lap(V, x, y) + Grad(P, x, y), f, square.set, at),
            equation("continuity", Div(V, x, y), Integer(0), square.set, at),
            equation("wall", V, Integer(0), Boundary(square.set), at),
            equation("gauge", Integrate(P, at, square.set), Integer(0), square.set, ()),
        ),
        solves=(solve("s", "momentum", "continuity", "wall", "gauge"),),
        checks=(check("solution", V, Vec(a + slip, b), at), check("solution", P, q, at)),
    )
