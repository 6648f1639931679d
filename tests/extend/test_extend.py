"""What CONTRIBUTING says of extensions: a metric is a line of a spec; a network or a sampler is a file and a registry line."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from pdespec import compiler
from pdespec.model.methods import NETWORKS, SAMPLERS
from pdespec.source import Source


def run(text: str, folder: Path) -> dict[str, float]:
    """The reported values of a spec's script."""
    result = compiler.compile(Source("extended.pde", text)).require()
    assert result.source is not None
    script = folder / "extended.py"
    script.write_text(result.source, encoding="utf-8")
    command = [sys.executable, str(script), "--out", str(folder / "run"), "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return {r["name"]: r["value"] for r in json.loads((folder / "run" / "metrics.json").read_text())["reports"]}


METRIC = """
param   c = 3
domain  X(x) = R, I(t) = [0, 1]
unknown p : P(X) over I
E(p)       := ∫ 1/2*x² * p dx
mean(p)    := ∫ x*p dx
Fast(p)(φ) := -c*∇·(p * ∇φ)
flow:  ∂t p = -grad(E, p; metric=Fast) on X × I
start: p = points((2), (4))            on X × {0}
solve flow, start using particles(n=2) with rk4(dt=0.01)
report mean(p)
"""


def test_a_metric_is_written_in_the_spec(tmp_path: Path) -> None:
    """ẋ = −c x from 2 and 4: the mean is 3e^{−c}."""
    assert run(METRIC, tmp_path)["mean(p)"] == pytest.approx(3 * math.exp(-3), rel=1e-6)


NETWORK = """
domain  X(x) = [0, 1]
unknown u : X -> R
bulk: -Δu = π²*sin(π*x) on X
ends: u = 0             on ∂X
ansatz u := x*(1 - x) * residual(x; width=16, depth=2)
solve bulk, ends using collocation(points=64, sampler=uniform) with adam(steps=200) then lbfgs(steps=200)
report error(u, sin(π*x))
"""


def test_a_network_and_a_sampler_by_the_registry(tmp_path: Path) -> None:
    assert "residual" in NETWORKS.known and "uniform" in SAMPLERS.known
    assert run(NETWORK, tmp_path)["error(u, sin(π*x))"] < 1e-3
