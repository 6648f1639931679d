"""A sweep is one run for each value, and a bound must hold in each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pdespec.cli import main
from pdespec.commands.run import _folder_name

SPEC = """
param β in {{1, 2}}
domain X(x) = [0, 1]
unknown u : X -> R
bulk: -Δu + β*u = sin(x) on X
ends: ∂n u = 0           on ∂X
solve bulk, ends
report {quantity} ~ 0.45969769 within 1e-6
"""


def run(quantity: str, folder: Path) -> int:
    path = folder / "sweep.pde"
    path.write_text(SPEC.format(quantity=quantity), encoding="utf-8")
    return main(["run", str(path), "--out", str(folder / "runs"), "--threads", "1"])


def test_every_value_has_its_run(tmp_path: Path) -> None:
    """β ∫u = ∫ sin, by Gauss's theorem, for every β."""
    assert run("β*∫ u dx", tmp_path) == 0
    for value in (1, 2):
        metrics = json.loads((tmp_path / "runs" / f"β={value}" / "metrics.json").read_text())
        assert metrics["reports"][0]["met"] is True


def test_one_value_that_misses_its_bound_fails_the_sweep(tmp_path: Path) -> None:
    assert run("∫ u dx", tmp_path) == 1


@pytest.mark.parametrize(
    ("case", "folder"),
    [("κ=1/20", "κ=0.05"), ("κ=2", "κ=2"), ("κ=1/3", "κ=1÷3"), ("κ=π/2", "κ=π÷2"), ("κ=2*π", "κ=2·π")],
)
def test_the_folder_of_a_value(case: str, folder: str) -> None:
    """Decimals as they were written, and no separator of folders."""
    assert _folder_name(case) == folder
