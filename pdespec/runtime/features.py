"""Random features: u(z) = Σ_k c_k φ_k(z) with φ_k(z) = tanh(w_k·ζ(z) + b_k), of which only the c_k are solved for.

ζ maps the bounding box to [−1, 1]^d; a periodic coordinate enters as (cos ωz, sin ωz). The w_k are uniform in a cube;
the b_k make the hyperplanes w_k·ζ + b_k = 0 cross the box. s_k = w_k·ζ + b_k is a sum of functions of one
coordinate each, hence Faà di Bruno's formula gives every partial derivative in closed form:
    ∂^α tanh(s) = Σ_{j ≤ α} tanh^{(j₁+…+j_d)}(s) Π_i B_{α_i, j_i}(∂_i s, ∂_i² s, …)      (B: partial Bell polynomials)
Sources: Huang, Zhu & Siew 2006 (random hidden layers); Dong & Li 2021 (their use for PDEs); Comtet 1974, §3.3–3.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import comb

import torch
from torch import Tensor


def tanh_derivative(tanh: Tensor, order: int) -> Tensor:
    """The `order`-th derivative of tanh where its value is `tanh`: P₀ = y, P_{m+1}(y) = (1 − y²) P_m′(y)."""
    polynomial = [0, 1]
    for _ in range(order):
        slope = [power * c for power, c in enumerate(polynomial)][1:]
        polynomial = [a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    value = torch.full_like(tanh, polynomial[-1])
    for coefficient in reversed(polynomial[:-1]):
        value = value * tanh + coefficient
    return value


def bell(n: int, j: int, slopes: Sequence[Tensor]) -> Tensor | float:
    """Partial Bell polynomial B_{n,j}(x₁, x₂, …) = Σ_i C(n−1, i−1) x_i B_{n−i, j−1}, with x_i = slopes[i − 1]."""
    if n == 0 or j == 0:
        return 1.0 if n == j else 0.0
    terms = [comb(n - 1, i - 1) * slopes[i - 1] * bell(n - i, j - 1, slopes) for i in range(1, n - j + 2)]
    return sum(terms[1:], start=terms[0])


@dataclass(frozen=True, slots=True)
class Features:
    """K tanh features of d coordinates.

    `weights` is (2, d, K): factors of cos and sin of a periodic coordinate, else slopes and zeros; `bias` is (K,).
    """

    center: Tensor
    half_width: Tensor
    periodic: tuple[bool, ...]
    weights: Tensor
    bias: Tensor

    @property
    def count(self) -> int:
        """The number K of features."""
        return len(self.bias)

    def to(self, device: torch.device | str) -> Features:
        """The same features on another device."""
        tensors = (self.center, self.half_width, self.weights, self.bias)
        center, half_width, weights, bias = (tensor.to(device) for tensor in tensors)
        return Features(center, half_width, self.periodic, weights, bias)

    def slope(self, z: Tensor, axis: int, order: int) -> Tensor:
        """∂^order of s along one coordinate at points z (n, d): (n, K), or (1, K) where it does not depend on z."""
        first, second = self.weights[:, axis]
        if self.periodic[axis]:
            rate = math.pi / self.half_width[axis]
            angle = (rate * (z[:, axis] - self.center[axis]) + order * math.pi / 2)[:, None]
            wave: Tensor = rate**order * (torch.cos(angle) * first + torch.sin(angle) * second)
            return wave
        if order == 0:
            line: Tensor = (z[:, axis, None] - self.center[axis]) / self.half_width[axis] * first
            return line
        return (first / self.half_width[axis] if order == 1 else torch.zeros_like(first))[None]

    def derivatives(self, z: Tensor, *orders: Sequence[int]) -> tuple[Tensor, ...]:
        """∂^α φ_k(z_i) as an (n, K) matrix for each multi-index α; (0, …, 0) is the value."""
        axes = range(z.shape[1])
        tanh = torch.tanh(sum((self.slope(z, axis, 0) for axis in axes), start=self.bias))
        outer = [tanh_derivative(tanh, order) for order in range(max(map(sum, orders)) + 1)]
        slopes = [[self.slope(z, i, m + 1) for m in range(max(alpha[i] for alpha in orders))] for i in axes]
        return tuple(self.chain(alpha, outer, slopes) for alpha in orders)

    def chain(self, alpha: Sequence[int], outer: list[Tensor], slopes: list[list[Tensor]]) -> Tensor:
        """Faà di Bruno's sum for one multi-index; along a straight coordinate only j_i = α_i contributes."""
        terms = []
        for j in product(*(range(min(a, 1), a + 1) if p else (a,) for a, p in zip(alpha, self.periodic, strict=True))):
            factor: Tensor | float = 1.0
            for n, m, slope in zip(alpha, j, slopes, strict=True):
                factor = factor * bell(n, m, slope) if n else factor
            terms.append(factor * outer[sum(j)])
        return sum(terms[1:], start=terms[0])


def random_features(
    lower: Sequence[float],
    upper: Sequence[float],
    count: int,
    seed: int,
    scale: float | Sequence[float] = 1.5,
    periodic: Sequence[bool] = (),
) -> Features:
    """Features over the box [lower, upper]; a periodic coordinate has the box for its period.

    Weights are uniform in [−scale, scale] per half-width (one scale, or one for each coordinate); each hyperplane
    passes through a point uniform in the box.
    """
    rng = torch.Generator().manual_seed(seed)
    box = torch.tensor([[*lower], [*upper]], dtype=torch.float64)
    d = box.shape[1]
    flags = tuple(periodic) or (False,) * d
    uniform = 2 * torch.rand(3, d, count, generator=rng, dtype=torch.float64) - 1
    circle = torch.tensor(flags)[:, None]
    size = torch.as_tensor(scale, dtype=torch.float64).expand(d)[:, None]
    weights = size * torch.stack([uniform[0], uniform[1] * circle])
    angle = math.pi * uniform[2]
    around = torch.cos(angle) * weights[0] + torch.sin(angle) * weights[1]
    through = torch.where(circle, around, uniform[2] * weights[0])
    return Features((box[0] + box[1]) / 2, (box[1] - box[0]) / 2, flags, weights, -through.sum(0))
