"""PINA: the rows Poisson and Burgers, and its recipes for both: Adam, rate 0.006.

The recipes are those of its tutorial on Poisson's equation (20 × 20 points and 20 on each side, 2 × 10) and of its
example of Burgers' (200 × 20 points, 150 on each part of the boundary, 30, 20, 10, 5).
"""

from __future__ import annotations

import logging
import time
import warnings
from importlib.metadata import version
from math import pi
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback
from pina import Condition, LabelTensor, Trainer
from pina.domain import CartesianDomain
from pina.equation import Equation
from pina.model import FeedForward
from pina.operator import grad, laplacian
from pina.optim import TorchOptimizer
from pina.problem import SpatialProblem, TimeDependentProblem
from pina.solver import PINN
from pina.weighting import ScalarWeighting
from turns import Deadline, Task, Turns, answer, start_from, task

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
VERSION = version("pina-mathlab")
NAMES = {"poisson": ["x", "y"], "burgers": ["x", "t"]}


def poisson(z: Any, u: Any) -> Any:
    source = 2 * pi**2 * torch.sin(pi * z.extract("x")) * torch.sin(pi * z.extract("y"))
    return -laplacian(u, z, components=["u"], d=["x", "y"]) - source


def burgers(z: Any, u: Any) -> Any:
    du = grad(u, z)
    u_x, u_t = du.extract(["dudx"]), du.extract(["dudt"])
    u_xx = grad(du, z, components=["dudx"]).extract(["ddudxdx"])
    return u_t + u.extract(["u"]) * u_x - 0.01 / pi * u_xx


def start(z: Any, u: Any) -> Any:
    return u.extract(["u"]) + torch.sin(pi * z.extract(["x"]))


def wall(z: Any, u: Any) -> Any:
    return u.extract(["u"])


EQUATIONS = {"poisson": poisson, "burgers": burgers}


def problem(row: str, points: dict[str, torch.Tensor]) -> Any:
    """A problem on given points."""
    equations = {"bulk": EQUATIONS[row], "start": start}
    made = {
        label: Condition(input=LabelTensor(z, NAMES[row]), equation=Equation(equations.get(label, wall)))
        for label, z in points.items()
    }

    class Poisson(SpatialProblem):  # type: ignore[misc]
        output_variables = ["u"]  # noqa: RUF012
        spatial_domain = CartesianDomain({"x": [0, 1], "y": [0, 1]})
        conditions = made

    class Burgers(SpatialProblem, TimeDependentProblem):  # type: ignore[misc]
        output_variables = ["u"]  # noqa: RUF012
        spatial_domain = CartesianDomain({"x": [-1, 1]})
        temporal_domain = CartesianDomain({"t": [0, 1]})
        conditions = made

    return Poisson() if row == "poisson" else Burgers()


class EachStep(Callback):  # type: ignore[misc]
    def __init__(self, turns: Turns) -> None:
        self.turns = turns

    def on_train_batch_end(self, trainer: Any, solver: Any, *rest: Any) -> None:
        self.turns(solver.model.parameters())


class Stop(Callback):  # type: ignore[misc]
    def __init__(self, over: Deadline) -> None:
        self.over = over

    def on_train_batch_end(self, trainer: Any, *rest: Any) -> None:
        trainer.should_stop = self.over()


def fit(solver: Any, callback: Callback) -> None:
    quiet = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
    }
    Trainer(solver, max_epochs=10**9, accelerator="cpu", callbacks=[callback], **quiet).train()


def speed(wanted: Task) -> None:
    """Steps on the row's own points."""
    net = FeedForward(2, 1, layers=[64] * 4, func=torch.nn.Tanh)
    start_from(net.parameters(), wanted.parameters)
    adam = TorchOptimizer(torch.optim.Adam, lr=1e-3, fused=True)
    weighting = ScalarWeighting(wanted.weights)
    solver = PINN(problem(wanted.row, wanted.points), net, optimizer=adam, weighting=weighting)
    fit(solver, EachStep(Turns(wanted, pina=VERSION)))


def recipe(row: str) -> tuple[dict[str, torch.Tensor], list[int]]:
    """Points and widths."""
    if row == "poisson":
        side, inner = torch.linspace(0, 1, 20), torch.linspace(0, 1, 22)[1:-1]
        ends = [torch.tensor([0.0]), torch.tensor([1.0])]
        walls = [torch.cartesian_prod(side, end) for end in ends] + [torch.cartesian_prod(end, side) for end in ends]
        return {"bulk": torch.cartesian_prod(inner, inner), "wall": torch.cat(walls)}, [10, 10]
    bulk = torch.cartesian_prod(torch.linspace(-1, 1, 20), torch.linspace(0, 1, 200))
    initial = torch.stack([2 * torch.rand(150) - 1, torch.zeros(150)], 1)
    sides = torch.stack([torch.ones(300), torch.rand(300)], 1)
    sides[:150, 0] = -1
    return {"bulk": bulk, "start": initial, "walls": sides}, [30, 20, 10, 5]


def train(wanted: Task) -> None:
    """The library's own recipe, until the time is up."""
    points, widths = recipe(wanted.row)
    net = FeedForward(2, 1, layers=widths, func=torch.nn.Tanh)
    adam = TorchOptimizer(torch.optim.Adam, lr=0.006, weight_decay=1e-8)
    solver = PINN(problem(wanted.row, points), net, optimizer=adam)
    began = time.process_time()
    fit(solver, Stop(Deadline(wanted.seconds)))
    seconds = time.process_time() - began
    answer(wanted, net(wanted.test).as_subclass(torch.Tensor), seconds, pina=VERSION)


if __name__ == "__main__":
    asked = task()
    (train if asked.trains else speed)(asked)
