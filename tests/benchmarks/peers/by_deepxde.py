"""DeepXDE: the rows Poisson and Burgers, and its recipes for both: Adam for half of the time, then L-BFGS.

The recipes are those of its examples (Poisson_Lshape: 1200 + 120 points, 4 × 50; Burgers: 2540 + 80 + 160 points,
3 × 20; Glorot normal, tanh, rate 1e-3).
"""

from __future__ import annotations

import os
import time
from typing import Any

os.environ["DDE_BACKEND"] = "pytorch"

import deepxde as dde
import torch
from numpy import pi, sin
from turns import Deadline, Task, Turns, answer, start_from, task


def poisson(x: Any, u: Any) -> Any:
    u_xx = dde.grad.hessian(u, x, i=0, j=0)
    u_yy = dde.grad.hessian(u, x, i=1, j=1)
    return -u_xx - u_yy - 2 * pi**2 * torch.sin(pi * x[:, 0:1]) * torch.sin(pi * x[:, 1:2])


def burgers(x: Any, u: Any) -> Any:
    u_x = dde.grad.jacobian(u, x, i=0, j=0)
    u_t = dde.grad.jacobian(u, x, i=0, j=1)
    return u_t + u * u_x - 0.01 / pi * dde.grad.hessian(u, x, i=0, j=0)


EQUATIONS = {"poisson": poisson, "burgers": burgers}


def geometry(row: str) -> Any:
    if row == "poisson":
        return dde.geometry.Rectangle([0, 0], [1, 1])
    return dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1))


class EachStep(dde.callbacks.Callback):  # type: ignore[misc]
    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self.turns = turns

    def on_epoch_end(self) -> None:
        self.turns(self.model.net.parameters())


class Stop(dde.callbacks.Callback):  # type: ignore[misc]
    def __init__(self, over: Deadline) -> None:
        super().__init__()
        self.over = over

    def on_epoch_end(self) -> None:
        self.model.stop_training = self.over()


def speed(wanted: Task) -> None:
    """Steps on the row's own points."""
    z = wanted.points["bulk"]
    conditions = []
    for label, at in wanted.points.items():
        if label != "bulk":
            values = -sin(pi * at[:, :1].numpy()) if label == "start" else at[:, :1].numpy() * 0
            conditions.append(dde.icbc.PointSetBC(at.numpy(), values))
    data = dde.data.PDE(
        geometry(wanted.row), EQUATIONS[wanted.row], conditions, num_domain=0, num_boundary=0, anchors=z.numpy()
    )
    net = dde.nn.FNN([2] + [64] * 4 + [1], "tanh", "Glorot normal")
    start_from(net.parameters(), wanted.parameters)
    model = dde.Model(data, net)
    model.compile("adam", lr=1e-3, loss_weights=[wanted.weights[label] for label in wanted.points], verbose=0)
    model.train(10**9, display_every=10**9, callbacks=[EachStep(Turns(wanted, deepxde=dde.__version__))], verbose=0)


def train(wanted: Task) -> None:
    """The library's own recipe, until the time is up."""
    space = geometry(wanted.row)
    if wanted.row == "poisson":
        wall = dde.icbc.DirichletBC(space, lambda x: 0, lambda _, on_boundary: on_boundary)
        data = dde.data.PDE(space, poisson, wall, num_domain=1200, num_boundary=120)
        net = dde.nn.FNN([2] + [50] * 4 + [1], "tanh", "Glorot uniform")
    else:
        walls = dde.icbc.DirichletBC(space, lambda x: 0, lambda _, on_boundary: on_boundary)
        start = dde.icbc.IC(space, lambda x: -sin(pi * x[:, 0:1]), lambda _, on_initial: on_initial)
        data = dde.data.TimePDE(space, burgers, [walls, start], num_domain=2540, num_boundary=80, num_initial=160)
        net = dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal")
    model = dde.Model(data, net)
    began = time.process_time()
    model.compile("adam", lr=1e-3, verbose=0)
    quiet = {"display_every": 10**9, "verbose": 0}
    model.train(10**9, callbacks=[Stop(Deadline(wanted.seconds / 2))], **quiet)
    dde.optimizers.set_LBFGS_options(maxiter=10**9)
    dde.optimizers.config.LBFGS_options["iter_per_step"] = 20  # so that it stops in time
    model.compile("L-BFGS", verbose=0)
    model.train(callbacks=[Stop(Deadline(wanted.seconds + began - time.process_time()))], **quiet)
    seconds = time.process_time() - began
    answer(wanted, torch.as_tensor(model.predict(wanted.test.numpy())), seconds, deepxde=dde.__version__)


if __name__ == "__main__":
    asked = task()
    dde.config.set_default_float("float32")
    dde.config.set_random_seed(asked.seed)
    (train if asked.trains else speed)(asked)
