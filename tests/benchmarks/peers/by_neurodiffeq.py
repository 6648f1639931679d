"""neurodiffeq: the rows Poisson and Burgers, and its recipes for both, Adam at its default rate 1e-3.

On the rows, conditions are terms of the loss (`additional_loss`) as they are for everyone; in its recipes they are built
into the form of the solution, over 32 × 32 points, noisily spaced, with a network of 2 × 32.  All in float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from math import pi
from typing import Any

import torch
from neurodiffeq import diff
from neurodiffeq.conditions import IBVP1D, DirichletBVP2D, NoCondition
from neurodiffeq.generators import Generator2D, PredefinedGenerator
from neurodiffeq.networks import FCNN
from neurodiffeq.solvers import Solver2D
from neurodiffeq.utils import set_tensor_type
from turns import Deadline, Task, Turns, answer, start_from, task

VERSION = version("neurodiffeq")


def poisson(u: Any, x: Any, y: Any) -> list[Any]:
    return [-diff(u, x, order=2) - diff(u, y, order=2) - 2 * pi**2 * torch.sin(pi * x) * torch.sin(pi * y)]


def burgers(u: Any, x: Any, t: Any) -> list[Any]:
    u_x = diff(u, x)
    return [diff(u, t) + u * u_x - 0.01 / pi * diff(u_x, x)]


EQUATIONS: dict[str, Callable[..., list[Any]]] = {"poisson": poisson, "burgers": burgers}


class Weighted(Solver2D):  # type: ignore[misc]
    """Conditions as terms of the loss, on the row's points."""

    task: Task

    def additional_loss(self, residual: Any, funcs: Any, coords: Any) -> Any:
        return sum(self.task.weights[label] * term for label, term in self.terms())

    def terms(self) -> Iterator[tuple[str, Any]]:
        for label, z in self.task.points.items():
            if label != "bulk":
                u = self.nets[0](z)
                yield label, ((u + torch.sin(pi * z[:, :1])) if label == "start" else u).square().mean()


def corners(row: str) -> dict[str, tuple[int, int]]:
    return {"xy_min": (0, 0), "xy_max": (1, 1)} if row == "poisson" else {"xy_min": (-1, 0), "xy_max": (1, 1)}


def speed(wanted: Task) -> None:
    """Steps on the row's own points."""
    net = FCNN(2, 1, hidden_units=(64,) * 4, actv=torch.nn.Tanh)
    start_from(net.parameters(), wanted.parameters)
    solver = Weighted(
        pde_system=EQUATIONS[wanted.row],
        conditions=[NoCondition()],
        nets=[net],
        **corners(wanted.row),
        train_generator=PredefinedGenerator(*wanted.points["bulk"].unbind(1)),
        n_batches_valid=0,
        optimizer=torch.optim.Adam(net.parameters(), lr=1e-3, fused=True),
    )
    solver.task = wanted
    turns = Turns(wanted, neurodiffeq=VERSION)
    solver.fit(10**9, callbacks=[lambda _: turns(net.parameters())], tqdm_file=None)


def train(wanted: Task) -> None:
    """The library's own recipe, until the time is up."""
    if wanted.row == "poisson":
        zero = {f"{c}_{end}_val": torch.zeros_like for c in "xy" for end in ("min", "max")}
        condition = DirichletBVP2D(x_min=0, x_max=1, y_min=0, y_max=1, **zero)
    else:
        condition = IBVP1D(
            x_min=-1,
            x_max=1,
            t_min=0,
            t_min_val=lambda x: -torch.sin(pi * x),
            x_min_val=torch.zeros_like,
            x_max_val=torch.zeros_like,
        )
    low, high = corners(wanted.row).values()
    began = time.process_time()
    over = Deadline(wanted.seconds)

    def stop(running: Any) -> None:
        running._stop_training = over()  # as its documentation says

    solver = Solver2D(
        pde_system=EQUATIONS[wanted.row],
        conditions=[condition],
        **corners(wanted.row),
        nets=[FCNN(2, 1, hidden_units=(32, 32))],
        train_generator=Generator2D((32, 32), low, high, method="equally-spaced-noisy"),
        n_batches_valid=0,
    )
    solver.fit(10**9, callbacks=[stop], tqdm_file=None)
    seconds = time.process_time() - began
    values = solver.get_solution()(*wanted.test.unbind(1))
    answer(wanted, values, seconds, neurodiffeq=VERSION)


if __name__ == "__main__":
    asked = task()
    set_tensor_type(device="cpu", float_bits=32)  # its own default is 64
    (train if asked.trains else speed)(asked)
