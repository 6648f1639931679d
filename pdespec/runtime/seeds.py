"""Random numbers as a function of where they are drawn.

A generator is seeded from a key such as (seed, step, rank) alone, so a resumed run draws what an uninterrupted one
would have drawn, and the processes of one run draw differently. Hashing makes neighbouring keys unrelated.
"""

from __future__ import annotations

import hashlib

import torch


def seeded(*key: int, device: torch.device | str = "cpu") -> torch.Generator:
    """The generator of a key, e.g. (seed, step, rank)."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest, "big") >> 1)
