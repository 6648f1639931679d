"""Random and mutated specs through the whole compiler: diagnostics come out, never an exception, and soon.

    python -m tests.fuzz.campaign 100000 [--seed S] [--processes N] [--folder DIR] [--summary FILE]

Work goes in batches of 500 specs, each a subprocess of its own with one line of JSON in FOLDER as its result; a batch
that has its line is not done again, so a campaign that was stopped goes on.  At the end the batches are put together in
`FILE`.  The limits are those of the acceptance: parse, check and derive (with a limit of .5 s) within 1 s.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from pdespec.derive.derive import derive
from pdespec.diagnostics import Diagnostic, has_errors
from pdespec.emit.script import emit
from pdespec.model.check import check
from pdespec.plan.choose import plan
from pdespec.render import render
from pdespec.source import Source
from pdespec.syntax.parse import parse
from tests.fuzz import semantic

HERE = Path(__file__).resolve().parent
BATCH = 500
BOUND = 1.0
DERIVATION = 0.5
HANG = 30
MEMORY = 4 << 30


class Hang(BaseException):
    """A spec that did not come to its end; nothing on the way catches it."""


@dataclass(slots=True)
class Outcome:
    """How far a text went, what was said about it, and the CPU seconds of parse, check and derive."""

    stage: str
    codes: tuple[str, ...]
    seconds: float
    beyond: float = 0.0


def examine(text: str) -> Outcome:
    """Every stage, the last one being the first that found an error.  Exceptions come out as they are."""
    start = time.process_time()
    source = Source("fuzz.pde", text)
    spec, found = parse(source)
    stage = "parse"
    derivation = None
    if not has_errors(found):
        stage = "check"
        model, more = check(spec, folder=HERE, name="fuzz")
        found += more
        if model is not None and not has_errors(found):
            stage = "derive"
            derivation, more = derive(model, seconds=DERIVATION)
            found += more
    seconds = time.process_time() - start
    if derivation is not None and not has_errors(found):
        stage, found = _beyond(derivation, found)
    _well_formed(found, source)
    return Outcome(stage, tuple(d.code for d in found), seconds, time.process_time() - start - seconds)


def _beyond(derivation: object, found: tuple[Diagnostic, ...]) -> tuple[str, tuple[Diagnostic, ...]]:
    """Plan and emission, whose script the compiler has parsed again and checked."""
    chosen, more = plan(derivation)  # type: ignore[arg-type]
    found += more
    if chosen is None or has_errors(found):
        return "plan", found
    script, more = emit(chosen)
    found += more
    assert (script is None) == has_errors(more), "a script beside an error, or neither"
    return ("emit" if script is None else "built"), found


def _well_formed(found: tuple[Diagnostic, ...], source: Source) -> None:
    for d in found:
        assert d.code.startswith("PDE") and d.message, d
        if d.span is not None and d.span.source is source:
            assert 0 <= d.span.start <= d.span.end <= len(source.text), d
    told = render(found)
    assert all(d.code in told for d in found)


@dataclass(slots=True)
class Result:
    """What a batch gave; `failures` are those that must not be."""

    first: int
    count: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str]] = field(default_factory=list)
    slowest: float = 0.0
    slowest_number: int = -1
    slowest_build: float = 0.0
    cpu: float = 0.0


def batch(first: int, count: int, seed: int) -> Result:
    """A run of specs in this process; none of them can stop it."""
    signal.signal(signal.SIGALRM, _hang)
    examine("param a = 1\ndomain X(x) = [0, 1]\nunknown u : X -> R\nb: Δu = a on X\nw: u = 0 on ∂X\nsolve b, w\n")
    result = Result(first)
    began = time.process_time()
    for number, text in semantic.specs(count, seed, first):
        result.count += 1
        signal.alarm(HANG)
        try:
            outcome = examine(text)
        except (Exception, Hang) as failure:
            result.failures.append((number, _named(failure)))
            continue
        finally:
            signal.alarm(0)
        result.stages[outcome.stage] += 1
        result.codes.update(set(outcome.codes))
        if outcome.seconds > result.slowest:
            result.slowest, result.slowest_number = outcome.seconds, number
        result.slowest_build = max(result.slowest_build, outcome.beyond)
        if outcome.seconds > BOUND:
            result.failures.append((number, f"slow: {outcome.seconds:.2f} s"))
    result.cpu = time.process_time() - began
    return result


def _hang(_number: int, _frame: FrameType | None) -> None:
    raise Hang(f"no end after {HANG} s")


def _named(failure: BaseException) -> str:
    """The kind of a failure and the last place of ours in its traceback."""
    frames = [f for f in traceback.extract_tb(failure.__traceback__) if "/pdespec/" in f.filename]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"{type(failure).__name__} at {place}: {str(failure)[:100]}"


def campaign(count: int, seed: int, processes: int, folder: Path) -> dict[str, object]:
    """All batches, several at a time, those that are done already left out; the summary."""
    folder.mkdir(parents=True, exist_ok=True)
    firsts = [k for k in range(0, count, BATCH) if not (folder / f"{k}.json").exists()]
    running: list[subprocess.Popen[bytes]] = []
    for k in firsts:
        command = [sys.executable, "-m", "tests.fuzz.campaign", str(min(BATCH, count - k)), "--seed", str(seed)]
        command += ["--first", str(k), "--folder", str(folder)]
        running.append(subprocess.Popen(command, cwd=HERE.parents[1]))
        while len(running) >= processes:
            time.sleep(0.05)
            running = [p for p in running if p.poll() is None]
    for p in running:
        p.wait()
    return summary(folder, seed)


def summary(folder: Path, seed: int) -> dict[str, object]:
    """The batches put together."""
    stages: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    failures: list[tuple[int, str]] = []
    total, slowest, build, cpu = 0, (0.0, -1), 0.0, 0.0
    for path in sorted(folder.glob("[0-9]*.json"), key=lambda p: int(p.stem)):
        told = json.loads(path.read_text(encoding="utf-8"))
        total += told["count"]
        stages.update(told["stages"])
        codes.update(told["codes"])
        failures += [(number, words) for number, words in told["failures"]]
        slowest = max(slowest, (told["slowest"], told["slowest_number"]))
        build, cpu = max(build, told["slowest_build"]), cpu + told["cpu"]
    return {
        "specs": total,
        "seed": seed,
        "reached": {stage: stages[stage] for stage in ("parse", "check", "derive", "plan", "emit", "built")},
        "failures": [f"{number}: {words}" for number, words in failures],
        "slowest": {"seconds": round(slowest[0], 3), "number": slowest[1], "bound": BOUND},
        "slowest_plan_and_emission_seconds": round(build, 3),
        "cpu_seconds": round(cpu),
        "codes": dict(sorted(codes.items())),
    }


def main() -> int:
    """A campaign, or with `--first` one batch of it."""
    parser = argparse.ArgumentParser(description="Random and mutated specs through the compiler.")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=HERE.parents[1] / "build" / "fuzz")
    parser.add_argument("--summary", type=Path)
    arguments = parser.parse_args()
    if arguments.first is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        result = batch(arguments.first, arguments.count, arguments.seed)
        told = {name: getattr(result, name) for name in Result.__dataclass_fields__}
        (arguments.folder / f"{arguments.first}.json").write_text(json.dumps(told), encoding="utf-8")
        return 0
    folder = arguments.folder / f"seed{arguments.seed}"
    whole = campaign(arguments.count, arguments.seed, arguments.processes, folder)
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    if arguments.summary is not None:
        arguments.summary.write_text(text, encoding="utf-8")
    print(text, end="")
    return 1 if whole["failures"] or whole["specs"] != arguments.count else 0


if __name__ == "__main__":
    sys.exit(main())
