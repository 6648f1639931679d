"""Independent points of a density on a box, by rejection from uniform ones (von Neumann 1951)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pdespec.runtime.seeds import seeded


def rejection_particles(
    density: Callable[[Tensor], Tensor], box: Sequence[tuple[float, float]], n: int, seed: int
) -> Tensor:
    """n points (n, d) of a density (up to a factor) on a box; its maximum is that over 2¹⁶ points times 1.2."""
    random = seeded(seed)
    low, high = torch.tensor(box, dtype=torch.float64).T
    top, kept = 0.0, torch.empty(0, len(box), dtype=torch.float64)
    while len(kept) < n:
        x = low + (high - low) * torch.rand(2**16, len(box), generator=random, dtype=torch.float64)
        p = density(x)
        top = top or 1.2 * p.max().item()
        if p.max().item() > top:
            raise ArithmeticError("the density exceeds its bound: it is too peaked for rejection from uniform points")
        kept = torch.cat([kept, x[torch.rand(2**16, generator=random, dtype=torch.float64) * top < p]])
    return kept[:n]
