"""A density over several scalar coordinates on a grid is that over one vector: the same numbers, in every scheme."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdespec import compiler
from tests.generality.running import reports

HEAD = {
    "one vector": "domain X(x) = {set}^2, I(t) = [0, 1/4]\nunknown p : P(X) over I\n",
    "two scalars": "domain X(x, y) = {set}^2, I(t) = [0, 1/4]\nunknown p : P(X) over I\n",
}
TAIL = "start: p = {start} on X × {{0}}\nsolve flow, start using grid(cells=({cells}){box})\n"
ENDS = "report {means}, {entropy}\n"

FLOWS = {
    "a potential": ("R", "E(p) := ∫ p*ln(p) {d} + ∫ (1/2*{x}² + {y}² + 1/4*{x}*{y})*p {d}\n", "-grad(E, p; metric=W2)"),
    "nonlinear diffusion": ("[-3, 3]", "E(p) := ∫ p² {d} + ∫ ({x}² + {x}*{y}²)*p {d}\n", "-grad(E, p; metric=W2)"),
    "an interaction": (
        "[-3, 3]",
        "E(p) := 1/10*∫ p*ln(p) {d} + 1/2 * ∫ (∫ (({x} - {a})² + 3*({y} - {b})²)*p({q}) {e}) * p {d}\n",
        "-grad(E, p; metric=W2)",
    ),
}


def spec(how: str, set_: str, energy: str, right: str, cells: str) -> str:
    vector = how == "one vector"
    names = (
        {"x": "x[1]", "y": "x[2]", "d": "dx", "a": "z[1]", "b": "z[2]", "q": "z", "e": "dz"}
        if vector
        else {"x": "x", "y": "y", "d": "dx dy", "a": "v", "b": "w", "q": "v, w", "e": "dw dv"}
    )
    box = ", box=[-4, 4]^2" if set_ == "R" else ""
    first = names["d"] if vector else "dy dx"
    lines = HEAD[how].format(set=set_) + energy.format(**names) + f"flow: ∂t p = {right} on X × I\n"
    lines += TAIL.format(start="gauss((1, 1/2), 1/4)", cells=cells, box=box)
    means = ", ".join(f"∫ {names[k]}*p {first}" for k in "xy")
    return lines + ENDS.format(means=means, entropy=f"∫ p² {first}")


@pytest.mark.parametrize("what", FLOWS, ids=lambda what: what.replace(" ", "_"))
def test_the_same_numbers(what: str, tmp_path: Path) -> None:
    set_, energy, right = FLOWS[what]
    found = []
    for how in HEAD:
        (tmp_path / how).mkdir()
        cells = "8, 9" if what == "an interaction" else "24, 30"
        text = spec(how, set_, energy, right, cells)
        found.append([r["value"] for r in reports(text, tmp_path / how, seconds=60)])
    assert found[1] == pytest.approx(found[0], rel=1e-10)
    assert abs(found[0][0] - found[0][1]) > 0.05  # x and y are not alike, so that an exchange would be seen


@pytest.mark.parametrize(("method", "code"), [("particles(n=10)", "PDE909"), ("grid(cells=80)", "PDE954")])
def test_what_is_not_supported_is_refused(method: str, code: str) -> None:
    set_, energy, right = FLOWS["an interaction"]
    text = spec("two scalars", set_, energy, right, "8, 9").replace("grid(cells=(8, 9))", method)
    found = [d for d in compiler.compile(text).diagnostics if d.severity.value == "error"]
    assert [d.code for d in found] == [code] and found[0].hint
