"""SPRING: steps of Gauss and Newton on fresh points that keep what the step before knew, as Kaczmarz' method does.

    φ = argmin |J φ + ρ|² + λ|φ − μ φ₋|² = μ φ₋ − Jᵀ(JJᵀ + λ)⁻¹ (ρ + μ J φ₋),   θ⁺ = θ + η φ
Goldshlager, Abrahamsen & Lin, J. Comput. Phys. 516 (2024) 113351. A step is no longer than `longest`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pdespec.runtime.gauss_newton import DampedLeastSquares, GaussNewton


@dataclass
class Spring(GaussNewton):
    """η is `rate` times `schedule(k)`, μ the `momentum`; `damping` is λ in units of the mean of JJᵀ's diagonal."""

    rate: float = 0.1
    momentum: float = 0.95
    longest: float = 0.1
    schedule: Callable[[int], float] = lambda k: 1.0

    def __post_init__(self) -> None:
        self.memory = {"phi": torch.zeros_like(self.theta()), "rate": self.rate}

    def step(self, k: int) -> dict[str, Tensor]:
        points, theta = self.points(k), self.theta()
        values, terms = self.rows.values(points)
        jacobian = self.rows.jacobian(points)
        kept = self.momentum * self.memory["phi"]
        damping = self.damping * (jacobian.square().sum() / len(values)).item()
        phi = kept + DampedLeastSquares(jacobian, values + jacobian @ kept).solve(damping)
        length = min(self.memory["rate"] * self.schedule(k), self.longest / phi.norm().item())
        torch.nn.utils.vector_to_parameters(theta + length * phi, self.rows.parameters)
        self.memory["phi"] = phi
        return terms

    def slow_down(self) -> None:
        self.memory = {"phi": torch.zeros_like(self.memory["phi"]), "rate": self.memory["rate"] / 2}
