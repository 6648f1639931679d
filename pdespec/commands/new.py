"""`pdespec new`: write a small, commented spec that runs, to start from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pdespec.commands.terminal import UsageError, command, report, say

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands

STARTERS = Path(__file__).parent / "starters"
KINDS = ("equation", "objective", "flow")


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "new", "write a commented spec to start from")
    sub.add_argument("name", metavar="NAME", help="the file to write; .pde is added")
    sub.add_argument("--kind", choices=KINDS, default=KINDS[0], help="what the spec is about (default: equation)")
    sub.set_defaults(command=new)


def new(arguments: argparse.Namespace) -> int:
    """Write the file, never over another."""
    path = Path(arguments.name)
    if path.suffix != ".pde":
        path = path.with_name(path.name + ".pde")
    text = (STARTERS / f"{arguments.kind}.pde").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists; nothing was written") from None
    except OSError as failure:
        raise UsageError(f"cannot write {path}: {failure.strerror}") from failure
    report(arguments, (), spec=str(path))
    say(arguments, f"wrote {path}\nnext: pdespec check {path}, then pdespec run {path}")
    return 0
