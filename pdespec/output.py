"""Files that the compiler writes: whole or not at all, and never over a file that it did not write.

A file is ours if "Emitted by pdespec" stands in its first 8 KiB: a script has it in its docstring, a picture in its
metadata.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SIGNATURE = "Emitted by pdespec"
HEADER = 8192


class OutputError(Exception):
    """A file could not be written, or the place is taken by one that is not ours."""


def replace(path: Path, content: bytes) -> None:
    """Write a file of ours, or a new one."""
    if os.path.lexists(path) and not ours(path):
        raise OutputError(f"{path} was not written by pdespec, so it is left alone; choose another place with -o")
    write(path, content)


def write(path: Path, content: bytes) -> None:
    """Write a file atomically, with its folders."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as failure:
        raise OutputError(f"cannot write {path}: {failure.strerror}") from failure


def ours(path: Path) -> bool:
    """Whether the compiler wrote a file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return SIGNATURE.encode() in file.read(HEADER)
