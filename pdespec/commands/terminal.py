"""What every command says and how: findings to stderr, results to stdout, or everything as one JSON object.

With `--json` the only thing on stdout is an object (one for each spec) with `pdespec` (the version), `ok`,
`diagnostics` and the fields of the command.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pdespec
from pdespec.diagnostics import Diagnostic, Severity, SpecError, has_errors
from pdespec.excerpt import printable

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


class UsageError(Exception):
    """The command was called wrongly: a file that is not there, a setting without `=`."""


def command(commands: Commands, name: str, summary: str) -> argparse.ArgumentParser:
    """A subparser with the options that every command has."""
    sub = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    sub.add_argument("--debug", action="store_true", help="print a traceback with an internal error")
    sub.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    return sub


def takes_spec(sub: argparse.ArgumentParser, *, strict: bool = True, several: bool = False) -> None:
    """The arguments of a command that reads a spec, or one spec after the other."""
    text = "a .pde file, the name of a shipped spec, or - for standard input"
    if several:
        sub.add_argument("specs", metavar="SPEC", nargs="+", help=text)
    else:
        sub.add_argument("spec", metavar="SPEC", help=text)
    sub.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="settings", help="set a param (repeatable)"
    )
    if strict:
        sub.add_argument("--strict", action="store_true", help="let warnings, such as an undecided check, fail")


def each(arguments: argparse.Namespace, work: Callable[[argparse.Namespace], int]) -> int:
    """A command for each of its specs, also for those after one that is refused; the largest exit code."""
    codes = []
    for spec in arguments.specs:
        one = argparse.Namespace(**{**vars(arguments), "spec": spec})
        try:
            codes.append(work(one))
        except SpecError as refusal:
            report(one, refusal.diagnostics)
            codes.append(1)
    return max(codes)


def report(arguments: argparse.Namespace, diagnostics: Sequence[Diagnostic], **fields: object) -> None:
    """Findings for a person on stderr, or the command's JSON object on stdout."""
    from pdespec.render import as_json, colour_for, render

    if arguments.json:
        ok = not refused(arguments, diagnostics)
        whole = {"pdespec": pdespec.__version__, "ok": ok, "diagnostics": [as_json(d) for d in diagnostics], **fields}
        print(json.dumps(whole, ensure_ascii=False, indent=2))
    else:
        sys.stderr.write(render(diagnostics, colour=colour_for(sys.stderr)))


def say(arguments: argparse.Namespace, text: str) -> None:
    """A line of the result, for a person only."""
    if not arguments.json:
        print(printable(text))


def refused(arguments: argparse.Namespace, diagnostics: Sequence[Diagnostic]) -> bool:
    """Whether the findings make the command fail: errors always, warnings with `--strict`."""
    strict = getattr(arguments, "strict", False)
    return has_errors(diagnostics) or (strict and any(d.severity is Severity.WARNING for d in diagnostics))
