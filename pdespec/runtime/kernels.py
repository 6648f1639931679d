"""Sums over pairs of particles as matrix products, a few rows at a time: never an n × n × d array.

For a radial kernel K = k(r²) with r² = |x − y|²,
    Σⱼ wⱼ ∇ₓK(xᵢ, yⱼ) = 2 Σⱼ wⱼ k′(r²ᵢⱼ)(xᵢ − yⱼ) = 2 (xᵢ Σⱼ sᵢⱼ − Σⱼ sᵢⱼ yⱼ),   sᵢⱼ = wⱼ k′(r²ᵢⱼ),
is a row sum and one product s @ y.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def by_rows(f: Callable[[Tensor], Tensor], x: Tensor, columns: int, entries: int = 2**22) -> Tensor:
    """f(x) for an f that acts on each row of x (n, d), in chunks for which rows × columns ≤ `entries`."""
    return torch.cat([f(rows) for rows in torch.split(x, max(1, entries // columns))])


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """|xᵢ − yⱼ|², shape (n, m): coordinate by coordinate in few dimensions, else in Gram form about the mean of y."""
    if x.shape[1] <= 4:
        total = torch.zeros(x.shape[0], y.shape[0], dtype=x.dtype, device=x.device)
        for a, b in zip(x.T, y.T, strict=True):
            total += (a[:, None] - b).square()
        return total
    x, y = x - y.mean(dim=0), y - y.mean(dim=0)
    gram = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1) - 2 * x @ y.T
    return gram.clamp(min=0)  # only rounding is below zero


def kernel_sum(x: Tensor, y: Tensor, kernel: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Σⱼ k(|xᵢ − yⱼ|²) vⱼ for values (m, q): shape (n, q)."""
    return by_rows(lambda rows: kernel(squared_distances(rows, y)) @ values, x, y.shape[0])


def kernel_gradient(x: Tensor, y: Tensor, slope: Callable[[Tensor], Tensor], weights: Tensor) -> Tensor:
    """Σⱼ wⱼ ∇ₓk(|xᵢ − yⱼ|²) with slope = k′, weights (m,): shape (n, d).

    A pair at distance zero adds nothing, as xᵢ − yⱼ = 0 says for a smooth kernel; so a singular one leaves out i = j.
    """

    def rows_gradient(rows: Tensor) -> Tensor:
        r2 = squared_distances(rows, y)
        s = slope(r2).masked_fill(r2 == 0, 0.0) * weights
        return 2 * (s.sum(dim=1, keepdim=True) * rows - s @ y)

    return by_rows(rows_gradient, x, y.shape[0])


def gaussian_kernel(h: float) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """k(r²) = exp(−r²/2h²) and its slope k′ = −k/2h²."""
    return lambda r2: torch.exp(-r2 / (2 * h * h)), lambda r2: -torch.exp(-r2 / (2 * h * h)) / (2 * h * h)
