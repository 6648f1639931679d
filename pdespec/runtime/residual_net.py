"""A network of residual blocks: a ← a + tanh(W a + b) (He et al., CVPR 2016, in the fully connected form)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualNet(nn.Module):
    """Inputs (n, d) to outputs (n, m): a linear map, `depth` blocks of `width`, a linear map."""

    def __init__(
        self, inputs: int, outputs: int, width: int = 32, depth: int = 3, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        sizes = [(inputs, width), *[(width, width)] * depth, (width, outputs)]
        layers = [nn.Linear(a, b) for a, b in sizes]
        self.layers = nn.ModuleList(layers)
        for layer in layers:
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, z: Tensor) -> Tensor:
        first, *blocks, last = self.layers
        a: Tensor = first(z)
        for layer in blocks:
            a = a + torch.tanh(layer(a))
        out: Tensor = last(a)
        return out
