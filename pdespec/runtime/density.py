"""ln p at points x of an unknown density p that is known by particles y, for ∫ p f(ln p): each estimator by its name.

knn(k):  ψ(k) − ln(n−1) − ln V_d − d ln r_k, with r_k the distance to the k-th neighbour; −mean is the entropy of
         Kozachenko & Leonenko (Probl. Inf. Transm. 23, 1987).
kde(h):  ln of the mean of N(x; yⱼ, h²) over the *other* particles.
blob(h): ln of the mean over *all* of them: Carrillo, Craig & Patacchini (Calc. Var. 58, 2019).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pdespec.runtime.kernels import by_rows, gaussian_kernel, kernel_sum, squared_distances


def knn_log_density(x: Tensor, k: int) -> Tensor:
    """ln p at each of the particles x (n, d) from the distance to its k-th neighbour, shape (n,)."""
    n, d = x.shape

    def squared_radius(rows: Tensor) -> Tensor:
        return squared_distances(rows, x).topk(k + 1, dim=1, largest=False).values[:, k]  # the nearest is itself

    log_radius = by_rows(squared_radius, x, n).log() / 2
    log_ball = d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1)
    digamma = torch.digamma(torch.tensor(float(k), dtype=torch.float64)).item()
    return digamma - math.log(n - 1) - log_ball - d * log_radius


def kde_log_density(x: Tensor, h: float) -> Tensor:
    """ln p at each of the particles x (n, d) from Gaussians of width h on the others, shape (n,)."""
    n, d = x.shape
    others = kernel_sum(x, x, gaussian_kernel(h)[0], torch.ones_like(x[:, :1]))[:, 0] - 1
    return others.log() - math.log(n - 1) - d / 2 * math.log(2 * math.pi * h * h)


def blob_log_density(x: Tensor, weights: Tensor, h: float) -> Tensor:
    """ln Σⱼ wⱼ N(xᵢ; xⱼ, h²), shape (n,)."""
    total = kernel_sum(x, x, gaussian_kernel(h)[0], weights[:, None])[:, 0]
    return total.log() - x.shape[1] / 2 * math.log(2 * math.pi * h * h)


def gauss_log_density(x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """ln N(x; mean, covariance) at points (…, d), shape (…)."""
    centred = x - mean
    quadratic: Tensor = (centred * torch.linalg.solve(covariance, centred[..., None])[..., 0]).sum(dim=-1)
    volume: Tensor = torch.linalg.slogdet(2 * math.pi * covariance).logabsdet
    return -(quadratic + volume) / 2
