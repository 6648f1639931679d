"""The loop: resumed runs equal uninterrupted ones bit for bit, and NaN is survived or named."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pdespec.runtime.checkpoint import load_checkpoint
from pdespec.runtime.config import Config
from pdespec.runtime.endings import exit_code
from pdespec.runtime.loop import Diverged, Run, Step, run_stages
from pdespec.runtime.seeds import seeded
from pdespec.runtime.stages import Descent, Evolution, Stage


def equal(a: object, b: object) -> bool:
    """Bit for bit, through nested containers."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and a == b


def rosenbrock(x: Tensor, shift: Tensor) -> dict[str, Tensor]:
    return {"valley": 100 * (x[1:] - x[:-1] ** 2).square().mean(), "slope": (1 - x - shift).square().mean()}


def stages(bad: Callable[[int, float], bool] = lambda k, rate: False) -> list[Stage]:
    """A stochastic Adam, an L-BFGS and noisy particles, each with a state of its own kind. `bad` plants NaN in Adam."""
    x = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([x], lr=0.05)
    lbfgs = torch.optim.LBFGS([x], max_iter=4, history_size=5, line_search_fn="strong_wolfe")

    def stochastic(k: int) -> dict[str, Tensor]:
        shift = 0.1 * torch.randn(6, generator=seeded(3, k), dtype=torch.float64)
        planted = torch.tensor(torch.nan if bad(k, adam.param_groups[0]["lr"]) else 1.0)
        return {label: term * planted for label, term in rosenbrock(x, shift).items()}

    def advance(state: dict[str, Tensor], t: float, dt: float, random: torch.Generator) -> dict[str, Tensor]:
        noise = torch.randn(state["x"].shape, generator=random, dtype=torch.float64)
        return {"x": state["x"] * (1 - dt) + (2 * dt) ** 0.5 * noise}

    return [
        Descent("adam", 120, adam, stochastic, {"slope": 2.0}, schedule=lambda k: 1 / (1 + k / 100)),
        Descent("lbfgs", 30, lbfgs, lambda k: rosenbrock(x, torch.zeros(6, dtype=torch.float64)), scale=1e3),
        Evolution(
            "ou",
            70,
            0.02,
            {"x": torch.ones(50, dtype=torch.float64)},
            advance,
            lambda state, t: {"time": t, "second moment": state["x"].square().mean()},
            keep=(0.0, 0.2, 0.21, 1.4),
        ),
    ]


LABELS = ("valley", "slope", "time", "second moment")
CONFIG = Config(out=Path("unused"), spec="5c1f", planned=220, checkpoint=1e9, device="cpu")


def run(out: Path, chain: list[Stage], resume: bool = False, stop: tuple[int, ...] = ()) -> Run:
    """A run that gets SIGTERM during the steps in `stop`, and goes on until it is through."""

    def on_step(step: Step) -> None:
        if step.number in stop:
            os.kill(os.getpid(), signal.SIGTERM)

    return run_stages(chain, replace(CONFIG, out=out, resume=resume), LABELS, on_step)


def interrupted(out: Path, stop: tuple[int, ...], make: Callable[[], list[Stage]]) -> list[Stage]:
    for k, step in enumerate(stop):
        with pytest.raises(KeyboardInterrupt, match=f"step {step} is saved"):
            run(out, make(), resume=k > 0, stop=(step,))
    chain = make()
    run(out, chain, resume=True)
    return chain


def same(a: list[Stage], b: list[Stage]) -> bool:
    return all(equal(x.state_dict(), y.state_dict()) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("stop", [(1,), (49, 50, 51), (119,), (120,), (121, 135), (149, 151, 200), (219,), (220,)])
def test_a_resumed_run_is_the_same_bit_for_bit(tmp_path: Path, stop: tuple[int, ...]) -> None:
    whole = stages()
    run(tmp_path / "whole", whole)
    parts = interrupted(tmp_path / "parts", stop, stages)
    assert same(whole, parts)
    assert (tmp_path / "whole/history.csv").read_bytes() == (tmp_path / "parts/history.csv").read_bytes()
    there, here = (load_checkpoint(tmp_path / f, CONFIG.fingerprint()) for f in ("whole", "parts"))
    assert there is not None and here is not None
    assert equal(there["now"], here["now"]) and equal(there["good"], here["good"])


def test_checkpoints_leave_no_trace_in_the_numbers(tmp_path: Path) -> None:
    rare, often = stages(), stages()
    run(tmp_path / "rare", rare)
    run_stages(often, replace(CONFIG, out=tmp_path / "often", checkpoint=0), LABELS, lambda step: None)
    assert same(rare, often)


def test_history_has_each_step_once(tmp_path: Path) -> None:
    interrupted(tmp_path, (60, 130), stages)
    with open(tmp_path / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 221))
    assert [row["stage"] for row in rows] == ["adam"] * 120 + ["lbfgs"] * 30 + ["ou"] * 70
    assert all((row["valley"] == "") == (row["stage"] == "ou") for row in rows)
    assert float(rows[0]["valley"]) == 0.0 and float(rows[149]["slope"]) < float(rows[120]["slope"])
    assert [float(row["time"]) for row in rows[150:]] == pytest.approx([0.02 * k for k in range(1, 71)])


def test_rows_after_the_checkpoint_are_cut(tmp_path: Path) -> None:
    interrupted(tmp_path, (60,), stages)
    whole = (tmp_path / "history.csv").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stages(), stop=(70,))
    with open(tmp_path / "history.csv", "ab") as file:
        file.write(b"71,adam,0.5,0.5,,\n72,adam,0.")  # what a killed run may have left
    run(tmp_path, stages(), resume=True)
    assert (tmp_path / "history.csv").read_bytes() == whole


def test_a_lost_history_is_a_mismatch(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stages(), stop=(60,))
    (tmp_path / "history.csv").write_text("step\n")
    assert exit_code(lambda: run(tmp_path, stages(), resume=True).taken) == 5


def test_nan_halves_the_rate_from_the_last_good_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rates: list[float] = []

    def bad(k: int, rate: float) -> bool:
        rates.append(rate * (1 + k / 100))
        return k == 70 and rates[-1] > 0.02  # 0.05 and 0.025 fail, 0.0125 is fine

    chain = stages(bad)
    result = run(tmp_path, chain)
    told = capsys.readouterr().err
    assert told.count("valley is nan at step 71 (adam): back to step 50 with half the rate") == 2
    assert result.taken == 220 and result.tries == 0
    assert rates[:71] == pytest.approx([0.05] * 71) and rates[71:92] == pytest.approx([0.025] * 21)
    assert rates[92:] == pytest.approx([0.0125] * 70)
    steps = [line.split(",")[0] for line in (tmp_path / "history.csv").read_text().splitlines()[1:]]
    assert steps == [str(k) for k in range(1, 221)]


@pytest.mark.parametrize("stop", [(55,), (70, 72), (50, 99)])
def test_nan_and_interruptions_together(tmp_path: Path, stop: tuple[int, ...]) -> None:
    def make() -> list[Stage]:
        return stages(lambda k, rate: k == 80 and rate * (1 + k / 100) > 0.02)

    whole = make()
    run(tmp_path / "whole", whole)
    assert same(whole, interrupted(tmp_path / "parts", stop, make))


def test_nan_for_good_is_exit_4_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tried: set[float] = set()

    def bad(k: int, rate: float) -> bool:
        return k == 57 and (tried.add(round(rate * 1.57, 9)) or True)

    assert exit_code(lambda: run(tmp_path, stages(bad)).taken) == 4
    assert "error: valley is nan at step 58 (adam), after halving the rate three times" in capsys.readouterr().err
    assert tried == {0.05, 0.025, 0.0125, 0.00625}


def test_a_state_that_is_not_finite_is_found(tmp_path: Path) -> None:
    x = torch.ones(3, requires_grad=True)

    def terms(k: int) -> dict[str, Tensor]:  # finite values with a gradient that is not
        return {"root": (x - x.detach()).abs().sum().sqrt() if k == 9 else x.square().sum() * 0}

    with pytest.raises(Diverged, match=r"the state is not finite after step 10 \(sgd\)"):
        run(tmp_path, [Descent("sgd", 10, torch.optim.SGD([x], lr=0.1), terms)])


def test_an_evolution_takes_smaller_steps_after_overflow(tmp_path: Path) -> None:
    """ẋ = −λx by Euler is unstable beyond dt = 2/λ; two halvings of dt = 1 make λ = 5 stable."""

    def advance(state: dict[str, Tensor], t: float, dt: float, random: torch.Generator) -> dict[str, Tensor]:
        times.append(t)
        return {"x": state["x"] * (1 - 5 * dt)}

    times: list[float] = []
    flow = Evolution("decay", 600, 1.0, {"x": torch.ones(1)}, advance, lambda s, t: {"x": s["x"][0]}, start=2.0)
    run_stages([flow], replace(CONFIG, out=tmp_path), ("x",), lambda step: None)
    assert flow.parts == 4 and times[-1] == 2 + 600 - 0.25
    assert len(flow.trace["x"]) == 600 and abs(flow.trace["x"][-1]) < 1e-30


def test_looking_between_steps_changes_nothing() -> None:
    """The state at a time between two steps is reached on the side: the trajectory is the same without it."""

    def decay(keep: tuple[float, ...]) -> Evolution:
        def advance(state: dict[str, Tensor], t: float, dt: float, random: torch.Generator) -> dict[str, Tensor]:
            noise = torch.randn(3, generator=random, dtype=torch.float64)
            return {"x": state["x"] * torch.exp(torch.tensor(-dt, dtype=torch.float64)) + 0 * noise}

        flow = Evolution(
            "decay", 10, 0.1, {"x": torch.ones(3, dtype=torch.float64)}, advance, lambda s, t: {}, keep=keep
        )
        for k in range(10):
            flow.step(k)
        return flow

    seen, unseen = decay((0.25, 1.0)), decay(())
    assert torch.equal(seen.state["x"], unseen.state["x"])
    assert torch.allclose(seen.kept[0.25]["x"], torch.exp(torch.tensor([-0.25], dtype=torch.float64)).expand(3))


def test_evolution_keeps_states_and_follows_its_law(tmp_path: Path) -> None:
    """Euler–Maruyama for dX = −X dt + √2 dW: the second moment m obeys m ← (1 − dt)² m + 2 dt exactly."""
    chain = stages()
    run(tmp_path, chain)
    flow = chain[2]
    assert isinstance(flow, Evolution) and list(flow.kept) == [0.0, 0.2, 0.21, 1.4]
    assert torch.equal(flow.kept[0.0]["x"], torch.ones(50, dtype=torch.float64)) and flow.kept[1.4] is flow.state
    moment = 1.0
    for _ in range(70):
        moment = (1 - 0.02) ** 2 * moment + 2 * 0.02
    assert flow.trace["second moment"][-1] == pytest.approx(moment, abs=4 * moment * (2 / 50) ** 0.5)


def test_seeds_are_unrelated() -> None:
    """Neighbouring keys give independent streams: the correlation of n pairs is below 4/√n."""
    draws = torch.stack([torch.randn(4000, generator=seeded(0, k), dtype=torch.float64) for k in range(12)])
    off = torch.corrcoef(draws) - torch.eye(12)
    assert off.abs().max() < 4.5 / 4000**0.5
    assert torch.equal(torch.rand(3, generator=seeded(1, 2)), torch.rand(3, generator=seeded(1, 2)))
    assert not torch.equal(torch.rand(3, generator=seeded(1, 2)), torch.rand(3, generator=seeded(2, 1)))
