"""Conditions on pieces of a boundary: faces of a box, both ends at once, what an inequality leaves of a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdespec.compiler import compile
from tests.generality.running import reports

BOX = """\
domain X(x, y) = [0, 1]^2
unknown u : X -> R
bulk: -Δu = 2 on X
ends: u = x*(2 - x) on {0, 1} × [0, 1]
sides: ∂n u = 0 on [0, 1] × {0, 1}
check u = x*(2 - x)
solve bulk, ends, sides
report error(u) < 1e-9
"""

FACES = """\
domain X(x, y) = [0, 1]^2
unknown u : X -> R
bulk: -Δu = 0 on X
left: u = y on {0} × [0, 1]
right: ∂n u = 3 on {1} × [0, 1]
top: ∂n u = 1 on [0, 1] × {1}
bottom: ∂n u = -1 on [0, 1] × {0}
check u = 3*x + y
solve bulk, left, right, top, bottom
report error(u) < 1e-9
"""

DISK = """\
domain X(x, y) = disk((0, 0), 1)
unknown u : X -> R
bulk: -Δu = 4 on X
right: u = 0 on {(x, y) in ∂X : x > 0}
left: ∂n u = -2 on {(x, y) in ∂X : x < 0}
check u = 1 - x² - y²
solve bulk, right, left
report error(u) < 1e-9
"""


def codes(text: str) -> set[str]:
    return {d.code for d in compile(text).diagnostics if d.severity.value == "error"}


@pytest.mark.parametrize("text", [BOX, FACES, DISK], ids=["both ends", "four faces", "half circles"])
def test_pieces_of_a_boundary_hold_their_conditions(text: str, tmp_path: Path) -> None:
    (error,) = reports(text, tmp_path, 60)
    assert error["value"] < 1e-9


@pytest.mark.parametrize(
    "text, right, wrong",
    [(DISK, "= -2 on", "= 2 on"), (DISK, "u = 0 on", "u = y on"), (FACES, "= 1 on", "= -1 on"), (BOX, "∂n u = 0", "∂n u = y")],
)  # fmt: skip
def test_a_wrong_condition_on_a_piece_is_refuted(text: str, right: str, wrong: str) -> None:
    assert codes(text) == set()
    assert "PDE401" in codes(text.replace(right, wrong))


def test_no_normal_is_invented_inside_of_a_domain() -> None:
    assert codes(
        BOX.replace("[0, 1] × {0, 1}", "[0, 1] × {0.5}").replace("check", "# check").replace("report", "#")
    ) == {"PDE212"}
