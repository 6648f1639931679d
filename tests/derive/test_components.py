"""The expansion into coordinates, against SymPy's own derivatives of explicit functions."""

from __future__ import annotations

import pytest
from sympy import Function, Integer, Matrix, Symbol, Tuple, cos, diff, exp, simplify, sin

from pdespec.derive.components import expand, flatten, scalar
from pdespec.derive.tensors import Frobenius, Outer, Transpose
from pdespec.model.bindings import Defined, Expect, IndexedSum, Integrate, Law
from pdespec.model.fields import Field, FieldValue, value
from pdespec.model.sets import RealSpace
from pdespec.model.substitution import substitute
from pdespec.model.terms import variable
from pdespec.model.vectors import Component, Cross, Curl, Div, Dot, Grad, Hess, Lap, Partial, Vec

x, y, t = (variable(n) for n in "xyt")
X = variable("X", 3)
a, b, c = X.components()
u = Field("u", ("x", "y", "t"), (1, 1, 1))
w = Field("w", ("X",), (3,))
v = Field("v", ("X",), (3,), (3,))


def realised(expr, field, formula, at):
    """A component expression with a field replaced by an explicit function of its slots, differentiated by SymPy."""

    def replace(node):
        inner = node
        index = ()
        while isinstance(inner, Component):
            index = (int(inner.args[1]), *index)
            inner = inner.args[0]
        f = formula if not index else formula[index[0] - 1]
        for s, n in zip(at, inner.orders, strict=False):
            f = diff(f, s, n)
        return f.subs(dict(zip(at, inner.point, strict=True)), simultaneous=True)

    nodes = expr.atoms(Component) | {n for n in expr.atoms(FieldValue) if not n.field.shape}
    return expr.xreplace({n: replace(n) for n in nodes})


def test_a_value_stays_and_a_partial_becomes_orders() -> None:
    assert expand(u.here()) == value(u, x, y, t)
    assert expand(Partial(u.here(), x, x, t)) == FieldValue(u, (2, 0, 1), x, y, t)


def test_laplacian_of_a_nonlinear_function_of_a_field() -> None:
    found = scalar(Lap(sin(u.here()) * x**2, x, y))
    formula = cos(x * y) + t * x
    expected = diff(sin(formula) * x**2, x, 2) + diff(sin(formula) * x**2, y, 2)
    assert simplify(realised(found, u, formula, (x, y, t)) - expected) == 0


def test_chain_rule_through_the_point_of_a_field() -> None:
    shifted = FieldValue(u, (), x - 2 * y, sin(x), t)
    formula = x**2 * exp(y) + t
    found = realised(scalar(Partial(shifted, x)), u, formula, (x, y, t))
    assert simplify(found - diff((x - 2 * y) ** 2 * exp(sin(x)), x)) == 0


def test_vector_calculus_in_three_dimensions() -> None:
    formula = (a * b**2 + sin(c), exp(a) * c, a**2 * b * c)
    V = v.here()
    checks = {
        Div(V, X): sum(diff(f, s) for f, s in zip(formula, (a, b, c), strict=True)),
        Component(Curl(V, X), 2): diff(formula[0], c) - diff(formula[2], a),
        Component(Component(Grad(V, X), 1), 2): diff(formula[1], a),
        Component(Dot(V, Grad(V, X)), 3): sum(f * diff(formula[2], s) for f, s in zip(formula, (a, b, c), strict=True)),
        Component(Lap(V, X), 1): sum(diff(formula[0], s, 2) for s in (a, b, c)),
        Component(Cross(V, X), 3): formula[0] * b - formula[1] * a,
        Dot(X, X): a**2 + b**2 + c**2,
    }
    for term, expected in checks.items():
        assert simplify(realised(scalar(term), v, formula, (a, b, c)) - expected) == 0, term


def test_hessian_is_symmetric_and_its_trace_the_laplacian() -> None:
    h = expand(Hess(w.here(), X))
    assert all(h[i][j] == h[j][i] for i in range(3) for j in range(3))
    assert sum(h[i][i] for i in range(3)) == scalar(Lap(w.here(), X))


def test_curl_in_two_dimensions_of_a_vector_and_of_a_scalar() -> None:
    f = sin(x) * y
    assert scalar(Curl(Vec(f, x**2), x, y)) == 2 * x - sin(x)
    assert expand(Curl(f, x, y)) == (sin(x), -y * cos(x))


def test_indexed_sum_and_defined_function() -> None:
    i = Symbol("i", integer=True)
    norm = IndexedSum(Component(X, i) ** 2, (i,), 2, 3)
    V = Defined("V", (X,), norm + Component(X, 1), X)
    Y = variable("Y", 3)
    assert scalar(V) == a + b**2 + c**2
    moved = scalar(substitute(V, {X: Y}))
    assert moved == sum(s**k for s, k in zip(Y.components(), (1, 2, 2), strict=True))


def test_derivative_under_the_integral_and_the_expectation() -> None:
    Y = variable("Y", 3)
    kernel = exp(-Dot(X, Y)) * value(w, Y)
    found = scalar(Component(Grad(Integrate(kernel, (Y,), RealSpace(3)), X), 2))
    p, q, r = Y.components()
    assert found.body == -q * exp(-a * p - b * q - c * r) * value(w, p, q, r)
    mean = Expect(Dot(X, Y) ** 2, (Y,), Law("gauss", 0, 1))
    assert scalar(Component(Grad(mean, X), 1)).body.expand() == (2 * p * (a * p + b * q + c * r)).expand()


def test_tensor_products_against_matrices() -> None:
    A = Vec(Vec(1, 2, 3), Vec(0, 5, 6), Vec(7, 8, 10))
    M = Matrix([[1, 2, 3], [0, 5, 6], [7, 8, 10]])
    assert flatten(expand(Dot(A, X))) == tuple(M * Matrix([a, b, c]))
    assert flatten(expand(Dot(Transpose(A), X))) == tuple(M.T * Matrix([a, b, c]))
    assert scalar(Frobenius(A, Outer(X, X))).expand() == ((Matrix([[a, b, c]]) * M * Matrix([a, b, c]))[0]).expand()


def test_a_vector_where_a_scalar_is_needed_is_refused() -> None:
    with pytest.raises(TypeError):
        scalar(Integer(2) * X)
    with pytest.raises(TypeError):
        expand(1 + X)
    assert Tuple(*expand(2 * X)) == Tuple(2 * a, 2 * b, 2 * c)
    assert not Function("f")(a).atoms(FieldValue)
