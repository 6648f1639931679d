"""Pictures of a run, drawn from `solution.npz` and `history.csv` in its folder.

`solution.npz` holds plain numeric arrays.  A solve S with an unknown u gives, in this order,

    S.u              values on a tensor grid, shape (n₁, …, n_k), or (n₁, …, n_k, m) with m components;
                     NaN where the grid leaves the domain; complex values are drawn as real and imaginary part
    S.u.axis.x       the coordinates along each axis, shape (nᵢ,), in the order of the axes of the values
    S.u.time.t       the same for the axis that is time; it stands last
    S.u.at.z         a number: a coordinate that this slice holds fixed
    S.u.exact        the exact solution, where one is known, in the shape of the values
    S.u.points       instead of axes: scattered points, shape (n, d), for values of shape (n,) or (n, m)
    S.p.particles    positions of particles, shape (k, n, d), at the times S.p.times, shape (k,)
    S.p.weights      their weights, shape (k, n), where they are not equal

and a single number for a scalar unknown, of which there is no picture.

`history.csv` has a row for each recorded step: `step`, `stage`, then the terms of the objective under their labels.  A
column `time` marks a flow; its other columns are `energy` and further monitors (`mass`, `minimum` …).  Where one file
tells of several solves, a column is named S.term; several files lie in folders named after their solves.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import pdespec
from pdespec.output import SIGNATURE, replace
from pdespec.panels import (
    STYLE,
    Array,
    Curves,
    Field,
    Particles,
    draw_energies,
    draw_field,
    draw_losses,
    draw_particles,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = ("axis", "time", "at", "exact", "points", "particles", "times", "weights")


def draw(folder: Path) -> tuple[Path, ...]:
    """Draw every picture that the run's files allow, into its folder; returns their paths.

    Raises `OutputError` where a picture of that name was not drawn by us, and ValueError for an archive that does not
    follow the conventions.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pictures = []
    with pyplot.rc_context(STYLE):
        for name, figure in _figures(folder, folder.resolve().name):
            path = folder / f"{name}.png"
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=130, metadata={"Software": f"{SIGNATURE} {pdespec.__version__}"})
            pyplot.close(figure)
            replace(path, buffer.getvalue())
            pictures.append(path)
    return tuple(pictures)


def _figures(folder: Path, title: str) -> Iterator[tuple[str, Figure]]:
    archive = folder / "solution.npz"
    found = solutions(archive) if archive.is_file() else []
    several = len({item.solve for item in found}) > 1
    for item in found:
        name = f"{item.solve}_{item.unknown}" if several else item.unknown
        heading = " · ".join(filter(None, (title, item.solve if several else "")))
        if isinstance(item, Particles):
            yield f"{name}_particles", draw_particles(item, heading)
        else:
            yield name, draw_field(item, heading)
    curves = histories(folder)
    if losses := [c for c in curves if c.kind == "loss"]:
        yield "history", draw_losses(losses, title)
    if energies := [c for c in curves if c.kind == "flow"]:
        yield "energy", draw_energies(energies, title)


def solutions(archive: Path) -> list[Field | Particles]:
    """The fields and particle clouds of a `solution.npz`, in its order."""
    with np.load(archive, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    bases = dict.fromkeys(".".join(name.split(".")[:2]) for name in arrays)
    found: list[Field | Particles] = []
    for base in bases:
        parts = {name[len(base) + 1 :]: value for name, value in arrays.items() if name.startswith(base + ".")}
        if unknown := [name for name in parts if name.split(".")[0] not in MARKERS]:
            raise ValueError(f"{archive}: {base}.{unknown[0]} follows no convention of pdespec.plot")
        if base in arrays and arrays[base].ndim:
            found.append(_field(base, _real(arrays[base]), parts))
        if "particles" in parts:
            found.append(_particles(base, parts))
    return found


def _field(base: str, values: Array, parts: dict[str, Array]) -> Field:
    axes = {name[5:]: array for name, array in parts.items() if name.startswith(("axis.", "time."))}
    time = next((name[5:] for name in parts if name.startswith("time.")), None)
    at = {name[3:]: float(array) for name, array in parts.items() if name.startswith("at.")}
    exact, points = parts.get("exact"), parts.get("points")
    expected = tuple(len(array) for array in axes.values()) if points is None else (len(points),)
    if values.shape[: len(expected)] != expected or values.ndim > len(expected) + 1:
        raise ValueError(f"{base} has shape {values.shape}, and its coordinates have lengths {expected}")
    if values.ndim == len(expected):
        values = values[..., None]
    if exact is not None:
        exact = _real(exact).reshape(values.shape)
    solve, unknown = _names(base)
    return Field(solve, unknown, values, axes, time, at, exact, points)


def _particles(base: str, parts: dict[str, Array]) -> Particles:
    positions, times, weights = parts["particles"], parts.get("times"), parts.get("weights")
    if positions.ndim != 3 or times is None or times.shape != positions.shape[:1]:
        raise ValueError(f"{base}.particles needs shape (k, n, d) and {base}.times shape (k,)")
    return Particles(*_names(base), positions, times, weights)


def _names(base: str) -> tuple[str, str]:
    solve, _, unknown = base.rpartition(".")
    return solve, unknown


def _real(values: Array) -> Array:
    """Complex values as two real components."""
    return np.stack([values.real, values.imag], axis=-1) if np.iscomplexobj(values) else values


def histories(folder: Path) -> list[Curves]:
    """What was recorded along the way, one item for each solve."""
    files = [("", folder / "history.csv"), *((path.parent.name, path) for path in sorted(folder.glob("*/history.csv")))]
    return [curves for solve, path in files if path.is_file() for curves in _curves(path, solve)]


def _curves(path: Path, solve: str) -> Iterator[Curves]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        names = [name for name in reader.fieldnames or () if name not in ("step", "stage")]
        rows = list(reader)
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.rpartition(".")[0], []).append(name)
    for prefix, columns in groups.items():
        filled = [row for row in rows if any(row[name] for name in columns)]
        values = {name.rpartition(".")[2]: _column(filled, name) for name in columns}
        flow = "time" in values
        along = values.pop("time") if flow else _column(filled, "step")
        if len(along) > 1 and values:
            yield Curves(prefix or solve, "flow" if flow else "loss", along, values)


def _column(rows: list[dict[str, str]], name: str) -> Array:
    return np.array([float(row[name] or "nan") for row in rows])
