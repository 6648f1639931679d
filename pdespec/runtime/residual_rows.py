"""The residuals of all equations at all points as one vector ρ(θ), and its Jacobian by rows.

    ρ = √(w/n) r for each equation with n points and weight w, so that |ρ|² is the weighted sum of the mean squares
    J = ∂ρ/∂θ, the gradients of single residuals: by `vmap`, for all points of a chunk in one evaluation
What is an integral is one row, by the gradient of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

Points = Mapping[str, tuple[Tensor, ...]]


class Residuals(nn.Module):
    """Networks and the function of them and of points that gives the residuals by label."""

    def __init__(self, networks: Sequence[nn.Module], function: Callable[..., dict[str, Tensor]]) -> None:
        super().__init__()
        self.networks, self.function = nn.ModuleList(networks), function

    def forward(self, points: Points) -> dict[str, Tensor]:
        return self.function(*self.networks, points)


@dataclass
class ResidualRows:
    """ρ and J of residuals (n,), (components, n), or (1,) of those equations that are `integrals`.

    Where derivatives in the residuals are `nested` automatic differentiation, which `vmap` cannot enter, each row of a
    chunk differentiates the whole chunk.
    """

    residuals: Residuals
    weights: Mapping[str, float] = field(default_factory=dict)
    integrals: Sequence[str] = ()
    nested: bool = False
    chunk: int = 512

    def __post_init__(self) -> None:
        self.parameters = list(self.residuals.parameters())

    def scale(self, label: str, count: int) -> float:
        """√(w/n)."""
        return float((self.weights.get(label, 1.0) / count) ** 0.5)

    def values(self, points: Points) -> tuple[Tensor, dict[str, Tensor]]:
        """ρ, point by point in each equation, and the mean squares by label."""
        with torch.no_grad():
            found = self.residuals(points)
        rows = [self.scale(label, r.shape[-1]) * r.reshape(-1, r.shape[-1]).T.flatten() for label, r in found.items()]
        return torch.cat(rows), {label: r.square().mean(-1).sum() for label, r in found.items()}

    def jacobian(self, points: Points) -> Tensor:
        """J, in the order of `values`."""
        return torch.cat([self.block(label, points) for label in points])

    def block(self, label: str, points: Points) -> Tensor:
        """The rows of one equation."""
        if label in self.integrals:
            matrix = self.rows_at_once(label, points)
        elif self.nested:
            parts = zip(*(part.split(16) for part in points[label]), strict=True)
            matrix = torch.cat([self.rows_at_once(label, {**points, label: part}) for part in parts])
        else:
            matrix = self.rows_by_point(label, points)
        count = 1 if label in self.integrals else len(points[label][0])
        return matrix.mul_(self.scale(label, count))

    def rows_at_once(self, label: str, points: Points) -> Tensor:
        """∂r/∂θ of all residuals at the points, as one function of θ."""
        found = self.residuals(nowhere_but(label, points))[label]
        rows = (found.T if found.ndim == 2 else found).flatten()
        unit = torch.eye(len(rows), dtype=rows.dtype, device=rows.device)
        blocks = torch.autograd.grad(rows, self.parameters, unit, is_grads_batched=True, allow_unused=True)
        pairs = zip(blocks, self.parameters, strict=True)
        return torch.cat([rows.new_zeros(len(rows), p.numel()) if b is None else b.flatten(1) for b, p in pairs], 1)

    def rows_by_point(self, label: str, points: Points) -> Tensor:
        """∂r/∂θ of the residual at each point."""
        parameters = {name: p.detach() for name, p in self.residuals.named_parameters()}

        def residual(parameters: dict[str, Tensor], *point: Tensor) -> Tensor:
            at = {**points, label: tuple(part[None] for part in point)}
            found: Tensor = functional_call(self.residuals, parameters, (nowhere_but(label, at),))[label]
            return found.flatten()

        rows = vmap(jacrev(residual), (None, *[0] * len(points[label])), chunk_size=self.chunk)
        blocks = rows(parameters, *points[label]).values()
        return torch.cat([b.flatten(2) for b in blocks], 2).flatten(0, 1)


def nowhere_but(label: str, points: Points) -> dict[str, tuple[Tensor, ...]]:
    """The points of one equation, and none of the others."""
    return {other: given if other == label else tuple(part[:0] for part in given) for other, given in points.items()}
