"""Errors at equal time: Poisson's and Burgers' equations by the shipped specs and by other libraries' recipes.

Everyone trains until the seconds of CPU time are up, a library by its own recipe, a spec as it stands, which may end
before.  The error is relative L² at 4096 Sobol points, against the exact solution: for Burgers that of Cole (1951) and
Hopf (1950),

    u = −∫ sin(π y) w dz / ∫ w dz,   y = x − √(2νt) z,   w = exp(−z²/2 − (1 + cos π y)/(2πν)),

by the trapezoidal rule on [−14, 14].
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.benchmarks import libraries
from tests.benchmarks.emitted import ROOT, Refused, build, config, load
from tests.benchmarks.rows import VISCOSITY

SPECS = {"poisson": ("poisson", "poisson_net"), "burgers": ("burgers",)}
"""The shipped specs of each problem."""

SECONDS = {"poisson": 30.0, "burgers": 60.0}
"""The CPU time that everyone gets."""


def points(problem: str, count: int = 4096) -> Tensor:
    """Points of the domain."""
    cube = torch.quasirandom.SobolEngine(2, scramble=True, seed=1).draw(count, dtype=torch.float64)
    return cube if problem == "poisson" else cube * torch.tensor([2.0, 1.0]) - torch.tensor([1.0, 0.0])


def exact(problem: str, z: Tensor) -> Tensor:
    """The solution at points (n, 2)."""
    first, second = z.double().unbind(1)
    if problem == "poisson":
        return torch.sin(math.pi * first) * torch.sin(math.pi * second)
    nodes = torch.linspace(-14, 14, 4001, dtype=torch.float64)
    y = first[:, None] - (2 * VISCOSITY * second[:, None]).sqrt() * nodes
    weight = torch.exp(-nodes.square() / 2 - (1 + torch.cos(math.pi * y)) / (2 * math.pi * VISCOSITY))
    return -(torch.sin(math.pi * y) * weight).sum(1) / weight.sum(1)


def relative(found: Tensor, right: Tensor) -> float:
    """The relative L² error."""
    return ((found.double() - right).norm() / right.norm()).item()


class _TimeIsUp(Exception):
    """Ends a training from within."""


def by_spec(problem: str, name: str, seed: int) -> dict[str, Any]:
    """A shipped spec in this process, to its end or until the time is up."""
    with tempfile.TemporaryDirectory() as folder:
        path = build(ROOT / "specs" / f"{name}.pde", "auto", Path(folder))
        if isinstance(path, Refused):
            return {"reason": path.reason}
        module = load(path, torch.float64)
        began = time.process_time()

        def watch(step: object) -> None:
            if time.process_time() - began > SECONDS[problem]:
                raise _TimeIsUp

        settings = config(module, seed=seed, out=Path(folder) / "run")
        solution, stages = module.solve(settings)
        with contextlib.suppress(_TimeIsUp):
            module.run_stages(stages, settings, (), watch)
        seconds = time.process_time() - began
    z = points(problem)
    with torch.no_grad():
        return {"error": relative(solution["u"](z), exact(problem, z)), "seconds": seconds}


def by_library(problem: str, library: str, seed: int) -> dict[str, Any]:
    """A library's recipe, until the time is up."""
    python = libraries.ready(libraries.LIBRARIES[library])
    if isinstance(python, Refused):
        return {"reason": python.reason}
    z = points(problem)
    with tempfile.TemporaryDirectory() as folder:
        answer = str(Path(folder) / "values.pt")
        task = libraries.Task(problem, answer, {}, {}, [], z.float(), SECONDS[problem], seed)
        found = libraries.train(library, python, task, Path(folder))
    return {"error": relative(found["values"], exact(problem, z)), "seconds": found["seconds"], **found["versions"]}


def measure(problem: str, seed: int) -> dict[str, Any]:
    """Everyone's error and CPU seconds, or why there is none."""
    specs = {f"pdespec, specs/{name}.pde": by_spec(problem, name, seed) for name in SPECS[problem]}
    return specs | {library: by_library(problem, library, seed) for library in libraries.LIBRARIES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem", choices=SPECS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(measure(options.problem, options.seed)))


if __name__ == "__main__":
    main()
