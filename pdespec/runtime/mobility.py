"""Finite volumes for ∂ₜp = ∇·(p k(p)∇ξ(p)) + ΔQ(p): gradient flows in which mass moves with the mobility m(p) = p k(p).

Bessemoulin-Chatard & Filbet (SIAM J. Sci. Comput. 34, 2012), with the flux of local Lax & Friedrichs: for v =
−(ξᵢ₊₁ − ξᵢ)/h at the face i + ½, the values l and r there of a piecewise linear p, and a ≥ |m′|, k between them,
    J = ½ v (m(l) + m(r)) − ½ |v| a (r − l) − (Q(pᵢ₊₁) − Q(pᵢ))/h,
which is the upwind flux where k = 1.  Order 2 where p is smooth; mass is kept to rounding, and p ≥ 0.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid
from pdespec.runtime.integrators import ssp_rk3
from pdespec.runtime.upwind import forward_jump, limited_slope


def conduct(
    p: Tensor,
    variation: Callable[[Tensor], Tensor],
    mobility: tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]],
    pressure: Callable[[Tensor], Tensor],
    diffusivity: Callable[[Tensor], Tensor],
    grid: Grid,
    dt: float,
) -> Tensor:
    """p after dt, by as many strong-stability-preserving Runge–Kutta steps as keep p ≥ 0 and diffusion stable.

    `variation` is ξ, `mobility` holds k = m/p and m′, `pressure` is Q, and `diffusivity` m ∂ξ/∂p + Q′.
    """
    per_mass, slope = mobility

    def rate(density: Tensor) -> Tensor:
        change = torch.zeros_like(density)
        for k, h in enumerate(grid.spacing):
            jump = forward_jump(pressure(density), k, grid)
            flux = mobile_flux(density, forward_jump(variation(density), k, grid), per_mass, slope, k, grid) - jump
            change.add_(flux.roll(1, k) - flux, alpha=1 / h**2)
        return change

    left = dt
    while left > 0:
        force = variation(p)
        speed = torch.maximum(slope(p).abs(), per_mass(p).abs()).max()
        fastest = 2 * diffusivity(p).abs().max() * sum(1 / h**2 for h in grid.spacing)
        for k, h in enumerate(grid.spacing):
            fastest = fastest + 2 * speed * forward_jump(force, k, grid).abs().max() / h**2
        span = min(left, 0.9 / float(fastest)) if fastest > 0 else left
        p = ssp_rk3(rate, p, span)
        left -= span
    return p


def mobile_flux(
    p: Tensor,
    rise: Tensor,
    per_mass: Callable[[Tensor], Tensor],
    slope: Callable[[Tensor], Tensor],
    axis: int,
    grid: Grid,
) -> Tensor:
    """h J at the faces across `axis`, without Q; `rise` is ξᵢ₊₁ − ξᵢ."""
    half = (0.5 - 1e-15) * limited_slope(forward_jump(p, axis, grid), axis)  # a hair below ½: p ± half ≥ 0 when rounded
    before, after = p + half, p - half
    ease, ease_after = per_mass(before), per_mass(after)
    steep = torch.maximum(slope(p).abs(), ease.abs())
    steep_after = torch.maximum(slope(p).abs(), ease_after.abs()).roll(-1, axis)
    bound = torch.maximum(steep, steep_after) * rise.abs()
    out = (bound - rise * ease) * before
    back = (bound + rise * ease_after.roll(-1, axis)) * after.roll(-1, axis)
    return (out - back) / 2
