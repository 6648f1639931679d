"""The smallest box outside which given densities have negligible mass.

Each density is given by its logarithm up to a constant, as −Φ/c of a Gibbs density e^{−Φ/c}.  In a cube about the
origin the box is cut to the quantiles of the marginals, again and again on finer cells; the cube is doubled until two
further doublings leave the box as it is, which a density without finite mass never does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid


def marginal_range(weight: Tensor, axis: int, tail: float) -> tuple[int, int]:
    """First and last cell along `axis` of the smallest run that leaves at most `tail` of the weight on either side."""
    marginal = weight.movedim(axis, 0).reshape(weight.shape[axis], -1).sum(dim=1)
    below = marginal.cumsum(0) / marginal.sum()
    above = marginal.flip(0).cumsum(0).flip(0) / marginal.sum()
    kept = ((below > tail) & (above > tail)).nonzero()
    return int(kept[0]), int(kept[-1])


def box_in_cube(
    log_density: Callable[[Tensor], Tensor], d: int, radius: float, tail: float
) -> list[tuple[float, float]]:
    """Per axis the range that holds all but tail/d of the density's mass within [−radius, radius]^d."""
    n = {1: 4096, 2: 384, 3: 72}[d]
    ranges, extent = [(-radius, radius)] * d, [2.0] * d
    while max(extent) > 1.5:  # else the cells are as fine as the box allows
        low, high = zip(*ranges, strict=True)
        grid = Grid(low, high, (n,) * d, (False,) * d)
        values = log_density(grid.centres())
        weight = torch.exp(values - values.max())
        cells = [marginal_range(weight, k, tail / (2 * d)) for k in range(d)]
        found = [(a + h * i, a + h * (j + 1)) for a, h, (i, j) in zip(low, grid.spacing, cells, strict=True)]
        extent = [(b - a) / (v - u) for a, b, (u, v) in zip(low, high, found, strict=True)]
        margins = [(v - u) / 10 + 2 * h for (u, v), h in zip(found, grid.spacing, strict=True)]  # what coarse cells hid
        ranges = [(max(u - m, -radius), min(v + m, radius)) for (u, v), m in zip(found, margins, strict=True)]
    return found


def tight_box(log_density: Callable[[Tensor], Tensor], d: int, tail: float = 1e-10) -> list[tuple[float, float]]:
    """Per axis the range of the smallest box outside which there is less than `tail` of the mass; d ≤ 3.

    Raises ValueError where the mass does not settle within |xₖ| ≤ 10⁶.
    """
    boxes: list[Tensor] = []
    for power in range(20):
        boxes.append(torch.tensor(box_in_cube(log_density, d, 2.0**power, tail), dtype=torch.float64))
        slack = boxes[-1].diff(dim=1) / 50
        if len(boxes) > 2 and all(((box - boxes[-1]).abs() < slack).all() for box in boxes[-3:-1]):
            return [(low, high) for low, high in boxes[-1].tolist()]
    raise ValueError("no box holds the density's mass: give box= explicitly")


def common_box(
    log_densities: list[Callable[[Tensor], Tensor]], d: int, tail: float = 1e-10
) -> list[tuple[float, float]]:
    """Per axis the range of the smallest box that holds all but `tail` of the mass of each of the densities."""
    boxes = [tight_box(f, d, tail) for f in log_densities]
    return [(min(a for a, _ in sides), max(b for _, b in sides)) for sides in zip(*boxes, strict=True)]
