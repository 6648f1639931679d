"""Thirty fields by the planner's choice, drawn by seed, against solutions that the compiler never sees except to be measured by."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median

import pytest
import sympy as sp

from tests.generality.draw import VALUES
from tests.generality.manufactured import draw
from tests.generality.running import reports
from tests.generality.written import written

SEED, COUNT, SECONDS = 1, 30, 20
QUICK = (5, 8, 20, 22)
"""An interval of order 1 with a vector, an annulus of order 4 under Robin's condition, a circle of order 3, a box in 3-D."""

PROBLEMS = draw(SEED, COUNT)


def worst(number: int, folder: Path) -> float:
    """The largest relative L² error among the unknowns of a problem."""
    errors = [r["value"] for r in reports(PROBLEMS[number].text, folder, SECONDS)]
    assert len(errors) == (2 if PROBLEMS[number].traits.unknowns == "pair" else 1)
    return max(errors)


def test_the_draws_cover_every_value_and_depend_on_the_seed_alone() -> None:
    seen = Counter(v for p in PROBLEMS for v in p.traits.values())
    assert all(seen[name, value] >= 2 for name, values in VALUES.items() for value in values), seen
    assert all(seen["dimensions", d] >= 5 for d in (1, 2, 3)), seen
    assert draw(SEED, COUNT) == PROBLEMS
    assert not {p.text for p in draw(SEED + 1, COUNT)} & {p.text for p in PROBLEMS}


def test_the_quick_ones_are_unlike() -> None:
    traits = [PROBLEMS[k].traits for k in QUICK]
    assert len({t.region for t in traits}) == len({t.order for t in traits}) == len(QUICK)
    assert {t.form for t in traits} == set(VALUES["form"]) and {t.unknowns for t in traits} == set(VALUES["unknowns"])


def test_texts_say_what_was_drawn() -> None:
    """SymPy reads back from the text what was written, with ^ and π in its own spelling."""
    x, y = sp.symbols("x y", real=True)
    for e in (
        -x / 2 + sp.Rational(3, 4) * y**2 - sp.exp(-x / 2) * sp.sin(2 * sp.pi * y - 1),
        (x - y) ** 3 / (1 + x**2) - (-1) ** 2 * sp.cos(x) ** 2,
        -(x + 1) * (y - 2) ** -2,
    ):
        back = sp.sympify(written(e).replace("^", "**").replace("π", "pi"), locals={"x": x, "y": y})
        assert sp.simplify(back - e) == 0, written(e)


@pytest.mark.parametrize("number", QUICK)
def test_a_quick_draw_is_solved(number: int, tmp_path: Path) -> None:
    assert worst(number, tmp_path) <= 5e-2


def test_another_source_is_noticed(tmp_path: Path) -> None:
    text = PROBLEMS[20].text.replace("f := ", "f := 1 + ")
    assert text != PROBLEMS[20].text
    assert reports(text, tmp_path, SECONDS)[0]["value"] > 5e-2


@pytest.mark.slow
def test_all_draws_are_solved(tmp_path: Path) -> None:
    errors = []
    for number in range(COUNT):
        folder = tmp_path / str(number)
        folder.mkdir()
        errors.append(worst(number, folder))
        print(f"{number:2d}  {errors[-1]:.1e}  {PROBLEMS[number].traits}")
    assert median(errors) <= 5e-2
    assert max(errors) <= 5e-1
