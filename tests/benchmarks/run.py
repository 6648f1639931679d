"""The benchmarks: `python -m tests.benchmarks.run [ROW …]`, or `make bench` for all.

Every row is measured in a process of its own, on one core, with a cold cache of the compiler.  What was measured is kept
in results.json beside this file, row by row, and the tables of the README are made from it by `--table`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from tests.benchmarks.emitted import ROOT
from tests.benchmarks.errors import SPECS
from tests.benchmarks.measure import ENGINES
from tests.benchmarks.rows import ROWS
from tests.benchmarks.table import error_table, library_table, speed_table

RESULTS = Path(__file__).with_name("results.json")
BEGIN, END = "<!-- speed -->", "<!-- end of speed -->"


def load() -> dict[str, Any]:
    """What was measured so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"speed": {}, "errors": {}}


def keep(section: str, name: str, entry: dict[str, Any]) -> None:
    """Write an entry at once: an interrupted benchmark loses nothing."""
    results = load()
    results[section][name] = entry
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def one_core(cache: str) -> dict[str, str]:
    """The environment of a measurement: one thread, and the compiler in the same process with a cache of its own."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TORCHINDUCTOR_COMPILE_THREADS"), "1")
    return {**os.environ, **threads, "TORCHINDUCTOR_CACHE_DIR": cache, "CUDA_VISIBLE_DEVICES": ""}


def measure_row(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """A row's measurements, from a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.measure", name, "--engines", options.engines]
    command += ["--compile", options.compile, "--blocks", str(options.blocks), "--seconds", str(options.seconds)]
    found = answered([*command, *(["--libraries"] if options.libraries else [])])
    return {**found, "commit": commit(), "torch": torch.__version__}


def measure_errors(problem: str, options: argparse.Namespace) -> dict[str, Any]:
    """Errors at equal time, from a process of its own."""
    return answered([sys.executable, "-m", "tests.benchmarks.errors", problem, "--seed", str(options.seed)])


def answered(command: list[str]) -> dict[str, Any]:
    """The JSON in the last line that a command prints, on one core."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(command, cwd=ROOT, env=one_core(cache), stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def commit() -> str:
    """The last commit of the package, with + where it was changed since."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return git("log", "-1", "--format=%h", "--", "pdespec") + (
        "+" if git("status", "--porcelain", "--", "pdespec") else ""
    )


def tables() -> str:
    """All tables, each with a line on how it was made."""
    found = load()
    made = {
        "": speed_table(found["speed"]),
        "Other libraries, each in its own training loop and process, by turns with the rest, over the same nested step:": (
            library_table(found["speed"])
        ),
        "Errors at equal time, one core, seed 0, at most 30 s (Poisson) and 60 s (Burgers) of CPU time: a shipped spec trains "
        "as it stands, a library by its own recipe (see `tests/benchmarks/peers`):": (error_table(found["errors"])),
    }
    return "\n\n".join(f"{how}\n\n{table}".strip() for how, table in made.items() if table)


def write_tables() -> None:
    """Put the tables between their marks in the README."""
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"some of {', '.join(ROWS)}; all without any")
    parser.add_argument("--engines", default=",".join(ENGINES), help="as of pdespec build --engine")
    parser.add_argument("--compile", choices=("both", "yes", "no"), default="both", help="by torch.compile")
    parser.add_argument("--blocks", type=int, default=7, help="how often every contestant has its turn")
    parser.add_argument("--seconds", type=float, default=0.3, help="of CPU time for a block")
    parser.add_argument("--no-libraries", dest="libraries", action="store_false", help="pdespec and nested alone")
    parser.add_argument("--errors", action="store_true", help="only the errors at equal time")
    parser.add_argument("--seed", type=int, default=0, help="of the trainings whose errors are told")
    parser.add_argument("--table", action="store_true", help="only write the README's tables")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}")
    if not options.table and not options.errors:
        for name in options.rows or ROWS:
            entry = measure_row(name, options)
            keep("speed", name, entry)
            print("\n\n".join(filter(None, [speed_table({name: entry}), library_table({name: entry})])), flush=True)
    if options.errors or not (options.table or options.rows):
        for problem in [row for row in options.rows if row in SPECS] or SPECS:
            entry = measure_errors(problem, options)
            keep("errors", problem, entry)
            print(error_table({problem: entry}), flush=True)
    write_tables()


if __name__ == "__main__":
    main()
