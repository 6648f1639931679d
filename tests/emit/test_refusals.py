"""What a grid cannot do is refused at its place, under a code of its own."""

from __future__ import annotations

import pytest

from pdespec.compiler import compile

DENSITY = "domain X(x) = {x}, I(t) = [0, 1]\nunknown p : P(X) over I\n"
FIELD = "domain X(x) = torus(2*π), I(t) = [0, 1]\nunknown u : X × I -> R\n"
START = "start: {of} on X × {{0}}\nsolve flow, start using grid({options})\n"

REFUSED = {
    "PDE921": DENSITY.format(x="R^2")
    + "spin(z) := (-z[2], z[1])\nflow: ∂t p = Δp - ∇·(p * spin(∫ x * p dx)) on X × I\n"
    + START.format(of="p = gauss(0, 1)", options="cells=16, box=[-4, 4]^2"),
    "PDE923": DENSITY.format(x="disk((0, 0), 1)")
    + "flow: ∂t p = Δp on X × I\n"
    + START.format(of="p = 1/π", options="cells=16"),
    "PDE943": DENSITY.format(x="[-2, 2]^2")
    + "domain A = {x in X : x[1] <= 0}\nflow: ∂t p = Δp on X × I\n"
    + START.format(of="p = uniform(A)", options="cells=16"),
    "PDE924": FIELD + "flow: ∂t u = Δu + (∂x u)² on X × I\n" + START.format(of="u = cos(x)", options="cells=16"),
    "PDE925": FIELD
    + "flow: ∂t u = Δu on X × I\n"
    + START.format(of="u = cos(x)", options="cells=16")
    + "report (∫ (Δu)² dx)(1) > 0\n",
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_grid_refuses(code: str) -> None:
    found = compile(REFUSED[code]).diagnostics
    assert [d.code for d in found] == [code]
    assert found[0].span is not None and found[0].hint
