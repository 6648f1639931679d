"""Reports against their bounds, as a table and in metrics.json."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Sequence
from typing import NamedTuple

import torch

from pdespec.runtime.checkpoint import write_atomically
from pdespec.runtime.config import Config
from pdespec.runtime.loop import Run
from pdespec.runtime.progress import readable


class Report(NamedTuple):
    """A value, its standard error where it is an estimate, and its bound, met or not (NaN meets none)."""

    name: str
    value: float
    stderr: float | None = None
    bound: str = ""
    met: bool | None = None


def finish(config: Config, run: Run, reports: Sequence[Report]) -> int:
    """Write metrics.json and print the reports as a table. The exit code is 1 where a bound is not met."""
    metrics = {
        # JSON has no NaN and no infinity
        "reports": [r._asdict() | ({} if math.isfinite(r.value) else {"value": None}) for r in reports],
        "spec": config.spec,
        "parameters": dict(config.parameters),
        "seed": config.seed,
        "steps": run.taken,
        "seconds": run.seconds,
        "device": config.device,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    text = json.dumps(metrics, indent=2, allow_nan=False) + "\n"
    write_atomically(config.out / "metrics.json", lambda file: file.write(text.encode()))
    rows = [("report", "value", "bound", "met")]
    for r in reports:
        value = readable(r.value, ".6g" if abs(r.value) >= 0.01 else ".3e")
        error = "" if r.stderr is None else f" ± {readable(r.stderr, '.0e')}"
        rows.append((r.name, value + error, r.bound, {None: "", True: "yes", False: "no"}[r.met]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 1 if any(r.met is False for r in reports) else 0
