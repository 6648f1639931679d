"""`pdespec list`: the specs that come with the package, each with the first sentence of its first comment."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pdespec.commands.terminal import command, report, say

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "list", "list the specs that come with pdespec")
    sub.set_defaults(command=listing)


def listing(arguments: argparse.Namespace) -> int:
    """Name and summary of each shipped spec."""
    known = {name: summary(path) for name, path in specs().items()}
    report(arguments, (), specs=known, folder=str(folder()))
    longest = max(map(len, known), default=0)
    for name, words in known.items():
        say(arguments, f"{name:<{longest}}  {words}".rstrip())
    if known:
        say(arguments, f"\nThey lie in {folder()}. Run one by its name: pdespec run {next(iter(known))}")
    return 0


def folder() -> Path:
    """Where the shipped specs lie: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_specs"
    return installed if installed.is_dir() else package.parent / "specs"


def specs() -> dict[str, Path]:
    """The shipped specs by name."""
    return {path.stem: path for path in sorted(folder().glob("*.pde"))}


def summary(path: Path) -> str:
    """The first comment line of a spec."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            return line.lstrip("# ").rstrip()
    return ""
