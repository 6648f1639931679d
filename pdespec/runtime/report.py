"""Reports against their bounds, as a table and in metrics.json."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pdespec.runtime.checkpoint import write_atomically
from pdespec.runtime.config import Config
from pdespec.runtime.loop import Run
from pdespec.runtime.progress import readable


@dataclass(frozen=True)
class Report:
    """A measured value, with its standard error where it is an estimate, and its bound: `below`, or `near` … `within` …"""

    name: str
    value: float
    stderr: float | None = None
    below: float | None = None
    near: float | None = None
    within: float = 0.0
    unit: str = ""  # of `within`: absolute, "%" of `near`, or "stderr"

    @property
    def bound(self) -> str:
        if self.near is not None:
            return f"~ {readable(self.near, '.7g')} within {readable(self.within, 'g')}{self.unit.replace('std', '*std')}"
        return "" if self.below is None else f"< {readable(self.below, 'g')}"

    @property
    def met(self) -> bool | None:
        """Whether the bound holds, which it never does for NaN; None without a bound."""
        if self.near is not None:
            scale = {"": 1.0, "%": abs(self.near) / 100, "stderr": self.stderr}[self.unit]
            return scale is not None and abs(self.value - self.near) <= self.within * scale
        return None if self.below is None else self.value < self.below


def finish(config: Config, run: Run, reports: Sequence[Report]) -> int:
    """Print the reports as a table and write metrics.json. The exit code is 1 where a bound is not met."""
    rows = [("report", "value", "bound", "met")]
    for r in reports:
        error = "" if r.stderr is None else f" ± {readable(r.stderr, '.0e')}"
        digits = ".2e" if r.near is None else ".6g"
        rows.append((r.name, readable(r.value, digits) + error, r.bound, {None: "", True: "yes", False: "no"}[r.met]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    told = [{name: getattr(r, name) for name in ("name", "value", "stderr", "bound", "met")} for r in reports]
    metrics = {
        "reports": [{k: None if v in (math.inf, -math.inf) or v != v else v for k, v in r.items()} for r in told],
        "spec": config.spec,
        "parameters": dict(config.parameters),
        "seed": config.seed,
        "steps": run.taken,
        "seconds": run.seconds,
        "device": config.device,
        "dtype": str(config.dtype),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    text = json.dumps(metrics, indent=2, allow_nan=False) + "\n"  # JSON has no NaN and no infinity: they are null
    write_atomically(config.out / "metrics.json", lambda file: file.write(text.encode()))
    return 1 if any(r.met is False for r in reports) else 0
