"""Measured values against the bounds that a spec puts on them."""

from __future__ import annotations

import math

from torch import Tensor

from pdespec.runtime.progress import readable
from pdespec.runtime.report import Report

Measured = float | tuple[float, float]
"""A value, with its standard error where it is an estimate."""


def estimated(value: Tensor, influence: Tensor, weights: Tensor | None = None) -> tuple[float, float]:
    """A functional of a density known by n independent particles, with its standard error √(Var(δF/δp)/n).

    `influence` is δF/δp at the particles (van der Vaart, Asymptotic Statistics, ch. 20), `weights` are theirs (sum 1).
    """
    share = 1 / len(influence) if weights is None else weights.square().sum().item()
    return value.item(), influence.std().item() * share**0.5


def bounded(name: str, measured: Measured, relation: str, limit: float) -> Report:
    """A value that must be "<", "<=", ">" or ">=" a limit; NaN is none of them."""
    value, stderr = measured if isinstance(measured, tuple) else (measured, None)
    met = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[relation]
    return Report(name, value, stderr, bound=f"{relation} {readable(limit, '.12g')}", met=met)


def near(
    name: str,
    measured: Measured,
    target: float,
    within: float | None = None,
    relative: float | None = None,
    stderrs: float | None = None,
) -> Report:
    """A value that must lie close to a target: by an absolute or a relative tolerance, or in its standard errors."""
    value, stderr = measured if isinstance(measured, tuple) else (measured, None)
    if within is not None:
        shown, allowed = readable(within, "g"), within
    elif relative is not None:
        shown, allowed = f"{readable(100 * relative, 'g')}%", relative * abs(target)
    else:
        shown, allowed = f"{stderrs:g}*stderr", (stderrs or math.nan) * (stderr or math.nan)
    bound = f"~ {readable(target, '.12g')} within {shown}"
    return Report(name, value, stderr, bound=bound, met=abs(value - target) <= allowed)
