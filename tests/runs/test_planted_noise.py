"""A noise that is too strong by a tenth must not pass for the Ornstein–Uhlenbeck process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pdespec import compiler
from pdespec.source import Source

SPEC = Path(__file__).resolve().parents[2] / "specs" / "ornstein_uhlenbeck.pde"


def particles_only(text: str) -> str:
    """The spec without its grid, which takes most of the time."""
    return "\n".join(line for line in text.split("\n") if not line.startswith(("g:", "report g(")))


def met(script: str, folder: Path) -> list[bool]:
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    command = [sys.executable, str(path), "--out", str(folder / "run"), "--threads", "1"]
    subprocess.run(command, capture_output=True, check=False)
    return [r["met"] for r in json.loads((folder / "run" / "metrics.json").read_text())["reports"]]


@pytest.mark.slow
def test_a_factor_of_1_1_in_the_noise_is_noticed(tmp_path: Path) -> None:
    text = particles_only(SPEC.read_text(encoding="utf-8"))
    script = compiler.compile(Source("ou.pde", text)).require().source
    assert script is not None
    (tmp_path / "true").mkdir()
    assert all(met(script, tmp_path / "true"))
    line = "    diffusion = 1 / beta"
    assert line in script
    (tmp_path / "planted").mkdir()
    assert not all(met(script.replace(line, "    diffusion = 1.1**2 / beta"), tmp_path / "planted"))
