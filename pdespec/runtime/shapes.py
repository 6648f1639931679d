"""Sets and their boundaries as patches: images of unit cubes under maps that keep the uniform measure, partly rejected.

A patch carries its measure, a map from uniform numbers to points and outward normals, and which of them belong. Shapes
give the patches of their interior and boundary, and a `level` that is ≤ 0 inside; set algebra acts on patches alone:
    A ∖ B: interior A | outside B;   boundary (∂A | outside B) ∪ (−∂B | inside A);   level max(a, −b);   and so on.
A product of patches is a patch, so Ω × [0, T], ∂Ω × [0, T] and Ω × {0} need no rule of their own.
The surface {c = 0} comes from the thin shell |c|/|∇c| < ε by Newton's projection (coarea formula: its volume is
2ε·area up to O(ε²)). Sources: Ricci 1973 (level functions); Federer 1969, §3.2.12 (coarea).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

Placed = tuple[Tensor, Tensor, Tensor]
"""Points (n, d), outward unit normals (n, d) (zero inside a solid), and whether each point belongs (n,)."""


@dataclass(frozen=True, slots=True)
class Patch:
    """The part that `place` keeps of the image of [0, 1]^cube; the whole image has measure `measure`."""

    cube: int
    measure: float
    place: Callable[[Tensor], Placed]


Patches = tuple[Patch, ...]


class Shape(Protocol):
    """A closed solid: its patches, a function that is ≤ 0 exactly inside it, and a box around it."""

    @property
    def interior(self) -> Patches: ...
    @property
    def boundary(self) -> Patches: ...
    @property
    def box(self) -> tuple[Tensor, Tensor]: ...
    def level(self, x: Tensor) -> Tensor: ...


class Points(NamedTuple):
    """Points uniform on a set, their outward normals, the set's measure and the standard error of that measure."""

    points: Tensor
    normals: Tensor
    measure: float
    error: float


def vector(values: Sequence[float] | float) -> Tensor:
    """A float64 vector."""
    return torch.as_tensor(values, dtype=torch.float64).reshape(-1)


def sobol_cube(n: int, dimension: int, seed: int) -> Tensor:
    """Scrambled Sobol points, moved by half of their resolution 2⁻³⁰ so that they lie strictly inside the unit cube."""
    if dimension == 0:
        return torch.zeros(n, 0, dtype=torch.float64)
    engine = torch.quasirandom.SobolEngine(dimension, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    return engine.draw(n, dtype=torch.float64) + 2.0**-31


def uniform_cube(n: int, dimension: int, seed: int) -> Tensor:
    """Independent uniform points of the unit cube."""
    return torch.rand(n, dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def draw_points(patches: Patches, n: int, seed: int, source: Callable[[int, int, int], Tensor] = sobol_cube) -> Points:
    """n points uniform on the union of disjoint patches, each of which places its share of what `source` draws."""
    whole = sum(patch.measure for patch in patches)
    if not 0 < whole < math.inf:
        raise ValueError(f"points cannot be drawn from a set of measure {whole}")
    factor = 1
    while True:
        counts = [math.ceil(factor * n * patch.measure / whole) for patch in patches]
        cubes = [source(m, p.cube, seed + 7919 * i) for i, (m, p) in enumerate(zip(counts, patches, strict=True))]
        placed = [patch.place(cube) for patch, cube in zip(patches, cubes, strict=True)]
        kept = [int(mask.sum()) for _, _, mask in placed]
        rates = [k / m for k, m in zip(kept, counts, strict=True)]
        areas = [patch.measure * rate for patch, rate in zip(patches, rates, strict=True)]
        ends = [round(n * sum(areas[: i + 1]) / sum(areas)) for i in range(len(areas))] if sum(areas) else []
        shares = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        if ends and all(share <= k for share, k in zip(shares, kept, strict=True)):
            break
        if factor * n > 4 * 10**6:
            raise ValueError(f"the set is empty or too thin: {sum(kept)} of {sum(counts)} points lie in it")
        factor *= 2
    points = torch.cat([x[mask][:share] for (x, _, mask), share in zip(placed, shares, strict=True)])
    normals = torch.cat([v[mask][:share] for (_, v, mask), share in zip(placed, shares, strict=True)])
    spread = [p.measure**2 * r * (1 - r) / m for p, r, m in zip(patches, rates, counts, strict=True)]
    return Points(points, normals, sum(areas), math.sqrt(sum(spread)))


def restricted(patches: Patches, belongs: Callable[[Tensor], Tensor], sign: int = 1) -> Patches:
    """The part of each patch where `belongs` holds, with its normals times `sign`."""

    def part(patch: Patch) -> Patch:
        def place(u: Tensor) -> Placed:
            points, normals, kept = patch.place(u)
            return points, sign * normals, kept & belongs(points)

        return Patch(patch.cube, patch.measure, place)

    return tuple(part(patch) for patch in patches)


def cartesian(first: Patches, second: Patches) -> Patches:
    """The product of two sets, with their normals side by side: those of ∂Ω × [0, T] have no component in time."""

    def pair(a: Patch, b: Patch) -> Patch:
        def place(u: Tensor) -> Placed:
            (x, v, kept), (y, w, too) = a.place(u[:, : a.cube]), b.place(u[:, a.cube :])
            return torch.cat([x, y], 1), torch.cat([v, w], 1), kept & too

        return Patch(a.cube + b.cube, a.measure * b.measure, place)

    return tuple(pair(a, b) for a in first for b in second)


def singleton(*values: float) -> Patches:
    """The set of one point, with measure 1: Ω × {0} is cartesian(Ω.interior, singleton(0.0))."""

    def place(u: Tensor) -> Placed:
        points = vector(values).expand(len(u), -1)
        return points, torch.zeros_like(points), torch.ones(len(u), dtype=torch.bool)

    return (Patch(0, 1.0, place),)


@dataclass(frozen=True, slots=True)
class Box:
    """Π [lowerᵢ, upperᵢ]; an interval has d = 1 and two boundary points of measure 1 each."""

    lower: Sequence[float]
    upper: Sequence[float]

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        return vector(self.lower), vector(self.upper)

    def level(self, x: Tensor) -> Tensor:
        return torch.maximum(vector(self.lower) - x, x - vector(self.upper)).amax(1)

    @property
    def interior(self) -> Patches:
        lower, upper = self.box

        def place(u: Tensor) -> Placed:
            return lower + (upper - lower) * u, torch.zeros_like(u), torch.ones(len(u), dtype=torch.bool)

        return (Patch(len(lower), (upper - lower).prod().item(), place),)

    @property
    def boundary(self) -> Patches:
        return tuple(self.face(axis, side) for axis in range(len(self.lower)) for side in (-1, 1))

    def face(self, axis: int, side: int) -> Patch:
        """The face xᵢ = lowerᵢ (side −1) or xᵢ = upperᵢ (side 1)."""
        lower, upper = self.box
        width = upper - lower
        rest = torch.cat([width[:axis], width[axis + 1 :]])

        def place(u: Tensor) -> Placed:
            end = torch.full((len(u), 1), float(side > 0), dtype=torch.float64)
            unit = torch.cat([u[:, :axis], end, u[:, axis:]], 1)
            normals = torch.zeros_like(unit)
            normals[:, axis] = side
            points = lower + width * unit
            points[:, axis] = (upper if side > 0 else lower)[axis]
            return points, normals, torch.ones(len(u), dtype=torch.bool)

        return Patch(len(rest), rest.prod().item(), place)


@dataclass(frozen=True, slots=True)
class Ball:
    """{|x − center| ≤ radius} in d dimensions, |B| = π^{d/2} R^d / Γ(d/2 + 1), |∂B| = d|B|/R."""

    center: Sequence[float]
    radius: float

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        return vector(self.center) - self.radius, vector(self.center) + self.radius

    @property
    def volume(self) -> float:
        d = len(self.center)
        return math.exp(d / 2 * math.log(math.pi) + d * math.log(self.radius) - math.lgamma(d / 2 + 1))

    def level(self, x: Tensor) -> Tensor:
        distance: Tensor = (x - vector(self.center)).norm(dim=1)
        return distance - self.radius

    def directions(self, u: Tensor) -> Tensor:
        """Uniform on the unit sphere: by the angle for d = 2, else by d normal deviates (Muller 1959)."""
        if len(self.center) == 2:
            return torch.cat([torch.cos(2 * math.pi * u), torch.sin(2 * math.pi * u)], 1)
        return torch.nn.functional.normalize(torch.erfinv(2 * u - 1))

    @property
    def interior(self) -> Patches:
        d = len(self.center)

        def place(u: Tensor) -> Placed:
            points = vector(self.center) + self.radius * u[:, :1] ** (1 / d) * self.directions(u[:, 1:])
            return points, torch.zeros_like(points), torch.ones(len(u), dtype=torch.bool)

        return (Patch(2 if d == 2 else d + 1, self.volume, place),)

    @property
    def boundary(self) -> Patches:
        d = len(self.center)

        def place(u: Tensor) -> Placed:
            normals = self.directions(u)
            return vector(self.center) + self.radius * normals, normals, torch.ones(len(u), dtype=torch.bool)

        return (Patch(1 if d == 2 else d, d * self.volume / self.radius, place),)


@dataclass(frozen=True, slots=True)
class Sublevel:
    """{x in base : c(x) ≤ 0} for a smooth c with ∇c ≠ 0 on its zero set; half-spaces have a linear c."""

    base: Shape
    c: Callable[[Tensor], Tensor]

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        return self.base.box

    def level(self, x: Tensor) -> Tensor:
        return torch.maximum(self.base.level(x), self.c(x))

    @property
    def interior(self) -> Patches:
        return restricted(self.base.interior, lambda x: self.c(x) <= 0)

    @property
    def surface(self) -> Patches:
        """{x in base : c(x) = 0}, the whole boundary where the base stands for all of space."""
        return restricted((zero_set(self.c, *self.base.box),), inside(self.base, 1))

    @property
    def boundary(self) -> Patches:
        return (*restricted(self.base.boundary, lambda x: self.c(x) < 0), *self.surface)


def zero_set(c: Callable[[Tensor], Tensor], lower: Tensor, upper: Tensor, thickness: float = 0.01) -> Patch:
    """The surface {c = 0} near a box, uniform up to O(ε²·curvature²), ε = `thickness` times the least half-width."""
    shell = thickness * (upper - lower).min().item() / 2
    start, width = lower - shell, upper - lower + 2 * shell

    def newton(x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            value = c(x)
            (slope,) = torch.autograd.grad(value.sum(), x)
        square = slope.square().sum(1, keepdim=True)
        return value.detach()[:, None] * slope / square.where(square > 0, torch.inf), slope

    def place(u: Tensor) -> Placed:
        points, normals = start + width * u, torch.zeros_like(u)
        step, slope = newton(points)
        kept = (step.norm(dim=1) <= shell) & (slope.norm(dim=1) > 0)
        surface, step = points[kept], step[kept]
        for _ in range(8):
            surface = surface - step
            step, slope = newton(surface)
        if (step.norm(dim=1) > 1e-8 * shell).any():
            raise ArithmeticError("Newton's projection onto {c = 0} does not converge: c is not smooth there")
        points[kept], normals[kept] = surface, torch.nn.functional.normalize(slope)
        return points, normals, kept

    return Patch(len(lower), width.prod().item() / (2 * shell), place)


def inside(shape: Shape, edge: float) -> Callable[[Tensor], Tensor]:
    """Whether points lie in a shape by a margin: ±10⁻⁹ of its size decides to which side a shared surface belongs."""
    lower, upper = shape.box
    margin = edge * 1e-9 * (upper - lower).max().item()
    return lambda x: shape.level(x) <= margin


def outside(shape: Shape) -> Callable[[Tensor], Tensor]:
    """Whether points lie outside a closed shape."""
    closed = inside(shape, 1)
    return lambda x: ~closed(x)


@dataclass(frozen=True, slots=True)
class Difference:
    """A ∖ B; the normals on ∂B point into B."""

    a: Shape
    b: Shape

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        return self.a.box

    def level(self, x: Tensor) -> Tensor:
        return torch.maximum(self.a.level(x), -self.b.level(x))

    @property
    def interior(self) -> Patches:
        return restricted(self.a.interior, outside(self.b))

    @property
    def boundary(self) -> Patches:
        outer, hole = restricted(self.a.boundary, outside(self.b)), restricted(self.b.boundary, inside(self.a, -1), -1)
        return (*outer, *hole)


@dataclass(frozen=True, slots=True)
class Union:
    """A ∪ B; a surface that both share from opposite sides is no boundary."""

    a: Shape
    b: Shape

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        (lower, upper), (low, high) = self.a.box, self.b.box
        return torch.minimum(lower, low), torch.maximum(upper, high)

    def level(self, x: Tensor) -> Tensor:
        return torch.minimum(self.a.level(x), self.b.level(x))

    @property
    def interior(self) -> Patches:
        return (*self.a.interior, *restricted(self.b.interior, outside(self.a)))

    @property
    def boundary(self) -> Patches:
        return (*restricted(self.a.boundary, outside(self.b)), *restricted(self.b.boundary, outside(self.a)))


@dataclass(frozen=True, slots=True)
class Product:
    """A × B."""

    a: Shape
    b: Shape

    @property
    def box(self) -> tuple[Tensor, Tensor]:
        (lower, upper), (low, high) = self.a.box, self.b.box
        return torch.cat([lower, low]), torch.cat([upper, high])

    def level(self, x: Tensor) -> Tensor:
        d = len(self.a.box[0])
        return torch.maximum(self.a.level(x[:, :d]), self.b.level(x[:, d:]))

    @property
    def interior(self) -> Patches:
        return cartesian(self.a.interior, self.b.interior)

    @property
    def boundary(self) -> Patches:
        return (*cartesian(self.a.boundary, self.b.interior), *cartesian(self.a.interior, self.b.boundary))
