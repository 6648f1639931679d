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


def snapshots(start: float, dt: float, steps: int, count: int) -> tuple[float, ...]:
    """Times between the start and the end that stand `count` − 1 to a flow, each after a whole number of steps."""
    return tuple(start + dt * k for k in sorted({steps * j // count for j in range(1, count)} - {0, steps}))


def kept_fields(flow: Evolution, name: str) -> tuple[Tensor, Tensor]:
    """The times at which states were kept, (m,), in order, and a part of those states over the cells, (…, m)."""
    times = sorted(flow.kept)
    return torch.tensor(times, dtype=torch.float64), torch.stack([flow.kept[t][name] for t in times], -1)


def kept_states(flow: Evolution, name: str) -> tuple[Tensor, Tensor]:
    """The times at which states were kept, (m,), in order, and a part of those states as points, (m, n, d)."""
    times = sorted(flow.kept)
    states = [flow.kept[t][name].reshape(len(flow.kept[t][name]), -1) for t in times]
    return torch.tensor(times, dtype=torch.float64), torch.stack(states)
