"""What tests measure on densities and particles: integrals, entropy, moments, mass at the walls."""

from __future__ import annotations

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid


def grid_integral(f: Tensor, grid: Grid) -> Tensor:
    """∫ f dx of a field by the midpoint rule."""
    return f.sum() * grid.volume


def entropy_density(p: Tensor) -> Tensor:
    """p ln p, 0 at p = 0."""
    return torch.xlogy(p, p)


def grid_moments(p: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Mean (d,) and covariance (d, d) of a probability density on the grid."""
    x, w = grid.centres().reshape(-1, len(grid.cells)), p.reshape(-1) * grid.volume
    mean = w @ x
    return mean, (x - mean).T * w @ (x - mean)


def particle_moments(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (d,) and covariance (d, d) of Σ wᵢ δ_{xᵢ}, Σ wᵢ = 1."""
    mean = weights @ x
    return mean, (x - mean).T * weights @ (x - mean)


def boundary_mass(p: Tensor, grid: Grid) -> float:
    """The mass in the outermost cells at the walls: what a box that is too small would have let out."""
    inner = torch.ones_like(p)
    for k, wraps in enumerate(grid.periodic):
        if not wraps:
            inner.narrow(k, 0, 1).zero_()
            inner.narrow(k, -1, 1).zero_()
    return ((1 - inner) * p).sum().item() * grid.volume
