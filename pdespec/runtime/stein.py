"""The Stein flow ∂ₜp = ∇·(p ∫K(x, y) p(y) ∇δE/δp(y) dy) of E = c∫p ln p + F(p) as particles (SVGD).

∇ ln p never has to be known: p∇ln p = ∇p, and one integration by parts moves its gradient to the kernel,
    ẋᵢ = Σⱼ wⱼ [c ∇_yK(xᵢ, xⱼ) − K(xᵢ, xⱼ) ∇φ(xⱼ)],   φ = δF/δp, Σⱼ wⱼ = 1.
Liu & Wang, NeurIPS 2016; Duncan, Nüsken & Szpruch, JMLR 24, 2023.  ∇_y acts on the second argument: for K = k(|x − y|²)
it is −2k′(x − y), for K = κ(x·y) it is κ′ x.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from pdespec.runtime.kernels import by_rows, squared_distances


def stein_radial(
    x: Tensor,
    force: Tensor,
    temperature: float,
    weights: Tensor,
    kernel: Callable[[Tensor], Tensor],
    slope: Callable[[Tensor], Tensor],
) -> Tensor:
    """ẋ for K = k(|x − y|²), slope = k′; x (n, d), force = −∇φ at x (n, d), weights (n,)."""

    def velocity(rows: Tensor) -> Tensor:
        r2 = squared_distances(rows, x)
        s = slope(r2) * weights
        return (kernel(r2) * weights) @ force - 2 * temperature * (s.sum(dim=1, keepdim=True) * rows - s @ x)

    return by_rows(velocity, x, x.shape[0])
