"""Nonlocal fields ∫ K(x, y) p(y) dy on a grid.

K(x − y) is a circulant matrix on a torus, and a block of one on a box twice as long: one product of Fourier transforms
(Hockney & Eastwood, Computer Simulation Using Particles, ch. 6).  Any other K(x, y) is a dense matrix over the cells.
Where K is singular, as −ln|x − y| at x = y, its value is its mean over the cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid
from pdespec.runtime.quadrature import gauss_legendre, tensor_rule


def convolution(kernel: Callable[[Tensor], Tensor], grid: Grid) -> Callable[[Tensor], Tensor]:
    """p ↦ ∫ K(x − y) p(y) dy; `kernel` maps differences (…, d) to values (…)."""
    sizes = [n if wraps else 2 * n for n, wraps in zip(grid.cells, grid.periodic, strict=True)]
    axes = [
        h * ((torch.arange(m, dtype=torch.float64, device=grid.device) + m // 2) % m - m // 2)
        for m, h in zip(sizes, grid.spacing, strict=True)
    ]
    values = kernel(torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1))
    origin = (0,) * len(sizes)
    if not torch.isfinite(values[origin]):
        nodes, weights = tensor_rule(*[gauss_legendre(32, -h / 2, h / 2) for h in grid.spacing])
        values[origin] = (kernel(nodes.to(values)) @ weights.to(values)) / grid.volume
    spectrum = torch.fft.rfftn(values * grid.volume)
    window = tuple(slice(n) for n in grid.cells)
    dims = tuple(range(-len(sizes), 0))
    return lambda p: torch.fft.irfftn(torch.fft.rfftn(p, sizes, dim=dims) * spectrum, sizes, dim=dims)[window]


def interaction(kernel: Callable[[Tensor, Tensor], Tensor], grid: Grid) -> Callable[[Tensor], Tensor]:
    """p ↦ ∫ K(x, y) p(y) dy by a dense matrix; `kernel` maps points (n, 1, d) and (1, n, d) to values (n, n)."""
    points = grid.centres().reshape(math.prod(grid.cells), -1)
    matrix = kernel(points[:, None], points[None]) * grid.volume
    return lambda p: (matrix @ p.reshape(-1)).reshape(grid.cells)
