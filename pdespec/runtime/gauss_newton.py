"""Steps of Gauss and Newton for residuals ρ(θ) with Jacobian J, damped by λ.

    d = argmin |J d + ρ|² + λ|d|² = −(JᵀJ + λ)⁻¹ Jᵀρ = −Jᵀ(JJᵀ + λ)⁻¹ ρ
The second form is Woodbury's, in the space of samples, for fewer rows than parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from pdespec.runtime.residual_rows import Places, ResidualRows


class DampedLeastSquares:
    """min |J d + ρ|² + λ|d|² for J (n, P) and ρ (n,), for one λ after another."""

    def __init__(self, jacobian: Tensor, residual: Tensor) -> None:
        self.jacobian, self.wide = jacobian, jacobian.shape[0] < jacobian.shape[1]
        self.gram = jacobian @ jacobian.T if self.wide else jacobian.T @ jacobian
        self.right = residual if self.wide else jacobian.T @ residual

    def solve(self, damping: float) -> Tensor:
        """d (P,) by Cholesky; λ grows tenfold as long as rounding leaves the matrix indefinite."""
        matrix = self.gram.clone()
        matrix.diagonal().add_(damping)
        factor, failed = torch.linalg.cholesky_ex(matrix)
        if failed.item():
            return self.solve(10 * max(damping, torch.finfo(matrix.dtype).tiny))
        d = torch.cholesky_solve(self.right[:, None], factor)[:, 0]
        return -(self.jacobian.T @ d) if self.wide else -d


@dataclass
class GaussNewton:
    """What stages share that minimise |ρ(θ)|² by rows. Points may depend on the step; `memory` is the stage's state."""

    name: str
    steps: int
    rows: ResidualRows
    points: Callable[[int], Places]
    damping: float
    memory: dict[str, Any] = field(default_factory=dict)

    def theta(self) -> Tensor:
        """The present parameters as one vector."""
        return nn.utils.parameters_to_vector(self.rows.parameters).detach()

    def loss(self, theta: Tensor, points: Places) -> float:
        """|ρ(θ)|², after which θ are the present parameters."""
        nn.utils.vector_to_parameters(theta, self.rows.parameters)
        values, _ = self.rows.values(points)
        return (values @ values).item()

    def forget(self) -> None:
        """Whatever was found at points that have changed: nothing, where it is not said."""

    def state_dict(self) -> dict[str, Any]:
        return {"parameters": [p.detach() for p in self.rows.parameters], "memory": self.memory}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for parameter, saved in zip(self.rows.parameters, state["parameters"], strict=True):
            parameter.detach().copy_(saved)
        self.memory = state["memory"]
