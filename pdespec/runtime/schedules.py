"""How the rate of a descent falls: schedules k ↦ factor for `Descent`."""

from __future__ import annotations

from collections.abc import Callable


def falling(steps: int, last: float = 0.05) -> Callable[[int], float]:
    """Geometrically from 1 to `last` over the steps."""
    return lambda k: last ** (k / steps)
