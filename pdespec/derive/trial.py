"""Concrete smooth functions in place of fields, with which an integral identity can be refuted.

A function is a₀ + Σ aⱼ sin(kⱼ·x + cⱼ), with the period of a torus where there is one and times e^{−|x|²/4} on unbounded
space; a density is a mixture, with weights that depend on time, of exponentials of such functions over their integrals.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sympy import Expr, Float, Integer, Rational, Symbol, Tuple, exp, pi, sin

from pdespec.derive.differentiate import differentiate
from pdespec.derive.integrals import Group
from pdespec.model.fields import Field, FieldValue
from pdespec.model.sets import Product, RealSpace, Set, Torus, plain
from pdespec.model.substitution import substitute
from pdespec.model.terms import Region, flat, variable
from pdespec.model.vectors import Component


@dataclass(frozen=True, slots=True)
class Space:
    """The domain of a field in scalar coordinates; a density is normalised over the first `mass` of them."""

    regions: tuple[Set, ...]
    mass: int = 0


def trial(field: Field, space: Space, random: Random) -> tuple[tuple[Symbol, ...], tuple[Expr, ...]]:
    """Scalar coordinates of the field's slots and a formula for each component."""
    slots = flat(tuple(map(variable, field.slots, field.dimensions)))
    size = 1
    for n in field.shape:
        size *= n
    decay, scales = _scales(space, slots)
    if space.mass:
        own = slots[: space.mass]
        waves = (exp(_waves(own, scales[: space.mass], random) / 2) for _ in range(2))
        first, second = (_normalised(w * decay**2, own, space) for w in waves)
        phase = Rational(random.randint(0, 60), 10)
        share = (1 + sin(sum(slots[space.mass :], phase)) / 2) / 2
        return slots, (share * first + (1 - share) * second,)
    formulas = [_waves(slots, scales, random) for _ in range(size)]
    return slots, tuple(f * decay for f in formulas)


def _waves(slots: tuple[Symbol, ...], scales: list[Expr], random: Random) -> Expr:
    total: Expr = Rational(random.randint(2, 9), 10)
    for _ in range(2):
        angle: Expr = Rational(random.randint(0, 60), 10)
        for s, scale in zip(slots, scales, strict=True):
            angle += random.choice((-1, 1, 2)) * scale * s
        total += Rational(random.randint(3, 9), 10) * sin(angle)
    return total


def _scales(space: Space, slots: tuple[Symbol, ...]) -> tuple[Expr, list[Expr]]:
    """The decay at infinity and a wave number for each coordinate."""
    decay: Expr = Integer(1)
    scales: list[Expr] = []
    for region in (part for r in space.regions for part in _parts(r)):
        own = slots[len(scales) : len(scales) + region.dimension]
        if isinstance(region, Torus):
            scales += [2 * pi / p for p in region.periods]
            continue
        if isinstance(region, RealSpace):
            decay = decay * exp(-sum((s**2 for s in own), Integer(0)) / 4)
        scales += [Rational(7, 10)] * len(own)
    return decay, scales + [Rational(7, 10)] * (len(slots) - len(scales))


def _parts(region: Set) -> tuple[Set, ...]:
    region = plain(region)
    return tuple(map(plain, region.parts)) if isinstance(region, Product) else (region,)


def _normalised(weight: Expr, slots: tuple[Symbol, ...], space: Space) -> Expr:
    """The weight over its integral, which is a number found by quadrature."""
    from pdespec.derive.quadrature import integrate

    mass, start = weight, 0
    for part in (p for r in space.regions for p in _parts(r)):
        own = slots[start : start + part.dimension]
        start += part.dimension
        if own:
            mass = Group(own, Region(part)).around(mass)
    return weight / Float(float(integrate(mass, {}, fine=True)), 17)


def realise(expr: Expr, functions: dict[Field, tuple[tuple[Symbol, ...], tuple[Expr, ...]]]) -> Expr:
    """Every value and derivative of a field written out by its formula."""
    if isinstance(expr, (FieldValue, Component)):
        return _jet(expr, functions)
    if not expr.args or not expr.has(FieldValue):
        return expr
    arguments = [a if isinstance(a, Tuple) else realise(a, functions) for a in expr.args]
    return expr.func(*arguments)


def _jet(expr: Expr, functions: dict[Field, tuple[tuple[Symbol, ...], tuple[Expr, ...]]]) -> Expr:
    index, inner = 0, expr
    indices: list[int] = []
    while isinstance(inner, Component):
        indices.append(int(inner.args[1]) - 1)
        inner = inner.args[0]
    if not isinstance(inner, FieldValue):
        return expr
    for n, k in zip(inner.field.shape, reversed(indices), strict=True):
        index = index * n + k
    slots, formulas = functions[inner.field]
    formula = formulas[index]
    for s, order in zip(slots, inner.orders or (0,) * len(slots), strict=True):
        for _ in range(order):
            formula = differentiate(formula, s)
    point = (realise(x, functions) for x in inner.point)
    return substitute(formula, dict(zip(slots, point, strict=True)))
