"""`pdespec plot`: draw the pictures of a run again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pdespec.commands.terminal import UsageError, command, report, say

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "plot", "draw the pictures of a finished run")
    sub.add_argument("run", type=Path, metavar="RUN", help="a run's folder, such as runs/poisson")
    sub.set_defaults(command=plot)


def plot(arguments: argparse.Namespace) -> int:
    """Draw, and say what was drawn."""
    from pdespec.plot import draw

    folder: Path = arguments.run
    if not any((folder / name).is_file() for name in ("solution.npz", "history.csv")):
        raise UsageError(f"{folder} holds neither solution.npz nor history.csv: is it the folder of a run?")
    pictures = draw(folder)
    report(arguments, (), pictures=[str(picture) for picture in pictures])
    for picture in pictures:
        say(arguments, str(picture))
    return 0
