"""The emitted side of a row: build a spec with an engine, import the script, and take its steps.

What is timed is the first stage's `step`, exactly as the script trains: residuals, their mean squares, the parameters'
gradient, and Adam, here its fused kernel as on the other side.  The script's own points are cut down to the numbers of
the row.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from tests.benchmarks.rows import Group

ROOT = Path(__file__).resolve().parents[2]
SPECS = Path(__file__).with_name("specs")
PATIENCE = 300.0  # seconds that a build may take


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no script: the first error's code and words."""

    reason: str


def build(spec: Path, engine: str, folder: Path) -> Path | Refused:
    """The script of a spec."""
    path = folder / f"{spec.stem}_{engine}.py"
    command = [sys.executable, "-m", "pdespec", "build", str(spec), "--engine", engine, "-o", str(path)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Refused(f"no script within {PATIENCE:.0f} s")
    if done.returncode == 0:
        return path
    found = re.search(r"^error\[(PDE\d+)\]: (.*)$", done.stderr, re.MULTILINE)
    lines = done.stderr.strip().splitlines() or ["no message"]
    return Refused(f"{found[1]}: {found[2]}" if found else lines[-1].rpartition("error: ")[2].partition(" (")[0])


def load(path: Path, dtype: torch.dtype) -> ModuleType:
    """A fresh module of a script that computes in `dtype`."""
    name = f"{path.stem}_{str(dtype).removeprefix('torch.')}"
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    vars(module)["dtype"] = dtype
    return module


def config(module: ModuleType, **more: Any) -> Any:
    """The script's configuration with its own defaults, on the CPU."""
    text = Path(str(module.__file__)).read_text()
    planned = int(re.findall(r"^ {8}planned=(\d+),$", text, re.MULTILINE)[0])
    default = module.Config(out=Path("unused"), spec="", planned=planned, device="cpu")
    return replace(default, **{k: v for k, v in more.items() if k in {f.name for f in fields(default)}})


def spread(points: Tensor, count: int) -> Tensor:
    """`count` of the points, from all parts of their region."""
    return points[torch.linspace(0, len(points) - 1, count).round().long()].clone()


@dataclass(frozen=True, slots=True)
class Training:
    """The first stage of a script, its network's parameters, and its points by label."""

    stage: Any
    parameters: list[Tensor]
    points: dict[str, Tensor]

    def weighted(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The loss of the terms."""
        return torch.stack([self.stage.weights.get(label, 1.0) * term for label, term in terms.items()]).sum()

    def step(self, k: int) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.stage.step(k)
        return found


def training(module: ModuleType, groups: Sequence[Group], *, compiled: bool = False) -> Training:
    """The training that the script plans, on the row's points, with fused Adam."""
    settings, drawn = config(module, compilation="on" if compiled else "off"), module.sample
    points: dict[str, Tensor] = {}

    @functools.wraps(drawn)
    def sample(*arguments: Any, **options: Any) -> dict[str, tuple[Tensor, ...]]:
        found: dict[str, tuple[Tensor, ...]] = drawn(*arguments, **options)
        cut = {g.label: tuple(spread(part, g.count) for part in found.pop(g.label)) for g in groups}
        if found:
            raise ValueError(f"the row does not know {', '.join(found)}")
        points.update({label: z for label, (z, *_) in cut.items()})
        return cut

    vars(module)["sample"] = sample
    nets, stages = module.solve(settings)
    stage = stages[0]
    for group in stage.optimiser.param_groups:
        group["fused"] = True
    (net,) = nets.values()
    return Training(stage, list(net.parameters()), points)
