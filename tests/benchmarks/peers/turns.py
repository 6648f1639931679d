"""What the scripts of the libraries share: their task, turns of so many steps, and training until a time is up.

Each script runs in the environment of its library, which need not hold this package: this module needs torch alone.
A turn is a line on standard input, the number of steps to take, and a line on standard output, the CPU seconds that a
step took.  Between turns the library waits inside its own training loop, so that its loop is timed and not its start.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor

MARK = "turn: "
"""Before an answer, since libraries print on their own."""


@dataclass(frozen=True)
class Task:
    """A row of the speed table, or a problem to train for `seconds` and to evaluate at the points `test`."""

    row: str
    answer: str
    points: dict[str, Tensor]
    weights: dict[str, float]
    parameters: list[Tensor]
    test: Tensor
    seconds: float = 0.0
    seed: int = 0

    @property
    def trains(self) -> bool:
        return self.seconds > 0


def task() -> Task:
    """The task in the file that the command line names; one thread, and its seed."""
    torch.set_num_threads(1)
    found = Task(**torch.load(sys.argv[1], weights_only=True))
    torch.manual_seed(found.seed)
    return found


def start_from(parameters: Iterable[Tensor], values: Iterable[Tensor]) -> None:
    """Let a library's network begin where all contestants begin."""
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)


class Turns:
    """Called after every step: at the first it saves the gradients, then it counts the steps of each turn."""

    def __init__(self, wanted: Task, **versions: str) -> None:
        self.task, self.versions = wanted, versions
        self.steps = self.left = 0
        self.began = 0.0

    def __call__(self, parameters: Iterable[Tensor]) -> None:
        self.left -= 1
        if self.left > 0:
            return
        took = time.process_time() - self.began
        if self.steps:
            self.say(took / self.steps)
        else:
            torch.save([p.grad for p in parameters], self.task.answer)
            self.say({"torch": torch.__version__, **self.versions})
        line = sys.stdin.readline()
        if not line:
            self.leave()
        self.steps = self.left = int(line)
        self.began = time.process_time()

    def say(self, what: Any) -> None:
        print(MARK + json.dumps(what), flush=True)

    def leave(self) -> NoReturn:
        os._exit(0)  # from within a training loop that has no end


class Deadline:
    """Whether the CPU seconds of a training are up."""

    def __init__(self, seconds: float) -> None:
        self.end = time.process_time() + seconds

    def __call__(self) -> bool:
        return time.process_time() > self.end


def answer(wanted: Task, values: Tensor, seconds: float, **versions: str) -> None:
    """Save what was found at the test points."""
    found = {"values": values.detach().reshape(-1), "seconds": seconds}
    torch.save({**found, "versions": {"torch": str(torch.__version__), **versions}}, wanted.answer)
