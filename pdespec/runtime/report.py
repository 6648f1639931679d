"""Reports against their bounds: `< b` or `~ v within t`, where t is absolute, relative or a multiple of the standard error."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from pdespec.runtime.checkpoint import write_atomically
from pdespec.runtime.config import Config
from pdespec.runtime.loop import Run
from pdespec.runtime.progress import readable

REPORTED = ("name", "value", "stderr", "bound", "met")


@dataclass(frozen=True)
class Report:
    """A measured value, with its standard error where it is an estimate, and the bound that it must meet, if any."""

    name: str
    value: float
    stderr: float | None = None
    below: float | None = None
    near: float | None = None
    within: float = 0.0
    unit: Literal["", "%", "stderr"] = ""

    @property
    def bound(self) -> str:
        if self.near is not None:
            within = readable(self.within, "g") + {"": "", "%": "%", "stderr": "*stderr"}[self.unit]
            return f"~ {readable(self.near, '.7g')} within {within}"
        return "" if self.below is None else f"< {readable(self.below, 'g')}"

    @property
    def met(self) -> bool | None:
        """Whether the bound holds; never for NaN, None without a bound."""
        if self.near is not None:
            scale = {"": 1.0, "%": abs(self.near) / 100, "stderr": self.stderr}[self.unit]
            if scale is None:
                raise ValueError(f"{self.name} has no standard error to compare with")
            return abs(self.value - self.near) <= self.within * scale
        return None if self.below is None else self.value < self.below


def finish(config: Config, run: Run, reports: Sequence[Report]) -> int:
    """Print the reports as a table and write metrics.json; the exit code is 1 if a bound is not met."""
    rows = [("report", "value", "bound", "met")]
    for report in reports:
        value = readable(report.value, ".6g" if report.near is not None else ".2e")
        error = "" if report.stderr is None else f" ± {readable(report.stderr, '.0e')}"
        rows.append((report.name, value + error, report.bound, {None: "", True: "yes", False: "no"}[report.met]))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths)), row[3]]).rstrip())
    metrics = {
        "spec": config.spec,
        "reports": [{name: getattr(report, name) for name in REPORTED} for report in reports],
        "steps": run.taken,
        "seconds": run.seconds,
        "seed": config.seed,
        "parameters": dict(config.parameters),
        "device": config.device,
        "dtype": str(config.dtype),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    text = re.sub(r"(?<=: )(NaN|-?Infinity)(?=,?\n)", "null", json.dumps(metrics, indent=2)) + "\n"  # JSON has no NaN
    write_atomically(config.out / "metrics.json", lambda file: file.write(text.encode()))
    return 0 if all(report.met is not False for report in reports) else 1
