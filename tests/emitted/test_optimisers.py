"""Every iteration of `with` in an emitted script, on systems, integral conditions, nested derivatives and several solves."""

from __future__ import annotations

from math import sinh
from pathlib import Path

import pytest

from pdespec.compiler import compile
from pdespec.plan.plan import Collocation, Ritz
from tests.generality.running import reports

ONE = """\
domain X(x) = [0, 1]
unknown u : X -> R
bulk: -∂xx u + u³ = π²*sin(π*x) + sin(π*x)³ on X
ends: u = 0 on ∂X
ansatz u := x*(1 - x)*NETWORK
solve bulk, ends using collocation(points=48) with METHOD
report error(u, sin(π*x)) < 1
"""
MLP = "mlp(x; width=12, depth=2)"

SYSTEM = """\
domain X(x) = [0, 1]
unknown v : X -> R^2
unknown p : X -> R
first:  ∂xx v = v on X
second: ∂x p = v[1] on X
left:   v = (0, 1) on {0}
right:  v = (1, 0) on {1}
mean:   ∫ p dx = 0
solve first, second, left, right, mean using collocation(points=40) with METHOD
report v[1](1/2) < 9, p(0) < 9
"""


@pytest.mark.parametrize(
    ("method", "bound"),
    [
        ("adam(steps=50) then ssbroyden(steps=200)", 1e-5),
        pytest.param("natural_gradient(steps=40)", 1e-3, marks=pytest.mark.slow),
        pytest.param("lm(steps=40)", 1e-5, marks=pytest.mark.slow),
        pytest.param("spring(steps=200)", 1e-2, marks=pytest.mark.slow),
        pytest.param("soap(steps=600, lr=1e-2)", 5e-2, marks=pytest.mark.slow),
        ("soap(steps=20, lr=1e-2) then engd(steps=10, damping=1e-3) then lm(steps=20, damping=1)", 1e-3),
    ],
)
def test_a_nonlinear_equation(method: str, bound: float, tmp_path: Path) -> None:
    (error,) = reports(ONE.replace("NETWORK", MLP).replace("METHOD", method), tmp_path, 60)
    assert error["value"] < bound


def test_rows_of_nested_derivatives(tmp_path: Path) -> None:
    """The network of residual blocks is differentiated by autograd, which vmap cannot enter."""
    text = ONE.replace("NETWORK", "residual(x; width=8, depth=2)").replace("METHOD", "lm(steps=40)")
    (error,) = reports(text, tmp_path, 60)
    assert error["value"] < 1e-4


@pytest.mark.parametrize("method", ["lm(steps=30)", "adam(steps=50) then ssbroyden(steps=150)"])
def test_a_system_with_an_integral_condition(method: str, tmp_path: Path) -> None:
    """v₁ = sinh x/sinh 1, and p = cosh x/sinh 1 − 1 has the mean zero."""
    middle, start = reports(SYSTEM.replace("METHOD", method), tmp_path, 60)
    assert middle["value"] == pytest.approx(sinh(0.5) / sinh(1), abs=1e-4)
    assert start["value"] == pytest.approx(1 / sinh(1) - 1, abs=1e-4)


def chain(text: str) -> tuple[tuple[str, ...], str]:
    """The iterations of a plan's only solve, and its reasons."""
    plan = compile(text).require().plan
    assert plan is not None
    (solve,) = plan.solves
    assert isinstance(solve, (Collocation, Ritz))
    return tuple(d.name for d in solve.iterations), " ".join(solve.why)


def test_the_planner_chooses_by_size_and_tells_why() -> None:
    text = ONE.replace(" with METHOD", "")
    names, why = chain(text.replace("NETWORK", MLP))
    assert names == ("adam", "ssbroyden") and "193 parameters" in why
    names, why = chain(text.replace("NETWORK", "mlp(x; width=100, depth=3)"))
    assert names == ("adam", "lbfgs") and "too many" in why


def test_moving_points_take_adam() -> None:
    disk = "domain X(x, y) = disk((0, 0), 1)\nunknown u : X -> R\nE(u) := ∬ 1/2*|∇u|² - u dx dy\nwall: u = 0 on ∂X\n"
    names, why = chain(disk + "solve min[u] E(u), wall\nreport E(u) < 0\n")
    assert names == ("adam",) and "change in every step" in why
