"""`pdespec run`: build a spec's script into its run folder, run it there, and draw what it left.

The script prints its progress and its reports; its exit code is ours.
"""

from __future__ import annotations

import argparse
import json
import sys
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from pdespec.commands.build import say_plan, script_name, takes_engine, write_script
from pdespec.commands.child import supervised
from pdespec.commands.pipeline import compiled
from pdespec.commands.terminal import command, report, say, takes_spec

if TYPE_CHECKING:
    from pdespec.commands.terminal import Commands

FINISHED = (0, 1)  # the run came to its end, whether or not it met its bounds


def add_to(commands: Commands) -> None:
    """Declare the command."""
    sub = command(commands, "run", "build a spec, train it, report and draw")
    takes_spec(sub)
    takes_engine(sub)
    sub.add_argument("-o", "--out", type=Path, metavar="DIR", help="the run's folder (default: runs/NAME)")
    script = sub.add_argument_group("passed to the script")
    script.add_argument("--device", help="cpu, cuda, cuda:1 …")
    script.add_argument("--seed", help="seed of every random number")
    script.add_argument("--steps", help="steps of each iteration instead of the planned ones")
    script.add_argument("--threads", help="threads of the CPU")
    script.add_argument("--checkpoint", metavar="SECONDS", help="seconds between checkpoints")
    script.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    script.add_argument("--quick", action="store_true", help="a short run, to see that everything works")
    sub.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """The script's exit code; of a sweep, the largest."""
    name = script_name(arguments.spec)
    out: Path = arguments.out or Path("runs") / name
    cases = sweep(arguments)
    if len(cases) == 1:
        return _run_one(arguments, out / f"{name}.py", out)
    given, codes = arguments.settings, []
    for case in cases:
        say(arguments, f"── {', '.join(case)} ──")
        arguments.settings = [*given, *case]
        folder = out / "_".join(map(_folder_name, case))
        codes.append(_run_one(arguments, folder / f"{name}.py", folder))
        if codes[-1] not in FINISHED:
            break
    return max(codes)


def _folder_name(case: str) -> str:
    """κ=1/20 as κ=0.05, which is how it was written; κ=1/3, which has no short decimal, as κ=1÷3."""
    name, _, value = case.partition("=")
    try:
        short = f"{float(Fraction(value)):.12g}"
    except ValueError:  # π/2, which is no fraction
        return case.replace("/", "÷").replace("*", "·")
    return f"{name}={short}" if Fraction(short) == Fraction(value) else f"{name}={value.replace('/', '÷')}"


def sweep(arguments: argparse.Namespace) -> list[tuple[str, ...]]:
    """The settings of every run that the spec's sweeps ask for: `param β in {1, 5}` gives ["β=1"] and ["β=5"]."""
    model = compiled(arguments, upto="model").model
    swept = [[f"{p.symbol.name}={value}" for value in p.sweep] for p in model.params if p.sweep] if model else []
    return list(product(*swept))


def _run_one(arguments: argparse.Namespace, script: Path, out: Path) -> int:
    path, lines, seconds, result = write_script(arguments, script)
    if not arguments.json:
        report(arguments, result.diagnostics)
    say_plan(arguments, result)
    say(arguments, f"wrote {path}  ({lines} lines, {seconds:.1f} s)\n")

    # -P: a file beside the script must not hide a module that torch imports.
    argv = [sys.executable, "-P", str(path), "--out", str(out), *_flags(arguments)]
    code = supervised(argv, stdout=sys.stderr if arguments.json else None)
    pictures = _drawn(out) if code in FINISHED else ()
    if pictures:
        say(arguments, "pictures: " + ", ".join(map(str, pictures)))
    if arguments.json:
        metrics = out / "metrics.json"
        values = json.loads(metrics.read_text(encoding="utf-8")) if metrics.exists() else None
        report(
            arguments,
            result.diagnostics,
            script=str(path),
            exit_code=code,
            metrics=values,
            pictures=[str(picture) for picture in pictures],
        )
    elif code > 128 and code != 130:
        print(f"pdespec: the script was ended by signal {code - 128}", file=sys.stderr)
    return code


def _flags(arguments: argparse.Namespace) -> list[str]:
    flags = []
    for name in ("device", "seed", "steps", "threads", "checkpoint"):
        if (value := getattr(arguments, name)) is not None:
            flags += [f"--{name}", value]
    flags += [f"--{name}" for name in ("resume", "quick") if getattr(arguments, name)]
    return flags


def _drawn(out: Path) -> tuple[Path, ...]:
    from pdespec.plot import draw

    return draw(out)
