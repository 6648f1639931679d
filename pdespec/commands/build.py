"""`pdespec build`: write the script that a spec compiles to.

The script is named after the spec, and so that it hides no module which a script imports.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pdespec.commands.pipeline import compiled
from pdespec.commands.terminal import command, refused, report, say, takes_spec
from pdespec.diagnostics import SpecError
from pdespec.output import replace

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands
    from pdespec.compiler import Compiled


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "build", "write the PyTorch script of a spec")
    takes_spec(sub)
    takes_engine(sub)
    sub.add_argument("-o", "--out", type=Path, metavar="PATH", help="a .py file or a folder (default: build/)")
    sub.set_defaults(command=build)


def takes_engine(sub: argparse.ArgumentParser) -> None:
    """How the script computes derivatives."""
    sub.add_argument(
        "--engine",
        choices=("auto", "explicit", "channels", "autograd"),
        default="auto",
        help="derivatives of networks by one sweep with its adjoint written out (explicit) or without (channels), by "
        "nested autograd, or as the planner chooses (auto)",
    )


def build(arguments: argparse.Namespace) -> int:
    """Write the script; 1 when the spec is refused."""
    out: Path = arguments.out or Path("build")
    path = out if out.suffix == ".py" else out / (script_name(arguments.spec) + ".py")
    path, lines, seconds, result = write_script(arguments, path)
    report(
        arguments, result.diagnostics, script=str(path), lines=lines, seconds=round(seconds, 3), plan=planned(result)
    )
    say_plan(arguments, result)
    say(arguments, f"wrote {path}  ({lines} lines, {seconds:.1f} s)")
    return 0


def write_script(arguments: argparse.Namespace, path: Path) -> tuple[Path, int, float, Compiled]:
    """Compile a command's spec into a file: its path, its number of lines, the seconds taken, and the stages."""
    started = time.perf_counter()
    result = compiled(arguments)
    if refused(arguments, result.diagnostics):
        raise SpecError(result.diagnostics)
    script = result.source or ""
    replace(path, script.encode())
    return path, script.count("\n"), time.perf_counter() - started, result


def planned(result: Compiled) -> dict[str, list[str]]:
    """For each solve, by its label, what was planned and why."""
    return {r.solve.label: list(r.why) for r in result.plan.solves} if result.plan else {}


def say_plan(arguments: argparse.Namespace, result: Compiled) -> None:
    """The identities that were proved, and the plan of each solve in words."""
    if result.derivation is not None:
        for identity in result.derivation.identities:
            say(arguments, f"  check {identity.check.text}: {identity.verdict}")
    reasons = planned(result)
    width = max(map(len, reasons), default=0)
    for label, why in reasons.items():
        for first, reason in zip([label, *[""] * len(why)], why, strict=False):
            say(arguments, f"  {first:<{width}}  {reason}")


def script_name(spec: str) -> str:
    """A module name for a spec's script: an identifier that hides no module which the script imports."""
    stem = "spec" if spec == "-" else Path(spec).stem
    name = re.sub(r"\W", "_", stem)
    if not name[:1].isidentifier():
        name = "_" + name
    hides = name in sys.stdlib_module_names or name in ("torch", "numpy") or keyword.iskeyword(name)
    return name + "_" if hides else name
