"""Uniform grids of cells on a box or a torus, in any dimension.

A field on the grid is a tensor of the shape `cells`: its values at, or averages over, the cells.  Face i + ½ of an axis
is stored at place i, so every face array has the shape of the cells too; the last face of an axis joins the two ends on
a torus and is closed by a wall on a box (`open_faces` is 0 there: no flux).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pdespec.runtime.quadrature import gauss_legendre


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of the box ∏ [lowₖ, highₖ], `cells[k]` along axis k; an axis with `periodic[k]` is a circle."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    cells: tuple[int, ...]
    periodic: tuple[bool, ...]
    device: str = "cpu"

    @property
    def spacing(self) -> tuple[float, ...]:
        return tuple((b - a) / n for a, b, n in zip(self.low, self.high, self.cells, strict=True))

    @property
    def volume(self) -> float:
        """Volume of one cell."""
        return math.prod(self.spacing)

    def points(self, offset: tuple[float, ...]) -> Tensor:
        """Points of shape (*cells, d); `offset` in cells: 0 for the lower corner of each cell, ½ for its centre."""
        axes = [
            a + h * (torch.arange(n, dtype=torch.float64, device=self.device) + s)
            for a, h, n, s in zip(self.low, self.spacing, self.cells, offset, strict=True)
        ]
        return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)

    def centres(self) -> Tensor:
        """Cell centres, shape (*cells, d)."""
        return self.points((0.5,) * len(self.cells))

    def faces(self, axis: int) -> Tensor:
        """Centres of the faces i + ½ across `axis`, shape (*cells, d)."""
        return self.points(tuple(1.0 if k == axis else 0.5 for k in range(len(self.cells))))

    def open_faces(self, axis: int) -> Tensor:
        """1 where mass may pass a face across `axis`, 0 at a wall; broadcasts against a field."""
        mask = torch.ones(self.cells[axis], dtype=torch.float64, device=self.device)
        if not self.periodic[axis]:
            mask[-1] = 0
        return mask.reshape([-1 if k == axis else 1 for k in range(len(self.cells))])


def cell_averages(f: Callable[[Tensor], Tensor], grid: Grid, nodes: int = 4) -> Tensor:
    """Averages of f over the cells by a tensor Gauss–Legendre rule; f maps points (…, d) to values (…)."""
    z, w = gauss_legendre(nodes, 0.0, 1.0)
    average = torch.zeros(grid.cells, dtype=torch.float64, device=grid.device)
    for index in torch.cartesian_prod(*[torch.arange(nodes)] * len(grid.cells)).reshape(-1, len(grid.cells)):
        average += w[index].prod().item() * f(grid.points(tuple(z[index].tolist())))
    return average


def probability(p: Tensor, grid: Grid) -> Tensor:
    """p / ∫p: the density with unit mass."""
    return p / (p.sum() * grid.volume)
