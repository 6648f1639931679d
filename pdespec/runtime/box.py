"""The smallest box outside which given densities have negligible mass.

Each density is given by its logarithm up to a constant, as −Φ/c of a Gibbs density e^{−Φ/c}.  A cube about the origin is
doubled until its mass settles, then each side is cut to the quantiles of the marginals, on finer and finer cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid


def log_mass(log_density: Callable[[Tensor], Tensor], grid: Grid) -> float:
    """ln ∫ e^{log_density} over the grid's box, by the midpoint rule."""
    return torch.logsumexp(log_density(grid.centres()).reshape(-1), 0).item() + math.log(grid.volume)


def settled_cube(log_density: Callable[[Tensor], Tensor], d: int, n: int, tail: float) -> float:
    """R with all the mass but `tail` in [−R, R]^d: two further doublings change nothing more. ValueError if none to 10⁶."""
    masses: list[float] = []
    for power in range(-3, 20):
        r = 2.0**power
        masses.append(log_mass(log_density, Grid((-r,) * d, (r,) * d, (n,) * d, (False,) * d)))
        if len(masses) > 3 and math.isfinite(masses[-4]) and max(masses[-3:]) - min(masses[-3:]) < tail:
            return r / 4
    raise ValueError("the density has no finite mass: give box= explicitly")


def marginal_range(weight: Tensor, grid: Grid, axis: int, tail: float) -> tuple[float, float]:
    """The smallest run of cells along `axis` that leaves at most `tail` of the weight on either side."""
    marginal = weight.sum(dim=[k for k in range(weight.ndim) if k != axis]) if weight.ndim > 1 else weight
    below = marginal.cumsum(0) / marginal.sum()
    above = marginal.flip(0).cumsum(0).flip(0) / marginal.sum()
    kept = ((below > tail) & (above > tail)).nonzero()
    low, h = grid.low[axis], grid.spacing[axis]
    return low + h * kept[0].item(), low + h * (kept[-1].item() + 1)


def tight_box(log_density: Callable[[Tensor], Tensor], d: int, tail: float = 1e-10) -> tuple[list[float], list[float]]:
    """The smallest box (low, high) outside which the density has less than `tail` of its mass, to a cell in 0.5 %."""
    n = {1: 4096, 2: 384, 3: 96}[d]
    r = settled_cube(log_density, d, n, tail / 10)
    low, high = [-r] * d, [r] * d
    for _ in range(24):
        grid = Grid(tuple(low), tuple(high), (n,) * d, (False,) * d)
        values = log_density(grid.centres())
        weight = torch.exp(values - values.max())
        ranges = [marginal_range(weight, grid, k, tail / (2 * d)) for k in range(d)]
        shrunk = all(b - a > 0.9 * (grid.high[k] - grid.low[k]) for k, (a, b) in enumerate(ranges))
        low, high = [a for a, _ in ranges], [b for _, b in ranges]
        if shrunk:
            return low, high
        margins = [(b - a) / 40 for a, b in ranges]  # what coarse cells may have cut off too early
        low, high = [a - m for a, m in zip(low, margins)], [b + m for b, m in zip(high, margins)]
    raise ValueError("no box settles: give box= explicitly")


def common_box(
    log_densities: list[Callable[[Tensor], Tensor]], d: int, tail: float = 1e-10
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The smallest box that holds all but `tail` of the mass of each of the densities."""
    boxes = [tight_box(f, d, tail) for f in log_densities]
    return tuple(map(min, zip(*(low for low, _ in boxes)))), tuple(map(max, zip(*(high for _, high in boxes))))
