"""kuramoto: p : P(Θ) over I.

    flow   ∂t p = -grad(E, p; metric=W2) on Θ × I     spec:9
    start  p = 1/(2*π) * (1 + 1/5*cos(θ)) on Θ × {0}  spec:10

Derived: flow is ∂t p = −κ ∇·(p ∇(∫ cos(θ − φ) p(φ) dφ)) + 1/β Δp.
    dE/dt = −∫ p |∇(1/β (ln p + 1) − κ ∫ cos(θ − φ) p(φ) dφ)|² dθ
Planned: using grid: as the spec asks; Scharfetter–Gummel fluxes: linear diffusion, Gibbs densities stationary; 256
    cells on torus(2*pi), 400 steps of 0.0075.
Emitted by pdespec 0.1.0 from kuramoto.pde (sha256 42bee9db4f37d30d4d5e254723bdf910437835207f81ccf34a0a829e0b43b393).
Needs torch alone; `python kuramoto.py --help`.
"""

from __future__ import annotations

import argparse
import copy
import fcntl
import hashlib
import json
import math
import os
import platform
import re
import shutil
import signal
import struct
import sys
import threading
import time
import traceback
import zipfile
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from types import FrameType
from typing import IO, Any, NamedTuple, Protocol

import torch
from torch import Tensor


# ── precision ─────────────────────────────────────────────────────────────────────────────────────────────────────────
dtype = torch.float64


# ── parameters ────────────────────────────────────────────────────────────────────────────────────────────────────────
beta = 1.0                                              # spec:2  β
kappa = 4.0                                             # spec:2  κ


# ── flow: ∂t p = -grad(E, p; metric=W2) on Θ × I ─────────────────────────────────────────────────────────────── spec:9
def potential(p: Tensor, grid: Grid) -> Tensor:
    """Φ = −κ ∫ cos(θ − φ) p(φ) dφ, in the cells."""
    theta = grid.centres().flatten()
    p = p.flatten()
    return (-kappa * (p * torch.cos(theta[:, None] - theta)).sum(-1) * grid.volume).reshape(grid.cells)


def energy(p: Tensor, grid: Grid) -> Tensor:
    """E = 1/β ∫ p ln p dθ − κ/2 ∬ cos(θ − φ) p(θ) p(φ) dθ dφ"""
    theta = grid.centres().flatten()
    p = p.flatten()
    return (
        torch.xlogy(p, p).sum() * grid.volume / beta
        - 0.5 * kappa * ((p[:, None] * p * torch.cos(theta[:, None] - theta)).sum(-1) * grid.volume).sum() * grid.volume
    )


# ── start ───────────────────────────────────────────────────────────────────────────────────────────────────── spec:10
def initial(z: Tensor) -> Tensor:
    """1/(2 π) (1/5 cos(θ) + 1)"""
    return (0.2 * torch.cos(z[..., 0]) + 1) / (2 * math.pi)


# ── solve ───────────────────────────────────────────────────────────────────────────────────────────────────── spec:12
def solve(config: Config) -> tuple[GridFlow, list[Stage]]:
    """400 steps of 0.0075."""
    grid = Grid((0.0,), (2 * math.pi,), (256,), (True,), config.device)
    p = probability(cell_averages(initial, grid), grid)

    def advance(state: dict[str, Tensor], t: float, dt: float, random: torch.Generator) -> dict[str, Tensor]:
        return {"p": mean_field_step(state["p"], lambda p: potential(p, grid), 1 / beta, grid, dt)}

    def monitor(state: dict[str, Tensor], t: float) -> dict[str, float | Tensor]:
        return {
            "time": t,
            "energy": energy(state["p"], grid),
            "mass": mass(state["p"], grid),
            "minimum": state["p"].min(),
        }

    keep = (*report_times()["solution"], *snapshots(0.0, 0.0075, 400, 40))
    flow = GridFlow("flow", config.share(400), 0.0075, {"p": p}, advance, monitor, config.seed, 0.0, keep, grid)
    return flow, [flow]


# ── training ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def train(config: Config, on_step: Callable[[Step], object] = lambda step: None) -> tuple[dict[str, object], Run]:
    """Run every solve; returns the solutions by label, and how the run went."""
    globals().update(config.parameters)  # --set
    solution, solution_stages = solve(config)
    run = run_stages(solution_stages, config, labels=("time", "energy", "mass", "minimum"), on_step=on_step)
    return {"solution": solution}, run


# ── reports ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def report_times() -> dict[str, tuple[float, ...]]:
    """When the reports look at each flow."""
    return {"solution": (0.0, 0.5, 1.0, 2.0, 3.0)}


def report_1(solutions: dict[str, Any], config: Config, t: float) -> float:  # spec:13
    """r(p)(t)"""
    grid = solutions["solution"].grid
    theta = grid.centres().reshape(-1)
    p = state_at(solutions["solution"], t)["p"].flatten()
    return (
        ((p * torch.cos(theta)).sum() * grid.volume).square()
        + ((p * torch.sin(theta)).sum() * grid.volume).square()
    ).sqrt().item()


@torch.no_grad()
def evaluate(solutions: dict[str, Any], config: Config) -> list[Report]:
    """Every report of the spec, with its bound."""
    return [
        near("r(p)(0.5)", report_1(solutions, config, 0.5), 0.1634752348, within=0.001),
        near("r(p)(1)", report_1(solutions, config, 1.0), 0.2617002357, within=0.001),
        near("r(p)(2)", report_1(solutions, config, 2.0), 0.5633355111, within=0.001),
        near("r(p)(3)", report_1(solutions, config, 3.0), 0.779750282, within=0.001),
    ]


# ── saved solutions ───────────────────────────────────────────────────────────────────────────────────────────────────
def save(solutions: dict[str, Any], config: Config) -> None:
    """solution.npz: the solutions on grids, for pictures and for later use."""
    arrays: dict[str, Tensor] = {}
    grid = solutions["solution"].grid
    arrays["solution.p.axis.theta"] = grid.centres()[:, 0]
    arrays["solution.p.time.t"], arrays["solution.p"] = kept_fields(solutions["solution"], "p")
    write_npz(config.out / "solution.npz", arrays)


# ── runtime: the pieces of pdespec.runtime that this script uses ──────────────────────────────────────────────────────
@dataclass(frozen=True)
class Config:
    """How a script is run. `planned` are the steps that the spec asks for, `parameters` its parameters."""

    out: Path
    spec: str  # SHA-256 of the spec
    planned: int
    steps: int = 0  # in place of the planned ones; 0: as planned
    seed: int = 0
    device: str = "cuda" if torch.cuda.is_available() else "cpu"
    checkpoint: float = 30.0  # seconds between checkpoints
    resume: bool = False
    parameters: Mapping[str, float] = field(default_factory=dict)
    positive: tuple[str, ...] = ()  # parameters that must stay above zero

    def share(self, planned: int) -> int:
        """The steps of a stage that is meant to have `planned` of the planned ones."""
        return max(1, round(planned * (self.steps or self.planned) / self.planned))

    def fingerprint(self) -> dict[str, str]:
        """What must agree when a run is resumed."""
        parts = {"spec": self.spec, "seed": self.seed, "steps": self.steps or self.planned}
        parts |= {"processes": os.environ.get("WORLD_SIZE", 1)} | {f"--set {k}": v for k, v in self.parameters.items()}
        return {name: str(part) for name, part in parts.items()}


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of the box ∏ [lowₖ, highₖ], `cells[k]` along axis k; an axis with `periodic[k]` is a circle."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    cells: tuple[int, ...]
    periodic: tuple[bool, ...]
    device: str = "cpu"

    @property
    def spacing(self) -> tuple[float, ...]:
        return tuple((b - a) / n for a, b, n in zip(self.low, self.high, self.cells, strict=True))

    @property
    def volume(self) -> float:
        """Volume of one cell."""
        return math.prod(self.spacing)

    def points(self, offset: tuple[float, ...]) -> Tensor:
        """Points of shape (*cells, d); `offset` in cells: 0 for the lower corner of each cell, ½ for its centre."""
        axes = [
            a + h * (torch.arange(n, dtype=torch.float64, device=self.device) + s)
            for a, h, n, s in zip(self.low, self.spacing, self.cells, offset, strict=True)
        ]
        return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)

    def centres(self) -> Tensor:
        """Cell centres, shape (*cells, d)."""
        return self.points((0.5,) * len(self.cells))

    def faces(self, axis: int) -> Tensor:
        """Centres of the faces i + ½ across `axis`, shape (*cells, d)."""
        return self.points(tuple(1.0 if k == axis else 0.5 for k in range(len(self.cells))))

    def open_faces(self, axis: int) -> Tensor:
        """1 where mass may pass a face across `axis`, 0 at a wall; broadcasts against a field."""
        mask = torch.ones(self.cells[axis], dtype=torch.float64, device=self.device)
        if not self.periodic[axis]:
            mask[-1] = 0
        return mask.reshape([-1 if k == axis else 1 for k in range(len(self.cells))])


def seeded(*key: int, device: torch.device | str = "cpu") -> torch.Generator:
    """The generator of a key, e.g. (seed, step, rank)."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest, "big") >> 1)


@dataclass
class Evolution:
    """Carry `state` in time from `start`: state ← advance(state, t, dt, random), its randomness drawn from (seed, k).

    `trace` has what `monitor(state, t)` tells after each step, `kept` the states at the times in `keep`; one between
    two steps is reached on the side, from the step before it, so that looking at a flow does not change it. After a
    step that was not finite, every dt is taken in twice as many parts.
    """

    name: str
    steps: int
    dt: float
    state: dict[str, Tensor]
    advance: Callable[[dict[str, Tensor], float, float, torch.Generator], dict[str, Tensor]]
    monitor: Callable[[dict[str, Tensor], float], Mapping[str, float | Tensor]]
    seed: int = 0
    start: float = 0.0
    keep: Sequence[float] = ()

    def __post_init__(self) -> None:
        self.parts, self.device = 1, next(iter(self.state.values())).device
        self.trace: dict[str, list[float]] = {}
        self.kept = {self.start: self.state} if self.start in self.keep else {}

    def moved(self, t: float, span: float, random: torch.Generator) -> dict[str, Tensor]:
        """The state after another `span` from t."""
        state = self.state
        for part in range(self.parts):
            state = self.advance(state, t + part * span / self.parts, span / self.parts, random)
        return state

    def step(self, k: int) -> Mapping[str, float | Tensor]:
        t = self.start + k * self.dt
        after = self.moved(t, self.dt, seeded(self.seed, k, device=self.device))
        for time in self.keep:
            share = (time - t) / self.dt
            if 1e-9 < share <= 1 + 1e-9:
                aside = seeded(self.seed, k, 1, device=self.device)
                self.kept[time] = after if share > 1 - 1e-9 else self.moved(t, time - t, aside)
        self.state = after
        told = self.monitor(self.state, t + self.dt)
        for label, value in told.items():
            self.trace.setdefault(label, []).append(float(value))
        return told

    def state_dict(self) -> dict[str, Any]:
        return {"state": self.state, "parts": self.parts, "trace": self.trace, "kept": self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.parts, self.trace = state["parts"], state["trace"]
        self.state = {name: x.to(self.device) for name, x in state["state"].items()}
        self.kept = {k: {name: x.to(self.device) for name, x in kept.items()} for k, kept in state["kept"].items()}

    def slow_down(self) -> None:
        self.parts *= 2


@dataclass
class GridFlow(Evolution):
    """An evolution that remembers its grid."""

    grid: Grid | None = None


class Step(NamedTuple):
    """A step as `on_step` sees it: the `number`-th of `total`, and its terms by label."""

    number: int
    total: int
    stage: str
    terms: dict[str, float]


def readable(value: float, form: str = ".2e") -> str:
    """A number as people write it: 2.71e-3, not 2.71e-03."""
    return re.sub(r"e\+?(-?)0*(\d)", r"e\1\2", format(value, form))


class Progress:
    """Called with each step: on a terminal one live line, ten times a second; in a file a line every ten seconds."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.stage, self.due = "", 0.0

    def __call__(self, step: Step) -> None:
        now, left = time.monotonic(), step.total - step.number
        if step.stage != self.stage:
            self.stage, self.since, self.first = step.stage, now, step.number
        elif now < self.due and left:
            return
        self.due = now + (0.1 if self.live else 10.0)
        seconds = round((now - self.since) / max(1, step.number - self.first) * left)
        bar = "█" * (32 * step.number // step.total)
        terms = "   ".join(f"{label} {readable(value)}" for label, value in step.terms.items())
        clock = f"{seconds // 60}:{seconds % 60:02} left"
        line = f"{step.stage}  {bar:░<32}  {step.number}/{step.total}   {terms}   {clock}"
        if self.live:
            line = f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}"
        print(line, end="" if self.live and left else "\n", file=sys.stderr, flush=True)


class Report(NamedTuple):
    """A value, its standard error where it is an estimate, and its bound, met or not (NaN meets none)."""

    name: str
    value: float
    stderr: float | None = None
    bound: str = ""
    met: bool | None = None


class ResumeMismatch(Exception):
    """What is in the folder is not the run to resume."""


CHECKPOINTS = ("checkpoint.pt", "checkpoint.1.pt", "checkpoint.2.pt")  # newest first


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file, then put it in the place of `path`; where that fails, nothing is left."""
    new = path.with_name(path.name + ".new")
    try:
        with open(new, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _save(state: dict[str, Any], file: IO[bytes]) -> None:
    try:
        torch.save(state, file)
    except RuntimeError as problem:  # how torch tells that its archive could not be written
        raise OSError(f"{file.name} cannot be written: is the disk full?") from problem


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Save `state` as the newest of three; at every moment the one before is readable under one of the names."""
    for newer, older in ((CHECKPOINTS[1], CHECKPOINTS[2]), (CHECKPOINTS[0], CHECKPOINTS[1])):
        if (folder / newer).exists():
            os.replace(folder / newer, folder / older)
    write_atomically(folder / CHECKPOINTS[0], lambda file: _save(state, file))


class Diverged(Exception):
    """A step stayed NaN or infinite at every rate tried."""


def finite(tree: object) -> bool:
    """Whether all tensors in nested dictionaries and lists are finite."""
    if isinstance(tree, Tensor):
        return bool(tree.isfinite().all())
    branches = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return all(map(finite, branches))


class Stage(Protocol):
    """Steps k = 0, …, steps − 1, each telling values by label. The tensors of its state are finite."""

    name: str
    steps: int

    def step(self, k: int) -> Mapping[str, float | Tensor]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...
    def slow_down(self) -> None: ...  # halve the rate: the last step was not finite


class Run:
    """How far the stages have come. What follows depends on `state()` alone; history.csv gets a row for each step."""

    def __init__(self, stages: Sequence[Stage], history: IO[bytes], labels: Sequence[str]) -> None:
        self.stages, self.history, self.labels = stages, history, labels
        self.ends = list(accumulate(stage.steps for stage in stages))  # the number of each stage's last step
        self.total, self.taken, self.tries, self.seconds = max(self.ends, default=0), 0, 0, 0.0
        if history.tell() == 0:
            history.write(",".join(["step", "stage", *labels]).encode() + b"\n")

    def state(self) -> dict[str, Any]:
        stages = [stage.state_dict() for stage in self.stages]
        return {"taken": self.taken, "tries": self.tries, "history": self.history.tell(), "stages": stages}

    def load(self, state: dict[str, Any]) -> None:
        """Go to a saved state; the history is cut where it stood then, so that no row occurs twice."""
        if self.history.seek(0, os.SEEK_END) < state["history"]:
            raise ResumeMismatch("history.csv is shorter than the checkpoint says")
        self.history.truncate(self.history.seek(state["history"]))
        self.taken, self.tries = state["taken"], state["tries"]
        for stage, saved in zip(self.stages, copy.deepcopy(state["stages"]), strict=True):
            stage.load_state_dict(saved)

    def save(self, config: Config, good: dict[str, Any]) -> None:
        """Write a checkpoint, the history before it."""
        self.history.flush()
        os.fsync(self.history.fileno())
        state = {"fingerprint": config.fingerprint(), "seconds": self.seconds, "now": self.state(), "good": good}
        save_checkpoint(config.out, state)

    def step(self) -> Step:
        """Take one step. Raises FloatingPointError naming what is not finite."""
        number = bisect(self.ends, self.taken)
        stage = self.stages[number]
        told = stage.step(self.taken - self.ends[number] + stage.steps)
        terms = {label: float(value) for label, value in told.items()}
        self.taken += 1
        for label, value in terms.items():
            if not math.isfinite(value):
                raise FloatingPointError(f"{label} is {value} at step {self.taken} ({stage.name})")
        if self.at_good_state() and not finite(stage.state_dict()):
            raise FloatingPointError(f"the state is not finite after step {self.taken} ({stage.name})")
        cells = [str(self.taken), stage.name, *(repr(terms[label]) if label in terms else "" for label in self.labels)]
        self.history.write(",".join(cells).encode() + b"\n")
        return Step(self.taken, self.total, stage.name, terms)

    def at_good_state(self) -> bool:
        return self.taken % 50 == 0 or self.taken in self.ends

    def slow_down(self, problem: FloatingPointError) -> None:
        """From a good state, once more with half the rate."""
        if self.tries == 3:
            raise Diverged(f"{problem}, after halving the rate three times")
        print(f"{problem}: back to step {self.taken} with half the rate", file=sys.stderr)
        self.tries += 1
        self.stages[bisect(self.ends, self.taken)].slow_down()


def golub_welsch(off_diagonal: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes and weights (sum 1) of the even measure whose Jacobi matrix has this off-diagonal."""
    nodes, vectors = torch.linalg.eigh(torch.diag(off_diagonal, 1) + torch.diag(off_diagonal, -1))
    nodes, weights = (nodes - nodes.flip(0)) / 2, vectors[0].square()  # an even rule, as the measure is
    weights = weights + weights.flip(0)
    return nodes, weights / weights.sum()


def gauss_legendre(n: int, low: float, high: float) -> tuple[Tensor, Tensor]:
    """∫_low^high f ≈ Σ wᵢ f(xᵢ), exact for polynomials of degree 2n − 1; shapes (n,), (n,)."""
    k = torch.arange(1, n, dtype=torch.float64)
    nodes, weights = golub_welsch(k / (4 * k.square() - 1).sqrt())
    return (low + high) / 2 + (high - low) / 2 * nodes, (high - low) * weights


def cell_averages(f: Callable[[Tensor], Tensor], grid: Grid, nodes: int = 4) -> Tensor:
    """Averages of f over the cells by a tensor Gauss–Legendre rule; f maps points (…, d) to values (…)."""
    z, w = gauss_legendre(nodes, 0.0, 1.0)
    average = torch.zeros(grid.cells, dtype=torch.float64, device=grid.device)
    for index in torch.cartesian_prod(*[torch.arange(nodes)] * len(grid.cells)).reshape(-1, len(grid.cells)):
        average += w[index].prod().item() * f(grid.points(tuple(z[index].tolist())))
    return average


def exit_code(main: Callable[[], int]) -> int:
    """Run `main` and say how it ended: 0 to 5, or 130 where it was interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM like Ctrl-C
    try:
        return main()
    except KeyboardInterrupt as stop:
        print("interrupted", *stop.args, sep=": ", file=sys.stderr)
        return 130
    except (Diverged, ResumeMismatch) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 4 if isinstance(failure, Diverged) else 5
    except BrokenPipeError:  # who reads the output has gone: end as quietly as he
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 141
    except OSError as failure:  # a folder that cannot be written, a full disk
        print(f"error: {failure}", file=sys.stderr)
        return 3
    except Exception:
        traceback.print_exc()
        return 3


def finish(config: Config, run: Run, reports: Sequence[Report]) -> int:
    """Write metrics.json and print the reports as a table. The exit code is 1 where a bound is not met."""
    metrics = {
        # JSON has no NaN and no infinity
        "reports": [r._asdict() | ({} if math.isfinite(r.value) else {"value": None}) for r in reports],
        "spec": config.spec,
        "parameters": dict(config.parameters),
        "seed": config.seed,
        "steps": run.taken,
        "seconds": run.seconds,
        "device": config.device,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
    text = json.dumps(metrics, indent=2, allow_nan=False) + "\n"
    write_atomically(config.out / "metrics.json", lambda file: file.write(text.encode()))
    rows = [("report", "value", "bound", "met")]
    for r in reports:
        value = readable(r.value, ".6g" if abs(r.value) >= 0.01 else ".3e")
        error = "" if r.stderr is None else f" ± {readable(r.stderr, '.0e')}"
        rows.append((r.name, value + error, r.bound, {None: "", True: "yes", False: "no"}[r.met]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 1 if any(r.met is False for r in reports) else 0


def kept_fields(flow: Evolution, name: str) -> tuple[Tensor, Tensor]:
    """The times at which states were kept, (m,), in order, and a part of those states over the cells, (…, m)."""
    times = sorted(flow.kept)
    return torch.tensor(times, dtype=torch.float64), torch.stack([flow.kept[t][name] for t in times], -1)


def mass(p: Tensor, grid: Grid) -> float:
    """∫ p dx."""
    return p.sum().item() * grid.volume


def potential_jumps(potential: Tensor, grid: Grid) -> tuple[Tensor, ...]:
    """Φᵢ₊₁ − Φᵢ across the faces of each axis, from Φ at the cell centres."""
    return tuple(potential.roll(-1, k) - potential for k in range(len(grid.cells)))


def bernoulli(z: Tensor) -> Tensor:
    """B(z) = z/(eᶻ − 1), B(0) = 1."""
    return torch.where(z == 0, torch.ones_like(z), z / torch.expm1(z))


@dataclass(frozen=True, slots=True)
class Hops:
    """A Markov chain on the cells: rates over each axis' faces in units of `rate` = Λ, shape of the cells."""

    forward: tuple[Tensor, ...]  # i → i + 1
    backward: tuple[Tensor, ...]  # i + 1 → i
    periodic: tuple[bool, ...]
    rate: float


def hops(jumps: tuple[Tensor, ...], diffusion: float, grid: Grid) -> Hops:
    """The Scharfetter–Gummel chain of the potential jumps across the faces."""
    forward, backward = [], []
    out = torch.zeros(grid.cells, dtype=jumps[0].dtype, device=jumps[0].device)
    for k, (jump, h) in enumerate(zip(jumps, grid.spacing, strict=True)):
        factor = diffusion / h**2 * grid.open_faces(k)
        forward.append(factor * bernoulli(jump / diffusion))
        backward.append(factor * bernoulli(-jump / diffusion))
        out += forward[-1] + backward[-1].roll(1, k)
    rate = 1.05 * out.max().item()  # the margin keeps P's diagonal positive under rounding
    return Hops(tuple(f / rate for f in forward), tuple(b / rate for b in backward), grid.periodic, rate)


def face_views(chain: Hops, p: Tensor, after: Tensor, flux: Tensor) -> list[tuple[Tensor, ...]]:
    """Per axis, for the faces inside and those that join the ends: both rates, p on both sides, flux, `after` there."""
    views = []
    for k, (forward, backward) in enumerate(zip(chain.forward, chain.backward, strict=True)):
        n = p.shape[k]
        for first, then, count in [(0, 1, n - 1), (n - 1, 0, 1)][: 1 + chain.periodic[k]]:
            here = [field.narrow(k, first, count) for field in (forward, backward, p, flux, after)]
            views.append((*here, p.narrow(k, then, count), after.narrow(k, then, count)))
    return views


def hop(p: Tensor, after: Tensor, views: list[tuple[Tensor, ...]]) -> None:
    """P p = p + Ap/Λ, written to `after`: what leaves a cell enters its neighbour, so the mass is kept to rounding."""
    after.copy_(p)
    for forward, backward, p_here, flux, after_here, p_there, after_there in views:
        torch.mul(forward, p_here, out=flux).addcmul_(backward, p_there, value=-1)
        after_here.sub_(flux)
        after_there.add_(flux)


def transport(p: Tensor, chain: Hops, dt: float) -> Tensor:
    """e^{A dt} p by uniformisation, in pieces with Λdt ≤ 600 so that e^{−Λdt} does not underflow."""
    pieces = math.ceil(chain.rate * dt / 600)
    q = chain.rate * dt / pieces
    last = math.ceil(q + 8.5 * math.sqrt(q) + 20)  # the Poisson tail beyond is below 1e-16
    weights = [math.exp(k * math.log(q) - q - math.lgamma(k + 1)) for k in range(last + 1)]
    weights[round(q)] += 1 - math.fsum(weights)  # they sum to one: no drift of the mass
    power = (p.clone(), torch.empty_like(p))  # Pᵏ p, in turn here and there
    flux = torch.empty_like(p)
    views = (face_views(chain, *power, flux), face_views(chain, *power[::-1], flux))
    for _ in range(pieces):
        p = weights[0] * power[0]
        for k, weight in enumerate(weights[1:]):
            here, there = power[k % 2], power[1 - k % 2]
            hop(here, there, views[k % 2])
            p.add_(there, alpha=weight)
        power[0].copy_(p)
    return p


def mean_field_step(
    p: Tensor, potential: Callable[[Tensor], Tensor], diffusion: float, grid: Grid, dt: float
) -> Tensor:
    """∂ₜp = ∇·(p∇Φ(p)) + cΔp over dt: Φ frozen at the midpoint; order 2, positive, and Gibbs states stay."""

    def move(density: Tensor, span: float) -> Tensor:
        return transport(p, hops(potential_jumps(potential(density), grid), diffusion, grid), span)

    return move(move(p, dt / 2), dt)


Measured = float | tuple[float, float]


def near(
    name: str,
    measured: Measured,
    target: float,
    within: float | None = None,
    relative: float | None = None,
    stderrs: float | None = None,
) -> Report:
    """A value that must lie close to a target: by an absolute or a relative tolerance, or in its standard errors."""
    value, stderr = measured if isinstance(measured, tuple) else (measured, None)
    if within is not None:
        shown, allowed = readable(within, "g"), within
    elif relative is not None:
        shown, allowed = f"{readable(100 * relative, 'g')}%", relative * abs(target)
    else:
        shown, allowed = f"{stderrs:g}*stderr", (stderrs or math.nan) * (stderr or math.nan)
    bound = f"~ {readable(target, '.12g')} within {shown}"
    return Report(name, value, stderr, bound=bound, met=abs(value - target) <= allowed)


def probability(p: Tensor, grid: Grid) -> Tensor:
    """p / ∫p: the density with unit mass."""
    return p / (p.sum() * grid.volume)


def read_config(description: str, default: Config, arguments: Sequence[str] | None = None) -> Config:
    """The command line (or `arguments`) over the defaults. A mistake exits with 2."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=default.out, help="folder for all that is written")
    parser.add_argument("--device", default=default.device, help="where torch computes")
    parser.add_argument("--seed", type=int, default=default.seed, help="of the initial state and of all points")
    parser.add_argument("--steps", type=int, default=default.steps or default.planned, help="of all stages together")
    parser.add_argument("--quick", action="store_true", help="take a tenth of the steps")
    parser.add_argument("--checkpoint", type=float, default=default.checkpoint, help="seconds between checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint instead of replacing it")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the CPU")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter")
    options = vars(parser.parse_args(arguments))
    parameters = dict(default.parameters)
    for name, _, value in (item.partition("=") for item in options.pop("set")):
        try:
            parameters[name] = type(parameters[name])(value)
            finite = math.isfinite(parameters[name])
        except (KeyError, ValueError):
            finite = False
        if not finite:
            parser.error(f"--set {name}={value}: a number for one of {', '.join(parameters) or 'no parameters'}")
    for name in default.positive:
        if not parameters[name] > 0:
            parser.error(f"--set {name}={parameters[name]}: the script was derived for {name} > 0")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        parser.error("a run is one process: torchrun is not supported yet")
    if options["steps"] < 1 or not 1 <= options["threads"] <= 1024:
        parser.error("--steps is at least 1, and --threads lies between 1 and 1024")
    if not (options["checkpoint"] >= 0 and abs(options["seed"]) < 2**62):
        parser.error("--checkpoint is at least 0, and --seed has at most 62 bits")
    try:
        torch.empty(0, device=options["device"])
    except (RuntimeError, AssertionError) as problem:  # torch tells of a device that is not there by either
        parser.error(f"--device {options['device']}: {str(problem).splitlines()[0]}")
    torch.set_num_threads(options.pop("threads"))
    if options.pop("quick"):
        options["steps"] = max(1, options["steps"] // 10)
    return replace(default, parameters=parameters, **options)


def load_checkpoint(folder: Path, fingerprint: dict[str, str]) -> dict[str, Any] | None:
    """The newest readable checkpoint, on the CPU, of the run with this fingerprint; None where there is none at all."""
    present = [folder / name for name in CHECKPOINTS if (folder / name).exists()]
    for path in present:
        try:
            with zipfile.ZipFile(path) as archive:
                if damaged := archive.testzip():
                    raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            if not (isinstance(state, dict) and isinstance(state.get("fingerprint"), dict)):
                raise ValueError("it holds something else")
        except Exception as problem:  # whatever a damaged file makes the reader raise
            words = str(problem).partition(". ")[0]
            print(f"{path} cannot be read ({words}): going back to the one before", file=sys.stderr)
            continue
        for name, here in fingerprint.items():
            if here != (there := state["fingerprint"].get(name)):
                raise ResumeMismatch(f"{path} is of another run: {name} is {there} there and {here} here")
        return state
    if present:
        raise ResumeMismatch(f"none of the checkpoints in {folder} can be read")
    return None


def forget_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of an earlier run."""
    for name in CHECKPOINTS:
        (folder / name).unlink(missing_ok=True)


HISTORY = "history.csv"
WRITTEN = ("metrics.json", "solution.npz", *CHECKPOINTS)


def refuse_foreign(folder: Path) -> None:
    """Raises OSError where a new run would overwrite files that no run wrote."""
    history = folder / HISTORY
    if history.is_file():
        with open(history, "rb") as file:
            ours = file.read(10) in (b"", b"step,stage")
    else:
        ours = not any((folder / name).exists() for name in (HISTORY, *WRITTEN))
    if not ours:
        raise OSError(f"{folder} holds files that no run wrote and that this one would replace: choose another --out")


@contextmanager
def locked_history(folder: Path) -> Iterator[IO[bytes]]:
    """The folder's history.csv, to write at its end; raises OSError where another process has it."""
    with open(folder / HISTORY, "ab") as history:
        try:
            fcntl.flock(history, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise OSError(f"another run is writing into {folder}") from taken
        yield history


@contextmanager
def first_signals() -> Iterator[list[int]]:
    """Notes the first Ctrl-C or SIGTERM in the list that it yields; a second one ends the process at once."""
    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        for other in numbers:
            signal.signal(other, signal.SIG_DFL)

    before = [signal.signal(number, note) for number in numbers]
    try:
        yield received
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def run_stages(
    stages: Sequence[Stage], config: Config, labels: Sequence[str], on_step: Callable[[Step], object]
) -> Run:
    """Take all steps of all stages, saving into `config.out`; with `config.resume`, go on from what is saved there.

    Raises Diverged, ResumeMismatch, and KeyboardInterrupt once a signal's checkpoint is saved.
    """
    config.out.mkdir(parents=True, exist_ok=True)
    saved = load_checkpoint(config.out, config.fingerprint()) if config.resume else None
    if saved is None:
        refuse_foreign(config.out)
        if config.resume:
            print(f"no checkpoint in {config.out}: from the start", file=sys.stderr)
    with first_signals() as signals, locked_history(config.out) as history:
        if saved is None:
            forget_checkpoints(config.out)
            history.truncate(history.seek(0))
        run = Run(stages, history, labels)
        fresh = copy.deepcopy(run.state())
        saved = saved or {"now": fresh, "good": fresh, "seconds": 0.0}
        try:
            run.load(saved["now"])
            good, run.seconds = saved["good"], saved["seconds"]
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as problem:
            raise ResumeMismatch(f"the checkpoint does not fit this script: {problem}") from problem
        written = time.monotonic()
        began = written - run.seconds
        while run.taken < run.total:
            try:
                step = run.step()
            except FloatingPointError as problem:
                run.load(good)
                run.slow_down(problem)
                good = copy.deepcopy(run.state())
            else:
                on_step(step)
                if run.at_good_state():
                    run.tries = 0
                    good = copy.deepcopy(run.state())
            now = time.monotonic()
            run.seconds = now - began
            if signals or run.taken == run.total or now - written >= config.checkpoint:
                run.save(config, good)
                written = time.monotonic()
            if signals:
                raise KeyboardInterrupt(f"step {run.taken} is saved, and --resume goes on from there")
    return run


def snapshots(start: float, dt: float, steps: int, count: int) -> tuple[float, ...]:
    """Times between the start and the end that stand `count` − 1 to a flow, each after a whole number of steps."""
    return tuple(start + dt * k for k in sorted({steps * j // count for j in range(1, count)} - {0, steps}))


def state_at(flow: Evolution, time: float) -> dict[str, Tensor]:
    """The state kept at a time; NaN, with a line that says so, where a shortened run has not come so far."""
    if time in flow.kept:
        return flow.kept[time]
    print(f"{flow.name}: t = {time:g} was not reached, what is reported of it is nan", file=sys.stderr)
    return {name: torch.full_like(values, torch.nan) for name, values in flow.state.items()}


NPY_TYPES = {
    "<f8": torch.float64,
    "<f4": torch.float32,
    "<i8": torch.int64,
    "<i4": torch.int32,
    "|b1": torch.bool,
    "<c16": torch.complex128,
}


def npy_bytes(tensor: Tensor) -> bytes:
    """A tensor as a `.npy` file, in C order."""
    tensor = tensor.detach().cpu().contiguous().resolve_conj()
    descr = next((descr for descr, dtype in NPY_TYPES.items() if dtype == tensor.dtype), None)
    if descr is None:
        raise TypeError(f"a tensor of {tensor.dtype} cannot be written to .npz")
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(tensor.shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"  # the entries start at a multiple of 64
    entries = bytearray(tensor.nbytes)
    if entries:
        torch.frombuffer(entries, dtype=tensor.dtype).copy_(tensor.flatten())
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii") + entries


def write_npz(path: Path, arrays: dict[str, Tensor]) -> None:
    """Write named tensors so that `numpy.load(path)` reads them; the same tensors give the same bytes."""

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name, tensor in arrays.items():
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), npy_bytes(tensor))

    write_atomically(path, write)


# ── main ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def main() -> int:
    default = Config(
        out=Path("runs") / "kuramoto",
        spec="42bee9db4f37d30d4d5e254723bdf910437835207f81ccf34a0a829e0b43b393",
        planned=400,
        parameters={"beta": beta, "kappa": kappa},
        positive=("beta", "kappa"),  # as the derivation assumed
    )
    config = read_config(__doc__.splitlines()[0], default)
    solutions, run = train(config, Progress())
    save(solutions, config)
    return finish(config, run, evaluate(solutions, config))


if __name__ == "__main__":
    sys.exit(exit_code(main))
