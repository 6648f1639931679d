"""Functions of points as they are evaluated after a run: partial derivatives by nested differentiation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from pdespec.runtime.config import Config
from pdespec.runtime.shapes import Shape


def placed(arrays: Iterable[Tensor], config: Config) -> tuple[Tensor, ...]:
    """Arrays such as the nodes and weights of a rule, in float64 where the run computes."""
    return tuple(a.to(config.device, torch.float64) for a in arrays)


def partial(u: Callable[[Tensor], Tensor], z: Tensor, orders: Sequence[int]) -> Tensor:
    """∂^α u at points z (n, d) for a scalar function u: (n, d) → (n,); `orders` is α."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        value = u(z)
        for axis, times in enumerate(orders):
            for _ in range(times):
                (slope,) = torch.autograd.grad(value.sum(), z, create_graph=True)
                value = slope[:, axis]
    return value.detach()


def grid_values(
    u: Callable[[Tensor], Tensor],
    box: Sequence[tuple[float, float]],
    n: int,
    config: Config,
    held: Sequence[float] = (),
    domain: Shape | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Axes of n ticks and u on their grid, (n, …) or (n, …, m): `held` coordinates are fixed, NaN outside `domain`."""
    axes = [torch.linspace(low, high, n, dtype=torch.float64, device=config.device) for low, high in box]
    z = torch.stack([a.flatten() for a in torch.meshgrid(*axes, indexing="ij")], 1)
    z = torch.cat([z, z.new_tensor(held).expand(len(z), -1)], 1)
    with torch.no_grad():
        values = u(z)
    if domain is not None:
        values[domain.level(z.cpu().double()).to(z.device) > 1e-9] = torch.nan
    return axes, values.reshape(*[n] * len(axes), *values.shape[1:])
