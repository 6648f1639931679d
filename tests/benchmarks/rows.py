"""The rows of the speed table: a spec, its points, and its residuals written by hand.

`tape` and `func` state the same residuals for the two ways in which `nested` takes derivatives.  `channels` is the least
number of values that a sweep through a hidden layer carries for each point: u, its tangents, and the highest order
summed over directions where the residual wants only that sum (Li et al., Forward Laplacian, Nat. Mach. Intell. 2024;
Dangel et al., Collapsing Taylor mode, 2025).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from tests.benchmarks.nested import Forward, ForwardOverReverse, Function, Layers, Tape, forward_laplacian, mlp, taylor

Points = Mapping[str, Tensor]
Residuals = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Group:
    """A region by the first of its labels in the spec: how many points, and how many channels a sweep carries there."""

    label: str
    count: int
    channels: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """`net` maps points (n, d) to (n, outputs); points go by the first label of their region, residuals by their own.

    `gram` says that the tangents are compressed by the first layer's Gram matrix; `sweep` is a forward Laplacian.
    """

    name: str
    title: str
    groups: tuple[Group, ...]
    inputs: int
    outputs: int
    tape: Callable[[Function, Points, Tape], Residuals]
    func: Callable[[Function, Points, Forward | ForwardOverReverse], Residuals]
    order: int = 2
    gram: bool = False
    sweep: Callable[[Layers, Points], Residuals] | None = None
    width: int = 64
    depth: int = 4

    @property
    def counts(self) -> str:
        """The points in words: 4096 + 512."""
        inside = sum(g.count for g in self.groups if g.channels > 1)
        return f"{inside} + {sum(g.count for g in self.groups) - inside}"

    def smaller(self, count: int) -> tuple[Group, ...]:
        """The groups with at most `count` points each."""
        return tuple(Group(g.label, min(g.count, count), g.channels) for g in self.groups)


def scalar(net: Function) -> Function:
    """The only output of a network: (n,)."""
    return lambda z: net(z).squeeze(-1)


def _square(z: Tensor) -> Tensor:
    return torch.sin(pi * z[:, 0]) * torch.sin(pi * z[:, 1])


# ── 2-D Poisson ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _poisson_tape(net: Function, points: Points, tape: Tape) -> Residuals:
    z = points["bulk"].requires_grad_()
    return {
        "bulk": -tape.laplacian(scalar(net)(z), z) - 2 * pi**2 * _square(z.detach()),
        "wall": scalar(net)(points["wall"]),
    }


def _poisson_func(net: Function, points: Points, func: Forward | ForwardOverReverse) -> Residuals:
    z = points["bulk"]
    _, _, second = func.along(scalar(net), z, (0, 1), 2)
    return {"bulk": -second.sum(0) - 2 * pi**2 * _square(z), "wall": scalar(net)(points["wall"])}


# ── Burgers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

VISCOSITY = 0.01 / pi


def _burgers_conditions(net: Function, points: Points) -> Residuals:
    z = points["start"]
    return {"start": scalar(net)(z) + torch.sin(pi * z[:, 0]), "walls": scalar(net)(points["walls"])}


def _burgers_tape(net: Function, points: Points, tape: Tape) -> Residuals:
    z = points["bulk"].requires_grad_()
    u = scalar(net)(z)
    (gradient,) = tape.gradients(u[:, None], z)
    u_x, u_t = gradient.unbind(1)
    (u_xx,) = tape.diagonal(gradient, z, (0,)).unbind(1)
    return {"bulk": u_t + u * u_x - VISCOSITY * u_xx, **_burgers_conditions(net, points)}


def _burgers_func(net: Function, points: Points, func: Forward | ForwardOverReverse) -> Residuals:
    z = points["bulk"]
    u, u_x, u_xx = (c[0] for c in func.along(scalar(net), z, (0,), 2))
    u_t = func.along(scalar(net), z, (1,), 1)[1][0]
    return {"bulk": u_t + u * u_x - VISCOSITY * u_xx, **_burgers_conditions(net, points)}


# ── Navier–Stokes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _flow(w: Tensor, w_x: Tensor, w_y: Tensor, laplacian: Tensor) -> Residuals:
    """Of values (n, 3) and derivatives; the pressure's Laplacian is not used."""
    (u, v, _), (u_x, v_x, p_x), (u_y, v_y, p_y) = (c.unbind(-1) for c in (w, w_x, w_y))
    along = u * u_x + v * u_y + p_x - 0.01 * laplacian[:, 0]
    across = u * v_x + v * v_y + p_y - 0.01 * laplacian[:, 1]
    return {"along": along, "across": across, "continuity": u_x + v_y}


def _still(net: Function, points: Points) -> Residuals:
    u, v, _ = net(points["still"]).unbind(1)
    return {"still": u, "rest": v}


def _navier_stokes_tape(net: Function, points: Points, tape: Tape) -> Residuals:
    z = points["along"].requires_grad_()
    w = net(z)
    gradients = tape.gradients(w, z)
    laplacian = torch.stack([tape.diagonal(g, z, (0, 1)).sum(1) for g in gradients[:2]], -1)
    w_x, w_y = torch.stack(gradients, -1).unbind(1)
    return {**_flow(w, w_x, w_y, laplacian), **_still(net, points)}


def _navier_stokes_func(net: Function, points: Points, func: Forward | ForwardOverReverse) -> Residuals:
    w, first, second = func.along(net, points["along"], (0, 1), 2)
    return {**_flow(w[0], *first, second.sum(0)), **_still(net, points)}


# ── Poisson and Laplace in d dimensions ───────────────────────────────────────────────────────────────────────────────


def _sines(z: Tensor) -> Tensor:
    return torch.sin(pi * z).sum(1)


def _poisson10(net: Function, points: Points, laplacian: Tensor) -> Residuals:
    z, wall = points["bulk"].detach(), points["wall"]
    return {"bulk": -laplacian - pi**2 * _sines(z), "wall": scalar(net)(wall) - _sines(wall)}


def _poisson10_tape(net: Function, points: Points, tape: Tape) -> Residuals:
    z = points["bulk"].requires_grad_()
    return _poisson10(net, points, tape.laplacian(scalar(net)(z), z))


def _poisson10_func(net: Function, points: Points, func: Forward | ForwardOverReverse) -> Residuals:
    z = points["bulk"]
    return _poisson10(net, points, func.along(scalar(net), z, range(z.shape[1]), 2)[2].sum(0))


def _laplace(net: Function, points: Points, laplacian: Tensor) -> Residuals:
    wall = points["wall"]
    return {"bulk": laplacian, "wall": scalar(net)(wall) - wall[:, 0] * wall[:, 1]}


def _laplace_tape(net: Function, points: Points, tape: Tape) -> Residuals:
    z = points["bulk"].requires_grad_()
    return _laplace(net, points, tape.laplacian(scalar(net)(z), z))


def _laplace_func(net: Function, points: Points, func: Forward | ForwardOverReverse) -> Residuals:
    z = points["bulk"]
    return _laplace(net, points, func.along(scalar(net), z, range(z.shape[1]), 2)[2].sum(0))


def _laplace_sweep(layers: Layers, points: Points) -> Residuals:
    return _laplace(lambda z: mlp(layers, z), points, forward_laplacian(layers, points["bulk"]))


# ── order four ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _start(net: Function, points: Points) -> Residuals:
    z = points["start"]
    return {"start": scalar(net)(z) + torch.sin(pi * z[:, 0])}


def _kuramoto_tape(net: Function, points: Points, tape: Tape) -> Residuals:
    z, end = points["bulk"].requires_grad_(), points["ends"].requires_grad_()
    u = scalar(net)(z)
    (gradient,) = tape.gradients(u[:, None], z)
    u_x, u_t = gradient.unbind(1)
    (u_xx,) = tape.diagonal(gradient, z, (0,)).unbind(1)
    (third,) = tape.gradients(u_xx[:, None], z)
    (u_xxxx,) = tape.diagonal(third, z, (0,)).unbind(1)
    resting = net(end)
    (slope,) = tape.gradients(resting, end)
    ends = {"ends": resting.squeeze(1), "bends": tape.diagonal(slope, end, (0,)).squeeze(1)}
    return {"bulk": u_t + u * u_x + u_xx + u_xxxx, **_start(net, points), **ends}


def _kuramoto_func(net: Function, points: Points, func: Forward | ForwardOverReverse) -> Residuals:
    z = points["bulk"]
    u, u_x, u_xx, _, u_xxxx = (c[0] for c in func.along(scalar(net), z, (0,), 4))
    u_t = func.along(scalar(net), z, (1,), 1)[1][0]
    resting, _, bend = (c[0] for c in func.along(scalar(net), points["ends"], (0,), 2))
    return {"bulk": u_t + u * u_x + u_xx + u_xxxx, **_start(net, points), "ends": resting, "bends": bend}


def _load(points: Points) -> Tensor:
    return 4 * pi**4 * _square(points["bulk"].detach())


def _biharmonic_tape(net: Function, points: Points, tape: Tape) -> Residuals:
    z, wall = points["bulk"].requires_grad_(), points["wall"].requires_grad_()
    twice = tape.laplacian(tape.laplacian(scalar(net)(z), z), z)
    resting = scalar(net)(wall)
    return {"bulk": twice - _load(points), "wall": resting, "moment": tape.laplacian(resting, wall)}


def _biharmonic_func(net: Function, points: Points, func: Forward | ForwardOverReverse) -> Residuals:
    z = points["bulk"]
    along_y = torch.tensor([0.0, 1.0], dtype=z.dtype)

    def bend(y: Tensor) -> Tensor:
        return taylor(scalar(net), y, along_y, 2)[2]

    pure = func.along(scalar(net), z, (0, 1), 4)[4].sum(0)
    mixed = func.along(bend, z, (0,), 2)[2][0]
    resting, _, second = func.along(scalar(net), points["wall"], (0, 1), 2)
    return {"bulk": pure + 2 * mixed - _load(points), "wall": resting[0], "moment": second.sum(0)}


ROWS: Mapping[str, Row] = {
    row.name: row
    for row in (
        Row(
            "poisson",
            "2-D Poisson",
            (Group("bulk", 4096, 4), Group("wall", 512)),
            2,
            1,
            _poisson_tape,
            _poisson_func,
        ),
        Row(
            "burgers",
            "Burgers",
            (Group("bulk", 4096, 4), Group("start", 256), Group("walls", 256)),
            2,
            1,
            _burgers_tape,
            _burgers_func,
        ),
        Row(
            "navier_stokes",
            "2-D Navier–Stokes u, v, p",
            (Group("along", 4096, 4), Group("still", 16)),
            2,
            3,
            _navier_stokes_tape,
            _navier_stokes_func,
        ),
        Row(
            "poisson10",
            "10-D Poisson",
            (Group("bulk", 1024, 12), Group("wall", 16)),
            10,
            1,
            _poisson10_tape,
            _poisson10_func,
        ),
        Row(
            "laplace100",
            "100-D Laplacian",
            (Group("bulk", 256, 66), Group("wall", 4)),
            100,
            1,
            _laplace_tape,
            _laplace_func,
            gram=True,
            sweep=_laplace_sweep,
        ),
        Row(
            "kuramoto_sivashinsky",
            "Kuramoto–Sivashinsky, u_xxxx",
            (Group("bulk", 2048, 6), Group("start", 8), Group("ends", 8)),
            2,
            1,
            _kuramoto_tape,
            _kuramoto_func,
            order=4,
        ),
        Row(
            "biharmonic",
            "2-D biharmonic",
            (Group("bulk", 2048, 10), Group("wall", 16)),
            2,
            1,
            _biharmonic_tape,
            _biharmonic_func,
            order=4,
        ),
        Row(
            "laplace1000",
            "exact Laplacian, d = 1000",
            (Group("bulk", 16, 66), Group("wall", 2)),
            1000,
            1,
            _laplace_tape,
            _laplace_func,
            gram=True,
            sweep=_laplace_sweep,
        ),
    )
}
"""The table's rows by the names of their specs."""
