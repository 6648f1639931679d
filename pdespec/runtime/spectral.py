"""Periodic fields u_t = Lu + Mg(u) with constant coefficients in L and M: the linear part exactly, in Fourier space.

Each mode obeys û′ = σû + m ĝ(u).  ETDRK4 (Cox & Matthews, J. Comput. Phys. 176, 2002) takes e^{σt} exactly and g by a
Runge–Kutta rule of order 4; its coefficients are means over a circle about σ dt, which avoids the cancellation near
σ dt = 0 (Kassam & Trefethen, SIAM J. Sci. Comput. 26, 2005).  In an L² flow m = −1, in an H⁻¹ flow m = −|k|²: there the
mode k = 0, the mean, never changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pdespec.runtime.grid import Grid


def wavenumbers(grid: Grid) -> Tensor:
    """The vectors k of the half spectrum of `rfftn`, shape (*modes, d): ∂ⱼ is multiplication by i kⱼ."""
    last = len(grid.cells) - 1
    axes = [
        2 * math.pi * (torch.fft.rfftfreq if j == last else torch.fft.fftfreq)(n, h, dtype=torch.float64)
        for j, (n, h) in enumerate(zip(grid.cells, grid.spacing, strict=True))
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).to(grid.device)


def low_modes(grid: Grid) -> Tensor:
    """1 where |kⱼ| < ⅔ of the largest wavenumber of each axis j, else 0: Orszag's rule against aliasing."""
    k = wavenumbers(grid).abs()
    return (k < 2 / 3 * torch.tensor([math.pi / h for h in grid.spacing]).to(k)).all(dim=-1).to(k.dtype)


def etdrk4_coefficients(symbol: Tensor, dt: float, nodes: int = 32) -> tuple[Tensor, ...]:
    """e^{z}, e^{z/2}, and the weights Q, f₁, f₂, f₃ of ETDRK4 at z = σ dt, for a real symbol σ."""
    z = symbol * dt
    circle = torch.exp(1j * math.pi * (torch.arange(nodes, dtype=torch.float64, device=z.device) + 0.5) / nodes)
    w = z[..., None] + circle  # the upper half is enough: the mean over the lower half is the conjugate
    e = torch.exp(w)
    means = (
        (torch.exp(w / 2) - 1) / w,
        (-4 - w + e * (4 - 3 * w + w**2)) / w**3,
        (2 + w + e * (w - 2)) / w**3,
        (-4 - 3 * w - w**2 + e * (4 - w)) / w**3,
    )
    return torch.exp(z), torch.exp(z / 2), *(dt * mean.real.mean(dim=-1) for mean in means)


def etdrk4(u: Tensor, coefficients: tuple[Tensor, ...], rest: Callable[[Tensor], Tensor], mobility: Tensor) -> Tensor:
    """One step of û′ = σû + m ĝ(u), with g = `rest` on the field u (…, *cells) and m = `mobility` on its modes."""
    dims, sizes = tuple(range(-mobility.ndim, 0)), u.shape[-mobility.ndim :]
    full, half, q, f1, f2, f3 = coefficients

    def force(modes: Tensor) -> Tensor:
        pushed: Tensor = mobility * torch.fft.rfftn(rest(torch.fft.irfftn(modes, sizes, dim=dims)), dim=dims)
        return pushed

    v = torch.fft.rfftn(u, dim=dims)
    nv = force(v)
    a = half * v + q * nv
    na = force(a)
    b = half * v + q * na
    nb = force(b)
    c = half * a + q * (2 * nb - nv)
    v = full * v + f1 * nv + 2 * f2 * (na + nb) + f3 * force(c)
    after: Tensor = torch.fft.irfftn(v, sizes, dim=dims)
    return after


def spectral_gradient(u: Tensor, grid: Grid) -> Tensor:
    """∇u of a periodic field (*cells), shape (*cells, d), for energies such as ∫|∇u|²."""
    dims = tuple(range(len(grid.cells)))
    modes = torch.fft.rfftn(u, dim=dims)[..., None] * 1j * wavenumbers(grid)
    gradient: Tensor = torch.fft.irfftn(modes, grid.cells, dim=dims)
    return gradient
