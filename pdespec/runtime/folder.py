"""The folder of a run: its own, and of one run at a time.

A run always leaves history.csv, which begins with `step,stage`; a folder that has other files of a run's names is
somebody else's.  The lock on history.csv ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pdespec.runtime.checkpoint import CHECKPOINTS

HISTORY = "history.csv"
WRITTEN = ("metrics.json", "solution.npz", *CHECKPOINTS)


def refuse_foreign(folder: Path) -> None:
    """Raises OSError where a new run would overwrite files that no run wrote."""
    history = folder / HISTORY
    if history.is_file():
        with open(history, "rb") as file:
            ours = file.read(10) in (b"", b"step,stage")
    else:
        ours = not any((folder / name).exists() for name in (HISTORY, *WRITTEN))
    if not ours:
        raise OSError(f"{folder} holds files that no run wrote and that this one would replace: choose another --out")


@contextmanager
def locked_history(folder: Path) -> Iterator[IO[bytes]]:
    """The folder's history.csv, to write at its end; raises OSError where another process has it."""
    with open(folder / HISTORY, "ab") as history:
        try:
            fcntl.flock(history, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise OSError(f"another run is writing into {folder}") from taken
        yield history
