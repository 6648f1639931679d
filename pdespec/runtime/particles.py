"""Particles xᵢ with weights wᵢ that stand for the measure Σᵢ wᵢ δ_{xᵢ}: their start, their walls, their births and deaths.

For ∂ₜp = ∇·(pb) − ps a particle moves by ẋ = −b and its weight by d ln w/dt = −s (Lu, Lu & Nolen, arXiv:1905.09863).
"""

from __future__ import annotations

import torch
from torch import Tensor

from pdespec.runtime.integrators import seeded


def gauss_particles(n: int, mean: Tensor, covariance: Tensor, *key: int, exact: bool = False) -> Tensor:
    """n draws of N(mean (d,), covariance (d, d)), shape (n, d), a function of the key (see `seeded`).

    With `exact` (n > d) they are moved by the affine map that gives them exactly this mean and this second moment about it.
    """
    z = torch.randn(n, mean.shape[0], generator=seeded(*key), dtype=mean.dtype).to(mean.device)
    if exact:
        z = z - z.mean(dim=0)
        z = torch.linalg.solve_triangular(torch.linalg.cholesky(z.T @ z / n), z.T, upper=False).T
        z = z - z.mean(dim=0)
    values, vectors = torch.linalg.eigh(covariance)
    return mean + z @ (vectors * values.sqrt() @ vectors.T)


def wrap(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The representatives of x in the periodic box [low, high)."""
    return low + torch.remainder(x - low, high - low)


def reflect(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """x folded back into [low, high] at its walls: no flux."""
    side = high - low
    return high - (torch.remainder(x - low, 2 * side) - side).abs()


def reweight(weights: Tensor, rate: Tensor, dt: float) -> Tensor:
    """wᵢ e^{−sᵢ dt}, scaled to the total weight before: exact for frozen s = φ − ∫φp, whose constant drops out."""
    changed = weights * torch.exp(-(rate - rate.min()) * dt)
    return changed * (weights.sum() / changed.sum())


def effective_size(weights: Tensor) -> float:
    """(Σw)²/Σw², between 1 and n (Kong, 1992)."""
    return (weights.sum().square() / weights.square().sum()).item()


def resample(weights: Tensor, *key: int) -> Tensor:
    """Indices of n equally weighted copies, by systematic resampling: particle i is taken ⌊nwᵢ⌋ or ⌈nwᵢ⌉ times."""
    n = weights.shape[0]
    start = torch.rand((), generator=seeded(*key), dtype=weights.dtype)
    marks = (torch.arange(n, dtype=weights.dtype) + start).to(weights.device) / n
    return torch.searchsorted(weights.cumsum(0) / weights.sum(), marks).clamp(max=n - 1)
