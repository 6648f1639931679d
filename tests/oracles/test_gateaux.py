"""Two hundred and more random functionals against the numeric Gateaux derivative, boundary terms included."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sympy import Symbol

from pdespec.derive.variation import variation
from tests.oracles.functionals import Case, cases
from tests.oracles.gateaux import gateaux, paired

SETTINGS: dict[str, Any] = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


def named(slots: tuple[Symbol, ...], formula: Any) -> dict[str, Any]:
    if isinstance(formula, list):
        return {f"u.{k}": (slots, f) for k, f in enumerate(formula, 1)}
    return {"u": (slots, formula)}


def verify(case: Case) -> None:
    d = sum(getattr(v, "dimension", 1) for v in case.variables)
    slots = tuple(Symbol(f"s{k}", real=True) for k in range(d))
    fields, directions = named(slots, case.formula), named(slots, case.eta)
    expected = gateaux(case.functional, fields, directions)
    found = variation(case.functional, case.field, case.variables)
    interior, boundary = paired(found, fields, directions, "u", case.variables, case.region)
    scale = 1 + abs(expected) + abs(interior) + abs(boundary)
    assert math.isfinite(expected)
    assert abs(interior + boundary - expected) < 1e-8 * scale, (case.functional, expected, interior, boundary)


@settings(max_examples=8, phases=[Phase.generate], **SETTINGS)
@given(cases())
def test_random_functionals(case: Case) -> None:
    verify(case)


@pytest.mark.slow
@settings(max_examples=220, phases=[Phase.generate], **SETTINGS)
@given(cases())
def test_two_hundred_random_functionals(case: Case) -> None:
    verify(case)
