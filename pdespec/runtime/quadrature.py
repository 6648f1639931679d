"""Quadrature rules (nodes, weights) in float64, and their tensor products.

Gauss rules by Golub & Welsch (Math. Comp. 23, 1969): the nodes are the eigenvalues of the Jacobi matrix of the
orthogonal polynomials, the weights are ∫w times the squared first components of its eigenvectors.  On a period the
trapezoidal rule converges geometrically for analytic integrands (Trefethen & Weideman, SIAM Review 56, 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pdespec.runtime.shapes import Points

Rules = Sequence[tuple[Tensor, ...]]
"""Nodes (n, d) and weights (n,) of several sets."""


def golub_welsch(off_diagonal: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes and weights (sum 1) of the even measure whose Jacobi matrix has this off-diagonal."""
    nodes, vectors = torch.linalg.eigh(torch.diag(off_diagonal, 1) + torch.diag(off_diagonal, -1))
    nodes, weights = (nodes - nodes.flip(0)) / 2, vectors[0].square()  # an even rule, as the measure is
    weights = weights + weights.flip(0)
    return nodes, weights / weights.sum()


def gauss_legendre(n: int, low: float, high: float) -> tuple[Tensor, Tensor]:
    """∫_low^high f ≈ Σ wᵢ f(xᵢ), exact for polynomials of degree 2n − 1; shapes (n,), (n,)."""
    k = torch.arange(1, n, dtype=torch.float64)
    nodes, weights = golub_welsch(k / (4 * k.square() - 1).sqrt())
    return (low + high) / 2 + (high - low) / 2 * nodes, (high - low) * weights


def gauss_hermite(n: int) -> tuple[Tensor, Tensor]:
    """𝔼 f(Z) ≈ Σ wᵢ f(zᵢ) for Z ~ N(0, 1), exact for polynomials of degree 2n − 1; shapes (n,), (n,)."""
    return golub_welsch(torch.arange(1, n, dtype=torch.float64).sqrt())


def trapezoid(n: int, low: float, high: float) -> tuple[Tensor, Tensor]:
    """∫ over one period [low, high): n equal weights; shapes (n,), (n,)."""
    step = (high - low) / n
    return low + step * torch.arange(n, dtype=torch.float64), torch.full((n,), step, dtype=torch.float64)


def tensor_rule(*rules: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The product of one-dimensional rules: nodes (N, d), weights (N,)."""
    nodes = torch.cartesian_prod(*[x for x, _ in rules]).reshape(-1, len(rules))
    weights = torch.cartesian_prod(*[w for _, w in rules]).reshape(-1, len(rules)).prod(dim=1)
    return nodes, weights


def gauss_law_rule(n: int, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """𝔼 f(X) ≈ Σ wᵢ f(xᵢ) for X ~ N(mean (d,), covariance (d, d)) by n nodes an axis: nodes (nᵈ, d), weights (nᵈ,).

    X = mean + C Z with C Cᵀ = covariance, so the rule is exact for polynomials of degree 2n − 1 in each component of Z.
    """
    z, weights = tensor_rule(*[gauss_hermite(n)] * mean.shape[0])
    return mean + z @ torch.linalg.cholesky(covariance).T, weights


def sobol_rule(drawn: Points) -> tuple[Tensor, Tensor]:
    """Equal weights at points drawn uniformly from a region: nodes (n, d), weights (n,) that add up to its measure."""
    return drawn.points, torch.full((len(drawn.points),), drawn.measure / len(drawn.points), dtype=torch.float64)


def cut_law_rule(n: int, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """𝔼 f(X) for X ~ N(mean (d,), covariance (d, d)) and an f with kinks: n midpoints an axis on ±9 deviations.

    Where f is not smooth a cell costs O(h²), h = 18/n, while a Gauss rule would lose all of its order; nodes (nᵈ, d),
    weights (nᵈ,), which sum to one.
    """
    z = 9 * ((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1)
    weights = torch.exp(-z.square() / 2)
    nodes, products = tensor_rule(*[(z, weights / weights.sum())] * mean.shape[0])
    return mean + nodes @ torch.linalg.cholesky(covariance).mT, products
