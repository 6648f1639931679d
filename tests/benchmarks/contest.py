"""Interleaved blocks of process CPU time, and the check that all contestants compute the same.

Block b of every contestant comes before block b + 1 of any, so that a slow phase of the machine meets all alike; the
median and the quartiles of a contestant's blocks are its time for a step.  A contestant counts only if its loss and
the gradient of every parameter agree with nested autograd.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

Step = Callable[[], object]
Turn = Callable[[int], float]
"""Takes so many steps, and returns the CPU seconds for each."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of CPU time for a step, by blocks of `steps` steps."""

    blocks: tuple[float, ...]
    steps: int

    @property
    def median(self) -> float:
        return statistics.median(self.blocks)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a contestant computes at the first step: the loss, and its gradient for each parameter."""

    loss: Tensor
    gradients: Sequence[Tensor]


def disagreement(found: Sample, reference: Sample) -> float:
    """The largest relative difference of the losses and of the gradients, each parameter by itself."""
    pairs = zip([found.loss, *found.gradients], [reference.loss, *reference.gradients], strict=True)
    return max(((a - b).norm() / b.norm()).item() for a, b in pairs)


def timed(step: Step, steps: int) -> float:
    """Process CPU seconds for each of `steps` steps."""
    began = time.process_time()
    for _ in range(steps):
        step()
    return (time.process_time() - began) / steps


def turns(step: Step) -> Turn:
    """The turns of a step in this process."""
    return partial(timed, step)


def interleaved(contestants: Mapping[str, Turn], blocks: int, seconds: float) -> dict[str, Timing]:
    """Time all contestants by turns, in blocks of about `seconds`, after two steps to warm up."""
    steps = {}
    for name, turn in contestants.items():
        turn(2)
        steps[name] = max(1, round(seconds / max(turn(1), 1e-6)))
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(blocks):
        for name, turn in contestants.items():
            took[name].append(turn(steps[name]))
    return {name: Timing(tuple(times), steps[name]) for name, times in took.items()}


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper quartile."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return low, median, high


def adam(parameters: Sequence[Tensor], rate: float = 1e-3) -> torch.optim.Optimizer:
    """The optimiser of both sides."""
    return torch.optim.Adam(list(parameters), lr=rate, fused=True)
