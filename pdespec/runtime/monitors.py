"""What a flow of densities must keep or lower: mass, sign, energy."""

from __future__ import annotations

from torch import Tensor

from pdespec.runtime.grid import Grid


def mass(p: Tensor, grid: Grid) -> float:
    """∫ p dx."""
    return p.sum().item() * grid.volume
