"""The loop around the stages: history, checkpoints, signals, and the way back from a step that was not finite.

Every 50 steps the state is kept as a good one; from NaN or infinity the run goes back to it with half the rate, three
times at most. A checkpoint holds the present state and the good one, so neither the moment at which it was written nor
a kill leaves a trace in the numbers.
"""

from __future__ import annotations

import copy
import math
import os
import signal
import sys
import threading
import time
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from types import FrameType
from typing import IO, Any, NamedTuple

from torch import Tensor

from pdespec.runtime.checkpoint import ResumeMismatch, forget_checkpoints, load_checkpoint, save_checkpoint
from pdespec.runtime.config import Config
from pdespec.runtime.folder import locked_history, refuse_foreign
from pdespec.runtime.stages import Stage


class Diverged(Exception):
    """A step stayed NaN or infinite at every rate tried."""


class Step(NamedTuple):
    """A step as `on_step` sees it: the `number`-th of `total`, and its terms by label."""

    number: int
    total: int
    stage: str
    terms: dict[str, float]


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


def finite(tree: object) -> bool:
    """Whether all tensors in nested dictionaries and lists are finite."""
    if isinstance(tree, Tensor):
        return bool(tree.isfinite().all())
    branches = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    return all(map(finite, branches))


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
