"""Random numbers as a function of where they are drawn.

A generator is seeded from (seed, step, rank, …) alone, so a resumed run draws what an uninterrupted one would have drawn,
and the processes of one run draw differently. Hashing keeps neighbouring steps unrelated; the global generator is not used.
"""

from __future__ import annotations

import hashlib

import torch


def seeded(*path: int, device: str | torch.device = "cpu") -> torch.Generator:
    """The generator that belongs to `path`, such as (seed, step, rank)."""
    digest = hashlib.sha256(repr(path).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7], "little"))
