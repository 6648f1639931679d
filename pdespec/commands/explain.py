"""`pdespec explain`: the derivation of a spec, any stage of its compilation, or the page of a diagnostic code."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from pdespec.commands.pipeline import compiled
from pdespec.commands.terminal import UsageError, command, report, say, takes_spec

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands
    from pdespec.compiler import Compiled

STAGES = {"ast": "spec", "model": "model", "derivation": "derivation", "plan": "plan", "code": "source"}
"""The stages, and what `Compiled` calls their results."""

BEFORE = frozenset({"model", "derivation", "source"})  # a stage holds the one before it, which is not printed again


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "explain", "tell a spec's derivation, or what a diagnostic code means")
    takes_spec(sub, strict=False)
    sub.add_argument("--stage", choices=STAGES, help="print this stage of the compilation instead")
    sub.add_argument("--latex", action="store_true", help="the derivation as LaTeX, which needs amsmath")
    sub.set_defaults(command=explain)


def explain(arguments: argparse.Namespace) -> int:
    """Print one account and return 0."""
    if re.fullmatch(r"PDE\d{3}", arguments.spec, re.IGNORECASE):
        return _code(arguments, arguments.spec.upper())
    if arguments.stage and arguments.latex:
        raise UsageError("--latex tells the derivation; it does not go with --stage")
    result = compiled(arguments, upto=arguments.stage or "derivation")
    text = _told(arguments, result)
    report(arguments, result.diagnostics, spec=arguments.spec, text=text)
    say(arguments, text.rstrip("\n"))
    return 0


def _told(arguments: argparse.Namespace, result: Compiled) -> str:
    if arguments.stage:
        from pdespec.commands.tree import tree

        reached = getattr(result, STAGES[arguments.stage])
        text = reached if isinstance(reached, str) else tree(reached, without=BEFORE)
        if arguments.stage != "plan" or result.plan is None:
            return text
        from pdespec.emit.script import costs

        return "\n".join([text.rstrip("\n"), *(f"  {label}: {cost}" for label, cost in costs(result.plan).items())])
    from pdespec.derive import explain as account

    assert result.derivation is not None  # there was no error on the way to it
    return account.latex(result.derivation) if arguments.latex else account.text(result.derivation)


def _code(arguments: argparse.Namespace, code: str) -> int:
    from pdespec.explain_codes import pages

    known = pages()
    if code not in known:
        family = ", ".join(other for other in known if other[3] == code[3])
        raise UsageError(f"there is no {code}" + (f"; its family has {family}" if family else ""))
    report(arguments, (), code=code, text=known[code])
    say(arguments, known[code].rstrip("\n"))
    return 0
