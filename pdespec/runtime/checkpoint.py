"""Files that a kill cannot spoil.

A file is written beside its place, forced to the disk and renamed over it (a rename is atomic); then the folder's
entry is forced to the disk too. Of checkpoints the last three are kept. A damaged one (its checksums are verified) is
named and passed over for the one before.
"""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import torch

CHECKPOINTS = ("checkpoint.pt", "checkpoint.1.pt", "checkpoint.2.pt")  # newest first


class ResumeMismatch(Exception):
    """What is in the folder is not the run to resume."""


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file, then put it in the place of `path`; where that fails, nothing is left."""
    new = path.with_name(path.name + ".new")
    try:
        with open(new, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Save `state` as the newest of three; at every moment the one before is readable under one of the names."""
    for newer, older in ((CHECKPOINTS[1], CHECKPOINTS[2]), (CHECKPOINTS[0], CHECKPOINTS[1])):
        if (folder / newer).exists():
            os.replace(folder / newer, folder / older)
    write_atomically(folder / CHECKPOINTS[0], lambda file: _save(state, file))


def _save(state: dict[str, Any], file: IO[bytes]) -> None:
    try:
        torch.save(state, file)
    except RuntimeError as problem:  # how torch tells that its archive could not be written
        raise OSError(f"{file.name} cannot be written: is the disk full?") from problem


def load_checkpoint(folder: Path, fingerprint: dict[str, str]) -> dict[str, Any] | None:
    """The newest readable checkpoint, on the CPU, of the run with this fingerprint; None where there is none at all."""
    present = [folder / name for name in CHECKPOINTS if (folder / name).exists()]
    for path in present:
        try:
            with zipfile.ZipFile(path) as archive:
                if damaged := archive.testzip():
                    raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            if not (isinstance(state, dict) and isinstance(state.get("fingerprint"), dict)):
                raise ValueError("it holds something else")
        except Exception as problem:  # whatever a damaged file makes the reader raise
            words = str(problem).partition(". ")[0]
            print(f"{path} cannot be read ({words}): going back to the one before", file=sys.stderr)
            continue
        for name, here in fingerprint.items():
            if here != (there := state["fingerprint"].get(name)):
                raise ResumeMismatch(f"{path} is of another run: {name} is {there} there and {here} here")
        return state
    if present:
        raise ResumeMismatch(f"none of the checkpoints in {folder} can be read")
    return None


def forget_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of an earlier run."""
    for name in CHECKPOINTS:
        (folder / name).unlink(missing_ok=True)
