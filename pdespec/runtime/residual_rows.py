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

from pdespec.runtime.mean_squares import mean_squares

Places = Mapping[str, tuple[Tensor, ...]]  # points, and what belongs to each, by the place where they are drawn


class Residuals(nn.Module):
    """Networks and the function of them and of points that gives the residuals by label."""

    def __init__(self, networks: Sequence[nn.Module], function: Callable[..., dict[str, Tensor]]) -> None:
        super().__init__()
        self.networks, self.function = nn.ModuleList(networks), function

    def forward(self, points: Places) -> dict[str, Tensor]:
        return self.function(*self.networks, points)


@dataclass
class ResidualRows:
    """ρ and J, equation by equation and point by point, of residuals (n,), (components, n), or (1,) of an integral.

    Where derivatives in the residuals are `nested` automatic differentiation, which `vmap` cannot enter, each row of a
    chunk differentiates the whole chunk.
    """

    residuals: Residuals
    weights: Mapping[str, float] = field(default_factory=dict)
    nested: bool = False
    chunk: int = 512

    def __post_init__(self) -> None:
        self.parameters = list(self.residuals.parameters())

    def values(self, points: Places) -> tuple[Tensor, dict[str, Tensor]]:
        """ρ, and the mean squares by label."""
        with torch.no_grad():
            found = self.residuals(points)
            rows = [self.scale(label, r.shape[-1]) * by_point(r).flatten() for label, r in found.items()]
            return torch.cat(rows), mean_squares(found)

    def jacobian(self, points: Places) -> Tensor:
        """J, in the order of `values`."""
        nowhere = nowhere_of(points)
        integrals = self.labels(nowhere)  # which are numbers without any points, too
        blocks = self.rows_at_once(points, integrals) if integrals else {}
        for place, given in points.items():
            labels = [label for label in self.labels({**nowhere, place: given}) if label not in integrals]
            if labels and self.nested:
                chunks = zip(*(torch.split(part, 16) for part in given), strict=True)
                pieces = [self.rows_at_once({**nowhere, place: chunk}, labels) for chunk in chunks]
                blocks |= {label: torch.cat([piece[label] for piece in pieces]) for label in labels}
            elif labels:
                blocks |= self.rows_by_point(place, points, labels)
        order = self.residuals(nowhere)
        return torch.cat([self.scale(label, len(blocks[label])) * blocks[label].flatten(0, 1) for label in order])

    def scale(self, label: str, count: int) -> float:
        """√(w/n)."""
        return float((self.weights.get(label, 1.0) / count) ** 0.5)

    def labels(self, points: Places) -> list[str]:
        """The equations that have residuals at the points."""
        with torch.no_grad():
            return [label for label, r in self.residuals(points).items() if r.shape[-1] > 0]

    def rows_at_once(self, points: Places, labels: Sequence[str]) -> dict[str, Tensor]:
        """∂r/∂θ (n, components, P) of some equations as one function of θ."""
        found = self.residuals(points)
        parts = [by_point(found[label]) for label in labels]
        rows = torch.cat([part.flatten() for part in parts])
        unit = torch.eye(len(rows), dtype=rows.dtype, device=rows.device)
        blocks = torch.autograd.grad(rows, self.parameters, unit, is_grads_batched=True, allow_unused=True)
        pairs = zip(blocks, self.parameters, strict=True)
        matrix = torch.cat([rows.new_zeros(len(rows), p.numel()) if b is None else b.flatten(1) for b, p in pairs], 1)
        cut = torch.split(matrix, [part.numel() for part in parts])
        return {label: rows.reshape(*part.shape, -1) for label, rows, part in zip(labels, cut, parts, strict=True)}

    def rows_by_point(self, place: str, points: Places, labels: Sequence[str]) -> dict[str, Tensor]:
        """∂r/∂θ (n, components, P) of the equations at one set of points."""
        parameters, nowhere = {name: p.detach() for name, p in self.residuals.named_parameters()}, nowhere_of(points)

        def residual(parameters: dict[str, Tensor], *point: Tensor) -> dict[str, Tensor]:
            at = {**nowhere, place: tuple(part[None] for part in point)}
            found = functional_call(self.residuals, parameters, (at,))
            return {label: by_point(found[label])[0] for label in labels}

        rows = vmap(jacrev(residual), (None, *[0] * len(points[place])), chunk_size=self.chunk)
        found = rows(parameters, *points[place])
        return {label: torch.cat([b.flatten(2) for b in found[label].values()], 2) for label in labels}


def by_point(residual: Tensor) -> Tensor:
    """(n, components) of a residual (n,) or (components, n)."""
    return residual.T if residual.ndim == 2 else residual[:, None]


def nowhere_of(points: Places) -> dict[str, tuple[Tensor, ...]]:
    """The same places without any points."""
    return {place: tuple(part[:0] for part in given) for place, given in points.items()}
