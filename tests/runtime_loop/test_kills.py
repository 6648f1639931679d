"""Kills at random moments: no unreadable checkpoint, at most one interval lost, and the same end bit for bit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def campaign(folder: Path, kills: int, steps: int, seed: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.runtime_loop.campaign", *map(str, (kills, steps, seed, folder))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(("count", "steps"), [(6, 54), pytest.param(50, 216, marks=pytest.mark.slow)])
def test_kills_and_stops(tmp_path: Path, count: int, steps: int) -> None:
    told = campaign(tmp_path, count, steps, seed=count)
    assert told["whole"] == 0
    killed = told["kills"]
    assert killed["killed"] == count, killed
    assert killed["unreadable"] == []
    assert set(killed["lost"]) <= {0, 1}, "a checkpoint follows each step, so a kill may cost the step it fell into"
    assert killed["exit"] == 0
    assert told["killed"] == {"state": True, "history.csv": True, "solution.npz": True}

    stops = told["stops"]
    for name in ("SIGTERM", "SIGINT"):
        code, first, last = stops[name]
        assert code == 130 and first < last
    assert stops["SIGINT"][1] == stops["SIGTERM"][2] + 1, "the step in which the signal came is saved"
    assert stops["resumed"] == 0
    assert told["stopped"] == {"state": True, "history.csv": True, "solution.npz": True}
    code, seconds = stops["twice"]
    assert code == -signal.SIGINT and seconds < 5
