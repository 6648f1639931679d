"""A flow whose state is a field over the cells of a grid."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid
from pdespec.runtime.stages import Evolution


@dataclass
class GridFlow(Evolution):
    """An evolution that remembers its grid."""

    grid: Grid | None = None


def state_after(flow: Evolution, step: int) -> dict[str, Tensor]:
    """The state kept after a step; NaN, with a line that says so, where a shortened run has not come so far."""
    if step in flow.kept:
        return flow.kept[step]
    print(f"{flow.name}: step {step} was not reached, what is reported of it is nan", file=sys.stderr)
    return {name: torch.full_like(values, torch.nan) for name, values in flow.state.items()}
