"""Boxes for unbounded domains against quantiles of the normal law, and regions cut to a box."""

from __future__ import annotations

from statistics import NormalDist

import pytest
from sympy import Float, Integer, exp, symbols

from pdespec.diagnostics import SpecError
from pdespec.model.model import Model
from pdespec.model.sets import Boundary, Difference, Interval, Product, RealSpace, Sublevel, Union, plain
from pdespec.plan.unbounded import LEAK, box_of, unbounded, within
from pdespec.source import Source

MODEL = Model("empty", Source("empty", ""))
x, y = symbols("x y", real=True)


def mass_outside(low: float, high: float) -> float:
    normal = NormalDist()
    return normal.cdf(low) + normal.cdf(-high)


def test_the_box_of_a_normal_law_is_the_smallest_that_holds_all_but_the_leak() -> None:
    ((low, high),) = box_of(exp(-(x**2) / 2), (x,), MODEL)
    assert mass_outside(low, high) < LEAK
    assert mass_outside(low + 0.2, high - 0.2) > LEAK


def test_each_axis_of_a_product_gets_its_own_length() -> None:
    (a, b), (c, d) = box_of(exp(-(x**2) / 2 - 8 * y**2), (x, y), MODEL)
    assert (b - a) / (d - c) == pytest.approx(4, rel=0.1)


def test_a_weight_that_does_not_decay_is_refused() -> None:
    with pytest.raises(SpecError, match="decay"):
        box_of(1 / (1 + x**2), (x,), MODEL)


def test_the_box_reaches_the_space_inside_differences_and_half_spaces() -> None:
    space = RealSpace(1)
    hole = Union((Sublevel(space, (x,), x + 1), Sublevel(space, (x,), 1 - x)))
    region = Boundary(Difference(space, hole))
    assert unbounded(region)
    cut = within(region, ((-3.0, 3.0),))
    assert not unbounded(cut)
    assert isinstance(cut, Boundary) and isinstance(cut.of, Difference)
    assert plain(cut.of.whole) == Interval(Float(-3.0), Float(3.0))


def test_a_bounded_region_stays_as_it_is() -> None:
    square = Product((Interval(Integer(0), Integer(1)),) * 2)
    assert within(square, ((-3.0, 3.0), (-3.0, 3.0))) == square
