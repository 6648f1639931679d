"""Levenberg and Marquardt: steps of Gauss and Newton whose damping λ follows how well the linear model foretells them.

    q = (|ρ(θ)|² − |ρ(θ + d)|²)/(|ρ|² − |ρ + J d|²)        accepted where q > 0; a step that is not raises λ
    λ⁺ = λ max(1/3, 1 − (2q − 1)³)
Madsen, Nielsen & Tingleff, Methods for non-linear least squares problems (2004), section 3.2.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from torch import Tensor

from pdespec.runtime.gauss_newton import DampedLeastSquares, GaussNewton

LARGEST = 1e12


@dataclass
class LevenbergMarquardt(GaussNewton):
    """`damping` is the first λ. Where no λ helps, the loss is as low as rounding lets it, and nothing changes."""

    def __post_init__(self) -> None:
        self.memory = {"damping": self.damping, "stationary": False}

    def step(self, k: int) -> dict[str, Tensor]:
        points, theta = self.points(k), self.theta()
        values, terms = self.rows.values(points)
        loss = (values @ values).item()
        if self.memory["stationary"]:
            return terms
        jacobian = self.rows.jacobian(points)
        system = DampedLeastSquares(jacobian, values)
        damping, growth = self.memory["damping"], 2.0
        while damping < LARGEST:
            direction = system.solve(damping)
            model = (values + jacobian @ direction).square().sum().item()
            quality = (loss - self.loss(theta + direction, points)) / (loss - model) if model < loss else 0.0
            if quality > 0:
                self.memory["damping"] = damping * max(1 / 3, 1 - (2 * quality - 1) ** 3)
                return terms
            damping, growth = damping * growth, 2 * growth
        print(f"{self.name}: from step {k} on, rounding hides all descent", file=sys.stderr)
        self.loss(theta, points)
        self.memory["stationary"] = True
        return terms

    def forget(self) -> None:
        self.memory["stationary"] = False

    def slow_down(self) -> None:
        self.memory["damping"] *= 10
