"""TorchPhysics: the rows Poisson and Burgers, and its recipes for both: Adam for half of the time, then L-BFGS.

The recipes follow its tutorials (5 × 50, rate 1e-3, points drawn anew in every step, L-BFGS at rate 0.05 on fixed ones)
with 2500 + 500 points, fewer than theirs, which suits the time of one core.
"""

from __future__ import annotations

import logging
import time
import warnings
from importlib.metadata import version
from math import pi
from typing import Any

import pytorch_lightning as pl
import torch
import torchphysics as tp
from turns import Deadline, Task, Turns, answer, start_from, task

warnings.filterwarnings("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
VERSION = version("torchphysics")
X, Y, T, U = tp.spaces.R1("x"), tp.spaces.R1("y"), tp.spaces.R1("t"), tp.spaces.R1("u")
SPACES = {"poisson": X * Y, "burgers": X * T}


def poisson(u: Any, x: Any, y: Any) -> Any:
    source = 2 * pi**2 * torch.sin(pi * x) * torch.sin(pi * y)
    return -tp.utils.laplacian(u, x, y) - source


def burgers(u: Any, x: Any, t: Any) -> Any:
    u_x = tp.utils.grad(u, x)
    return tp.utils.grad(u, t) + u * u_x - 0.01 / pi * tp.utils.grad(u_x, x)


def start(u: Any, x: Any) -> Any:
    return u + torch.sin(pi * x)


def wall(u: Any) -> Any:
    return u


EQUATIONS = {"poisson": poisson, "burgers": burgers}


class EachStep(pl.Callback):  # type: ignore[misc]
    def __init__(self, turns: Turns) -> None:
        self.turns = turns

    def on_train_batch_end(self, trainer: Any, solver: Any, *rest: Any) -> None:
        self.turns(solver.train_conditions[0].module.parameters())


class Stop(pl.Callback):  # type: ignore[misc]
    def __init__(self, over: Deadline) -> None:
        self.over = over

    def on_train_batch_end(self, trainer: Any, *rest: Any) -> None:
        trainer.should_stop = self.over()


def fit(conditions: list[Any], setting: Any, callback: pl.Callback) -> None:
    solver = tp.solver.Solver(conditions, optimizer_setting=setting)
    quiet = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
    }
    # its loader is a tensor with an entry for each step
    trainer = pl.Trainer(accelerator="cpu", devices=1, max_steps=10**6, callbacks=[callback], **quiet)
    trainer.fit(solver)


def speed(wanted: Task) -> None:
    """Steps on the row's own points."""
    net = tp.models.FCN(SPACES[wanted.row], U, hidden=(64,) * 4)
    start_from(net.parameters(), wanted.parameters)
    equations = {"bulk": EQUATIONS[wanted.row], "start": start}
    conditions = [
        tp.conditions.PINNCondition(
            net,
            tp.samplers.DataSampler(tp.spaces.Points(z, SPACES[wanted.row])),
            equations.get(label, wall),
            track_gradients=label == "bulk",
            weight=wanted.weights[label],
            name=label,
        )
        for label, z in wanted.points.items()
    ]
    setting = tp.OptimizerSetting(torch.optim.Adam, lr=1e-3, optimizer_args={"fused": True})
    fit(conditions, setting, EachStep(Turns(wanted, torchphysics=VERSION)))


def regions(row: str) -> dict[str, Any]:
    """The domains of the equations by label."""
    if row == "poisson":
        square = tp.domains.Parallelogram(X * Y, [0, 0], [1, 0], [0, 1])
        return {"bulk": square, "wall": square.boundary}
    space, span = tp.domains.Interval(X, -1, 1), tp.domains.Interval(T, 0, 1)
    return {"bulk": space * span, "start": space * span.boundary_left, "walls": space.boundary * span}


def train(wanted: Task) -> None:
    """The library's own recipe, until the time is up."""
    net = tp.models.FCN(SPACES[wanted.row], U, hidden=(50,) * 5)
    equations = {"bulk": EQUATIONS[wanted.row], "start": start}
    drawn, fixed = [], []
    for label, region in regions(wanted.row).items():
        sampler = tp.samplers.RandomUniformSampler(region, n_points=2500 if label == "bulk" else 500)
        equation = equations.get(label, wall)
        drawn.append(tp.conditions.PINNCondition(net, sampler, equation, name=label))
        fixed.append(tp.conditions.PINNCondition(net, sampler.make_static(), equation, name=label))
    began = time.process_time()
    fit(drawn, tp.OptimizerSetting(torch.optim.Adam, lr=1e-3), Stop(Deadline(wanted.seconds / 2)))
    options = {"max_iter": 2, "history_size": 100}
    lbfgs = tp.OptimizerSetting(torch.optim.LBFGS, lr=0.05, optimizer_args=options)
    fit(fixed, lbfgs, Stop(Deadline(wanted.seconds + began - time.process_time())))
    seconds = time.process_time() - began
    answer(wanted, net(tp.spaces.Points(wanted.test, SPACES[wanted.row])).as_tensor, seconds, torchphysics=VERSION)


if __name__ == "__main__":
    asked = task()
    (train if asked.trains else speed)(asked)
