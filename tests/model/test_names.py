"""Slips of names, and what is forgiven."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdespec.model.names import distance, nearest

WORDS = st.text("abcκμ_1", max_size=7)


@pytest.mark.parametrize(
    ("a", "b", "slips"),
    [("kapa", "kappa", 1), ("gird", "grid", 1), ("adm", "adam", 1), ("", "abc", 3), ("ab", "ba", 1)],
)
def test_distance(a: str, b: str, slips: int) -> None:
    assert distance(a, b) == slips


@given(WORDS, WORDS)
def test_distance_is_symmetric_and_bounded(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a) <= max(len(a), len(b))
    assert (distance(a, b) == 0) == (a == b)


def test_nearest() -> None:
    assert nearest("kapa", ["kappa", "cap"]) == "kappa"
    assert nearest("Wall", ["wall", "well"]) == "wall"
    assert nearest("entropy", ["energy", "u"]) is None
    assert nearest("u", ["v", "w"]) is None
