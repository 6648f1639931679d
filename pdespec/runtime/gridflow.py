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


def state_at(flow: Evolution, time: float) -> dict[str, Tensor]:
    """The state kept at a time; NaN, with a line that says so, where a shortened run has not come so far."""
    if time in flow.kept:
        return flow.kept[time]
    print(f"{flow.name}: t = {time:g} was not reached, what is reported of it is nan", file=sys.stderr)
    return {name: torch.full_like(values, torch.nan) for name, values in flow.state.items()}


def kept_states(flow: Evolution, name: str) -> tuple[Tensor, Tensor]:
    """The times at which states were kept, (m,), and a part of those states as points, (m, n, d)."""
    states = [state[name].reshape(len(state[name]), -1) for state in flow.kept.values()]
    return torch.tensor(list(flow.kept), dtype=torch.float64), torch.stack(states)
