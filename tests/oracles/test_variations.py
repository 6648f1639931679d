"""First variations with known closed forms, and points that move: reflections, shifts, convolutions, expectations."""

from __future__ import annotations

import pytest
from sympy import Expr, Integer, Rational, Symbol, cos, exp, log, pi, sin

from pdespec.derive.components import scalar
from pdespec.derive.prove import Known, decide
from pdespec.derive.scope import NoVariation
from pdespec.derive.trial import Space
from pdespec.derive.variation import variation
from pdespec.model.bindings import Density, Expect, Integrate, Law
from pdespec.model.fields import Field, value
from pdespec.model.sets import Interval, RealSpace, Torus
from pdespec.model.terms import variable
from pdespec.model.vectors import Partial
from tests.oracles.gateaux import gateaux, paired

x, y = variable("x"), variable("y")
u = Field("u", ("x",), (1,))
U = value(u, x)
UNIT, LINE, CIRCLE = Interval(Integer(0), Integer(1)), RealSpace(1), Torus((2 * pi,))
S = Symbol("s", real=True)


def at(point: Expr) -> Expr:
    return value(u, point)


def proved(a: Expr, b: Expr, region: object = LINE) -> bool:
    known = Known(((u, 1),), {}, {u: Space((region,), 1)})
    return decide([scalar(a) - scalar(b)], known).verdict == "proved"


@pytest.mark.parametrize(
    ("functional", "expected"),
    [
        (Integrate(U * log(U), (x,), LINE), log(U) + 1),
        (
            Integrate(Integrate(exp(-((x - 2 * y) ** 2)) * U * at(y), (x,), LINE), (y,), LINE),
            Integrate((exp(-((x - 2 * y) ** 2)) + exp(-((y - 2 * x) ** 2))) * at(y), (y,), LINE),
        ),
        (log(Integrate(exp(-(x**2)) * U, (x,), LINE)), exp(-(x**2)) / Integrate(exp(-(y**2)) * at(y), (y,), LINE)),
        (
            Integrate(x**2 * U, (x,), LINE) / Integrate(exp(x) * U, (x,), LINE),
            x**2 / Integrate(exp(y) * at(y), (y,), LINE)
            - exp(x) * Integrate(y**2 * at(y), (y,), LINE) / Integrate(exp(y) * at(y), (y,), LINE) ** 2,
        ),
        (
            Expect(Partial(U, x) ** 2 / 2, (x,), Law("gauss", 0, 1)),
            -Partial(Density(Law("gauss", 0, 1), x) * Partial(U, x), x),
        ),
        (Integrate(U * at(x - 1), (x,), LINE), at(x - 1) + at(x + 1)),
        (Integrate(sin(x) * at(2 * x), (x,), LINE), sin(x / 2) / 2),
        (
            Integrate(Integrate(cos(y) * at(x - y) * U, (x,), LINE), (y,), LINE),
            Integrate(cos(y) * (at(x - y) + at(x + y)), (y,), LINE),
        ),
    ],
)
def test_closed_forms(functional: Expr, expected: Expr) -> None:
    assert proved(variation(functional, u, (x,)).interior, expected)


@pytest.mark.parametrize(
    ("functional", "region"),
    [
        (Integrate(at(1 - x) * U**2 * exp(x), (x,), UNIT), UNIT),
        (Integrate(at(1 - x) ** 3 * (1 + x), (x,), UNIT), UNIT),
        (Integrate(at(x + 1) * sin(x) * U, (x,), CIRCLE), CIRCLE),
        (Integrate(at(-x) * (2 + cos(x)) * U**2, (x,), CIRCLE), CIRCLE),
        (Integrate(Integrate(exp(cos(y)) * at(x - y) * U, (x,), CIRCLE), (y,), CIRCLE), CIRCLE),
        (Integrate(Integrate(exp(cos(y)) * at(x - y), (y,), CIRCLE) ** 2, (x,), CIRCLE), CIRCLE),
    ],
)
def test_moved_points(functional: Expr, region: object) -> None:
    formula, eta = (2 + sin(S) + cos(2 * S) / 3, 1 + cos(S) / 2)
    fields, directions = {"u": ((S,), formula)}, {"u": ((S,), eta)}
    found = variation(functional, u, (x,))
    interior, boundary = paired(found, fields, directions, "u", (x,), region)
    expected = gateaux(functional, fields, directions)
    assert boundary == 0
    assert abs(interior - expected) < 1e-8 * (1 + abs(expected))


@pytest.mark.parametrize(
    ("functional", "code"),
    [
        (at(Rational(1, 2)) ** 2, "PDE411"),
        (Integrate(at(x**2), (x,), UNIT), "PDE914"),
        (Integrate(at(x / 2), (x,), UNIT), "PDE913"),
        (Integrate(U, (x,), Interval(Integer(0), Rational(1, 2))), "PDE915"),
        (Expect(U**2, (x,), Law("points", Integer(0), Integer(1))), "PDE411"),
    ],
)
def test_what_is_no_function_is_refused_with_its_code(functional: Expr, code: str) -> None:
    with pytest.raises(NoVariation) as failure:
        variation(functional, u, (x,), ((1, UNIT),))
    assert failure.value.code == code


def test_the_second_variation_is_self_adjoint() -> None:
    """δ²F applied to η and ζ: the variation of ∫ δF·η by u, paired with ζ, is symmetric in η and ζ."""
    functional = Integrate(Partial(U, x) ** 2 * U + Integrate(cos(x - y) * at(y) ** 2, (y,), CIRCLE) * U, (x,), CIRCLE)
    first = variation(functional, u, (x,)).interior
    eta, zeta = sin(x) + cos(2 * x), cos(x) - sin(3 * x) / 2
    fields = {"u": ((S,), 2 + sin(S) / 2)}

    def second(a: Expr, b: Expr) -> float:
        derivative = variation(Integrate(first * a, (x,), CIRCLE), u, (x,))
        directions = {"u": ((S,), b.subs(x, S))}
        return sum(paired(derivative, fields, directions, "u", (x,), CIRCLE))

    assert abs(second(eta, zeta) - second(zeta, eta)) < 1e-9
