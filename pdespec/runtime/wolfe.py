"""A step along a line that meets Wolfe's conditions, by brackets: double while the slope is steep, halve where it rose.

    φ(α) ≤ φ(0) + c₁ α φ′(0)   and   φ′(α) ≥ c₂ φ′(0)
Lewis & Overton, Math. Programming 141 (2013). A cubic through both ends of the bracket says where to look next, kept
off its ends (Nocedal & Wright, Numerical Optimization, 2006, section 3.5).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple


class End(NamedTuple):
    """A point of the line with the value and the slope there."""

    step: float
    value: float
    slope: float


def wolfe_step(
    line: Callable[[float], tuple[float, float]],
    value: float,
    slope: float,
    first: float = 1.0,
    tries: int = 25,
    decrease: float = 1e-4,
    curvature: float = 0.9,
) -> float | None:
    """A step α > 0 for φ, φ′ = line(α) with φ(0), φ′(0) = value, slope < 0: the last one that `line` was asked for.

    None where no step decreases φ enough; where the bracket does not close, the longest step that does.
    """
    low, high, step = End(0.0, value, slope), None, first
    for _ in range(tries):
        at = End(step, *line(step))
        if not (at.value < value and at.value <= value + decrease * step * slope):
            high = at
        elif at.slope < curvature * slope:
            low = at
        else:
            return step
        step = 2 * step if high is None else between(low, high)
    if low.step > 0:
        line(low.step)
        return low.step
    return None


def between(low: End, high: End) -> float:
    """The minimum of the cubic through both ends, inside the middle four fifths; the middle where there is none."""
    width = high.step - low.step
    if not (math.isfinite(high.value) and math.isfinite(high.slope)):
        return low.step + width / 2
    d1 = low.slope + high.slope - 3 * (high.value - low.value) / width
    root = d1 * d1 - low.slope * high.slope
    if root < 0:
        return low.step + width / 2
    d2 = math.sqrt(root)
    share = 1 - (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2)
    return low.step + width * min(max(share, 0.1), 0.9)
