"""Other libraries for networks that solve PDEs, each in its own process, and in its own environment where they clash.

An environment is a virtual one below build/, made on first use; what cannot be installed says why, and is asked again
only after `make clean`.  A library takes its turns in its own training loop (see `peers/turns.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.benchmarks.emitted import ROOT, Refused
from tests.benchmarks.peers.turns import MARK, Task

PEERS = Path(__file__).with_name("peers")
ENVIRONMENTS = ROOT / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Environment:
    """What pip installs, one command after the other."""

    name: str
    commands: tuple[tuple[str, ...], ...]

    @property
    def python(self) -> Path:
        return ENVIRONMENTS / self.name / "bin" / "python"


TOGETHER = Environment("together", (("-c", "constraints.txt", "-e", ".[bench]"),))
TORCHPHYSICS = Environment("torchphysics", (("torch==2.13.0", "torchphysics==1.1.2"),))  # wants numpy < 2
PHYSICSNEMO = Environment(
    "physicsnemo",
    (
        ("torch==2.13.0", "setuptools", "wheel", "cython", "numpy"),
        ("--no-build-isolation", "nvidia-physicsnemo-sym==2.4.0"),
    ),
)
LIBRARIES: Mapping[str, Environment] = {
    "DeepXDE": TOGETHER,
    "PINA": TOGETHER,
    "neurodiffeq": TOGETHER,
    "TorchPhysics": TORCHPHYSICS,
    "physicsnemo.sym": PHYSICSNEMO,
}
ROWS = ("poisson", "burgers")
"""The rows that the libraries' scripts state."""


def ready(environment: Environment) -> Path | Refused:
    """The Python of an environment, made if need be."""
    folder = ENVIRONMENTS / environment.name
    done, refused = folder / "installed", folder / "refused"
    if done.exists():
        return environment.python
    if refused.exists():
        return Refused(refused.read_text())
    print(f"installing {folder.relative_to(ROOT)}", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    for command in environment.commands:
        install = [str(environment.python), "-m", "pip", "install", "--quiet", *command]
        found = subprocess.run(install, cwd=ROOT, capture_output=True, text=True, check=False)
        if found.returncode:
            lines = [line.strip() for line in found.stderr.splitlines() if "Error:" in line]
            refused.write_text(lines[-1] if lines else found.stderr.strip().splitlines()[-1])
            return Refused(refused.read_text())
    done.touch()
    return environment.python


def command(library: str, python: Path, task: Task, folder: Path) -> list[str]:
    """The command line of a library's script."""
    path = folder / f"{library}.task"
    torch.save(asdict(task), path)
    return [str(python), str(PEERS / f"by_{library.lower()}.py"), str(path)]


class Worker:
    """A library that waits in its training loop for its turns."""

    def __init__(self, arguments: Sequence[str], answer: Path) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (as long as the process)
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        self.versions: dict[str, str] = self.heard()
        self.gradients: list[Tensor] = torch.load(answer, weights_only=True)

    def heard(self) -> Any:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                return json.loads(line.removeprefix(MARK))
        self.errors.seek(0)
        raise RuntimeError(self.errors.read().strip().splitlines()[-1])

    def turn(self, steps: int) -> float:
        """Let it take some steps: the CPU seconds of each."""
        assert self.process.stdin is not None
        print(steps, file=self.process.stdin, flush=True)
        return float(self.heard())

    def end(self) -> None:
        self.process.communicate()


def train(library: str, python: Path, task: Task, folder: Path) -> dict[str, Any]:
    """Let a library train until its time is up; what it found at the test points."""
    done = subprocess.run(command(library, python, task, folder), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    found: dict[str, Any] = torch.load(task.answer, weights_only=True)
    return found
