"""The loss terms of residuals at points: the mean over the points of the squared length, for each equation."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def mean_squares(residuals: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """(1/n) Σᵢ |rᵢ|² of residuals (n,), or (components, n) of a system, by label."""
    return {label: r.square().mean(-1).sum() for label, r in residuals.items()}
