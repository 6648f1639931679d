"""A solution as an expansion in random features, and the stage that finds its coefficients.

u_j(z) = Σ_k c_{jk} φ_k(z) for every scalar component j of the unknowns, all in the same features.  The stage tries the
scales of a ladder by the residual at points that the fit has not seen, and solves at the best one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pdespec.runtime.features import Features, random_features
from pdespec.runtime.least_squares import Rows, gauss_newton, row_scales, search_scale, weighted_residual


class Expansion:
    """Coefficients (m, K) of m scalar functions in K features over a box; `scale` is that of the features."""

    def __init__(
        self, box: Sequence[Sequence[float]], count: int, outputs: int, seed: int, device: str, periodic: Sequence[bool]
    ) -> None:
        self.lower, self.upper = zip(*box, strict=True)
        self.count, self.seed, self.device, self.periodic = count, seed, device, tuple(periodic)
        self.scale: tuple[float, ...] = (1.5,) * len(self.lower)
        self.coefficients = torch.zeros(outputs, count, dtype=torch.float64, device=device)

    @property
    def features(self) -> Features:
        """The features at the present scale."""
        return random_features(
            self.lower, self.upper, self.count, self.seed, scale=self.scale, periodic=self.periodic
        ).to(self.device)

    def derivatives(self, z: Tensor, *orders: Sequence[int], component: int = 0) -> tuple[Tensor, ...]:
        """∂^α u_j at points (n, d) for each multi-index: tensors (n,)."""
        return tuple(phi @ self.coefficients[component] for phi in self.features.derivatives(z, *orders))

    def __call__(self, z: Tensor, component: int = 0) -> Tensor:
        return self.derivatives(z, (0,) * z.shape[1], component=component)[0]


class LeastSquares:
    """Fit an expansion to equations; `equations(c, features, points)` gives their residuals and rows."""

    def __init__(
        self,
        name: str,
        expansion: Expansion,
        equations: Callable[[Tensor, Features, Mapping[str, Tensor]], Rows],
        points: Mapping[str, Tensor],
        held_out: Mapping[str, Tensor],
        importance: Mapping[str, float],
        steps: int = 1,
    ) -> None:
        self.name, self.steps = name, 1
        self.expansion, self.equations, self.points, self.held_out = expansion, equations, points, held_out
        self.importance, self.iterations = importance, steps

    def at(self, scale: tuple[float, ...], count: int) -> Features:
        """The first features of the expansion's box at a scale."""
        whole = self.expansion
        lower, upper, periodic = whole.lower, whole.upper, whole.periodic
        return random_features(lower, upper, count, whole.seed, scale, periodic).to(whole.device)

    def fit(self, features: Features) -> Tensor:
        """Coefficients in the features; equations weigh by their importance over the size of their rows."""
        outputs = len(self.expansion.coefficients)
        start = torch.zeros(outputs * features.count, dtype=torch.float64, device=self.expansion.device)
        scales = row_scales(self.equations(start, features, self.points), self.importance)
        return gauss_newton(
            lambda c: self.equations(c, features, self.points), start, scales, self.iterations
        ).coefficients

    def step(self, k: int) -> dict[str, float]:
        """Search the scale with few features by the residual at points held out, then fit with all of them.

        The residuals of all scales are weighed alike, by the rows at the scale that the expansion starts from.
        """
        whole, few = self.expansion, min(self.expansion.count, 300)
        first = self.at(whole.scale, few)
        start = torch.zeros(whole.coefficients.shape[0] * few, dtype=torch.float64, device=whole.device)
        common = row_scales(self.equations(start, first, self.held_out), self.importance)

        def unseen(scale: tuple[float, ...]) -> float:
            features = self.at(scale, few)
            return weighted_residual(self.equations(self.fit(features), features, self.held_out), common)

        whole.scale = search_scale(unseen, len(whole.lower))
        coefficients = self.fit(whole.features)
        whole.coefficients = coefficients.reshape(whole.coefficients.shape)
        rows = self.equations(coefficients, whole.features, self.held_out)
        return {label: residual.square().mean().item() for label, (residual, _) in rows.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"coefficients": self.expansion.coefficients, "scale": self.expansion.scale}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.expansion.coefficients = state["coefficients"].to(self.expansion.device)
        self.expansion.scale = tuple(state["scale"])

    def slow_down(self) -> None:
        """There is no rate: a fit that is not finite raises by itself."""


class ExpansionField:
    """One unknown of an expansion as a function: points (n, d) to (n,), or to (n, m) for m components."""

    def __init__(self, expansion: Expansion, first: int, components: int = 0) -> None:
        self.expansion, self.first, self.components = expansion, first, components

    def __call__(self, z: Tensor) -> Tensor:
        if not self.components:
            return self.expansion(z, self.first)
        return torch.stack([self.expansion(z, self.first + k) for k in range(self.components)], -1)


def block_rows(*rows: Sequence[Tensor]) -> Tensor:
    """A matrix from its blocks, row by row of blocks."""
    return torch.cat([torch.cat(list(row), dim=1) for row in rows])
