"""What a person reads first in a script is the mathematics of the spec, in lines that fit."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from pdespec.compiler import compile
from pdespec.source import Source

SPECS = Path(__file__).parents[2] / "specs"


@lru_cache
def script(name: str) -> str:
    path = SPECS / f"{name}.pde"
    code = compile(Source(path.name, path.read_text(encoding="utf-8"))).require().source
    assert code is not None
    return code


@pytest.mark.parametrize("name", ["burgers", "ornstein_uhlenbeck", "committor"])
def test_lines_fit(name: str) -> None:
    assert [line for line in script(name).splitlines() if len(line) > 120] == []


def test_a_residual_begins_with_its_derivative_in_time() -> None:
    assert '"""∂t u − ν ∂xx u + u ∂x u"""\n    return u_t - nu * u_xx + u * u_x\n' in script("burgers")


def test_decimals_stay_decimals() -> None:
    assert "\nnu = 0.01 / math.pi " in script("burgers")


def test_a_quadratic_form_is_a_polynomial() -> None:
    assert '"""x₁² + 1/2 x₁ x₂ + 1/2 x₂² + 1/2 x₂ − 3/2 x₁ + 1"""' in script("ornstein_uhlenbeck")


def test_the_law_of_a_start_and_the_name_of_time_are_those_of_the_spec() -> None:
    assert "The density of gauss((3, 2), ((1, 3/10), (3/10, 1/2)))." in script("ornstein_uhlenbeck")
    assert 'arrays["g.p.time.t"]' in script("ornstein_uhlenbeck")


def test_a_named_set_is_called_by_its_name() -> None:
    assert script("committor").count("domain=Omega()") == 2
