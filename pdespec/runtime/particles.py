"""Particles xᵢ with weights wᵢ that stand for the measure Σᵢ wᵢ δ_{xᵢ}: their start and their walls.

For ∂ₜp = ∇·(pb) − ps a particle moves by ẋ = −b and its weight by d ln w/dt = −s (`reweight`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from pdespec.runtime.seeds import seeded


def gauss_particles(n: int, mean: Tensor, covariance: Tensor, *key: int, exact: bool = False) -> Tensor:
    """n draws of N(mean (d,), covariance (d, d)), shape (n, d), a function of the key (see `seeded`).

    With `exact` (n > d) an affine map then gives them exactly this mean and this covariance (with 1/n, to rounding).
    Raises LinAlgError for a covariance that is not positive definite.
    """
    z = torch.randn(n, mean.shape[0], generator=seeded(*key), dtype=mean.dtype).to(mean.device)
    if exact:
        z = z - z.mean(dim=0)
        z = torch.linalg.solve_triangular(torch.linalg.cholesky(z.T @ z / n), z.T, upper=False).T
        z = z - z.mean(dim=0)
    root: Tensor = torch.linalg.cholesky(covariance)
    return mean + z @ root.T


def wrap(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The representatives of x in the periodic box [low, high)."""
    return low + torch.remainder(x - low, high - low)


def reflect(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """x folded back into [low, high] at its walls: no flux."""
    side = high - low
    return high - (torch.remainder(x - low, 2 * side) - side).abs()
