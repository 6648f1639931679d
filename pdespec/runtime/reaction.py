"""Births and deaths, ṗ = −p s(p) with ∫ p s = 0, as in Fisher–Rao flows: on a grid and, by their weights, on particles.

With s = φ − ∫φp / ∫p frozen the solution is p e^{−φ dt} scaled to the mass of p: the mean drops out, and mass and sign
are kept (Lu, Lu & Nolen, arXiv:1905.09863).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def reweight(p: Tensor, rate: Tensor, dt: float) -> Tensor:
    """p e^{−s dt}, scaled to the sum of p; p holds cell values or the weights of particles, and p = 0 stays 0."""
    rate = torch.where(p > 0, rate, torch.inf)  # ln p in s is −∞ where p = 0
    changed = p * torch.exp((rate.min() - rate) * dt)
    return changed * (p.sum() / changed.sum())


def react(p: Tensor, rate: Callable[[Tensor], Tensor], dt: float) -> Tensor:
    """ṗ = −p s(p) over dt with s frozen at the midpoint: order 2."""
    return reweight(p, rate(reweight(p, rate(p), dt / 2)), dt)
