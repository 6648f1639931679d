"""A little of the fuzz campaign, in every run of the tests."""

from __future__ import annotations

import pytest

from tests.syntax import fuzz


def test_mutated_specs_give_diagnostics_soon_and_never_an_exception() -> None:
    slowest = 0.0
    right = 0
    for text in fuzz.specs(2000, seed=1):
        found, seconds = fuzz.examine(text)
        slowest = max(slowest, seconds)
        right += found == 0
    assert slowest < fuzz.BOUND
    assert right > 20  # some mutations leave a spec right, or the formatter is not tried at all


@pytest.mark.parametrize(
    "text",
    [
        "f := " + "(" * 100_000, "f := " + "x^" * 3000 + "x", "f := " + "1 + " * 2400 + "1",
        "f := " + "∂x " * 3000 + "u",
        "f := " + "|" * 5000, "f := " + "δa(" * 3000, "a" * 1_000_000, "{" * 500_000, "\n" * 1_000_000,
        "f := x\n" * 1900,
        "(" * 200 + ")" * 200, 'f := "' + "a" * 100_000, "#" * 1_000_000, "²" * 100_000, "f := " + "f(x)" * 2000,
    ],
    ids=range(15),
)  # fmt: skip
def test_hostile_texts(text: str) -> None:
    fuzz.examine(text)
