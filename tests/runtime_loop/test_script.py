"""A script from outside: its options, exit codes, files and progress, shown on example_poisson.py."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pdespec.runtime import progress
from pdespec.runtime.config import Config, read_config
from pdespec.runtime.endings import exit_code
from pdespec.runtime.loop import Step, run_stages
from pdespec.runtime.progress import Progress, readable
from pdespec.runtime.report import Report, finish
from tests.runtime_loop import example_poisson as poisson

SCRIPT = Path(poisson.__file__)


def call(*arguments: str) -> int:
    """The script's exit code in this process."""
    before = sys.argv
    sys.argv = ["poisson.py", "--threads", "1", *arguments]
    try:
        return exit_code(poisson.main)
    finally:
        sys.argv = before
        poisson.kappa = 1.0


def test_the_laplacian_is_the_laplacian() -> None:
    u = poisson.U(poisson.seeded(0)).double()
    z = torch.rand(20, 2, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(u(z).sum(), z, create_graph=True)
    nested = sum(torch.autograd.grad(gradient[:, k].sum(), z, retain_graph=True)[0][:, k] for k in range(2))
    assert (u.laplacian(z) - nested).abs().max() < 1e-12


def test_it_solves_and_resumes_a_finished_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--out", str(tmp_path), "--steps", "108") == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0].split() == ["report", "value", "bound", "met"]
    assert told.out.splitlines()[1].endswith("< 1e-3   yes")
    assert told.err.splitlines()[-1].startswith("lbfgs  ████████████████████████████████  108/108   bulk ")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    (report,) = metrics["reports"]
    assert report["name"] == "error(u)" and report["value"] < 1e-3 and report["met"] is True
    assert metrics["steps"] == 108 and metrics["seconds"] > 0 and metrics["device"] == poisson.CONFIG.device
    with np.load(tmp_path / "solution.npz") as solution:
        x, y = np.meshgrid(solution["x"], solution["y"], indexing="ij")
        exact = np.sin(np.pi * x) * np.sin(np.pi * y)
        assert np.linalg.norm(solution["u"] - exact) / np.linalg.norm(exact) == pytest.approx(report["value"])
    assert call("--out", str(tmp_path), "--steps", "108", "--resume") == 0
    again = json.loads((tmp_path / "metrics.json").read_text())
    assert again.pop("seconds") == pytest.approx(metrics.pop("seconds"), abs=1e-3) and again == metrics


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--out", str(tmp_path), "--steps", "2")
    assert call(*out) == 1  # far from converged
    assert capsys.readouterr().out.splitlines()[1].endswith("no")
    assert call(*out, "--resume", "--seed", "1") == 5
    assert "seed is 0 there and 1 here" in capsys.readouterr().err
    assert call(*out, "--resume", "--set", "kappa=2") == 5
    assert call("--out", str(tmp_path), "--steps", "3", "--resume") == 5
    assert call("--out", "/dev/null/nowhere") == 3
    capsys.readouterr()
    for wrong in ("--set mu=1", "--set kappa=one", "--set kappa", "--steps 0", "--threads 0", "--colour", "--seed x"):
        with pytest.raises(SystemExit) as stop:
            call(*out, *wrong.split())
        assert stop.value.code == 2 and capsys.readouterr().err


def test_a_parameter_is_set(tmp_path: Path) -> None:
    call("--out", str(tmp_path), "--steps", "108", "--set", "kappa=3")
    with np.load(tmp_path / "solution.npz") as solution:
        assert solution["u"].max() == pytest.approx(3, abs=0.01)


def test_read_config() -> None:
    default = Config(Path("runs/x"), "5c1f", planned=700, parameters={"d": 3, "beta": 0.5})
    assert read_config("x", default, ["--threads", "1"]) == Config(
        Path("runs/x"), "5c1f", planned=700, steps=700, parameters={"d": 3, "beta": 0.5}
    )
    line = "--quick --set d=4 --set beta=1e-2 --device meta --seed 5 --threads 1"
    config = read_config("x", default, line.split())
    assert (config.steps, config.parameters, config.device, config.seed) == (70, {"d": 4, "beta": 0.01}, "meta", 5)
    assert (config.share(500), config.share(200), config.share(1)) == (50, 20, 1)
    with pytest.raises(SystemExit):
        read_config("x", default, ["--set", "d=4.5"])


def test_only_torch_is_needed(tmp_path: Path) -> None:
    """With NumPy made unimportable."""
    code = f"""
import sys
sys.modules["numpy"] = None
sys.argv = ["poisson.py", "--out", {str(tmp_path)!r}, "--steps", "108", "--threads", "1"]
import runpy
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPT.parents[2], env={"PYTHONPATH": "."}, timeout=120)
    assert done.returncode == 0
    assert {p.name for p in tmp_path.iterdir()} >= {"checkpoint.pt", "history.csv", "metrics.json", "solution.npz"}


def test_the_table_and_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = Config(tmp_path, "5c1f", planned=1, parameters={"beta": 2.0})
    run = run_stages([], config, (), lambda step: None)
    rate, error = 2.76e-3, math.nan
    reports = [
        Report("rate", rate, 5e-5, bound="~ 2.741e-3 within 5%", met=abs(rate - 2.741e-3) <= 0.05 * 2.741e-3),
        Report("E(p)", 0.13023, 0.0004),
        Report("error(u, v; ρ)", error, bound="< 2e-2", met=error < 2e-2),
    ]
    assert finish(config, run, reports[:2]) == 0
    capsys.readouterr()
    assert finish(config, run, reports) == 1
    assert capsys.readouterr().out.splitlines() == [
        "report           value             bound                  met",
        "rate             2.760e-3 ± 5e-5   ~ 2.741e-3 within 5%   yes",
        "E(p)             0.13023 ± 4e-4",
        "error(u, v; ρ)   nan               < 2e-2                 no",
    ]
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert [r["value"] for r in told["reports"]] == [2.76e-3, 0.13023, None]
    assert [r["met"] for r in told["reports"]] == [True, None, False]


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (2.714e-3, ".2e", "2.71e-3"),
        (1.0, ".2e", "1.00e0"),
        (-3.2e-10, ".1e", "-3.2e-10"),
        (4e25, ".0e", "4e25"),
        (0.000012, "g", "1.2e-5"),
        (math.inf, ".2e", "inf"),
        (math.nan, ".2e", "nan"),
    ],
)
def test_readable(value: float, form: str, text: str) -> None:
    assert readable(value, form) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is shown of 100 steps, each of which takes 0.25 s."""
    clock = iter(0.25 * k for k in range(1, 1000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "100")
    show = Progress()
    for k in range(1, 101):
        show(Step(k, 100, "ritz", {"E": 2.714e-3, "atA": 1.5}))
    return stream.getvalue()


def test_a_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(Terminal(), monkeypatch)
    lines = text.split("\r\x1b[K")
    assert len(lines) == 101 and text.endswith("0:00 left\n") and text.count("\n") == 1
    assert lines[50] == f"ritz  {'█' * 16}{'░' * 16}  50/100   E 2.71e-3   atA 1.50e0   0:12 left"
    assert max(map(len, lines)) < 100


def test_plain_lines_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = told(io.StringIO(), monkeypatch).splitlines()
    assert 3 <= len(lines) <= 5 and "\x1b" not in "".join(lines)
    assert lines[0].split()[2] == "1/100" and lines[-1].split()[2] == "100/100"
