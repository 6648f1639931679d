"""Kill the example's run again and again, resume it each time, and compare what it ends with.

    python -m tests.runtime_loop.campaign KILLS STEPS SEED FOLDER

The runs are forks of this process, which has imported torch once and never computes anything itself. A run reports each
step through a pipe, so it is known how far a killed one came. Prints a JSON object, asserted upon in test_kills.py.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import torch
import torch._dynamo  # what the first optimiser imports: here once, not in every fork

from pdespec.runtime.checkpoint import CHECKPOINTS
from pdespec.runtime.config import Config
from pdespec.runtime.endings import exit_code
from pdespec.runtime.loop import Step
from tests.runtime_loop import example_poisson as poisson


class Child:
    """A forked run that saves after every step (or every `interval` seconds)."""

    def __init__(self, out: Path, steps: int, resume: bool, interval: float = 0.0, pause: float = 0.0) -> None:
        self.pipe, end = os.pipe()
        self.told = b""
        self.last: int | None = None
        self.first: int | None = None
        self.pid = os.fork()
        if self.pid:
            os.close(end)
            return
        config = replace(poisson.CONFIG, out=out, steps=steps, checkpoint=interval, resume=resume, device="cpu")
        code = 3
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            code = exit_code(lambda: self.main(config, end, pause))
        finally:
            os._exit(code)

    def main(self, config: Config, end: int, pause: float) -> int:
        def on_step(step: Step) -> None:
            os.write(end, step.number.to_bytes(4, "little"))
            time.sleep(pause)

        u, _ = poisson.train(config, on_step)
        poisson.evaluate(u, config)
        return 0

    def wait_for_steps(self, count: int) -> None:
        while len(self.told) < 4 * count and (told := os.read(self.pipe, 4)):
            self.told += told

    def end(self, number: int | None = None) -> int:
        """Send a signal, if any, and wait; the exit code, or minus the signal that ended it."""
        if number is not None:
            os.kill(self.pid, number)
        with os.fdopen(self.pipe, "rb") as pipe:
            self.told += pipe.read()
        numbers = [int.from_bytes(self.told[k : k + 4], "little") for k in range(0, len(self.told), 4)]
        if numbers:
            self.first, self.last = numbers[0], numbers[-1]
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def unreadable(folder: Path) -> list[str]:
    """The checkpoints in the folder that cannot be read in full."""
    bad = []
    for path in (folder / name for name in CHECKPOINTS):
        if path.exists():
            try:
                with zipfile.ZipFile(path) as archive:
                    bad += [path.name] if archive.testzip() else []
                torch.load(path, weights_only=True)
            except Exception as problem:
                bad.append(f"{path.name}: {problem}")
    return bad


def equal(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and a == b


def same_run(a: Path, b: Path) -> dict[str, bool]:
    there, here = (torch.load(folder / CHECKPOINTS[0], weights_only=True) for folder in (a, b))
    files = ("history.csv", "solution.npz")
    return {
        "state": equal(there["now"], here["now"]) and equal(there["good"], here["good"]),
        **{name: (a / name).read_bytes() == (b / name).read_bytes() for name in files},
    }


def kills(count: int, steps: int, draw: random.Random, out: Path) -> dict[str, object]:
    """SIGKILL at random moments: while the run starts, within a step, while a checkpoint is written."""
    lost, bad = [], []
    reached = killed = 0
    while killed < count:
        child = Child(out, steps, resume=True)
        if draw.random() < 0.2:
            time.sleep(draw.uniform(0, 0.1))
        else:
            child.wait_for_steps(1 + draw.randrange(max(1, round(1.4 * steps / count))))
            time.sleep(draw.uniform(0, 0.02))
        code = child.end(signal.SIGKILL)
        killed += code == -signal.SIGKILL
        bad += unreadable(out)
        if child.first is not None and child.last is not None:
            lost.append(reached + 1 - child.first)
            reached = child.last
        if code == 0:
            break
    last = Child(out, steps, resume=True)
    return {"killed": killed, "lost": lost, "unreadable": bad, "reached": reached, "exit": last.end()}


def stops(out: Path, steps: int) -> dict[str, object]:
    """SIGTERM and SIGINT once each, then resumed; and a run that gets SIGINT twice within one step."""
    told: dict[str, object] = {}
    for k, number in enumerate((signal.SIGTERM, signal.SIGINT)):
        child = Child(out, steps, resume=k > 0, interval=1e9)
        child.wait_for_steps(5)
        told[number.name] = (child.end(number), child.first, child.last)
    told["resumed"] = Child(out, steps, resume=True, interval=1e9).end()
    stubborn = Child(out.with_name("stubborn"), steps, resume=False, pause=30)
    stubborn.wait_for_steps(1)
    os.kill(stubborn.pid, signal.SIGINT)
    time.sleep(0.2)
    began = time.monotonic()
    told["twice"] = (stubborn.end(signal.SIGINT), time.monotonic() - began)
    return told


def main() -> None:
    (count, steps, seed), folder = map(int, sys.argv[1:4]), Path(sys.argv[4])
    torch.set_num_threads(1)
    told: dict[str, object] = {"whole": Child(folder / "whole", steps, resume=False, interval=1e9).end()}
    told["kills"] = kills(count, steps, random.Random(seed), folder / "killed")
    told["stops"] = stops(folder / "stopped", steps)
    told |= {name: same_run(folder / "whole", folder / name) for name in ("killed", "stopped")}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
