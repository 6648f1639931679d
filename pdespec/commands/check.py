"""`pdespec check`: find every mistake in a spec and decide its identities; torch is never imported.

All stages run, the emission of the script too, so that nothing is refused by `build` that is accepted here.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pdespec.commands.pipeline import compiled
from pdespec.commands.terminal import command, each, refused, report, say, takes_spec

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands
    from pdespec.derive.derivation import Identity


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "check", "find every mistake in specs and decide their identities")
    takes_spec(sub, several=True)
    sub.set_defaults(command=check)


def check(arguments: argparse.Namespace) -> int:
    """0 when nothing is wrong, 1 when a spec is refused."""
    return each(arguments, _check)


def _check(arguments: argparse.Namespace) -> int:
    result = compiled(arguments)
    identities = result.derivation.identities if result.derivation else ()
    verdicts = [{"check": i.check.text, "verdict": i.verdict} for i in identities]
    report(arguments, result.diagnostics, spec=arguments.spec, checks=verdicts)
    for identity in identities:
        say(arguments, f"  {_told(identity)}")
    failed = refused(arguments, result.diagnostics)
    if not failed:
        say(arguments, f"{arguments.spec}: ok")
    return int(failed)


def _told(identity: Identity) -> str:
    """`weak = strong: proved`; what was not proved says how far it holds."""
    line = f"check {identity.check.text.removeprefix('check').strip()}: {identity.verdict}"
    if identity.verdict == "undecided":
        line += f" (holds at {identity.points} random points to {identity.digits} digits)"
    return line
