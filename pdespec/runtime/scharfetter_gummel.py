"""Finite volumes for ∂ₜp = ∇·(p∇Φ) + cΔp, c > 0: hops between neighbouring cells, exact in time for a frozen Φ.

Across a face the flux of Scharfetter & Gummel (IEEE Trans. Electron Devices 16, 1969), exact for a constant flux, is
    J = (c/h²) [B(z) pᵢ − B(−z) pᵢ₊₁],   B(z) = z/(eᶻ − 1),   z = (Φᵢ₊₁ − Φᵢ)/c,
so e^{−Φ/c} has J = 0, mass is kept, and ṗ = Ap is a Markov chain.  With Λ ≥ max |Aᵢᵢ| and P = 1 + A/Λ ≥ 0, the series
    e^{A dt} p = Σₖ e^{−Λdt} (Λdt)ᵏ/k! Pᵏ p                              (Jensen, Skand. Aktuarietidskr. 36, 1953)
of uniformisation is a convex sum of densities: positive and conservative for every dt, and free of time error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid


def bernoulli(z: Tensor) -> Tensor:
    """B(z) = z/(eᶻ − 1), B(0) = 1."""
    return torch.where(z == 0, torch.ones_like(z), z / torch.expm1(z))


@dataclass(frozen=True, slots=True)
class Hops:
    """A Markov chain on the cells: rates over each axis' faces in units of `rate` = Λ, shape of the cells."""

    forward: tuple[Tensor, ...]  # i → i + 1
    backward: tuple[Tensor, ...]  # i + 1 → i
    periodic: tuple[bool, ...]
    rate: float


def potential_jumps(potential: Tensor, grid: Grid) -> tuple[Tensor, ...]:
    """Φᵢ₊₁ − Φᵢ across the faces of each axis, from Φ at the cell centres."""
    return tuple(potential.roll(-1, k) - potential for k in range(len(grid.cells)))


def drift_jumps(drift: Callable[[Tensor], Tensor], grid: Grid) -> tuple[Tensor, ...]:
    """−bₖ h at the faces: what Φᵢ₊₁ − Φᵢ is for ∂ₜp = −∇·(pb) + cΔp with any drift b: points (…, d) → (…, d)."""
    return tuple(-h * drift(grid.faces(k))[..., k] for k, h in enumerate(grid.spacing))


def hops(jumps: tuple[Tensor, ...], diffusion: float, grid: Grid) -> Hops:
    """The Scharfetter–Gummel chain of the potential jumps across the faces."""
    forward, backward = [], []
    out = torch.zeros(grid.cells, dtype=jumps[0].dtype, device=jumps[0].device)
    for k, (jump, h) in enumerate(zip(jumps, grid.spacing, strict=True)):
        factor = diffusion / h**2 * grid.open_faces(k)
        forward.append(factor * bernoulli(jump / diffusion))
        backward.append(factor * bernoulli(-jump / diffusion))
        out += forward[-1] + backward[-1].roll(1, k)
    rate = 1.05 * out.max().item()  # the margin keeps P's diagonal positive under rounding
    return Hops(tuple(f / rate for f in forward), tuple(b / rate for b in backward), grid.periodic, rate)


def face_views(chain: Hops, p: Tensor, after: Tensor, flux: Tensor) -> list[tuple[Tensor, ...]]:
    """Per axis, for the faces inside and those that join the ends: both rates, p on both sides, flux, `after` there."""
    views = []
    for k, (forward, backward) in enumerate(zip(chain.forward, chain.backward, strict=True)):
        n = p.shape[k]
        for first, then, count in [(0, 1, n - 1), (n - 1, 0, 1)][: 1 + chain.periodic[k]]:
            here = [field.narrow(k, first, count) for field in (forward, backward, p, flux, after)]
            views.append((*here, p.narrow(k, then, count), after.narrow(k, then, count)))
    return views


def hop(p: Tensor, after: Tensor, views: list[tuple[Tensor, ...]]) -> None:
    """P p = p + Ap/Λ, written to `after`: what leaves a cell enters its neighbour, so the mass is kept to rounding."""
    after.copy_(p)
    for forward, backward, p_here, flux, after_here, p_there, after_there in views:
        torch.mul(forward, p_here, out=flux).addcmul_(backward, p_there, value=-1)
        after_here.sub_(flux)
        after_there.add_(flux)


def transport(p: Tensor, chain: Hops, dt: float) -> Tensor:
    """e^{A dt} p by uniformisation, in pieces with Λdt ≤ 600 so that e^{−Λdt} does not underflow."""
    pieces = math.ceil(chain.rate * dt / 600)
    q = chain.rate * dt / pieces
    last = math.ceil(q + 8.5 * math.sqrt(q) + 20)  # the Poisson tail beyond is below 1e-16
    weights = [math.exp(k * math.log(q) - q - math.lgamma(k + 1)) for k in range(last + 1)]
    weights[round(q)] += 1 - math.fsum(weights)  # they sum to one: no drift of the mass
    power = (p.clone(), torch.empty_like(p))  # Pᵏ p, in turn here and there
    flux = torch.empty_like(p)
    views = (face_views(chain, *power, flux), face_views(chain, *power[::-1], flux))
    for _ in range(pieces):
        p = weights[0] * power[0]
        for k, weight in enumerate(weights[1:]):
            here, there = power[k % 2], power[1 - k % 2]
            hop(here, there, views[k % 2])
            p.add_(there, alpha=weight)
        power[0].copy_(p)
    return p


def mean_field_step(
    p: Tensor, potential: Callable[[Tensor], Tensor], diffusion: float, grid: Grid, dt: float
) -> Tensor:
    """∂ₜp = ∇·(p∇Φ(p)) + cΔp over dt: Φ frozen at the midpoint; order 2, positive, and Gibbs states stay."""

    def move(density: Tensor, span: float) -> Tensor:
        return transport(p, hops(potential_jumps(potential(density), grid), diffusion, grid), span)

    return move(move(p, dt / 2), dt)
