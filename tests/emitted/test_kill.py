"""SIGKILL at random moments of an emitted script: every checkpoint is readable, and the finished run is bit for bit the same."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pdespec import compiler
from pdespec.source import Source

SPEC = """
domain X(x) = [0, 1]
unknown u : X -> R
bulk: -Δu = π²*sin(π*x) on X
ends: u = 0             on ∂X
ansatz u := x*(1 - x) * mlp(x; width=16, depth=2)
solve bulk, ends using collocation(points=256SAMPLER) with CHAIN
report error(u, sin(π*x)) < 1e-3
"""


def command(script: Path, out: Path, *flags: str) -> list[str]:
    return [sys.executable, str(script), "--out", str(out), "--threads", "1", "--checkpoint", "0", *flags]


def interrupted(script: Path, out: Path, kills: int, seed: int) -> int:
    """Kill the script so often, each time after it has had a random while to train; the kills that met a running script."""
    rng, hit = random.Random(seed), 0
    for k in range(kills):
        process = subprocess.Popen(
            command(script, out, *(["--resume"] if k else [])), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        deadline = time.monotonic() + 60
        before = len((out / "history.csv").read_bytes()) if (out / "history.csv").exists() else 0
        while process.poll() is None and time.monotonic() < deadline:
            if (out / "history.csv").exists() and len((out / "history.csv").read_bytes()) > before:
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.3))
        if process.poll() is None:
            hit += 1
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        assert b"cannot be read" not in errors and b"Traceback" not in errors, errors.decode()[-1000:]
    return hit


def finished(script: Path, out: Path, *flags: str) -> tuple[bytes, list[str]]:
    """The solution of a run that comes to its end, and the lines of its history."""
    done = subprocess.run(command(script, out, *flags), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return (out / "solution.npz").read_bytes(), (out / "history.csv").read_text().splitlines()


RUNS = (
    ("", "adam(steps=200) then lbfgs(steps=300)"),
    (", sampler=residual(every=30)", "adam(steps=50) then ssbroyden(steps=200) then natural_gradient(steps=50)"),
    ("", "ssbroyden(steps=200) then natural_gradient(steps=50)"),
    (", sampler=residual(every=30)", "soap(steps=200) then spring(steps=40) then lm(steps=40)"),
)


def compare(folder: Path, sampler: str, chain: str, kills: int, seed: int) -> None:
    text = SPEC.replace("CHAIN", chain).replace("SAMPLER", sampler)
    source = compiler.compile(Source("killed.pde", text)).require().source
    assert source is not None
    script = folder / "killed.py"
    script.write_text(source, encoding="utf-8")
    whole = finished(script, folder / "whole")
    hit = interrupted(script, folder / "killed", kills, seed)
    assert hit > 0
    assert finished(script, folder / "killed", "--resume") == whole


@pytest.mark.parametrize(("sampler", "chain"), RUNS[:2])
def test_three_kills_leave_no_trace(sampler: str, chain: str, tmp_path: Path) -> None:
    compare(tmp_path, sampler, chain, kills=3, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "chain"), RUNS)
def test_fifty_kills_leave_no_trace(sampler: str, chain: str, tmp_path: Path) -> None:
    compare(tmp_path, sampler, chain, kills=50, seed=1)
