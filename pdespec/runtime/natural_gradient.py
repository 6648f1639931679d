"""The natural gradient of a network that solves equations: the metric of its residuals, in the space of samples.

    d = −Jᵀ(JJᵀ + λ)⁻¹ ρ,   λ = c |ρ|,   θ⁺ = θ + α d with α by a search along the line
Müller & Zeinhofer, ICML 2023 (energy natural gradient); Guzmán-Cordero, Dangel, Goldshlager & Zeinhofer, NeurIPS 2025
(ENGD-W, by Woodbury). A damping in proportion to |ρ| keeps the fast end: Fan & Yuan, Computing 74 (2005).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from pdespec.runtime.gauss_newton import DampedLeastSquares, GaussNewton

SHORTEST = 2.0**-30


@dataclass
class NaturalGradient(GaussNewton):
    """`damping` is c; the search halves α from four times the last one, at most `longest`, while the loss falls."""

    longest: float = 1.0

    def __post_init__(self) -> None:
        self.memory = {"alpha": self.longest, "longest": self.longest}

    def step(self, k: int) -> dict[str, Tensor]:
        points, theta = self.points(k), self.theta()
        values, terms = self.rows.values(points)
        loss = (values @ values).item()
        direction = DampedLeastSquares(self.rows.jacobian(points), values).solve(self.damping * loss**0.5)
        alpha = min(4 * self.memory["alpha"], self.memory["longest"])
        found = self.loss(theta + alpha * direction, points)
        while alpha > SHORTEST:
            half = self.loss(theta + alpha / 2 * direction, points)
            if found < loss and not half < found:
                break
            alpha, found = alpha / 2, half
        self.loss(theta + alpha * direction if found < loss else theta, points)
        self.memory["alpha"] = alpha
        return terms

    def slow_down(self) -> None:
        self.memory = {"alpha": self.memory["longest"] / 2, "longest": self.memory["longest"] / 2}
