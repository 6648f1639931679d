"""`pdespec fmt`: print a spec in the house style, in Unicode or ASCII spelling, or rewrite it in place."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pdespec.commands.pipeline import located, read
from pdespec.commands.terminal import UsageError, command, report, say
from pdespec.output import write

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "fmt", "format a spec; comments stay")
    sub.add_argument("spec", metavar="SPEC", help="a .pde file, or - for standard input")
    spelling = sub.add_mutually_exclusive_group()
    spelling.add_argument("--unicode", action="store_true", help="β, ∫, ∂x u (the default)")
    spelling.add_argument("--ascii", action="store_true", help="beta, integral[x], diff(u, x)")
    effect = sub.add_mutually_exclusive_group()
    effect.add_argument("--check", action="store_true", help="print nothing; exit 1 if the file would change")
    effect.add_argument("-i", "--in-place", action="store_true", help="rewrite the file")
    sub.set_defaults(command=fmt)


def fmt(arguments: argparse.Namespace) -> int:
    """0, or 1 when `--check` finds a difference or the spec does not parse."""
    from pdespec.syntax.format import format_text

    if arguments.in_place and arguments.spec == "-":
        raise UsageError("-i needs a file, not standard input")
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
