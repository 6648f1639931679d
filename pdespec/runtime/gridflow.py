"""A flow whose state is a field over the cells of a grid."""

from __future__ import annotations

from dataclasses import dataclass

from pdespec.runtime.grid import Grid
from pdespec.runtime.stages import Evolution


@dataclass
class GridFlow(Evolution):
    """An evolution that remembers its grid."""

    grid: Grid | None = None
