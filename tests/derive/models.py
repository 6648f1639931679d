"""Models built by hand, as the check of a spec would build them."""

from __future__ import annotations

from sympy import Expr, Integer, Rational, exp, log

from pdespec.model.model import Check, Definition, Domain, Equation, Model, Param, Solve, Unknown
from pdespec.model.sets import Interval, Named, Point, RealSpace, Set, Torus, product
from pdespec.model.terms import (
    Defined,
    Div,
    Dot,
    Field,
    FieldValue,
    Grad,
    Integrate,
    Law,
    MetricGradient,
    Parameter,
    Partial,
    Variation,
    VectorVariable,
    substitute,
    value,
    variable,
)
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
    well = (theta_(theta, 1) ** 2 - 1) ** 2 + 2 * theta_(theta, 2) ** 2
    loss = Defined("L", (theta,), well, theta)
    energy = Integrate(P * log(P), (theta,), space.set) / beta.symbol + Integrate(loss * P, (theta,), space.set)
    kernel = Defined("K", (theta, phi), exp(-Dot(theta - phi, theta - phi) / 2), theta, phi)
    region = product(space.set, time.set)
    at = (theta, t)
    equations = (
        equation("langevin", Partial(P, t), -wasserstein(energy, P, theta), region, at),
        equation("explicit", Partial(P, t), Div(P * Grad(loss, theta), theta) + lap(P, theta) / beta.symbol, region, at),
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


def theta_(v: VectorVariable, k: int) -> Expr:
    from pdespec.model.terms import Component

    return Component(v, k)


def lap(f: Expr, *x: Expr) -> Expr:
    from pdespec.model.terms import Lap

    return Lap(f, *x)


def kuramoto() -> Model:
    """Noisy oscillators on a circle with a cosine interaction."""
    from sympy import cos, pi

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
    from sympy import pi

    eps = param("ε", Rational(1, 5))
    x, t = variable("x"), variable("t")
    space = domain("X", (x,), Torus((2 * pi,)))
    time = domain("I", (t,), Interval(Integer(0), Integer(4)), time=True)
    u = unknown("u", (space, time))
    U = u.field.here()
    density = eps.symbol**2 / 2 * Dot(Grad(U, x), Grad(U, x)) + (U**2 - 1) ** 2 / 4
    energy = Integrate(density, (x,), space.set)
    body = delta(energy, U) if metric == "L2" else -lap(delta(energy, U), x)
    gradient = MetricGradient(body, energy, u.field, "E", metric)
    return Model(
        "field",
        SOURCE,
        params=(eps,),
        domains=(space, time),
        unknowns=(u,),
        equations=(equation("flow", Partial(U, t), -gradient, product(space.set, time.set), (x, t)),),
    )
