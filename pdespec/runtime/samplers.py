"""Points of a probability law: Gaussian, or known up to its mass by log ρ, from uniform points of a set.

Self-normalised importance sampling: points y_i uniform on a set of measure |Ω| carry w_i = ρ(y_i)/Σρ(y_j), so
    𝔼_ρ f ≈ Σ w_i f(y_i),    ∫ρ ≈ |Ω| mean ρ(y_i),    effective sample size 1/Σw_i² (Kong 1992).
Tempering draws from the mixture of ρ^{τ_j} instead, which also visits where ρ is small (a transition state), and
corrects the weights.
Sources: Owen 2013, *Monte Carlo theory, methods and examples*, ch. 9; systematic resampling: Kitagawa 1996.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pdespec.runtime.shapes import Patches, draw_points


class Weighted(NamedTuple):
    """Points (n, d), weights (n,) of sum 1, log ∫ρ, and the share (0, 1] of the points that count effectively."""

    points: Tensor
    weights: Tensor
    log_mass: float
    effective: float


def weighted_points(log_density: Callable[[Tensor], Tensor], patches: Patches, n: int, seed: int) -> Weighted:
    """n uniform points of a set, weighted by ρ; the part of ρ outside the set is left out."""
    points, _, measure, _ = draw_points(patches, n, seed)
    logs = log_density(points)
    weights = torch.softmax(logs, 0)
    log_mass = math.log(measure / n) + torch.logsumexp(logs, 0).item()
    return Weighted(points, weights, log_mass, 1 / (n * weights.square().sum().item()))


def tempered_points(
    log_density: Callable[[Tensor], Tensor],
    patches: Patches,
    n: int,
    seed: int,
    factors: Sequence[float] = (1.0, 0.25),
    candidates: int = 16,
) -> Weighted:
    """n points of Σ_j ρ^{τ_j}/Z_j, resampled from candidates · n uniform ones, with weights for ρ."""
    pool, weights, log_mass, _ = weighted_points(log_density, patches, candidates * n, seed)
    logs = log_density(pool)
    mixture = torch.stack([torch.softmax(factor * logs, 0) for factor in factors]).mean(0)
    start = torch.rand(1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    ladder = (torch.arange(n, dtype=torch.float64) + start) / n
    chosen = torch.searchsorted(mixture.cumsum(0) / mixture.sum(), ladder)
    corrected = weights[chosen] / mixture[chosen]
    corrected = corrected / corrected.sum()
    return Weighted(pool[chosen], corrected, log_mass, 1 / (n * corrected.square().sum().item()))


def gauss_points(mean: Tensor, covariance: Tensor, n: int, seed: int) -> Tensor:
    """n independent points of N(mean, covariance), (n, d): mean + C z with C Cᵀ = covariance."""
    factor = torch.linalg.cholesky(covariance)
    z = torch.randn(n, len(mean), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    points: Tensor = mean + z @ factor.T
    return points
