"""Self-scaled Broyden and its line search, on functions whose minima are known."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from pdespec.runtime.ssbroyden import SelfScaledBroyden, broyden_update, scales
from pdespec.runtime.wolfe import wolfe_step


def rosenbrock(x: Tensor) -> Tensor:
    return (100 * (x[1:] - x[:-1].square()).square() + (1 - x[:-1]).square()).sum()


def stage(function: Callable[[Tensor], Tensor], start: Tensor, **more: float) -> tuple[SelfScaledBroyden, Tensor]:
    x = start.clone().requires_grad_()
    return SelfScaledBroyden("ssbroyden", 10**6, [x], lambda k: {"f": function(x)}, **more), x


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


# ── line search ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", [1e-6, 1e-2, 1.0, 100.0])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda a: (a - 3) ** 2, lambda a: 2 * (a - 3)),
        (lambda a: -a / (a * a + 2), lambda a: (a * a - 2) / (a * a + 2) ** 2),  # Moré & Thuente's first
        (lambda a: math.cosh(a - 7), lambda a: math.sinh(a - 7)),
        (lambda a: (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4, lambda a: 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3),
    ],
)
def test_both_conditions_of_wolfe_hold(f: Callable, slope: Callable, first: float) -> None:
    asked = []

    def line(a: float) -> tuple[float, float]:
        asked.append(a)
        try:
            return f(a), slope(a)
        except OverflowError:
            return math.inf, math.nan

    a = wolfe_step(line, f(0.0), slope(0.0), first, tries=60)
    assert a is not None and a == asked[-1]
    assert f(a) <= f(0.0) + 1e-4 * a * slope(0.0) and slope(a) >= 0.9 * slope(0.0)


def test_no_step_where_nothing_decreases() -> None:
    assert wolfe_step(lambda a: (1.0 + a, 1.0), 1.0, -1.0) is None


def test_a_wall_of_infinities_is_avoided() -> None:
    a = wolfe_step(
        lambda a: (-math.log(1 - a) - 3 * a, 1 / (1 - a) - 3) if a < 1 else (math.inf, math.nan), 0.0, -2.0, 64
    )
    assert a is not None and 0 < a < 1


# ── the update ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_inverse_is_that_of_broydens_update_of_the_hessian() -> None:
    """B⁺ = τ (B − B s sᵀB/sᵀBs + θ w wᵀ) + y yᵀ/yᵀs with w = √(sᵀBs)(y/yᵀs − Bs/sᵀBs), inverted by NumPy."""
    for seed in range(20):
        a, s = random(seed, 6, 6), random(seed + 100, 6)
        b = a @ a.T + torch.eye(6, dtype=torch.float64)
        y = b @ s + 0.7 * random(seed + 200, 6)
        if y @ s <= 0:
            continue
        h = torch.linalg.inv(b)
        curvature, bs = (s @ b @ s).item(), b @ s
        tau, phi = scales(curvature / (y @ s).item(), (y @ h @ y / (y @ s)).item(), 6)
        product = curvature * (y @ h @ y).item() / (y @ s).item() ** 2
        theta = (1 - phi) / (1 + phi * (product - 1))  # φ(1 + aθ) = 1 − θ
        w = math.sqrt(curvature) * (y / (y @ s) - bs / curvature)
        expected = tau * (b - torch.outer(bs, bs) / curvature + theta * torch.outer(w, w)) + torch.outer(y, y) / (y @ s)
        found = broyden_update(h.clone(), s, y, curvature)
        np.testing.assert_allclose(found, np.linalg.inv(expected.numpy()), rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found @ y, s, rtol=1e-9, atol=1e-12)
        assert torch.linalg.eigvalsh(found)[0] > 0


def test_without_scaling_it_is_bfgs() -> None:
    """A step along which H is right (b = 1, so θ = 0) is BFGS, where its τ is 1."""
    tau, phi = scales(1.0, 1.7, 10)
    assert (tau, phi) == (1.0, 1.0)


# ── minima ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quadratic_of_condition_a_million() -> None:
    scale = torch.logspace(0, 6, 12, dtype=torch.float64)
    q, _ = torch.linalg.qr(random(0, 12, 12))
    s, x = stage(lambda x: (scale * (q @ (x - 1)).square()).sum(), torch.zeros(12, dtype=torch.float64))
    values = [s.step(k)["f"] for k in range(120)]
    assert values[-1] < 1e-16 * values[0]
    np.testing.assert_allclose(x.detach(), 1, atol=1e-6)
    assert all(after <= before for before, after in itertools.pairwise(values))


@pytest.mark.parametrize("size", [2, 10])
def test_rosenbrocks_valley(size: int) -> None:
    s, x = stage(rosenbrock, torch.zeros(size, dtype=torch.float64))
    for k in range(60 * size):
        s.step(k)
    np.testing.assert_allclose(x.detach(), 1, atol=1e-6)


def test_it_stops_in_words_where_rounding_hides_all_descent(capsys: pytest.CaptureFixture[str]) -> None:
    s, x = stage(lambda x: 1 + (x - x.detach()).sum(), torch.ones(3, dtype=torch.float64))
    for k in range(5):
        assert s.step(k) == {"f": 1.0}
    assert torch.equal(x.detach(), torch.ones(3, dtype=torch.float64))
    assert capsys.readouterr().err.count("rounding hides all descent") == 1


def test_weights_weigh_terms() -> None:
    x = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    s = SelfScaledBroyden(
        "s", 100, [x], lambda k: {"a": (x[0] - 1).square() + x[1].square(), "b": x[0].square()}, {"b": 3.0}
    )
    for k in range(20):
        s.step(k)
    np.testing.assert_allclose(x.detach(), [0.25, 0], atol=1e-9)


def test_a_saved_state_goes_on_bit_for_bit() -> None:
    start = torch.tensor([-1.2, 1.0, 0.3, 2.0], dtype=torch.float64)
    one, x = stage(rosenbrock, start)
    for k in range(7):
        one.step(k)
    saved = copy.deepcopy(one.state_dict())
    two, y = stage(rosenbrock, torch.zeros(4, dtype=torch.float64))
    two.load_state_dict(saved)
    for k in range(7, 20):
        assert one.step(k) == two.step(k)
        assert torch.equal(x, y)


def test_a_slower_run_tries_shorter_steps() -> None:
    s, x = stage(lambda x: x.square().sum() / 2, torch.full((2,), 0.1, dtype=torch.float64))
    s.slow_down()
    s.step(0)
    np.testing.assert_allclose(x.detach(), 0.05)
