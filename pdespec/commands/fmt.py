"""`pdespec fmt`: print specs in the house style, in Unicode or ASCII spelling, or rewrite them in place."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pdespec.commands.pipeline import located, read
from pdespec.commands.terminal import UsageError, command, each, report, say
from pdespec.output import write

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "fmt", "format specs; comments stay")
    sub.add_argument("specs", metavar="SPEC", nargs="+", help="a .pde file, or - for standard input")
    spelling = sub.add_mutually_exclusive_group()
    spelling.add_argument("--unicode", action="store_true", help="β, ∫, ∂x u (the default)")
    spelling.add_argument("--ascii", action="store_true", help="beta, integral[x], diff(u, x)")
    effect = sub.add_mutually_exclusive_group()
    effect.add_argument("--check", action="store_true", help="print nothing; exit 1 if the file would change")
    effect.add_argument("-i", "--in-place", action="store_true", help="rewrite the file")
    sub.set_defaults(command=fmt)


def fmt(arguments: argparse.Namespace) -> int:
    """0, or 1 when `--check` finds a difference or a spec does not parse."""
    if arguments.in_place and "-" in arguments.specs:
        raise UsageError("-i needs a file, not standard input")
    return each(arguments, _fmt)


def _fmt(arguments: argparse.Namespace) -> int:
    from pdespec.syntax.format import format_text

    source, _ = read(arguments.spec)
    formatted = format_text(source, ascii=arguments.ascii)
    changed = formatted != source.text
    report(arguments, (), spec=source.name, changed=changed, text=formatted)
    if arguments.check:
        if changed:
            print(f"{source.name} would change", file=sys.stderr)
        return int(changed)
    if not arguments.in_place:
        say(arguments, formatted.removesuffix("\n"))
    elif changed:
        write(located(arguments.spec), formatted.encode())
    return 0
