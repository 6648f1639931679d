"""The distance of a function from its reference, by values at points that are uniform (or weighted) on its domain.

The relative L² error is
    ‖u − v‖ / ‖v‖ with ‖f‖² = Σ_i w_i |f(z_i)|²;    `mean_free` takes the means away first, as for a pressure.
"""

from __future__ import annotations

import torch
from torch import Tensor


def relative_error(found: Tensor, exact: Tensor, weights: Tensor | None = None, mean_free: bool = False) -> float:
    """Relative L² error of values (n,) or (n, m); weights (n,) of any sum, equal where none are given."""
    if found.shape != exact.shape:
        raise ValueError(f"values of shapes {tuple(found.shape)} and {tuple(exact.shape)} cannot be compared")
    found, exact = found.reshape(len(found), -1), exact.reshape(len(exact), -1)
    share = torch.ones_like(exact[:, 0]) if weights is None else weights
    share = (share / share.sum())[:, None]
    if mean_free:
        found, exact = found - (share * found).sum(0), exact - (share * exact).sum(0)
    norm = (share * exact.square()).sum().sqrt().item()
    if norm == 0:
        raise ValueError("a relative error needs a reference that is not zero")
    return (share * (found - exact).square()).sum().sqrt().item() / norm
