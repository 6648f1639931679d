"""poisson: u : Ω → R.

    bulk  -Δu = f on Ω  spec:7
    wall  u = 0 on ∂Ω   spec:8

Derived: bulk is linear, of order 2.
Planned: features: linear in the unknown, 2 coordinates: one least-squares solve in random features.
Emitted by pdespec 0.1.0 from poisson.pde (sha256 74f27cad72456cbf3e77cad827240f89238e7841819c20b22d1e3f643498936f).
Needs torch alone; `python poisson.py --help`.
"""

from __future__ import annotations

import argparse
import copy
import fcntl
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
from itertools import accumulate, product
from math import comb
from pathlib import Path
from types import FrameType
from typing import IO, Any, NamedTuple, Protocol

import torch
from torch import Tensor


# ── precision ─────────────────────────────────────────────────────────────────────────────────────────────────────────
dtype = torch.float64


# ── definitions ───────────────────────────────────────────────────────────────────────────────────────────────────────
def f(x: Tensor, y: Tensor) -> Tensor:                  # spec:5
    """2 π² sin(π x) sin(π y)"""
    return 2 * math.pi**2 * torch.sin(math.pi * x) * torch.sin(math.pi * y)


# ── equations ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def bulk(x: Tensor, y: Tensor, lap_u: Tensor) -> Tensor:  # spec:7
    """−Δu − f"""
    return -lap_u - f(x, y)


def wall(u: Tensor) -> Tensor:                          # spec:8
    """u"""
    return u


# ── least squares for bulk, wall ──────────────────────────────────────────────────────────────────────────────────────
def bulk_rows(z: Tensor, features: Features, blocks: Tensor) -> tuple[Tensor, Tensor]:
    """The residual of bulk and its derivative by every coefficient."""
    x, y = z.split(1, dim=1)
    phi_xx, phi_yy = features.derivatives(z, (2, 0), (0, 2))
    lap_phi = phi_xx + phi_yy
    lap_u = lap_phi @ blocks[0]
    return bulk(x, y, lap_u).squeeze(1), -lap_phi


def wall_rows(z: Tensor, features: Features, blocks: Tensor) -> tuple[Tensor, Tensor]:
    """The residual of wall and its derivative by every coefficient."""
    (phi,) = features.derivatives(z, (0, 0))
    u = phi @ blocks[0]
    return wall(u).squeeze(1), phi


def equations(coefficients: Tensor, features: Features, points: Mapping[str, tuple[Tensor, ...]]) -> Rows:
    """Residuals and rows of all equations, a block of K coefficients for each unknown function."""
    blocks = coefficients.reshape(-1, features.count, 1)
    return {
        "bulk": bulk_rows(*points["bulk"], features, blocks),
        "wall": wall_rows(*points["wall"], features, blocks),
    }


# ── points ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def sample(config: Config, draw: int = 0) -> dict[str, tuple[Tensor, ...]]:
    """Points of every region, with outward normals on boundaries; another `draw` gives other points."""
    points = {
        "bulk": draw_points(Box((0.0, 0.0), (1.0, 1.0)).interior, 2400, config.seed + 1000 + draw),
        "wall": draw_points(Box((0.0, 0.0), (1.0, 1.0)).boundary, 800, config.seed + 2000 + draw),
    }
    return {name: (drawn.points.to(config.device, dtype),) for name, drawn in points.items()}


# ── solve ───────────────────────────────────────────────────────────────────────────────────────────────────── spec:11
def solve(config: Config) -> tuple[dict[str, ExpansionField], list[Stage]]:
    """1 × 800 coefficients; equations weigh by the size of their rows, conditions ten times."""
    expansion = Expansion(((0.0, 1.0), (0.0, 1.0)), 800, 1, config.seed, config.device, (False, False))
    points, held_out = sample(config, 0), sample(config, 1)
    importance = {"bulk": 1.0, "wall": 10.0}
    stage = LeastSquares("fit", expansion, equations, points, held_out, importance, 1)
    return {"u": ExpansionField(expansion, 0)}, [stage]


# ── training ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def train(config: Config, on_step: Callable[[Step], object] = lambda step: None) -> tuple[dict[str, object], Run]:
    """Run every solve; returns the solutions by label, and how the run went."""
    globals().update(config.parameters)  # --set
    solution, solution_stages = solve(config)
    run = run_stages(solution_stages, config, labels=("bulk", "wall"), on_step=on_step)
    return {"solution": solution}, run


# ── exact solutions ───────────────────────────────────────────────────────────────────────────────────────────────────
def exact_u(z: Tensor) -> Tensor:                       # spec:10
    """u at points z (n, 2)"""
    x, y = z.unbind(1)
    return torch.sin(math.pi * x) * torch.sin(math.pi * y)


# ── reports ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def report_1(solutions: dict[str, Any], config: Config) -> float:  # spec:12
    """error(u)"""
    z = draw_points(Box((0.0, 0.0), (1.0, 1.0)).interior, 20000, config.seed + 99).points.to(config.device, dtype)
    u = solutions["solution"]["u"](z)
    return relative_error(u, exact_u(z))


@torch.no_grad()
def evaluate(solutions: dict[str, Any], config: Config) -> list[Report]:
    """Every report of the spec, with its bound."""
    return [
        bounded("error(u)", report_1(solutions, config), "<", 1e-08),
    ]


# ── saved solutions ───────────────────────────────────────────────────────────────────────────────────────────────────
def save(solutions: dict[str, Any], config: Config) -> None:
    """solution.npz: the solutions on grids, for pictures and for later use."""
    arrays: dict[str, Tensor] = {}
    axes, arrays["solution.u"] = grid_values(solutions["solution"]["u"], ((0.0, 1.0), (0.0, 1.0)), 101, config)
    arrays["solution.u.axis.x"], arrays["solution.u.axis.y"] = axes
    _, arrays["solution.u.exact"] = grid_values(exact_u, ((0.0, 1.0), (0.0, 1.0)), 101, config)
    write_npz(config.out / "solution.npz", arrays)


# ── runtime: the pieces of pdespec.runtime that this script uses ──────────────────────────────────────────────────────
Placed = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Patch:
    """The part that `place` keeps of the image of [0, 1]^cube; the whole image has measure `measure`."""

    cube: int
    measure: float
    place: Callable[[Tensor], Placed]


Patches = tuple[Patch, ...]


def vector(values: Sequence[float] | float) -> Tensor:
    """A float64 vector."""
    return torch.as_tensor(values, dtype=torch.float64).reshape(-1)


@dataclass(frozen=True, slots=True)
class Box:
    """Π [lowerᵢ, upperᵢ]; an interval has d = 1 and two boundary points of measure 1 each."""

    lower: Sequence[float]
    upper: Sequence[float]

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        return vector(self.lower), vector(self.upper)

    def level(self, x: Tensor) -> Tensor:
        return torch.maximum(vector(self.lower) - x, x - vector(self.upper)).amax(1)

    @property
    def interior(self) -> Patches:
        lower, upper = self.box

        def place(u: Tensor) -> Placed:
            return lower + (upper - lower) * u, torch.zeros_like(u), torch.ones(len(u), dtype=torch.bool)

        return (Patch(len(lower), (upper - lower).prod().item(), place),)

    @property
    def boundary(self) -> Patches:
        return tuple(self.face(axis, side) for axis in range(len(self.lower)) for side in (-1, 1))

    def face(self, axis: int, side: int) -> Patch:
        """The face xᵢ = lowerᵢ (side −1) or xᵢ = upperᵢ (side 1)."""
        lower, upper = self.box
        width = upper - lower
        rest = torch.cat([width[:axis], width[axis + 1 :]])

        def place(u: Tensor) -> Placed:
            end = torch.full((len(u), 1), float(side > 0), dtype=torch.float64)
            unit = torch.cat([u[:, :axis], end, u[:, axis:]], 1)
            normals = torch.zeros_like(unit)
            normals[:, axis] = side
            points = lower + width * unit
            points[:, axis] = (upper if side > 0 else lower)[axis]
            return points, normals, torch.ones(len(u), dtype=torch.bool)

        return Patch(len(rest), rest.prod().item(), place)


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


def tanh_derivative(tanh: Tensor, order: int) -> Tensor:
    """The `order`-th derivative of tanh where its value is `tanh`: P₀ = y, P_{m+1}(y) = (1 − y²) P_m′(y)."""
    polynomial = [0, 1]
    for _ in range(order):
        slope = [power * c for power, c in enumerate(polynomial)][1:]
        polynomial = [a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    value = torch.full_like(tanh, polynomial[-1])
    for coefficient in reversed(polynomial[:-1]):
        value = value * tanh + coefficient
    return value


def bell(n: int, j: int, slopes: Sequence[Tensor]) -> Tensor | float:
    """Partial Bell polynomial B_{n,j}(x₁, x₂, …) = Σ_i C(n−1, i−1) x_i B_{n−i, j−1}, with x_i = slopes[i − 1]."""
    if n == 0 or j == 0:
        return 1.0 if n == j else 0.0
    terms = [comb(n - 1, i - 1) * slopes[i - 1] * bell(n - i, j - 1, slopes) for i in range(1, n - j + 2)]
    return sum(terms[1:], start=terms[0])


@dataclass(frozen=True, slots=True)
class Features:
    """K tanh features of d coordinates.

    `weights` is (2, d, K): factors of cos and sin of a periodic coordinate, else slopes and zeros; `bias` is (K,).
    """

    center: Tensor
    half_width: Tensor
    periodic: tuple[bool, ...]
    weights: Tensor
    bias: Tensor

    @property
    def count(self) -> int:
        """The number K of features."""
        return len(self.bias)

    def to(self, device: torch.device | str) -> Features:
        """The same features on another device."""
        tensors = (self.center, self.half_width, self.weights, self.bias)
        center, half_width, weights, bias = (tensor.to(device) for tensor in tensors)
        return Features(center, half_width, self.periodic, weights, bias)

    def slope(self, z: Tensor, axis: int, order: int) -> Tensor:
        """∂^order of s along one coordinate at points z (n, d): (n, K), or (1, K) where it does not depend on z."""
        first, second = self.weights[:, axis]
        if self.periodic[axis]:
            rate = math.pi / self.half_width[axis]
            angle = (rate * (z[:, axis] - self.center[axis]) + order * math.pi / 2)[:, None]
            wave: Tensor = rate**order * (torch.cos(angle) * first + torch.sin(angle) * second)
            return wave
        if order == 0:
            line: Tensor = (z[:, axis, None] - self.center[axis]) / self.half_width[axis] * first
            return line
        return (first / self.half_width[axis] if order == 1 else torch.zeros_like(first))[None]

    def derivatives(self, z: Tensor, *orders: Sequence[int]) -> tuple[Tensor, ...]:
        """∂^α φ_k(z_i) as an (n, K) matrix for each multi-index α; (0, …, 0) is the value."""
        axes = range(z.shape[1])
        tanh = torch.tanh(sum((self.slope(z, axis, 0) for axis in axes), start=self.bias))
        outer = [tanh_derivative(tanh, order) for order in range(max(map(sum, orders)) + 1)]
        slopes = [[self.slope(z, i, m + 1) for m in range(max(alpha[i] for alpha in orders))] for i in axes]
        return tuple(self.chain(alpha, outer, slopes) for alpha in orders)

    def chain(self, alpha: Sequence[int], outer: list[Tensor], slopes: list[list[Tensor]]) -> Tensor:
        """Faà di Bruno's sum for one multi-index; along a straight coordinate only j_i = α_i contributes."""
        terms = []
        for j in product(*(range(min(a, 1), a + 1) if p else (a,) for a, p in zip(alpha, self.periodic, strict=True))):
            factor: Tensor | float = 1.0
            for n, m, slope in zip(alpha, j, slopes, strict=True):
                factor = factor * bell(n, m, slope) if n else factor
            terms.append(factor * outer[sum(j)])
        return sum(terms[1:], start=terms[0])


def random_features(
    lower: Sequence[float],
    upper: Sequence[float],
    count: int,
    seed: int,
    scale: float | Sequence[float] = 1.5,
    periodic: Sequence[bool] = (),
) -> Features:
    """Features over the box [lower, upper]; a periodic coordinate has the box for its period.

    Weights are uniform in [−scale, scale] per half-width (one scale, or one for each coordinate); each hyperplane
    passes through a point uniform in the box.
    """
    rng = torch.Generator().manual_seed(seed)
    box = torch.tensor([[*lower], [*upper]], dtype=torch.float64)
    d = box.shape[1]
    flags = tuple(periodic) or (False,) * d
    uniform = 2 * torch.rand(3, d, count, generator=rng, dtype=torch.float64) - 1
    circle = torch.tensor(flags)[:, None]
    size = torch.as_tensor(scale, dtype=torch.float64).expand(d)[:, None]
    weights = size * torch.stack([uniform[0], uniform[1] * circle])
    angle = math.pi * uniform[2]
    around = torch.cos(angle) * weights[0] + torch.sin(angle) * weights[1]
    through = torch.where(circle, around, uniform[2] * weights[0])
    return Features((box[0] + box[1]) / 2, (box[1] - box[0]) / 2, flags, weights, -through.sum(0))


class Expansion:
    """Coefficients (m, K) of m scalar functions in K features over a box; `scale` is that of the features."""

    def __init__(
        self, box: Sequence[Sequence[float]], count: int, outputs: int, seed: int, device: str, periodic: Sequence[bool]
    ) -> None:
        self.lower, self.upper = zip(*box, strict=True)
        self.count, self.seed, self.device, self.periodic = count, seed, device, tuple(periodic)
        self.scale: tuple[float, ...] = (1.5,) * len(self.lower)
        self.coefficients = torch.zeros(outputs, count, dtype=torch.float64, device=device)

    @property
    def features(self) -> Features:
        """The features at the present scale."""
        return random_features(
            self.lower, self.upper, self.count, self.seed, scale=self.scale, periodic=self.periodic
        ).to(self.device)

    def derivatives(self, z: Tensor, *orders: Sequence[int], component: int = 0) -> tuple[Tensor, ...]:
        """∂^α u_j at points (n, d) for each multi-index: tensors (n,)."""
        return tuple(phi @ self.coefficients[component] for phi in self.features.derivatives(z, *orders))

    def __call__(self, z: Tensor, component: int = 0) -> Tensor:
        return self.derivatives(z, (0,) * z.shape[1], component=component)[0]


class ExpansionField:
    """One unknown of an expansion as a function: points (n, d) to (n,), or to (n, m) for m components."""

    def __init__(self, expansion: Expansion, first: int, components: int = 0) -> None:
        self.expansion, self.first, self.components = expansion, first, components

    def __call__(self, z: Tensor) -> Tensor:
        if not self.components:
            return self.expansion(z, self.first)
        return torch.stack([self.expansion(z, self.first + k) for k in range(self.components)], -1)


Rows = dict[str, tuple[Tensor, Tensor]]


def row_scales(rows: Rows, importance: Mapping[str, float]) -> dict[str, float]:
    """s_b = importance_b / rms(J_b): 1 for an equation in the interior, about 10 for a condition."""
    sizes = {label: jacobian.square().mean().sqrt().item() for label, (_, jacobian) in rows.items()}
    for label, size in sizes.items():
        if not 0 < size < math.inf:
            raise FloatingPointError(f"{label}: the rows of this equation have size {size}")
    return {label: importance[label] / size for label, size in sizes.items()}


def weighted_residual(rows: Rows, scales: Mapping[str, float]) -> float:
    """(Σ_b s_b² mean r_b²)^½."""
    return math.sqrt(sum(scales[label] ** 2 * residual.square().mean().item() for label, (residual, _) in rows.items()))


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients, the weighted residual at the start and after each step, and the last system's numerical rank."""

    coefficients: Tensor
    history: tuple[float, ...]
    rank: int


def damped_step(rows: Rows, scales: Mapping[str, float]) -> tuple[Tensor, int]:
    """The least-squares step d (K,) and the number of pivots above 10⁻¹³ of the largest.

    Conditions, whose rows are the heaviest, come first, as the row-wise stability of Householder's QR wants it.
    """
    factor = {label: scales[label] / math.sqrt(len(residual)) for label, (residual, _) in rows.items()}
    order = sorted(rows, key=lambda label: -(factor[label] * rows[label][1]).abs().max().item())
    matrix = torch.cat([factor[label] * rows[label][1] for label in order])
    target = torch.cat([-factor[label] * rows[label][0] for label in order])
    columns = matrix.norm(dim=0)
    columns = columns.where(columns > 0, torch.ones_like(columns))  # a feature that enters no equation stays at 0
    count = matrix.shape[1]
    small = 16 * torch.finfo(matrix.dtype).eps
    damping = small * torch.eye(count, count + 1, dtype=matrix.dtype, device=matrix.device)
    system = torch.cat([torch.cat([matrix / columns, target[:, None]], dim=1), damping])
    triangle = torch.linalg.qr(system, mode="r").R[:count]
    solution = torch.linalg.solve_triangular(triangle[:, :count], triangle[:, count:], upper=True)[:, 0]
    pivots = triangle.diagonal().abs()
    return solution / columns, int((pivots > 1e-13 * pivots.max()).sum())


def gauss_newton(
    equations: Callable[[Tensor], Rows],
    start: Tensor,
    scales: Mapping[str, float],
    steps: int = 1,
    tolerance: float = 0.1,
) -> Fit:
    """Up to `steps` damped steps from `start`; ends when a whole step lowers the residual by less than `tolerance`."""
    coefficients, rows, rank = start, equations(start), 0
    history = [weighted_residual(rows, scales)]
    for _ in range(steps):
        direction, rank = damped_step(rows, scales)
        for halving in range(12):
            trial = coefficients + direction / 2**halving
            trial_rows = equations(trial)
            residual = weighted_residual(trial_rows, scales)
            if residual < history[-1]:
                coefficients, rows = trial, trial_rows
                history.append(residual)
                break
        else:
            break
        if halving == 0 and residual > (1 - tolerance) * history[-2]:
            break
    if not math.isfinite(history[-1]):
        raise FloatingPointError("the residual at the start is not finite")
    return Fit(coefficients, tuple(history), rank)


def search_scale(
    held_out: Callable[[tuple[float, ...]], float],
    dimension: int,
    ladder: Sequence[float] = (0.375, 0.75, 1.5, 3.0, 6.0),
    log: Callable[[tuple[float, ...], float], None] = lambda scale, residual: None,
) -> tuple[float, ...]:
    """The features' scale (one number per coordinate) with the least residual at points outside the fit.

    First a common scale from the ladder; then, one coordinate after the other, doubled or halved while the residual
    falls by a tenth or more.
    """

    def tried(scale: tuple[float, ...]) -> float:
        residual = held_out(scale)
        log(scale, residual)
        return residual

    least, best = min((tried((scale,) * dimension), (scale,) * dimension) for scale in ladder)
    for axis in range(dimension if dimension > 1 else 0):
        for factor in (2.0, 0.5):
            while True:
                scale = (*best[:axis], best[axis] * factor, *best[axis + 1 :])
                residual = tried(scale)
                if not residual < 0.9 * least:
                    break
                least, best = residual, scale
    return best


class LeastSquares:
    """Fit an expansion to equations; `equations(c, features, points)` gives their residuals and rows."""

    def __init__(
        self,
        name: str,
        expansion: Expansion,
        equations: Callable[[Tensor, Features, Mapping[str, Tensor]], Rows],
        points: Mapping[str, Tensor],
        held_out: Mapping[str, Tensor],
        importance: Mapping[str, float],
        steps: int = 1,
    ) -> None:
        self.name, self.steps = name, 1
        self.expansion, self.equations, self.points, self.held_out = expansion, equations, points, held_out
        self.importance, self.iterations = importance, steps

    def at(self, scale: tuple[float, ...], count: int) -> Features:
        """The first features of the expansion's box at a scale."""
        whole = self.expansion
        lower, upper, periodic = whole.lower, whole.upper, whole.periodic
        return random_features(lower, upper, count, whole.seed, scale, periodic).to(whole.device)

    def fit(self, features: Features) -> Tensor:
        """Coefficients in the features; equations weigh by their importance over the size of their rows."""
        outputs = len(self.expansion.coefficients)
        start = torch.zeros(outputs * features.count, dtype=torch.float64, device=self.expansion.device)
        scales = row_scales(self.equations(start, features, self.points), self.importance)
        return gauss_newton(
            lambda c: self.equations(c, features, self.points), start, scales, self.iterations
        ).coefficients

    def step(self, k: int) -> dict[str, float]:
        """Search the scale with few features by the residual at points held out, then fit with all of them.

        The residuals of all scales are weighed alike, by the rows at the scale that the expansion starts from.
        """
        whole, few = self.expansion, min(self.expansion.count, 300)
        first = self.at(whole.scale, few)
        start = torch.zeros(whole.coefficients.shape[0] * few, dtype=torch.float64, device=whole.device)
        common = row_scales(self.equations(start, first, self.held_out), self.importance)

        def unseen(scale: tuple[float, ...]) -> float:
            features = self.at(scale, few)
            return weighted_residual(self.equations(self.fit(features), features, self.held_out), common)

        whole.scale = search_scale(unseen, len(whole.lower))
        coefficients = self.fit(whole.features)
        whole.coefficients = coefficients.reshape(whole.coefficients.shape)
        rows = self.equations(coefficients, whole.features, self.held_out)
        return {label: residual.square().mean().item() for label, (residual, _) in rows.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"coefficients": self.expansion.coefficients, "scale": self.expansion.scale}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.expansion.coefficients = state["coefficients"].to(self.expansion.device)
        self.expansion.scale = tuple(state["scale"])

    def slow_down(self) -> None:
        """There is no rate: a fit that is not finite raises by itself."""


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


Measured = float | tuple[float, float]


def bounded(name: str, measured: Measured, relation: str, limit: float) -> Report:
    """A value that must be "<", "<=", ">" or ">=" a limit; NaN is none of them."""
    value, stderr = measured if isinstance(measured, tuple) else (measured, None)
    met = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[relation]
    return Report(name, value, stderr, bound=f"{relation} {readable(limit, '.12g')}", met=met)


class Points(NamedTuple):
    """Points uniform on a set, their outward normals, the set's measure and the standard error of that measure."""

    points: Tensor
    normals: Tensor
    measure: float
    error: float


def sobol_cube(n: int, dimension: int, seed: int) -> Tensor:
    """Scrambled Sobol points, moved by half of their resolution 2⁻³⁰ so that they lie strictly inside the unit cube."""
    if dimension == 0:
        return torch.zeros(n, 0, dtype=torch.float64)
    engine = torch.quasirandom.SobolEngine(dimension, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    return engine.draw(n, dtype=torch.float64) + 2.0**-31


def draw_points(patches: Patches, n: int, seed: int, source: Callable[[int, int, int], Tensor] = sobol_cube) -> Points:
    """n points uniform on the union of disjoint patches, each of which places its share of what `source` draws."""
    whole = sum(patch.measure for patch in patches)
    if not 0 < whole < math.inf:
        raise ValueError(f"points cannot be drawn from a set of measure {whole}")
    factor = 1
    while True:
        counts = [math.ceil(factor * n * patch.measure / whole) for patch in patches]
        cubes = [source(m, p.cube, seed + 7919 * i) for i, (m, p) in enumerate(zip(counts, patches, strict=True))]
        placed = [patch.place(cube) for patch, cube in zip(patches, cubes, strict=True)]
        kept = [int(mask.sum()) for _, _, mask in placed]
        rates = [k / m for k, m in zip(kept, counts, strict=True)]
        areas = [patch.measure * rate for patch, rate in zip(patches, rates, strict=True)]
        ends = [round(n * sum(areas[: i + 1]) / sum(areas)) for i in range(len(areas))] if sum(areas) else []
        shares = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        if ends and all(share <= k for share, k in zip(shares, kept, strict=True)):
            break
        if factor * n > 4 * 10**6:
            raise ValueError(f"the set is empty or too thin: {sum(kept)} of {sum(counts)} points lie in it")
        factor *= 2
    points = torch.cat([x[mask][:share] for (x, _, mask), share in zip(placed, shares, strict=True)])
    normals = torch.cat([v[mask][:share] for (_, v, mask), share in zip(placed, shares, strict=True)])
    spread = [p.measure**2 * r * (1 - r) / m for p, r, m in zip(patches, rates, counts, strict=True)]
    return Points(points, normals, sum(areas), math.sqrt(sum(spread)))


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


class Shape(Protocol):
    """A closed solid: its patches, a function that is ≤ 0 exactly inside it, and a box around it."""

    @property
    def interior(self) -> Patches: ...
    @property
    def boundary(self) -> Patches: ...
    @property
    def box(self) -> tuple[Tensor, Tensor]: ...
    def level(self, x: Tensor) -> Tensor: ...


def grid_values(
    u: Callable[[Tensor], Tensor],
    box: Sequence[tuple[float, float]],
    n: int,
    config: Config,
    held: Sequence[float] = (),
    domain: Shape | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Axes of n ticks and u on their grid, (n, …) or (n, …, m): `held` coordinates are fixed, NaN outside `domain`."""
    axes = [torch.linspace(low, high, n, dtype=torch.float64, device=config.device) for low, high in box]
    z = torch.stack([a.flatten() for a in torch.meshgrid(*axes, indexing="ij")], 1)
    z = torch.cat([z, z.new_tensor(held).expand(len(z), -1)], 1)
    with torch.no_grad():
        values = u(z)
    if domain is not None:
        values[domain.level(z.cpu().double()).to(z.device) > 1e-9] = torch.nan
    return axes, values.reshape(*[n] * len(axes), *values.shape[1:])


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


def relative_error(found: Tensor, exact: Tensor, weights: Tensor | None = None, mean_free: bool = False) -> float:
    """Relative L² error of values (n,) or (n, m); weights (n,) of any sum, equal where none are given."""
    if found.shape != exact.shape:
        raise ValueError(f"values of shapes {tuple(found.shape)} and {tuple(exact.shape)} cannot be compared")
    found, exact = found.reshape(len(found), -1), exact.reshape(len(exact), -1)
    share = torch.ones_like(exact[:, 0]) if weights is None else weights
    share = (share / share.sum())[:, None]
    if mean_free:
        found, exact = found - (share * found).sum(0), exact - (share * exact).sum(0)
    norm = (share * exact.square()).sum().sqrt().item()
    if norm == 0:
        raise ValueError("a relative error needs a reference that is not zero")
    return (share * (found - exact).square()).sum().sqrt().item() / norm


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
        out=Path("runs") / "poisson",
        spec="74f27cad72456cbf3e77cad827240f89238e7841819c20b22d1e3f643498936f",
        planned=1,
        parameters={},
    )
    config = read_config(__doc__.splitlines()[0], default)
    solutions, run = train(config, Progress())
    save(solutions, config)
    return finish(config, run, evaluate(solutions, config))


if __name__ == "__main__":
    sys.exit(exit_code(main))
