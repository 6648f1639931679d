"""Finite volumes for ∂ₜp = ∇·(p∇ξ(p)) + cΔp with ξ = δE/δp: nonlinear diffusion, confinement and aggregation at once.

Carrillo, Chertock & Huang (Commun. Comput. Phys. 17, 2015): at the face i + ½ the velocity u = −(ξᵢ₊₁ − ξᵢ)/h carries
the upwind one of the two values there of a piecewise linear p, whose slopes are limited so that p stays ≥ 0,
    J = u⁺ (pᵢ + h/2 p′ᵢ) + u⁻ (pᵢ₊₁ − h/2 p′ᵢ₊₁) − c (pᵢ₊₁ − pᵢ)/h.
Order 2 where p is smooth, mass kept to rounding, and a state with ξ constant on its support stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid
from pdespec.runtime.integrators import ssp_rk3


def forward_jump(field: Tensor, axis: int, grid: Grid) -> Tensor:
    """fᵢ₊₁ − fᵢ at the faces i + ½ across `axis`, 0 at a wall."""
    jump = field.roll(-1, axis) - field
    if not grid.periodic[axis]:
        jump.narrow(axis, -1, 1).zero_()
    return jump


def limited_slope(jump: Tensor, axis: int) -> Tensor:
    """h p′: the harmonic mean of the jumps on both sides, 0 where they differ in sign (van Leer, JCP 14, 1974)."""
    left = jump.roll(1, axis)
    product = left * jump
    return torch.where(product > 0, 2 * product / (left + jump), 0.0)


def upwind_divergence(p: Tensor, variation: Tensor, diffusion: float, grid: Grid) -> Tensor:
    """∇·(p∇ξ) + cΔp in the cells, with ξ = `variation` at the cell centres."""
    change = torch.zeros_like(p)
    for k, h in enumerate(grid.spacing):
        jump = forward_jump(p, k, grid)
        half = (0.5 - 1e-15) * limited_slope(jump, k)  # a hair below ½: p ± half ≥ 0 under rounding too
        velocity = -forward_jump(variation, k, grid)
        flux = velocity.clamp(min=0) * (p + half) + velocity.clamp(max=0) * (p - half).roll(-1, k)
        flux = torch.add(flux, jump, alpha=-diffusion)
        change.add_(flux.roll(1, k) - flux, alpha=1 / h**2)
    return change


def stable_span(variation: Tensor, diffusivity: Tensor, grid: Grid) -> float:
    """The longest explicit step: Σₖ 2|uₖ|/hₖ dt ≤ 1 keeps p ≥ 0, and Σₖ 2D/hₖ² dt ≤ 1 keeps diffusion by D stable."""
    squares = [h**2 for h in grid.spacing]
    speed = sum(2 * forward_jump(variation, k, grid).abs().max() / s for k, s in enumerate(squares))
    spread = diffusivity.max() * sum(2 / s for s in squares)
    fastest = float(max(speed, spread))
    return 0.9 / fastest if fastest else math.inf


def aggregate(
    p: Tensor,
    variation: Callable[[Tensor], Tensor],
    diffusivity: Callable[[Tensor], Tensor],
    diffusion: float,
    grid: Grid,
    dt: float,
) -> Tensor:
    """p after dt, by as many strong-stability-preserving Runge–Kutta steps as `stable_span` asks for.

    `variation` is ξ; `diffusivity` is D(p) = c + P′(p), the slope of the pressure of ∂ₜp = ΔP(p) + …; `diffusion` is c.
    """

    def rate(density: Tensor) -> Tensor:
        return upwind_divergence(density, variation(density), diffusion, grid)

    left = dt
    while left > 0:
        span = min(left, stable_span(variation(p), diffusivity(p), grid))
        p = ssp_rk3(rate, p, span)
        left -= span
    return p
