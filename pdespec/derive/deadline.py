"""The time that a derivation may take.

Long loops of the passes call `tick()`; past the limit set by `limit(seconds)` it raises `OutOfTime`, which `derive`
turns into a diagnostic.  The limit is a context variable: nested limits keep the earlier end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_end: ContextVar[float | None] = ContextVar("end of the derivation", default=None)


class OutOfTime(Exception):
    """The derivation took longer than its limit."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Within this block `tick` raises once `seconds` have passed (or an outer limit has)."""
    end, outer = time.monotonic() + seconds, _end.get()
    token = _end.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        _end.reset(token)


def tick() -> None:
    """Raise `OutOfTime` past the limit."""
    end = _end.get()
    if end is not None and time.monotonic() > end:
        raise OutOfTime
