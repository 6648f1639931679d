"""Explicit gradients at vector level, against SymPy's derivatives of the expanded function."""

from __future__ import annotations

import pytest
from sympy import Expr, Symbol, cos, exp, log, sin, sqrt

from pdespec.derive.components import expand, scalar
from pdespec.derive.gradient import gradient
from pdespec.model.bindings import Defined, Expect, IndexedSum, Integrate, Law
from pdespec.model.fields import Field, value
from pdespec.model.sets import RealSpace
from pdespec.model.terms import variable
from pdespec.model.vectors import Component, Cross, Dot, Grad, Vec

x, y = variable("x", 3), variable("y", 3)
s = variable("s")
i = Symbol("i", integer=True)
A = Vec(Vec(2, 1, 0), Vec(3, 1, 5), Vec(0, 1, 1))
V = Defined("V", (x,), (Component(x, 1) ** 2 - 1) ** 2 + IndexedSum(Component(x, i) ** 4, (i,), 2, 3), x)


@pytest.mark.parametrize(
    "f",
    [
        Dot(x, y) ** 2,
        exp(-Dot(x - y, x - y) / 2),
        Dot(x, Dot(A, x)),
        Dot(Dot(A, x), Dot(A, y)) * sin(Component(x, 2)),
        V,
        V * Dot(x, x),
        sqrt(1 + Dot(x, x)),
        Dot(Cross(x, y), Vec(1, 2, 3)) * log(1 + Dot(x, x)),
        Dot(Grad(V, x), y),
        Dot(Vec(Component(x, 1) * Component(x, 2), Dot(x, y), 1), x),
    ],
)
def test_gradient_is_the_derivative(f: Expr) -> None:
    explicit = scalar(f)
    expected = [explicit.diff(c) for c in x.components()]
    assert [(a - b).expand() for a, b in zip(expand(gradient(f, x)), expected, strict=True)] == [0, 0, 0]


def test_atoms_stay_vectors() -> None:
    assert gradient(Dot(x, y) ** 2, x) == 2 * Dot(x, y) * y
    assert gradient(Dot(x - y, x - y), x) == 2 * x - 2 * y
    assert gradient(s**2 * sin(s), s) == 2 * s * sin(s) + s**2 * cos(s)


def test_under_expectation_and_integral() -> None:
    mean = Expect(Dot(x, y) ** 2 * Dot(y, y), (y,), Law("gauss", 0, 1))
    assert gradient(mean, x) == 2 * Expect(Dot(x, y) * Dot(y, y) * y, (y,), Law("gauss", 0, 1))
    p = Field("p", ("y",), (3,))
    weight = exp(-Dot(x - y, x - y)) * value(p, y)
    found = gradient(Integrate(weight, (y,), RealSpace(3)), x)
    assert found == Integrate(weight * y, (y,), RealSpace(3)) * 2 - 2 * Integrate(weight * x, (y,), RealSpace(3))


def test_the_gradient_of_a_field_is_left() -> None:
    u = Field("u", ("x",), (3,))
    assert gradient(value(u, x) ** 2, x) == 2 * value(u, x) * Grad(value(u, x), x)
