"""One row of the speed table: all engines, compiled and not, and all hand-written variants, checked and timed.

    python -m tests.benchmarks.measure poisson --engines channels,auto --compile

prints the row's measurements as JSON; `run` calls this for each row in a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import resource
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.benchmarks import libraries, limits
from tests.benchmarks.contest import Sample, Step, Turn, adam, disagreement, interleaved, timed, turns
from tests.benchmarks.emitted import SPECS, Refused, Training, build, config, load, training, without_engine
from tests.benchmarks.libraries import Worker
from tests.benchmarks.nested import VARIANTS, Forward, Layers, Tape, Variant, mlp
from tests.benchmarks.rows import ROWS, Group, Points, Residuals, Row

HOPELESS = 2.0  # a hand-written variant this many times slower than the fastest is timed once and left out
ENGINES = ("channels", "explicit", "auto")
SWEEP = "forward Laplacian"
TOLERANCES = {torch.float32: 1e-4, torch.float64: 1e-9}

ByHand = Callable[[Layers, Points], Residuals]


@dataclass(slots=True)
class Contestant:
    """Something that takes turns: how far it is from nested autograd in float32 and float64, and its compilation."""

    turn: Turn
    far: dict[str, float] = field(default_factory=dict)
    compile_seconds: float = 0.0


# ── the hand-written side ─────────────────────────────────────────────────────────────────────────────────────────────


def by_hand(row: Row) -> dict[str, ByHand]:
    """The residuals of a row by each variant that has its orders, and by a forward Laplacian where there is one."""
    found: dict[str, ByHand] = {}
    for name, variant in VARIANTS.items():
        if isinstance(variant, Tape):
            found[name] = functools.partial(_on_network, row.tape, variant)
        elif isinstance(variant, Forward) or row.order <= 2:
            found[name] = functools.partial(_on_network, row.func, variant)
    return found | ({SWEEP: row.sweep} if row.sweep else {})


def _on_network(residuals: Callable[..., Residuals], variant: Variant, layers: Layers, points: Points) -> Residuals:
    return residuals(lambda z: mlp(layers, z), points, variant)


def nested_step(residuals: ByHand, start: Training, parameters: Sequence[Tensor]) -> tuple[Step, Sample]:
    """Adam on the same parameters and points as a script, and what its first gradient is."""
    own = [p.clone().requires_grad_() for p in parameters]
    layers, optimiser = list(zip(own[::2], own[1::2], strict=True)), adam(own)

    def loss() -> Tensor:
        found = residuals(layers, {label: z.detach() for label, z in start.points.items()})
        return start.weighted({label: r.square().mean(-1).sum() for label, r in found.items()})

    def step() -> None:
        optimiser.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    first = loss()
    return step, Sample(first.detach(), torch.autograd.grad(first, own))


# ── the emitted side ──────────────────────────────────────────────────────────────────────────────────────────────────


def first_step(start: Training) -> Sample:
    """The loss and the gradient of a script's first step; raises RuntimeError where it goes on without its compiler."""
    with contextlib.redirect_stderr(io.StringIO()) as log:
        terms = start.step(0)
    if "not compiled: " in log.getvalue():
        raise RuntimeError(log.getvalue().partition("not compiled: ")[2].strip())
    gradients = [p.grad.clone() for p in start.parameters if p.grad is not None]
    return Sample(start.weighted(terms).detach(), gradients)


def stepping(start: Training) -> Step:
    """One step after the other."""
    counter = iter(range(1, 10**9))
    return lambda: start.step(next(counter))


def cpu_seconds() -> float:
    """CPU time of this process and of its children, such as the C++ compiler."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@functools.cache
def compiler_start() -> float:
    """CPU seconds that the compiler's first use takes, whatever it compiles: each script by itself would spend them."""
    began = cpu_seconds()
    torch.compile(torch.sin)(torch.zeros(2))
    return cpu_seconds() - began


def enter(row: Row, groups: Sequence[Group], path: Path, compiled: bool) -> Contestant:
    """A script as a contestant, checked in both precisions."""
    beginning = compiler_start() if compiled else 0.0
    far = {}
    for dtype in (torch.float64, torch.float32):
        start = training(load(path, dtype), groups, compilation="on" if compiled else "off")
        before = [p.detach().clone() for p in start.parameters]
        _, reference = nested_step(by_hand(row)["grad"], start, before)
        began = cpu_seconds()
        far[str(dtype).removeprefix("torch.")] = disagreement(first_step(start), reference)
        seconds = cpu_seconds() - began
    step = stepping(start)
    step()
    return Contestant(turns(step), far, beginning + seconds - timed(step, 1) if compiled else 0.0)


def scripts(row: Row, engines: Iterable[str], folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The scripts of all engines; those that are refused, and what the planner chooses, in words."""
    found: dict[str, Path] = {}
    told: dict[str, str] = {}
    for engine in engines:
        built = build(SPECS / f"{row.name}.pde", engine, folder)
        if isinstance(built, Refused):
            told[engine] = built.reason
            continue
        if engine != "auto":
            found[engine] = built
            continue
        compiles = config(load(built, torch.float32)).compiles
        same = next((e for e, p in found.items() if without_engine(p) == without_engine(built)), "another script")
        told[engine] = f"{same}, compiled" if compiles else same
    return found, told


# ── the contest ───────────────────────────────────────────────────────────────────────────────────────────────────────


def measure(
    row: Row, engines: Sequence[str], compiled: Sequence[bool], with_libraries: bool, blocks: int, seconds: float
) -> dict[str, Any]:
    """All measurements of a row."""
    entered: dict[str, Contestant] = {}
    with tempfile.TemporaryDirectory() as folder:
        found, told = scripts(row, engines, Path(folder))
        for engine, path in found.items():
            for with_compiler in compiled:
                name = f"{engine}, compiled" if with_compiler else engine
                try:
                    entered[name] = enter(row, row.groups, path, with_compiler)
                except RuntimeError as problem:  # the compiler's; the row goes on without this one
                    told[name] = str(problem).splitlines()[0][:200]
        if not found:
            return {"row": row.name, "told": told}
        start = training(load(next(iter(found.values())), torch.float32), row.groups)
    by_hand, slow = hand_written(row, start)
    others, absent = enter_libraries(row, start) if with_libraries else ({}, {})
    gemm, gemm_flops = limits.products(row, row.groups, torch.float32)
    tanh, tanh_count = limits.activation(row, row.groups, torch.float32)
    everyone = {**entered, **by_hand, "gemm": Contestant(turns(gemm)), "tanh": Contestant(turns(tanh))}
    workers = {name: Contestant(worker.turn, far) for name, (worker, far) in others.items()}
    times = interleaved({name: c.turn for name, c in {**everyone, **workers}.items()}, blocks, seconds)
    for worker, _ in others.values():
        worker.end()
    rate, flops = gemm_flops / times["gemm"].median, limits.matmul_flops(row, row.groups)
    return {
        "row": row.name,
        "told": told | absent,
        "libraries": {name: worker.versions for name, (worker, _) in others.items()},
        "nested": [name for name in by_hand if name in VARIANTS],
        "slow": slow,
        "steps": {
            name: {"seconds": times[name].blocks, "far": c.far, "compile": c.compile_seconds}
            for name, c in {**entered, **by_hand, **workers}.items()
        },
        "flops": flops,
        "flops_per_second": rate,
        "limit": flops / rate + limits.tanh_values(row, row.groups) * times["tanh"].median / tanh_count,
    }


def enter_libraries(row: Row, start: Training) -> tuple[dict[str, tuple[Worker, dict[str, float]]], dict[str, str]]:
    """The libraries that state this row, with their distance from nested autograd; those that do not run, in words."""
    entered: dict[str, tuple[Worker, dict[str, float]]] = {}
    absent: dict[str, str] = {}
    if row.name not in libraries.ROWS:
        return entered, absent
    parameters = [p.detach().clone() for p in start.parameters]
    _, reference = nested_step(by_hand(row)["grad"], start, parameters)
    weights = {g.label: start.stage.weights.get(g.label, 1.0) for g in row.groups}
    for name, environment in libraries.LIBRARIES.items():
        python = libraries.ready(environment)
        if isinstance(python, Refused):
            absent[name] = python.reason
            continue
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "gradients.pt"
            task = libraries.Task(row.name, str(answer), start.points, weights, parameters, torch.zeros(0, 2))
            try:
                worker = Worker(libraries.command(name, python, task, Path(folder)), answer)
            except RuntimeError as problem:
                absent[name] = str(problem)
                continue
        found = Sample(reference.loss, worker.gradients)  # not all of them tell their loss
        entered[name] = worker, {"float32": disagreement(found, reference)}
    return entered, absent


def hand_written(row: Row, start: Training) -> tuple[dict[str, Contestant], dict[str, float]]:
    """The hand-written variants, checked against the first; those without a chance with their time."""
    parameters = [p.detach().clone() for p in start.parameters]
    entered: dict[str, Contestant] = {}
    took: dict[str, float] = {}
    reference: Sample | None = None
    for name, residuals in by_hand(row).items():
        began = cpu_seconds()
        step, sample = nested_step(residuals, start, parameters)
        reference = reference or sample
        entered[name] = Contestant(turns(step), {"float32": disagreement(sample, reference)})
        took[name] = cpu_seconds() - began  # of a first gradient, which is slower than a step
        if took[name] < 2 * HOPELESS * min(took.values()):
            took[name] = timed(step, 1)
    least = min(seconds for name, seconds in took.items() if name in VARIANTS)
    slow = {name: seconds for name, seconds in took.items() if name in VARIANTS and seconds > HOPELESS * least}
    return {name: c for name, c in entered.items() if name not in slow}, slow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--compile", choices=("both", "yes", "no"), default="both")
    parser.add_argument("--libraries", action="store_true", help="other libraries too")
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="of CPU time for a block")
    options = parser.parse_args()
    torch.set_num_threads(1)
    compiled = {"both": (False, True), "yes": (True,), "no": (False,)}[options.compile]
    engines = options.engines.split(",")
    found = measure(ROWS[options.row], engines, compiled, options.libraries, options.blocks, options.seconds)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
