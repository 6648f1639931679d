"""dE/dt along a flow, by a complex step in the direction of its right-hand side, is the derived dissipation.

An identity, not a decrease: a wrong sign may dissipate faster.  Densities and fields on a circle, every metric; mass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from sympy import Expr, Integer, Integral, Rational, Symbol, cos, exp, log, pi, sin

from pdespec.derive.derivation import Flow
from pdespec.derive.derive import derive
from pdespec.model.bindings import Defined, Integrate
from pdespec.model.fields import FieldValue, MetricGradient, value
from pdespec.model.model import Model
from pdespec.model.sets import Interval, Torus, product
from pdespec.model.terms import variable
from pdespec.model.vectors import Dot, Grad, Lap, Partial
from tests.derive import models
from tests.derive.models import delta, domain, equation, fisher_rao, stein, unknown, wasserstein
from tests.oracles.gateaux import STEP
from tests.oracles.interpreter import explicit, formula_jets, number

x, y, t = variable("x"), variable("y"), variable("t")
CIRCLE = Torus((2 * pi,))
S = Symbol("s", real=True)
T = Symbol("r", real=True)
SHAPE = exp((sin(S) + cos(2 * S) / 3) / 2)
KERNEL = Defined("K", (x, y), exp(cos(x - y)), x, y)


def energies(P: FieldValue) -> dict[str, Expr]:
    there = value(P.field, y, t)
    pair = Integrate(Integrate(cos(x - y) * P * there, (y,), CIRCLE), (x,), CIRCLE)
    return {
        "entropy": Integrate(P * log(P), (x,), CIRCLE) / 4 + Integrate(sin(x) * P, (x,), CIRCLE),
        "interaction": -pair + Integrate(P * log(P), (x,), CIRCLE) / 2,
        "power": Integrate(P**3, (x,), CIRCLE) + Integrate(cos(2 * x) * P, (x,), CIRCLE),
        "nested": (Integrate(cos(x) * P, (x,), CIRCLE) - Rational(1, 5)) ** 2 / 2 + Integrate(P**2, (x,), CIRCLE),
        "gradient": Integrate(Dot(Grad(P, x), Grad(P, x)) / 2 + P**2, (x,), CIRCLE),
    }


def wfr(energy: Expr, P: FieldValue) -> MetricGradient:
    body = wasserstein(energy, P, x).body + Rational(1, 2) * fisher_rao(energy, P, x, CIRCLE).body
    return MetricGradient(body, energy, P.field, "E", "WFR(1/2)")


METRICS: dict[str, Callable[[Expr, FieldValue], MetricGradient]] = {
    "W2": lambda energy, P: wasserstein(energy, P, x),
    "FR": lambda energy, P: fisher_rao(energy, P, x, CIRCLE),
    "WFR": wfr,
    "Stein": lambda energy, P: stein(energy, P, x, CIRCLE, KERNEL, y),
}


def flow(gradient: Callable[[Expr, FieldValue], MetricGradient], energy: str, kind: str) -> Flow:
    space = domain("X", (x,), CIRCLE)
    time = domain("I", (t,), Interval(Integer(0), Integer(1)), time=True)
    p = unknown("p", (space, time), kind=kind)
    P = p.field.here()
    functional = energies(P)[energy]
    model = Model(
        "flow",
        models.SOURCE,
        domains=(space, time),
        unknowns=(p,),
        equations=(equation("flow", Partial(P, t), -gradient(functional, P), product(space.set, time.set), (x, t)),),
    )
    derivation, found = derive(model)
    assert not found
    return derivation.flows[0]


def rate(found: Flow, field: str) -> tuple[float, float, float]:
    """dE/dt by a complex step, the derived dissipation, and the mass that the right-hand side adds."""
    mass = float(number(Integral(SHAPE.subs(S, x), (x, 0, 2 * pi)), formula_jets({})))
    base = formula_jets({field: ((S, T), SHAPE / mass)})
    right = explicit(found.right)

    def moving(name: str, orders: tuple[int, ...], point: list[Any]) -> Any:
        speed = right
        for _ in range(orders[0]):
            speed = speed.diff(x)
        depth = max(getattr(p, "ndim", 0) for p in point)
        along = number(speed, base, {x: point[0], t: 0.0}, depth)
        return base(name, orders, point) + 1j * STEP * along

    assert found.energy is not None and found.dissipation is not None
    derivative = number(explicit(found.energy), moving, {t: 0.0}).imag / STEP
    dissipation = number(explicit(found.dissipation), base, {t: 0.0})
    gained = number(Integral(right, (x, 0, 2 * pi)), base, {t: 0.0})
    return float(derivative), float(dissipation), float(gained)


@pytest.mark.parametrize("energy", ["entropy", "interaction", "power", "nested", "gradient"])
@pytest.mark.parametrize("metric", list(METRICS))
def test_densities(metric: str, energy: str) -> None:
    derivative, dissipation, gained = rate(flow(METRICS[metric], energy, "density"), "p")
    assert math.isclose(derivative, dissipation, rel_tol=1e-8, abs_tol=1e-10)
    assert dissipation < 0
    assert abs(gained) < 1e-10


@pytest.mark.parametrize("metric", ["L2", "Hm1"])
def test_fields(metric: str) -> None:
    def gradient(energy: Expr, P: FieldValue) -> MetricGradient:
        body = delta(energy, P) if metric == "L2" else -Lap(delta(energy, P), x)
        return MetricGradient(body, energy, P.field, "E", metric)

    derivative, dissipation, gained = rate(flow(gradient, "gradient", "function"), "p")
    assert math.isclose(derivative, dissipation, rel_tol=1e-8)
    assert dissipation < 0
    assert metric == "L2" or abs(gained) < 1e-10


def test_a_wrong_sign_breaks_the_identity() -> None:
    found = flow(METRICS["Stein"], "entropy", "density")
    wrong = Flow(**{name: getattr(found, name) for name in Flow.__slots__} | {"right": -found.right})
    derivative, dissipation, _ = rate(wrong, "p")
    assert not math.isclose(derivative, dissipation, rel_tol=1e-2)
