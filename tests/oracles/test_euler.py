"""First variations of local Lagrangians against SymPy's Euler equations."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import Expr, Function, Symbol, cos, exp, log, sin, sqrt
from sympy.calculus.euler import euler_equations

from pdespec.derive.variation import variation
from pdespec.model.bindings import Integrate
from pdespec.model.fields import Field, value
from pdespec.model.sets import Interval, Product
from pdespec.model.terms import variable
from pdespec.model.vectors import Dot, Grad, Lap, Partial
from tests.oracles.interpreter import explicit

x, y = variable("x"), variable("y")
ONE_D = Field("u", ("x",), (1,))
TWO_D = Field("u", ("x", "y"), (1, 1))
U, W = value(ONE_D, x), value(TWO_D, x, y)
SIDE = Interval(Symbol("a"), Symbol("b"))


@pytest.mark.parametrize(
    "density",
    [
        Partial(U, x) ** 2 / 2 - sin(x) * U,
        sqrt(1 + Partial(U, x) ** 2),
        exp(U) * Partial(U, x) ** 4 + cos(U * x),
        Partial(U, x, x) ** 2 * (1 + U**2) - U * Partial(U, x),
        Partial(U, x, x, x) ** 2 / 2 + Partial(U, x, x) * U**3,
        log(2 + U**2) * Partial(U, x, x) + x**2 * Partial(U, x) ** 3,
        Partial(Partial(U, x) * U, x) * sin(U),
    ],
)
def test_on_a_line(density: Expr) -> None:
    agree(density, ONE_D, (x,), SIDE)


@pytest.mark.parametrize(
    "density",
    [
        Dot(Grad(W, x, y), Grad(W, x, y)) / 2 - x * y * W,
        sqrt(1 + Dot(Grad(W, x, y), Grad(W, x, y))),
        Lap(W, x, y) ** 2 / 2 + exp(-W) * Partial(W, x, y),
        Partial(W, x) * Partial(W, y) * W + Partial(W, x, x, y) * W**2,
        W * Dot(Grad(Lap(W, x, y), x, y), Grad(W, x, y)),
    ],
)
def test_in_the_plane(density: Expr) -> None:
    agree(density, TWO_D, (x, y), Product((SIDE, SIDE)))


def agree(density: Expr, field: Field, variables: tuple[Any, ...], region: Any) -> None:
    found = explicit(variation(Integrate(density, variables, region), field, variables).interior)
    (equation,) = euler_equations(explicit(density), [Function("u")(*variables)], list(variables))
    assert (found - equation.lhs).doit().expand().simplify() == 0
