"""Well-posed solves that a careless check would refuse, and ill-posed ones that it would miss."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pdespec.compiler import compile

Codes = Callable[..., list[str]]
ROD = "param κ = 2\ndomain X(x) = [0, 1], I(t) = [0, 1]\nunknown u : X × I -> R\n"
ENDS = "ends: u = 0 on ∂X × I\n"


@pytest.mark.parametrize(
    "text",
    [
        # a backward equation from the end, as in control
        ROD + "bulk: ∂t u + κ*Δu = 0 on X × I\nfinish: u = x on X × {1}\n" + ENDS + "solve bulk, finish, ends\n",
        # fourth order: the bilaplacian damps with this sign
        "domain X(x) = torus(1), I(t) = [0, 1]\nunknown u : X × I -> R\nbulk: ∂t u = -∂xxxx u on X × I\n"
        "start: u = cos(2*π*x) on X × {0}\nsolve bulk, start\n",
        # the fourth order decides, not the second
        "domain X(x) = torus(1), I(t) = [0, 1]\nunknown u : X × I -> R\nbulk: ∂t u + Δu + Δ(Δu) + u*∂x u = 0 on X × I\n"
        "start: u = cos(2*π*x) on X × {0}\nsolve bulk, start\n",
        # the two ends of an interval one by one, of different kinds
        "domain X(x) = [0, 1]\nunknown u : X -> R\nbulk: ∂xx u = 1 on X\nleft: u = 0 on {0}\nright: ∂n u + u = 1 on {1}\n"
        "solve bulk, left, right\n",
        # an ordinary differential equation in time
        "domain I(t) = [0, 1]\nunknown u : I -> R\nbulk: ∂t u = -u on I\nstart: u = 1 on {0}\nsolve bulk, start\n",
        # transport: no condition where the characteristics leave
        ROD + "bulk: ∂t u + ∂x u = 0 on X × I\nstart: u = x on X × {0}\ninflow: u = 0 on {0} × I\nsolve bulk, start, inflow\n",
        # natural conditions of an optimum
        "domain X(x) = [0, 1]\nunknown u : X -> R\nsolve min[u] ∫ |∇u|² + u² - u dx using ritz(points=64)\n",
        # no flux through the walls of a gradient flow
        "domain X(x) = [0, 1], I(t) = [0, 1]\nunknown p : P(X) over I\nE(p) := ∫ p*ln(p) dx\n"
        "flow: ∂t p = -grad(E, p; metric=W2) on X × I\nstart: p = 1 on X × {0}\nsolve flow, start\n",
        # a plate, clamped
        "domain Ω(x, y) = [0, 1]^2\nunknown u : Ω -> R\nbulk: Δ(Δu) = 1 on Ω\nwall: u = 0 on ∂Ω\nflat: ∂n u = 0 on ∂Ω\n"
        "solve bulk, wall, flat\n",
        # a hole and a wall
        "domain Ω(x, y) = [0, 1]^2 \\ disk((.5, .5), .2)\nunknown u : Ω -> R\nbulk: -Δu = 1 on Ω\nall: u = 0 on ∂Ω\n"
        "solve bulk, all\n",
        # two disjoint walls with different values
        "domain A(x) = disk((-1, 0), 1/2)\ndomain B(y) = disk((1, 0), 1/2)\n",
        # a vector with one condition for all components, and a mean for the pressure
        "domain Ω(x, y) = [0, 1]^2\nunknown v : Ω -> R^2, p : Ω -> R\nmomentum: -Δv + ∇p = (0, 1) on Ω\n"
        "continuity: ∇·v = 0 on Ω\nwall: v = 0 on ∂Ω\ngauge: ∬ p dx dy = 0\nsolve momentum, continuity, wall, gauge\n",
        # the sign of a coefficient that varies
        ROD + "bulk: ∂t u = ∇·((1 + x²)*∇u) on X × I\nstart: u = 0 on X × {0}\n" + ENDS + "solve bulk, start, ends\n",
        # faces of a square, and pieces of its boundary, with their normals
        "domain Ω(x, y) = [0, 1]^2\nunknown u : Ω -> R\nbulk: -Δu = 1 on Ω\na: u = 0 on {0, 1} × [0, 1]\n"
        "b: ∂n u = n(x)·(0, 1) on [0, 1] × {0}\nc: ∂n u = 1 on {(x, y) in ∂Ω : y >= 1}\nsolve bulk, a, b, c\n",
        # a system of two, with different kinds of conditions on an annulus
        "domain Ω(x, y) = disk((0, 0), 2) \\ disk((0, 0), 1)\nunknown u : Ω -> R, v : Ω -> R\na: -Δu + v = x on Ω\n"
        "b: -Δv + u = y on Ω\nw: u = 1 on ∂Ω\ninner: v = x on ∂(disk((0, 0), 1))\nouter: ∂n v + v = 0 on ∂(disk((0, 0), 2))\n"
        "solve a, b, w, inner, outer\n",
        # nested circles with different values, and nested half-planes
        "domain Ω(x, y) = disk((0, 0), 2) \\ disk((0, 0), 1)\nunknown u : Ω -> R\nbulk: Δu = 0 on Ω\n"
        "outer: u = 1 on ∂(disk((0, 0), 2))\ninner: u = 0 on ∂(disk((0, 0), 1))\nsolve bulk, outer, inner\n",
        "domain X(x) = R^2\ndomain A = {x in X : x[1] <= 0}, B = {x in X : x[1] <= 1}, S = B \\ A\nunknown u : S -> R\n"
        "bulk: Δu = 0 on S\nl: u = 0 on ∂A\nr: u = 1 on ∂B\nsolve bulk, l, r\n",
        # Neumann's problem with its mean
        "domain Ω(x, y) = [0, 1]^2\nunknown u : Ω -> R\nbulk: -Δu = 0 on Ω\nwall: ∂n u = 0 on ∂Ω\nmean: ∬ u dx dy = 1\n"
        "solve bulk, wall, mean\n",
        # three conditions for an equation of third order
        "domain X(x) = [0, 1]\nunknown u : X -> R\nbulk: ∂xxx u + u = x on X\nleft: u = 1 on {0}\nslope: ∂x u = 1 on {0}\n"
        "right: u = 1 on {1}\nsolve bulk, left, slope, right\n",
    ],
    ids=range(19),
)  # fmt: skip
def test_well_posed(codes: Codes, text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ROD + "bulk: κ*∂t u = -∇·((1 + x²)*∇u) on X × I\nstart: u = 0 on X × {0}\n" + ENDS, "PDE305"),
        (ROD + "bulk: -∂t u = κ*∂xx u on X × I\nstart: u = 0 on X × {0}\n" + ENDS, "PDE305"),
        (ROD + "bulk: ∂t u = -Δ(Δu) - κ*Δu on X × I\nstart: u = 0 on X × {1}\nends: u = 0 on ∂X × I\nflat: Δu = 0 on ∂X × I\n", "PDE304"),
        (ROD + "bulk: ∂t u + κ*Δu = 0 on X × I\n" + ENDS, "PDE303"),
        (ROD + "bulk: ∂tt u = κ*Δu on X × I\nstart: ∂t u = 0 on X × {0}\n" + ENDS, "PDE303"),
        (ROD + "bulk: ∂t u = κ*Δu on X × I\nstart: u = 0 on X × {0}\nleft: u = 0 on {0} × I\n", "PDE301"),
    ],
    ids=range(6),
)  # fmt: skip
def test_ill_posed(codes: Codes, text: str, code: str) -> None:
    labels = [line.split(":")[0] for line in text.splitlines() if ":" in line and not line.startswith("unknown")]
    assert codes(text + f"solve {', '.join(labels)}\n") == [code]


def test_the_sign_follows_the_settings(codes: Codes) -> None:
    text = ROD + "bulk: ∂t u = κ*Δu on X × I\nstart: u = 0 on X × {0}\n" + ENDS + "solve bulk, start, ends\n"
    assert codes(text) == []
    assert codes(text, {"κ": "-1"}) == ["PDE305"]


def test_a_start_that_is_stated_and_not_listed_is_listed_by_the_fix() -> None:
    text = (
        "domain X(x) = [0, 1], I(t) = [0, 1]\nunknown u : X × I -> R\nbulk: ∂t u = Δu on X × I\n"
        "beginn: u = sin(π*x) on X × {0}\nends: u = 0 on ∂X × I\nsolve bulk, ends\n"
    )
    (found,) = [d for d in compile(text, upto="model").diagnostics if d.code == "PDE303"]
    assert found.fix is not None
    at = found.fix.span
    fixed = text[: at.start] + found.fix.replacement + text[at.end :]
    assert "solve bulk, beginn, ends" in fixed
    assert compile(fixed, upto="model").diagnostics == ()


def test_a_start_that_nobody_stated_has_no_fix() -> None:
    text = "domain X(x) = [0, 1], I(t) = [0, 1]\nunknown u : X × I -> R\nbulk: ∂t u = Δu on X × I\n"
    text += "ends: u = 0 on ∂X × I\nsolve bulk, ends\n"
    (found,) = compile(text, upto="model").diagnostics
    assert found.code == "PDE303" and found.fix is None and "start: u = …" in found.hint
