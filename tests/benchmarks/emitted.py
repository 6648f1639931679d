"""The emitted side of a row: build a spec with an engine, import the script, and take its steps.

What is timed is the first stage's `step`, exactly as the script trains: residuals, their mean squares, the parameters'
gradient, and Adam, here its fused kernel as on the other side.  The script's own points are cut down to the numbers of
the row.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

import pdespec
from pdespec.diagnostics import SpecError
from pdespec.source import Source
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
    text = Source(spec.name, spec.read_text())
    try:
        compiled = pdespec.compile(text, engine=engine, seconds=PATIENCE).require()
    except SpecError as refusal:
        return Refused(str(refusal))
    path = folder / f"{spec.stem}_{engine}.py"
    path.write_text(compiled.source or "")
    return path


def without_engine(path: Path) -> str:
    """A script but for the name of the engine that was asked for."""
    return re.sub(r' engine="\w+",', "", path.read_text())


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


class _Asked(Exception):
    """Carries the configuration that a script starts from."""


def config(module: ModuleType, **more: Any) -> Any:
    """The script's own configuration, on the CPU."""

    def asked(description: str, default: Any, *rest: Any) -> None:
        raise _Asked(default)

    vars(module)["read_config"] = asked
    try:
        module.main()
    except _Asked as found:
        return replace(found.args[0], device="cpu", **more)
    raise ValueError(f"{module.__name__} does not read a configuration")


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


def training(module: ModuleType, groups: Sequence[Group], *, compilation: str = "off") -> Training:
    """The training that the script plans, on the row's points, with fused Adam."""
    drawn = module.sample
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
    nets, stages = module.solve(config(module, compilation=compilation))
    stage = stages[0]
    for group in stage.optimiser.param_groups:
        group["fused"] = True
    (net,) = nets.values()
    return Training(stage, list(net.parameters()), points)
