"""Cotangents of a sweep's outputs, side by side as the layers need them."""

from __future__ import annotations

import torch
from torch import Tensor


def cotangent_stack(*bars: Tensor | None) -> Tensor:
    """The cotangents of all channels (channels, n, …): zeros for a channel that the loss does not read.

    Autograd calls an adjoint only if the loss reads one of its outputs, so one of them is a tensor.
    """
    given = next(bar for bar in bars if bar is not None)
    return torch.stack([torch.zeros_like(given) if bar is None else bar for bar in bars])


def cotangent_blocks(*blocks: tuple[Tensor | None, int]) -> Tensor:
    """The cotangents of value, gradient and Laplacian one below the other, each with its number of channels."""
    given = next(bar if rows > 1 else bar[None] for bar, rows in blocks if bar is not None)
    zero = torch.zeros_like(given[:1])
    parts = []
    for bar, rows in blocks:
        rest = zero.expand(rows, *zero.shape[1:])
        parts.append(rest if bar is None else bar if rows > 1 else bar[None])
    return torch.cat(parts)
