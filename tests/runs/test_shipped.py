"""Every shipped spec builds without a finding, its identities are proved, and those that are quick meet their references."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pdespec import compiler
from pdespec.source import Source

SPECS = Path(__file__).resolve().parents[2] / "specs"
NAMES = sorted(p.stem for p in SPECS.glob("*.pde"))
QUICK = ("poisson", "heat", "wave", "allen_cahn", "cahn_hilliard", "kuramoto", "double_well", "mean_field")


def compiled(name: str) -> compiler.Compiled:
    path = SPECS / f"{name}.pde"
    return compiler.compile(Source(path.name, path.read_text(encoding="utf-8")), folder=SPECS)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_spec_builds_without_a_finding(name: str) -> None:
    result = compiled(name)
    assert [d for d in result.diagnostics if d.severity.value != "note"] == []
    assert result.source is not None
    assert result.derivation is not None
    assert [i.check.text for i in result.derivation.identities if i.verdict != "proved"] == []


def run(name: str, folder: Path, *flags: str) -> dict[str, object]:
    """The metrics of a run of the emitted script on one thread; the exit code must be 0."""
    source = compiled(name).require().source
    assert source is not None
    script = folder / f"{name}.py"
    script.write_text(source, encoding="utf-8")
    command = [sys.executable, str(script), "--out", str(folder / "run"), "--threads", "1", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    metrics: dict[str, object] = json.loads((folder / "run" / "metrics.json").read_text())
    return metrics


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_spec_meets_its_references(name: str, tmp_path: Path) -> None:
    metrics = run(name, tmp_path)
    reports = metrics["reports"]
    assert isinstance(reports, list)
    assert any(r["met"] for r in reports)
    assert all(r["met"] is not False for r in reports)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if n not in QUICK])
def test_a_longer_spec_meets_its_references(name: str, tmp_path: Path) -> None:
    run(name, tmp_path)
