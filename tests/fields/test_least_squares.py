"""Boundary value problems with manufactured solutions, solved by random features and least squares.

Sources come from nested automatic differentiation of the exact solution: the features' closed forms are not trusted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from pdespec.runtime.errors import relative_error
from pdespec.runtime.features import Features, random_features
from pdespec.runtime.least_squares import (
    Fit,
    Rows,
    damped_step,
    gauss_newton,
    row_scales,
    search_scale,
    weighted_residual,
)
from pdespec.runtime.shapes import Ball, Box, Difference, Shape, cartesian, draw_points, singleton

Function = Callable[[Tensor], Tensor]
SQUARE = Box((0.0, 0.0), (1.0, 1.0))
DISK_WITH_HOLE = Difference(Ball((0.0, 0.0), 1.0), Ball((0.3, 0.1), 0.3))
ANNULUS = Difference(Ball((0.0, 0.0), 1.0), Ball((0.0, 0.0), 0.5))


def derivative(f: Function, z: Tensor, *axes: int) -> Tensor:
    """∂f along the axes, one after the other, by nested automatic differentiation."""
    with torch.enable_grad():
        z = z.clone().requires_grad_()
        value = f(z)
        for axis in axes:
            (gradient,) = torch.autograd.grad(value.sum(), z, create_graph=True)
            value = gradient[:, axis]
    return value.detach()


def laplacian(f: Function, z: Tensor) -> Tensor:
    return derivative(f, z, 0, 0) + derivative(f, z, 1, 1)


def fit(equations: Callable[[Tensor], Rows], size: int, steps: int = 1) -> Fit:
    """Least squares with importance 1 for `bulk…` and 10 for every condition."""
    start = torch.zeros(size, dtype=torch.float64)
    rows = equations(start)
    scales = row_scales(rows, {label: 1.0 if label.startswith("bulk") else 10.0 for label in rows})
    return gauss_newton(equations, start, scales, steps)


def features_over(shape: Shape, count: int, scale: float = 1.5, seed: int = 0) -> Features:
    lower, upper = shape.box
    return random_features(lower.tolist(), upper.tolist(), count, seed, scale)


def error(features: Features, c: Tensor, exact: Function, points: Tensor, mean_free: bool = False) -> float:
    (phi,) = features.derivatives(points, (0,) * points.shape[1])
    return relative_error(phi @ c, exact(points), mean_free=mean_free)


def linear(matrix: Tensor, target: Tensor | float) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    return lambda c: (matrix @ c - target, matrix)


def dirichlet(shape: Shape, exact: Function, count: int, scale: float = 1.5, shift: float = 0.0) -> float:
    """The error for −Δu + shift·u = f with u given on the whole boundary."""
    features = features_over(shape, count, scale)
    z, edge = draw_points(shape.interior, 3 * count, 0).points, draw_points(shape.boundary, count, 0).points
    value, xx, yy = features.derivatives(z, (0, 0), (2, 0), (0, 2))
    bulk = linear(-xx - yy + shift * value, shift * exact(z) - laplacian(exact, z))
    wall = linear(features.derivatives(edge, (0, 0))[0], exact(edge))
    found = fit(lambda c: {"bulk": bulk(c), "wall": wall(c)}, count)
    return error(features, found.coefficients, exact, draw_points(shape.interior, 2000, 9).points)


def test_poisson_on_the_unit_square() -> None:
    assert dirichlet(SQUARE, lambda z: torch.sin(math.pi * z[:, 0]) * torch.sin(math.pi * z[:, 1]), 800) < 1e-9


def test_poisson_on_a_disk_with_a_hole() -> None:
    assert dirichlet(DISK_WITH_HOLE, lambda z: torch.exp(z[:, 0]) * torch.sin(2 * z[:, 1]) + z[:, 0] ** 3, 600) < 1e-7


def test_screened_poisson_on_an_annulus() -> None:
    assert dirichlet(ANNULUS, lambda z: torch.log(z.norm(dim=1)) + z[:, 0] * z[:, 1], 600, scale=3.0, shift=4.0) < 1e-4


def test_robin_and_neumann_on_an_annulus() -> None:
    """Δu = 0 with ∂ₙu given inside and ∂ₙu + 2u outside; exact u = ln r + x/r², differentiated by hand."""

    def exact(z: Tensor) -> Tensor:
        return torch.log(z.norm(dim=1)) + z[:, 0] / z.square().sum(1)

    features = features_over(ANNULUS, 700, 3.0)
    z = draw_points(ANNULUS.interior, 2500, 0).points
    edge, normals, _, _ = draw_points(ANNULUS.boundary, 900, 0)
    outer = edge.norm(dim=1) > 0.75
    xx, yy = features.derivatives(z, (2, 0), (0, 2))
    value, x, y = features.derivatives(edge, (0, 0), (1, 0), (0, 1))
    flux = normals[:, :1] * x + normals[:, 1:] * y
    radial = 1 / edge.norm(dim=1) - edge[:, 0] / edge.norm(dim=1) ** 3
    bulk = linear(xx + yy, 0.0)
    robin = linear((flux + 2 * value)[outer], (radial + 2 * exact(edge))[outer])
    neumann = linear(flux[~outer], -radial[~outer])
    found = fit(lambda c: {"bulk": bulk(c), "robin": robin(c), "neumann": neumann(c)}, 700)
    assert error(features, found.coefficients, exact, draw_points(ANNULUS.interior, 2000, 9).points) < 1e-3


def test_pure_neumann_with_a_mean() -> None:
    """−Δu = 2π² cos πx cos πy, ∂ₙu = 0, ∫u = 0: one row fixes the constant."""
    features = features_over(SQUARE, 500)
    z = draw_points(SQUARE.interior, 1600, 0).points
    edge, normals, _, _ = draw_points(SQUARE.boundary, 500, 0)
    value, xx, yy = features.derivatives(z, (0, 0), (2, 0), (0, 2))
    x, y = features.derivatives(edge, (1, 0), (0, 1))
    flux = normals[:, :1] * x + normals[:, 1:] * y

    def exact(z: Tensor) -> Tensor:
        return torch.cos(math.pi * z[:, 0]) * torch.cos(math.pi * z[:, 1])

    bulk, wall = linear(-xx - yy, 2 * math.pi**2 * exact(z)), linear(flux, 0.0)
    mean = linear(value.mean(0, keepdim=True), exact(z).mean())
    found = fit(lambda c: {"bulk": bulk(c), "wall": wall(c), "mean": mean(c)}, 500)
    assert error(features, found.coefficients, exact, draw_points(SQUARE.interior, 2000, 9).points) < 1e-7


def wave_error(count: int, scale: float) -> float:
    """u_tt = 4u_xx, u = sin πx cos 2πt + ½ sin 4πx cos 8πt on [0, 1]²."""
    space, time = Box((0.0,), (1.0,)), Box((0.0,), (1.0,))
    features = random_features((0.0, 0.0), (1.0, 1.0), count, 0, scale)

    def exact(z: Tensor) -> Tensor:
        x, t = math.pi * z[:, 0], math.pi * z[:, 1]
        return torch.sin(x) * torch.cos(2 * t) + torch.sin(4 * x) * torch.cos(8 * t) / 2

    z = draw_points(cartesian(space.interior, time.interior), 3 * count, 0).points
    begin = draw_points(cartesian(space.interior, singleton(0.0)), count // 3, 0).points
    sides = draw_points(cartesian(space.boundary, time.interior), count // 3, 0).points
    tt, xx = features.derivatives(z, (0, 2), (2, 0))
    value, speed = features.derivatives(begin, (0, 0), (0, 1))
    profile = torch.sin(math.pi * begin[:, 0]) + torch.sin(4 * math.pi * begin[:, 0]) / 2
    rows = {
        "bulk": linear(tt - 4 * xx, 0.0),
        "start": linear(value, profile),
        "rest": linear(speed, 0.0),
        "walls": linear(features.derivatives(sides, (0, 0))[0], 0.0),
    }
    found = fit(lambda c: {label: row(c) for label, row in rows.items()}, count)
    points = draw_points(cartesian(space.interior, time.interior), 2000, 9).points
    return error(features, found.coefficients, exact, points)


def test_wave() -> None:
    assert wave_error(600, 1.5) < 2e-3


@pytest.mark.slow
def test_wave_with_many_features() -> None:
    assert wave_error(2500, 3.0) < 1e-7


def test_heat() -> None:
    """u_t = 0.1 u_xx, u = e^{−0.1π²t} sin πx."""
    space, time = Box((0.0,), (1.0,)), Box((0.0,), (1.0,))
    features = random_features((0.0, 0.0), (1.0, 1.0), 400, 0)
    z = draw_points(cartesian(space.interior, time.interior), 1200, 0).points
    begin = draw_points(cartesian(space.interior, singleton(0.0)), 200, 0).points
    sides = draw_points(cartesian(space.boundary, time.interior), 200, 0).points
    t, xx = features.derivatives(z, (0, 1), (2, 0))
    bulk = linear(t - 0.1 * xx, 0.0)
    start = linear(features.derivatives(begin, (0, 0))[0], torch.sin(math.pi * begin[:, 0]))
    walls = linear(features.derivatives(sides, (0, 0))[0], 0.0)
    found = fit(lambda c: {"bulk": bulk(c), "start": start(c), "walls": walls(c)}, 400)

    def exact(z: Tensor) -> Tensor:
        return torch.exp(-0.1 * math.pi**2 * z[:, 1]) * torch.sin(math.pi * z[:, 0])

    assert error(features, found.coefficients, exact, z) < 1e-8


def stream(z: Tensor) -> Tensor:
    """The stream function of the Stokes test; u = ψ_y, v = −ψ_x."""
    return torch.sin(math.pi * z[:, 0]) ** 2 * torch.sin(math.pi * z[:, 1]) * torch.exp(z[:, 1] / 2)


def test_steady_stokes_with_a_mean_free_pressure() -> None:
    """−Δu + ∇p = f, ∇·u = 0 in the square, u given on the wall, ∫p = 0: three blocks of columns."""
    k, pressure = 450, lambda z: torch.cos(2 * z[:, 0]) * torch.sin(3 * z[:, 1])
    velocity = (lambda z: stream_derivative(z, 1), lambda z: -stream_derivative(z, 0))
    features = features_over(SQUARE, k)
    z, edge = draw_points(SQUARE.interior, 1500, 0).points, draw_points(SQUARE.boundary, 500, 0).points
    value, x, y, xx, yy = features.derivatives(z, (0, 0), (1, 0), (0, 1), (2, 0), (0, 2))
    (wall,) = features.derivatives(edge, (0, 0))
    zero, none = torch.zeros_like(x), torch.zeros_like(wall)
    forces = [
        -stream_derivative(z, 1, 0, 0) - stream_derivative(z, 1, 1, 1) + derivative(pressure, z, 0),
        stream_derivative(z, 0, 0, 0) + stream_derivative(z, 0, 1, 1) + derivative(pressure, z, 1),
    ]
    rows = {
        "bulk_x": linear(torch.cat([-xx - yy, zero, x], 1), forces[0]),
        "bulk_y": linear(torch.cat([zero, -xx - yy, y], 1), forces[1]),
        "bulk_divergence": linear(torch.cat([x, y, zero], 1), 0.0),
        "wall_u": linear(torch.cat([wall, none, none], 1), velocity[0](edge)),
        "wall_v": linear(torch.cat([none, wall, none], 1), velocity[1](edge)),
        "mean": linear(torch.cat([zero, zero, value], 1).mean(0, keepdim=True), 0.0),
    }
    c = fit(lambda c: {label: row(c) for label, row in rows.items()}, 3 * k).coefficients.reshape(3, k)
    test = draw_points(SQUARE.interior, 1000, 9).points
    assert error(features, c[0], velocity[0], test) < 1e-5
    assert error(features, c[1], velocity[1], test) < 1e-5
    assert error(features, c[2], pressure, test, mean_free=True) < 1e-4
    (phi,) = features.derivatives(z, (0, 0))
    assert abs((phi @ c[2]).mean()) < 1e-8


def stream_derivative(z: Tensor, *axes: int) -> Tensor:
    return derivative(stream, z, *axes)


def semilinear(z: Tensor) -> Tensor:
    """Exact solution of the nonlinear test."""
    return 2 * torch.sin(math.pi * z[:, 0]) * torch.sin(2 * math.pi * z[:, 1]) + z[:, 0]


def test_semilinear_by_gauss_newton() -> None:
    """−Δu + u³ = f: the residual falls at every step, to the accuracy of the linear problem."""
    features = features_over(SQUARE, 500)
    z, edge = draw_points(SQUARE.interior, 1500, 0).points, draw_points(SQUARE.boundary, 500, 0).points
    value, xx, yy = features.derivatives(z, (0, 0), (2, 0), (0, 2))
    source = semilinear(z) ** 3 - laplacian(semilinear, z)
    wall = linear(features.derivatives(edge, (0, 0))[0], semilinear(edge))

    def equations(c: Tensor) -> Rows:
        u = value @ c
        bulk = (-(xx + yy) @ c + u**3 - source, -xx - yy + 3 * u[:, None] ** 2 * value)
        return {"bulk": bulk, "wall": wall(c)}

    found = fit(equations, 500, steps=20)
    assert all(b < a for a, b in zip(found.history, found.history[1:], strict=False))
    assert 3 < len(found.history) < 14
    assert error(features, found.coefficients, semilinear, draw_points(SQUARE.interior, 2000, 9).points) < 1e-5


def test_clamped_plate() -> None:
    """Δ²u = f on the square with u and ∂ₙu given: order 4."""

    def exact(z: Tensor) -> Tensor:
        return torch.sin(2 * z[:, 0] + 1) * torch.exp(z[:, 1]) + z[:, 0] ** 2 * z[:, 1]

    features = features_over(SQUARE, 500)
    z = draw_points(SQUARE.interior, 1500, 0).points
    edge, normals, _, _ = draw_points(SQUARE.boundary, 600, 0)
    xxxx, xxyy, yyyy = features.derivatives(z, (4, 0), (2, 2), (0, 4))
    value, x, y = features.derivatives(edge, (0, 0), (1, 0), (0, 1))
    source = (
        9 * torch.sin(2 * z[:, 0] + 1) * torch.exp(z[:, 1])
    )  # (∂xx + ∂yy)² = (−4 + 1)² on the first term, 0 on the other
    slope = normals[:, 0] * derivative(exact, edge, 0) + normals[:, 1] * derivative(exact, edge, 1)
    bulk = linear(xxxx + 2 * xxyy + yyyy, source)
    place, clamp = linear(value, exact(edge)), linear(normals[:, :1] * x + normals[:, 1:] * y, slope)
    found = fit(lambda c: {"bulk": bulk(c), "place": place(c), "clamp": clamp(c)}, 500)
    assert error(features, found.coefficients, exact, draw_points(SQUARE.interior, 2000, 9).points) < 1e-7


def test_periodic_torus() -> None:
    """u − Δu = f on the torus (2π)², without any condition: u = cos(x + 2y) + ½ sin 2x."""
    features = random_features((0.0, 0.0), (2 * math.pi,) * 2, 500, 0, 0.75, (True, True))
    z = draw_points(Box((0.0, 0.0), (2 * math.pi,) * 2).interior, 2000, 0).points
    value, xx, yy = features.derivatives(z, (0, 0), (2, 0), (0, 2))
    wave, double = torch.cos(z[:, 0] + 2 * z[:, 1]), torch.sin(2 * z[:, 0]) / 2
    bulk = linear(value - xx - yy, 6 * wave + 5 * double)
    c = fit(lambda c: {"bulk": bulk(c)}, 500).coefficients
    assert relative_error(value @ c, wave + double) < 1e-7


def test_poisson_in_five_dimensions() -> None:
    """Δu = −(π²/4) u, u = Σ sin(πxᵢ/2)."""
    box, count = Box((0.0,) * 5, (1.0,) * 5), 700
    features = features_over(box, count, 0.75)

    def exact(z: Tensor) -> Tensor:
        return torch.sin(math.pi * z / 2).sum(1)

    z, edge = draw_points(box.interior, 1500, 0).points, draw_points(box.boundary, 1500, 0).points
    second = features.derivatives(z, *[tuple(2 * (i == axis) for i in range(5)) for axis in range(5)])
    bulk, wall = (
        linear(sum(second), -(math.pi**2) / 4 * exact(z)),
        linear(features.derivatives(edge, (0,) * 5)[0], exact(edge)),
    )
    found = fit(lambda c: {"bulk": bulk(c), "wall": wall(c)}, count)
    assert error(features, found.coefficients, exact, draw_points(box.interior, 2000, 9).points) < 2e-3


def test_the_scale_is_found_from_points_outside_the_fit() -> None:
    """u″ + 900u = 0 wants higher frequencies than the default; the ladder's pick is far better, and all is logged."""
    line = Box((0.0,), (1.0,))
    z, unseen = draw_points(line.interior, 500, 0).points, draw_points(line.interior, 250, 1).points
    ends = draw_points(line.boundary, 2, 0).points

    def solve(scale: Sequence[float]) -> tuple[Features, Tensor, float]:
        features = random_features((0.0,), (1.0,), 150, 0, scale)

        def rows(points: Tensor) -> Callable[[Tensor], Rows]:
            value, xx = features.derivatives(points, (0,), (2,))
            bulk = linear(xx + 900 * value, 0.0)
            wall = linear(features.derivatives(ends, (0,))[0], torch.sin(30 * ends[:, 0] + 1))
            return lambda c: {"bulk": bulk(c), "wall": wall(c)}

        c = fit(rows(z), 150).coefficients
        start = torch.zeros(150, dtype=torch.float64)
        scales = row_scales(rows(unseen)(start), {"bulk": 1.0, "wall": 10.0})
        return features, c, weighted_residual(rows(unseen)(c), scales)

    log: list[tuple[tuple[float, ...], float]] = []
    best = search_scale(lambda s: solve(s)[2], 1, (0.2, 1.5, 6.0), lambda s, r: log.append((s, r)))

    def exact(z: Tensor) -> Tensor:
        return torch.sin(30 * z[:, 0] + 1)

    errors = {s: error(*solve(s)[:2], exact, unseen) for s, _ in log}
    assert [s for s, _ in log] == [(0.2,), (1.5,), (6.0,)]
    assert errors[best] == min(errors.values()) < 1e-2 * max(errors.values())


def test_scales_are_found_for_each_coordinate() -> None:
    """A residual that is least at (6, 0.75) is reached from the common scale."""
    found = search_scale(lambda s: 1 + abs(math.log(s[0] / 6)) + abs(math.log(s[1] / 0.75)), 2, (0.75, 1.5, 3.0, 6.0))
    assert found == (6.0, 0.75)


def test_units_do_not_matter() -> None:
    """An equation times 10⁶ gives the same solution, since rows are measured by their own size."""
    features = features_over(SQUARE, 100)
    z, edge = draw_points(SQUARE.interior, 400, 0).points, draw_points(SQUARE.boundary, 200, 0).points
    xx, yy = features.derivatives(z, (2, 0), (0, 2))
    (wall,) = features.derivatives(edge, (0, 0))
    target = torch.sin(3 * z[:, 0])
    values = []
    for unit in (1.0, 1e6):
        bulk, boundary = linear(unit * (xx + yy), unit * target), linear(wall, edge[:, 1])
        c = fit(lambda c, bulk=bulk, boundary=boundary: {"bulk": bulk(c), "wall": boundary(c)}, 100).coefficients
        values.append(features.derivatives(z, (0, 0))[0] @ c)
    assert relative_error(values[1], values[0]) < 1e-7


def test_a_rank_deficient_system_has_a_finite_least_residual() -> None:
    generator = torch.Generator().manual_seed(0)
    factors = torch.randn(40, 5, generator=generator).double(), torch.randn(5, 12, generator=generator).double()
    matrix, target = factors[0] @ factors[1], torch.randn(40, generator=generator).double()
    step, rank = damped_step({"a": (-target, matrix)}, {"a": 1.0})
    best = torch.linalg.lstsq(matrix, target[:, None], driver="gelsd").solution[:, 0]
    assert rank == 5
    assert (matrix @ step - target).norm() == pytest.approx((matrix @ best - target).norm().item(), rel=1e-2)


def test_steps_are_halved_where_newton_diverges() -> None:
    """arctan(c) = 0 from c = 3: the full step overshoots for ever; the halved ones arrive."""
    found = gauss_newton(
        lambda c: {"a": (torch.atan(c), torch.diag(1 / (1 + c**2)))}, torch.tensor([3.0]).double(), {"a": 1.0}, steps=20
    )
    assert abs(found.coefficients.item()) < 1e-8
    assert all(b < a for a, b in zip(found.history, found.history[1:], strict=False))


def test_what_is_not_finite_is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="bulk"):
        row_scales({"bulk": (torch.ones(2), torch.zeros(2, 3))}, {"bulk": 1.0})
    with pytest.raises(ArithmeticError, match="finite"):
        gauss_newton(lambda c: {"a": (c * math.nan, torch.eye(2).double())}, torch.zeros(2).double(), {"a": 1.0})
