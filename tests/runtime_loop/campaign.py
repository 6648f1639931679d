"""Kill the example's run again and again, resume it each time, and compare what it ends with.

    python -m tests.runtime_loop.campaign KILLS SEED FOLDER

The runs are forks of this process, which has imported torch once and never computes anything itself. A run reports each
step through a pipe, so it is known how far a killed one came. Prints a JSON object; the assertions are in test_kills.py.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import torch

from pdespec.runtime.checkpoint import CHECKPOINTS
from pdespec.runtime.config import Config
from pdespec.runtime.endings import exit_code
from pdespec.runtime.loop import Step
from tests.runtime_loop import example_poisson as poisson

STEPS = 162  # 150 of Adam, 12 of L-BFGS


class Child:
    """A forked run that saves after every step (or every `interval` seconds)."""

    def __init__(self, out: Path, resume: bool, interval: float = 0.0, pause: float = 0.0) -> None:
        self.steps, end = os.pipe()
        self.last: int | None = None
        self.first: int | None = None
        self.pid = os.fork()
        if self.pid:
            os.close(end)
            return
        config = replace(poisson.CONFIG, out=out, steps=STEPS, checkpoint=interval, resume=resume, device="cpu")
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

    def wait_for_a_step(self, seconds: float = 60) -> None:
        select.select([self.steps], [], [], seconds)

    def end(self, number: int | None = None) -> int:
        """Send a signal, if any, and wait; the exit code, or minus the signal that ended it."""
        if number is not None:
            os.kill(self.pid, number)
        with os.fdopen(self.steps, "rb") as pipe:
            told = pipe.read()
        numbers = [int.from_bytes(told[k : k + 4], "little") for k in range(0, len(told), 4)]
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


def kills(count: int, draw: random.Random, out: Path) -> dict[str, object]:
    """SIGKILL at random moments: while the run starts, within a step, while a checkpoint is written."""
    lost, bad, ended_by = [], [], []
    reached = killed = 0
    while killed < count:
        child = Child(out, resume=True)
        if draw.random() < 0.2:
            time.sleep(draw.uniform(0, 0.1))
        else:
            child.wait_for_a_step()
            time.sleep(draw.expovariate(1 / 0.01))
        code = child.end(signal.SIGKILL)
        ended_by.append(code)
        killed += code == -signal.SIGKILL
        bad += unreadable(out)
        if child.first is not None and child.last is not None:
            lost.append(reached + 1 - child.first)
            reached = child.last
        if code == 0:
            break
    last = Child(out, resume=True)
    return {"killed": killed, "lost": lost, "unreadable": bad, "reached": reached, "exit": last.end(), "codes": ended_by}


def stops(out: Path) -> dict[str, object]:
    """SIGTERM and SIGINT once each, then resumed; and a run that gets SIGINT twice within one step."""
    told: dict[str, object] = {}
    for k, number in enumerate((signal.SIGTERM, signal.SIGINT)):
        child = Child(out, resume=k > 0, interval=1e9)
        child.wait_for_a_step()
        time.sleep(0.05)
        told[number.name] = (child.end(number), child.first, child.last)
    told["resumed"] = Child(out, resume=True, interval=1e9).end()
    stubborn = Child(out.with_name("stubborn"), resume=False, pause=30)
    stubborn.wait_for_a_step()
    os.kill(stubborn.pid, signal.SIGINT)
    time.sleep(0.2)
    began = time.monotonic()
    told["twice"] = (stubborn.end(signal.SIGINT), time.monotonic() - began)
    return told


def main() -> None:
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    whole = Child(folder / "whole", resume=False, interval=1e9).end()
    told = {"whole": whole, "kills": kills(count, random.Random(seed), folder / "killed"), "stops": stops(folder / "stopped")}
    told |= {"killed": same_run(folder / "whole", folder / "killed"), "stopped": same_run(folder / "whole", folder / "stopped")}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
