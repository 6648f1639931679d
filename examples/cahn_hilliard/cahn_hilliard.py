"""cahn_hilliard: u : X × I → R.

    flow   ∂t u = -grad(E, u; metric=Hm1) on X × I           spec:9
    start  u = 1/10 + 3/10*cos(x) + 1/5*sin(2*x) on X × {0}  spec:10

Derived: flow is ∂t u = −ε² Δ²u + Δ(u (u² − 1)).
    dE/dt = −∫ |∇(−ε² Δu + u (u² − 1))|² dx
Planned: grid: a gradient flow of a periodic field: spectral in space, semi-implicit in time; Fourier modes, linear part
    exact in time (ETDRK4); 400 cells on torus(2*pi), 1000 steps of 0.002.
Emitted by pdespec 0.1.0 from cahn_hilliard.pde (sha256
    8606db2f4fcea878831249b0f548957e2e1d1f7677f97b5a61f331f192cd648c).
Needs torch alone; `python cahn_hilliard.py --help`.
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
epsilon = 0.2                                           # spec:2  ε


# ── flow: ∂t u = -grad(E, u; metric=Hm1) on X × I ────────────────────────────────────────────────────────────── spec:9
def symbol(k: Tensor) -> Tensor:
    """The linear part, in Fourier space: k₁² − ε² k₁⁴, wave numbers k (…, 1)."""
    return k[..., 0].square() - epsilon**2 * k[..., 0]**4


def mobility(k: Tensor) -> Tensor:
    """What multiplies the rest, in Fourier space: −k₁², wave numbers k (…, 1)."""
    return -k[..., 0].square()


def rest(u: Tensor) -> Tensor:
    """The rest of the flow, point by point: u³."""
    return u**3


def energy(u: Tensor, grid: Grid) -> Tensor:
    """E = ∫ (ε²/2 |∇u|² + 1/4 (u² − 1)²) dx"""
    gradient = spectral_gradient(u, grid)
    return (0.25 * (u.square() - 1).square() + 0.5 * epsilon**2 * gradient[..., 0].square()).sum() * grid.volume


# ── start ───────────────────────────────────────────────────────────────────────────────────────────────────── spec:10
def initial(z: Tensor) -> Tensor:
    """3/10 cos(x) + 1/5 sin(2 x) + 1/10"""
    return 0.2 * torch.sin(2 * z[..., 0]) + 0.3 * torch.cos(z[..., 0]) + 0.1


# ── solve ───────────────────────────────────────────────────────────────────────────────────────────────────── spec:12
def solve(config: Config) -> tuple[GridFlow, list[Stage]]:
    """1000 steps of 0.002."""
    grid = Grid((0.0,), (2 * math.pi,), (400,), (True,), config.device)
    u = initial(grid.points((0.0,)))
    k = wavenumbers(grid)
    dealiased = mobility(k) * low_modes(grid)

    def advance(state: dict[str, Tensor], t: float, dt: float, random: torch.Generator) -> dict[str, Tensor]:
        return {"u": etdrk4(state["u"], etdrk4_coefficients(symbol(k), dt), rest, dealiased)}

    def monitor(state: dict[str, Tensor], t: float) -> dict[str, float | Tensor]:
        return {
            "time": t,
            "energy": energy(state["u"], grid),
            "mass": mass(state["u"], grid),
            "minimum": state["u"].min(),
        }

    keep = (*report_times()["solution"], *snapshots(0.0, 0.002, 1000, 40))
    flow = GridFlow("flow", config.share(1000), 0.002, {"u": u}, advance, monitor, config.seed, 0.0, keep, grid)
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
    return {"solution": (0.0, 0.5, 1.0, 2.0)}


def report_1(solutions: dict[str, Any], config: Config, t: float) -> float:  # spec:13
    """E(u)(t)"""
    grid = solutions["solution"].grid
    u = state_at(solutions["solution"], t)["u"].flatten()
    gradient_u = spectral_gradient(state_at(solutions["solution"], t)["u"], grid)
    return (
        (0.5 * epsilon**2 * gradient_u[..., 0].flatten().square() + 0.25 * (u.square() - 1).square()).sum()
        * grid.volume
    ).item()


def report_2(solutions: dict[str, Any], config: Config) -> float:  # spec:13
    """mean(u)"""
    grid = solutions["solution"].grid
    u = state_at(solutions["solution"], 2.0)["u"].flatten()
    return (u.sum() * grid.volume / (2 * math.pi)).item()


@torch.no_grad()
def evaluate(solutions: dict[str, Any], config: Config) -> list[Report]:
    """Every report of the spec, with its bound."""
    return [
        near("E(u)(0)", report_1(solutions, config, 0.0), 1.371364098, within=1e-05),
        near("E(u)(0.5)", report_1(solutions, config, 0.5), 0.936529433, within=1e-05),
        near("E(u)(1)", report_1(solutions, config, 1.0), 0.758285375, within=1e-05),
        near("E(u)(2)", report_1(solutions, config, 2.0), 0.752498252, within=1e-05),
        near("mean(u)", report_2(solutions, config), 0.1, within=1e-12),
    ]


# ── saved solutions ───────────────────────────────────────────────────────────────────────────────────────────────────
def save(solutions: dict[str, Any], config: Config) -> None:
    """solution.npz: the solutions on grids, for pictures and for later use."""
    arrays: dict[str, Tensor] = {}
    grid = solutions["solution"].grid
    arrays["solution.u.axis.x"] = grid.points((0.0,))[:, 0]
    arrays["solution.u.time.t"], arrays["solution.u"] = kept_fields(solutions["solution"], "u")
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


def etdrk4(u: Tensor, coefficients: tuple[Tensor, ...], rest: Callable[[Tensor], Tensor], mobility: Tensor) -> Tensor:
    """One step of û′ = σû + m ĝ(u), with g = `rest` on the field u (…, *cells) and m = `mobility` on its modes."""
    dims, sizes = tuple(range(-mobility.ndim, 0)), u.shape[-mobility.ndim :]
    full, half, q, f1, f2, f3 = coefficients

    def force(modes: Tensor) -> Tensor:
        pushed: Tensor = mobility * torch.fft.rfftn(rest(torch.fft.irfftn(modes, sizes, dim=dims)), dim=dims)
        return pushed

    v = torch.fft.rfftn(u, dim=dims)
    nv = force(v)
    a = half * v + q * nv
    na = force(a)
    b = half * v + q * na
    nb = force(b)
    c = half * a + q * (2 * nb - nv)
    v = full * v + f1 * nv + 2 * f2 * (na + nb) + f3 * force(c)
    after: Tensor = torch.fft.irfftn(v, sizes, dim=dims)
    return after


def etdrk4_coefficients(symbol: Tensor, dt: float, nodes: int = 32) -> tuple[Tensor, ...]:
    """e^{z}, e^{z/2}, and the weights Q, f₁, f₂, f₃ of ETDRK4 at z = σ dt, for a real symbol σ."""
    z = symbol * dt
    circle = torch.exp(1j * math.pi * (torch.arange(nodes, dtype=torch.float64, device=z.device) + 0.5) / nodes)
    w = z[..., None] + circle  # the upper half is enough: the mean over the lower half is the conjugate
    e = torch.exp(w)
    means = (
        (torch.exp(w / 2) - 1) / w,
        (-4 - w + e * (4 - 3 * w + w**2)) / w**3,
        (2 + w + e * (w - 2)) / w**3,
        (-4 - 3 * w - w**2 + e * (4 - w)) / w**3,
    )
    return torch.exp(z), torch.exp(z / 2), *(dt * mean.real.mean(dim=-1) for mean in means)


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


def wavenumbers(grid: Grid) -> Tensor:
    """The vectors k of the half spectrum of `rfftn`, shape (*modes, d): ∂ⱼ is multiplication by i kⱼ."""
    last = len(grid.cells) - 1
    axes = [
        2 * math.pi * (torch.fft.rfftfreq if j == last else torch.fft.fftfreq)(n, h, dtype=torch.float64)
        for j, (n, h) in enumerate(zip(grid.cells, grid.spacing, strict=True))
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).to(grid.device)


def low_modes(grid: Grid) -> Tensor:
    """1 where |kⱼ| < ⅔ of the largest wavenumber of each axis j, else 0: Orszag's rule against aliasing."""
    k = wavenumbers(grid).abs()
    return (k < 2 / 3 * torch.tensor([math.pi / h for h in grid.spacing]).to(k)).all(dim=-1).to(k.dtype)


def mass(p: Tensor, grid: Grid) -> float:
    """∫ p dx."""
    return p.sum().item() * grid.volume


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


def spectral_gradient(u: Tensor, grid: Grid) -> Tensor:
    """∇u of a periodic field (*cells), shape (*cells, d), for energies such as ∫|∇u|²."""
    dims = tuple(range(len(grid.cells)))
    modes = torch.fft.rfftn(u, dim=dims)[..., None] * 1j * wavenumbers(grid)
    gradient: Tensor = torch.fft.irfftn(modes, grid.cells, dim=dims)
    return gradient


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
        out=Path("runs") / "cahn_hilliard",
        spec="8606db2f4fcea878831249b0f548957e2e1d1f7677f97b5a61f331f192cd648c",
        planned=1000,
        parameters={"epsilon": epsilon},
        positive=("epsilon",),  # as the derivation assumed
    )
    config = read_config(__doc__.splitlines()[0], default)
    solutions, run = train(config, Progress())
    save(solutions, config)
    return finish(config, run, evaluate(solutions, config))


if __name__ == "__main__":
    sys.exit(exit_code(main))
