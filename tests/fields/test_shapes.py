"""Points in and on sets: measures and moments against closed forms, normals against the level function."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from pdespec.runtime.shapes import (
    Ball,
    Box,
    Difference,
    Points,
    Product,
    Shape,
    Sublevel,
    Union,
    cartesian,
    draw_points,
    restricted,
    singleton,
)

UNIT = Box((0.0, 0.0), (1.0, 1.0))
DISK, HOLE = Ball((0.0, 0.0), 1.0), Ball((0.2, 0.0), 0.3)
LENS_AREA = 2 * math.acos(0.5) - 0.5 * math.sqrt(3)  # two unit disks, centres 1 apart
SPHERE_SHELL = Sublevel(Box((-2.0,) * 3, (2.0,) * 3), lambda x: x.square().sum(1) - 1)
ELLIPSE = Sublevel(Box((-3.0, -3.0), (3.0, 3.0)), lambda x: (x[:, 0] / 2) ** 2 + x[:, 1] ** 2 - 1)
HALF = Sublevel(Box((-1.0, -1.0), (1.0, 1.0)), lambda x: x[:, 0] - 0.5)
ELLIPSE_LENGTH = 9.688448220547675  # 8 E(3/4), the complete elliptic integral

SOLIDS = {
    "interval": (Box((-1.0,), (2.0,)), 3.0, 2.0),
    "box": (Box((0.0, 1.0, 0.0), (2.0, 2.0, 3.0)), 6.0, 2 * (2 + 6 + 3)),
    "disk": (DISK, math.pi, 2 * math.pi),
    "ball": (Ball((1.0, 0.0, -1.0), 2.0), 32 * math.pi / 3, 16 * math.pi),
    "ball in 5-D": (Ball((0.0,) * 5, 1.0), 8 * math.pi**2 / 15, 8 * math.pi**2 / 3),
    "annulus": (Difference(DISK, Ball((0.0, 0.0), 0.5)), 0.75 * math.pi, 3 * math.pi),
    "disk with a hole": (Difference(DISK, HOLE), 0.91 * math.pi, 2.6 * math.pi),
    "holed square": (Difference(UNIT, Ball((0.5, 0.5), 0.2)), 1 - 0.04 * math.pi, 4 + 0.4 * math.pi),
    "two disks": (Union(DISK, Ball((1.0, 0.0), 1.0)), 2 * math.pi - LENS_AREA, 4 * (math.pi - math.acos(0.5))),
    "L": (Difference(UNIT, Box((0.5, 0.5), (1.0, 1.0))), 0.75, 4.0),
    "two squares": (Union(UNIT, Box((1.0, 0.0), (2.0, 1.0))), 2.0, 6.0),
    "half-space": (HALF, 3.0, 2 * 1.5 + 2 + 2),
    "ellipse": (ELLIPSE, 2 * math.pi, ELLIPSE_LENGTH),
    "level ball": (SPHERE_SHELL, 4 * math.pi / 3, 4 * math.pi),
    "cylinder": (Product(DISK, Box((0.0,), (2.0,))), 2 * math.pi, 4 * math.pi + 2 * math.pi),
}  # fmt: skip


@pytest.mark.parametrize("name", SOLIDS)
def test_volume_and_area(name: str) -> None:
    shape, volume, area = SOLIDS[name]
    inside, edge = draw_points(shape.interior, 4096, 0), draw_points(shape.boundary, 4096, 0)
    for found, exact in ((inside, volume), (edge, area)):
        assert len(found.points) == len(found.normals) == 4096
        assert found.measure == pytest.approx(exact, rel=1e-12, abs=4 * found.error)
        assert found.error < 0.03 * exact
    assert (shape.level(inside.points) <= 1e-12).all()
    assert shape.level(edge.points).abs().max() < 1e-9
    assert (inside.normals == 0).all()
    lower, upper = shape.box
    assert (inside.points >= lower).all() and (inside.points <= upper).all()


@pytest.mark.parametrize("name", SOLIDS)
def test_normals_are_unit_and_point_out(name: str) -> None:
    shape, _, _ = SOLIDS[name]
    points, normals, _, _ = draw_points(shape.boundary, 500, 1)
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(500, dtype=torch.float64), rtol=1e-12, atol=0)
    assert (shape.level(points + 1e-5 * normals) > 0).all()
    assert (shape.level(points - 1e-5 * normals) < 0).double().mean() > 0.99  # all but points within 1e-5 of an edge


@pytest.mark.parametrize("name", SOLIDS)
def test_divergence_theorem(name: str) -> None:
    """∫_Ω ∇·F dx = ∫_∂Ω F·n dS for F = (x₁³, sin x₂ + x₁x₂, …): ties points, normals and measures together."""
    shape, volume, _ = SOLIDS[name]

    def flux(x: Tensor, n: Tensor) -> Tensor:
        value = x[:, 0] ** 3 * n[:, 0]
        return value if x.shape[1] == 1 else value + (torch.sin(x[:, 1]) + x[:, 0] * x[:, 1]) * n[:, 1]

    def divergence(x: Tensor) -> Tensor:
        value = 3 * x[:, 0] ** 2
        return value if x.shape[1] == 1 else value + torch.cos(x[:, 1]) + x[:, 0]

    inside, edge = draw_points(shape.interior, 2**14, 0), draw_points(shape.boundary, 2**14, 0)
    source = inside.measure * divergence(inside.points).mean().item()
    outflow = edge.measure * flux(edge.points, edge.normals).mean().item()
    slack = 4 * (inside.error + edge.error) + 4e-3 * volume
    assert outflow == pytest.approx(source, abs=slack)


def second_moment(found: Points, axis: int = 0) -> float:
    return found.points[:, axis].square().mean().item()


def test_points_are_uniform() -> None:
    """Second moments: R²/(d+2) in a ball, R²/d on a sphere, (b³−a³)/3(b−a) in an interval."""
    for d in (1, 2, 3, 5, 10):
        ball = Ball((0.0,) * d, 2.0)
        assert second_moment(draw_points(ball.interior, 4096, 0)) == pytest.approx(4 / (d + 2), rel=2e-2)
        assert second_moment(draw_points(ball.boundary, 4096, 0)) == pytest.approx(4 / d, rel=2e-2)
    assert second_moment(draw_points(Box((1.0,), (3.0,)).interior, 4096, 0)) == pytest.approx(26 / 6, rel=1e-4)


def test_points_on_a_level_set_are_uniform_by_arc_length() -> None:
    """∮x² ds on the ellipse x = 2cos θ, y = sin θ by the trapezoidal rule in θ, not uniform by angle."""
    theta = torch.arange(4000, dtype=torch.float64) * 2 * math.pi / 4000
    speed = torch.sqrt((2 * torch.sin(theta)) ** 2 + torch.cos(theta) ** 2)
    exact = ((2 * torch.cos(theta)) ** 2 * speed).mean() / speed.mean()
    assert abs(exact - 2.0) > 0.04 * 2
    assert second_moment(draw_points(ELLIPSE.surface, 20000, 0)) == pytest.approx(exact.item(), rel=1.5e-2)


def test_shares_follow_the_measure_and_both_ends_of_an_interval_are_hit() -> None:
    points = draw_points(Difference(DISK, HOLE).boundary, 2600, 0).points
    outer = (points.norm(dim=1) - 1).abs() < 1e-9
    assert abs(int(outer.sum()) - 2000) <= 1
    ends = draw_points(Box((0.0,), (1.0,)).boundary, 2, 0)
    assert ends.points[:, 0].tolist() == [0, 1] and ends.normals[:, 0].tolist() == [-1, 1]


def test_space_time() -> None:
    disk, time = Difference(DISK, HOLE), Box((0.0,), (3.0,))
    bulk = draw_points(cartesian(disk.interior, time.interior), 4096, 0)
    walls = draw_points(cartesian(disk.boundary, time.interior), 1000, 0)
    start = draw_points(cartesian(disk.interior, singleton(0.0)), 1000, 0)
    assert bulk.measure == pytest.approx(0.91 * math.pi * 3, abs=4 * bulk.error)
    assert walls.measure == pytest.approx(2.6 * math.pi * 3, abs=4 * walls.error + 1e-9)
    assert start.measure == pytest.approx(0.91 * math.pi, abs=4 * start.error)
    assert (start.points[:, 2] == 0).all()
    assert (walls.normals[:, 2] == 0).all() and ((walls.normals.norm(dim=1) - 1).abs() < 1e-12).all()
    r, t = bulk.points[:, :2].norm(dim=1), bulk.points[:, 2]
    assert abs(torch.corrcoef(torch.stack([r, t]))[0, 1]) < 0.05
    spread = torch.histogram(t, bins=8, range=(0.0, 3.0)).hist
    assert (spread - 512).abs().max() < 80


def test_a_part_of_the_boundary() -> None:
    box = Box((0.0, 0.0), (1.0, 2.0))
    left = draw_points((box.face(0, -1),), 50, 0)
    assert (left.points[:, 0] == 0).all() and (left.normals == torch.tensor([-1.0, 0.0])).all() and left.measure == 2
    upper = draw_points(restricted(DISK.boundary, lambda x: x[:, 1] > 0), 1000, 0)
    assert (upper.points[:, 1] > 0).all() and upper.measure == pytest.approx(math.pi, abs=4 * upper.error + 1e-3)


def test_half_space_in_all_of_space() -> None:
    """∂{x₁ ≤ −1} of R² seen through a box is the line alone, not the box's sides."""
    wall = Sublevel(Box((-3.0, -2.0), (3.0, 2.0)), lambda x: x[:, 0] + 1)
    points, normals, measure, error = draw_points(wall.surface, 400, 0)
    torch.testing.assert_close(points[:, 0], torch.full((400,), -1.0, dtype=torch.float64))
    assert measure == pytest.approx(4, abs=4 * error) and (normals[:, 0] == 1).all()


def test_same_seed_same_points_and_another_seed_others() -> None:
    patches = Difference(DISK, HOLE).interior
    first, again, other = (draw_points(patches, 100, seed).points for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize("shape", [Difference(DISK, Ball((0.0, 0.0), 2.0)), Box((1.0, 0.0), (1.0, 2.0))])
def test_an_empty_set_is_an_error(shape: Shape) -> None:
    with pytest.raises(ValueError, match=r"set"):
        draw_points(shape.interior, 10, 0)


def test_a_kinked_level_function_is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="not smooth"):
        draw_points(Sublevel(Box((-1.0,), (1.0,)), lambda x: x[:, 0].abs().sqrt() - 1e-9).boundary, 500, 0)
