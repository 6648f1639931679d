"""Random functionals: local, nonlocal, nested and entropic, with up to third derivatives, of scalars and vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from sympy import Expr, Integer, Mul, Rational, Symbol, cos, exp, log, sin, sqrt

from pdespec.derive.tensors import Frobenius
from pdespec.model.bindings import Integrate
from pdespec.model.fields import Field, value
from pdespec.model.sets import Interval, Product, Set
from pdespec.model.substitution import substitute
from pdespec.model.terms import VectorVariable, variable
from pdespec.model.vectors import Component, Cross, Curl, Div, Dot, Grad, Hess, Lap, Partial, Vec

UNIT = Interval(Integer(0), Integer(1))


@dataclass(frozen=True)
class Case:
    """A functional of the field u over a box, the formula of u and a direction η."""

    functional: Expr
    field: Field
    variables: tuple[Any, ...]
    region: Set
    formula: Any
    eta: Any


def spaces() -> st.SearchStrategy[tuple[tuple[Any, ...], Set]]:
    """A line, a square with two scalar coordinates, a square and a cube with a vector coordinate."""
    square = Product((UNIT, UNIT))
    cube = Product((UNIT, UNIT, UNIT))
    return st.sampled_from(
        [
            ((variable("x"),), UNIT),
            ((variable("x"), variable("y")), square),
            ((variable("x", 2),), square),
            ((variable("x", 3),), cube),
        ]
    )


def scalars(variables: tuple[Any, ...]) -> list[Expr]:
    """The scalar coordinates, as terms of vector level."""
    return [
        Component(v, k) if isinstance(v, VectorVariable) else v
        for v in variables
        for k in range(1, (v.dimension if isinstance(v, VectorVariable) else 1) + 1)
    ]


small = st.integers(1, 3).map(lambda k: Rational(k, 4))


@st.composite
def coefficient(draw: Any, xs: list[Expr]) -> Expr:
    x = draw(st.sampled_from(xs))
    return draw(st.sampled_from([1 + x**2, sin(x) + 2, exp(-x / 2), Integer(1) + x])) * draw(small)


@st.composite
def scalar_atom(draw: Any, u: Expr, variables: tuple[Any, ...], rank: int) -> Expr:
    """A scalar made of u and its derivatives at one point."""
    if rank:
        choices = [
            Dot(u, u),
            Div(u, *variables),
            Dot(u, Lap(u, *variables)),
            Frobenius(Grad(u, *variables), Grad(u, *variables)),
        ]
        choices += [Component(u, 1), Dot(u, Dot(u, Grad(u, *variables))), Div(u, *variables) ** 2]
        if _dimension(variables) == 3:
            rotation = Curl(u, *variables)
            choices += [Dot(rotation, rotation), Dot(Cross(u, rotation), Vec(1, 2, 3)), Dot(u, rotation)]
        else:
            choices += [Curl(u, *variables) ** 2]
        return draw(st.sampled_from(choices))
    gradient = Grad(u, *variables)
    choices = [
        u,
        u**2,
        Dot(gradient, gradient),
        Lap(u, *variables),
        u * Lap(u, *variables),
        sqrt(1 + Dot(gradient, gradient)),
    ]
    choices += [Lap(u, *variables) ** 2, Dot(gradient, Grad(Lap(u, *variables), *variables))]
    choices += [Frobenius(Hess(u, *variables), Hess(u, *variables)), log(2 + u**2), exp(u / 2), (2 + u) * log(2 + u)]
    single = [v for v in variables if not isinstance(v, VectorVariable)]
    for v in single:
        choices += [
            Partial(u, v, v) ** 2,
            Partial(u, v, v, v) * u,
            Partial(sin(u), v),
            Partial(u * Partial(u, v), v) * u,
        ]
    if len(single) == 2:
        choices += [Partial(u, *single) ** 2, Partial(u, single[0], single[0], single[1]) * u]
        choices += [Dot(Curl(u, *variables), Vec(1, 2))]
    return draw(st.sampled_from(choices))


def _dimension(variables: tuple[Any, ...]) -> int:
    return len(scalars(variables))


@st.composite
def local(draw: Any, u: Expr, variables: tuple[Any, ...], region: Set, rank: int) -> Expr:
    """∫ c(x) a(u, ∇u, …) b(u, …) dx."""
    a = draw(scalar_atom(u, variables, rank))
    body = draw(coefficient(scalars(variables))) * a
    if draw(st.booleans()):
        other = draw(scalar_atom(u, variables, rank)) if _dimension(variables) == 1 else (Dot(u, u) if rank else u)
        body = body * (1 + sin(other) / 4)
    return Integrate(body, variables, region)


@st.composite
def nonlocal_pair(draw: Any, u: Expr, variables: tuple[Any, ...], region: Set, rank: int) -> Expr:
    """∬ K(x, y) a(u(x)) b(u(y)), or a field ∫ K(x, y) b(u(y)) dy inside another integral, differentiated or not."""
    primed = tuple(
        VectorVariable("y", v.dimension) if isinstance(v, VectorVariable) else variable(f"{v.name}_") for v in variables
    )
    there = dict(zip(variables, primed, strict=True))
    xs, ys = scalars(variables), scalars(primed)
    kernel = draw(st.sampled_from([exp(-((xs[0] - ys[0]) ** 2)), cos(xs[0] + 2 * ys[0]), 1 + xs[0] * ys[-1] ** 2]))
    a = draw(scalar_atom(u, variables, rank))
    b = substitute(draw(scalar_atom(u, variables, rank)), there)
    inner = Integrate(kernel * b, primed, region)
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return Integrate(inner * a, variables, region)
    if kind == 1:
        return Integrate((inner - xs[0]) ** 2, variables, region)
    if kind == 2:
        slope = Grad(inner, *variables)
        return Integrate(Dot(slope, slope) + a, variables, region)
    return Integrate(sin(inner) * a, variables, region)


@st.composite
def functional(draw: Any, u: Expr, variables: tuple[Any, ...], region: Set, rank: int) -> Expr:
    near = local(u, variables, region, rank)
    far = nonlocal_pair(u, variables, region, rank)
    first = draw(near if _dimension(variables) + rank > 2 else st.one_of(near, far))
    second = draw(local(u, variables, region, rank))
    shapes = [
        first,
        first * second,
        first / (3 + second**2),
        exp(first / 8),
        log(4 + first**2),
        sqrt(2 + first**2) * second,
    ]
    return draw(st.sampled_from(shapes))


def formulas(d: int, seed: int, size: int) -> list[Expr]:
    slots = [Symbol(f"s{k}", real=True) for k in range(d)]
    out = []
    for c in range(size):
        f: Expr = Rational(1 + (seed + c) % 3, 3)
        for k, s in enumerate(slots):
            amplitude, wave = Rational(1 + (seed * (k + 2) + c) % 4, 6), Rational(1 + (seed + k + c) % 2, 2)
            f += amplitude * sin(wave * s + Rational(seed % 7 + c, 3))
        out.append(f * (1 + slots[0] * slots[-1] / 5))
    return out


@st.composite
def cases(draw: Any) -> Case:
    """A functional with everything that its oracle needs."""
    variables, region = draw(spaces())
    d = _dimension(variables)
    rank = draw(st.sampled_from([0, 0, 1])) if d > 1 else 0
    names = tuple(v.name for v in variables)
    sizes = tuple(v.dimension if isinstance(v, VectorVariable) else 1 for v in variables)
    field = Field("u", names, sizes, (d,) if rank else ())
    u = value(field, *variables)
    size = d if rank else 1
    seed = draw(st.integers(0, 40))
    slots = [Symbol(f"s{k}", real=True) for k in range(d)]
    bump = Mul(*((4 * s * (1 - s)) ** 3 for s in slots)) if draw(st.booleans()) else Integer(1)
    chosen, directions = formulas(d, seed, size), [bump * f for f in formulas(d, seed + 11, size)]
    term = draw(functional(u, variables, region, rank))
    return Case(term, field, variables, region, chosen if rank else chosen[0], directions if rank else directions[0])
