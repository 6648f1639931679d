"""How a script is run, and its command line."""

from __future__ import annotations

import argparse
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

COMPILES_FROM = 7e9
"""Steps times entries of all layers' channels from which `torch.compile` saves about twice the time that it takes."""


def has_compiler() -> bool:
    """Whether `torch.compile` finds the C++ compiler that it needs."""
    return shutil.which(os.environ.get("CXX", "g++")) is not None or shutil.which("clang++") is not None


@dataclass(frozen=True)
class Config:
    """How a script is run. `planned` are the steps that the spec asks for, `parameters` its parameters.

    `entries` counts the numbers in all layers' channels of the networks in one step, and `engine` is how their
    derivatives are computed.
    """

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
    compilation: str = "auto"  # "on", "off", or where it pays
    entries: float = 0
    engine: str = ""

    def share(self, planned: int) -> int:
        """The steps of a stage that is meant to have `planned` of the planned ones."""
        return max(1, round(planned * (self.steps or self.planned) / self.planned))

    @property
    def wants_compilation(self) -> bool:
        """Whether `torch.compile` is asked for, or pays for itself in the steps of the run."""
        pays = (self.steps or self.planned) * self.entries >= COMPILES_FROM
        return self.compilation == "on" or (self.compilation == "auto" and pays)

    @property
    def compiles(self) -> bool:
        """Whether `torch.compile` is used: fused arithmetic rounds in another order, so a resumed run must agree."""
        return self.wants_compilation and has_compiler()

    def fingerprint(self) -> dict[str, str]:
        """What must agree when a run is resumed."""
        parts = {"spec": self.spec, "seed": self.seed, "steps": self.steps or self.planned}
        parts |= {"engine": self.engine, "compilation": self.compiles, "threads": torch.get_num_threads()}
        parts |= {"processes": os.environ.get("WORLD_SIZE", 1)} | {f"--set {k}": v for k, v in self.parameters.items()}
        return {name: str(part) for name, part in parts.items()}


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
    parser.add_argument(
        "--compile",
        dest="compilation",
        choices=("auto", "on", "off"),
        default=default.compilation,
        help="torch.compile",
    )
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
