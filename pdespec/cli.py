"""The command line: arguments, exit codes, and the boundary at which every error becomes a message.

Exit codes: 0 ok; 1 a spec, a check or a bound of a report fell short; 2 usage; 3 internal; 130 interrupted.  `run`
passes on the script's own codes 4 (diverged) and 5 (resume mismatch).  Nothing heavy is imported here: each command
imports the stages that it needs, so that `pdespec --help` is immediate and `pdespec check` never loads torch.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence

import pdespec
from pdespec.commands import build, check, explain, fmt, new, plot, run, shipped
from pdespec.commands.terminal import UsageError, report
from pdespec.diagnostics import SpecError
from pdespec.excerpt import printable
from pdespec.output import OutputError

COMMANDS = (new, check, build, run, explain, fmt, shipped, plot)

EPILOGUE = """\
examples:
  pdespec new heat.pde                     start from a commented spec
  pdespec check heat.pde                   names, types, well-posedness and every identity
  pdespec explain heat.pde                 the derivation, step by step
  pdespec run heat.pde --set κ=0.1         build, train, report, draw
  pdespec explain PDE303                   what a diagnostic means

exit codes: 0 ok, 1 a spec or the bound of a report fell short, 2 usage, 3 internal, 4 diverged, 5 resume mismatch,
130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets `command`, the function that carries it out."""
    top = argparse.ArgumentParser(
        prog="pdespec",
        description="Compile equations, objectives and gradient flows into readable PyTorch scripts.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"pdespec {pdespec.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Unicode shows π as \u03c0
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
        sys.stdout.flush()
    except SpecError as refused:
        report(arguments, refused.diagnostics)
        return 1
    except (UsageError, OutputError) as mistake:
        print(f"pdespec: {printable(str(mistake))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("pdespec: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; let the exit be quiet
        return 141
    except Exception as failure:
        return internal(failure, debug=arguments.debug)
    return code


def internal(failure: Exception, *, debug: bool) -> int:
    """A bug of ours: say so, and what would help to mend it."""
    if debug:
        traceback.print_exception(failure)
    words = str(failure) or "no message"
    print(f"pdespec: internal error: {type(failure).__name__}: {words}", file=sys.stderr)
    print("This is a bug in pdespec, not in your spec. Please report it with the spec, the command", file=sys.stderr)
    again = "and the traceback above" if debug else "and the traceback that --debug prints"
    print(f"{again} (pdespec {pdespec.__version__}, Python {sys.version.split()[0]}).", file=sys.stderr)
    return 3
