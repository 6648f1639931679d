"""The least time that a step can take on one core: its matrix products at the speed of one, and its tanh.

A sweep carries C channels of N points through L layers; a layer a → b costs 2·C·N·a·b FLOPs forward and twice that
backward, for its inputs and for its weights.  The first layer sees the points alone: its tangents are constant, and
no gradient of the points is wanted; where there are more of them than its width H, they are compressed by W₁W₁ᵀ
(H × H).  Speeds are those of the same core, measured in the same run at the same shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch

from tests.benchmarks.contest import Step
from tests.benchmarks.rows import Group, Row


def matmul_flops(row: Row, groups: Sequence[Group]) -> int:
    """FLOPs of the matrix products of a step, forward and backward."""
    sizes = [row.inputs, *[row.width] * row.depth, row.outputs]
    inside = sum(a * b for a, b in pairwise(sizes[1:]))
    swept = sum(2 * g.count * (2 * sizes[0] * sizes[1] + 3 * g.channels * inside) for g in groups)
    return swept + (6 * row.width**2 * row.inputs if row.gram else 0)


def tanh_values(row: Row, groups: Sequence[Group]) -> int:
    """How many tanh a step takes."""
    return sum(g.count for g in groups) * row.width * row.depth


def products(row: Row, groups: Sequence[Group], dtype: torch.dtype) -> tuple[Step, int]:
    """The three products of a hidden layer at the row's largest shape, and their FLOPs."""
    stacked = max(g.count * g.channels for g in groups)
    inputs, cotangents = (torch.randn(stacked, row.width, dtype=dtype) for _ in range(2))
    weight = torch.randn(row.width, row.width, dtype=dtype)
    outputs, gradient = torch.empty_like(inputs), torch.empty_like(weight)

    def step() -> None:
        torch.mm(inputs, weight.T, out=outputs)
        torch.mm(cotangents, weight, out=outputs)
        torch.mm(cotangents.T, inputs, out=gradient)

    return step, 6 * stacked * row.width**2


def activation(row: Row, groups: Sequence[Group], dtype: torch.dtype) -> tuple[Step, int]:
    """tanh at the shape of a hidden layer, and the number of values."""
    h = torch.randn(max(g.count for g in groups), row.width, dtype=dtype)
    out = torch.empty_like(h)
    return (lambda: torch.tanh(h, out=out)), h.numel()
