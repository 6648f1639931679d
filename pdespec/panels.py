"""How a field, a cloud of particles and a history are drawn.

A function of one coordinate is a curve; of x and t a map with snapshots beside it; of x and y a map, with the exact
solution and the error where one is known; of x, y and t maps at four times.  Signed data take a diverging colour map
centred at zero, other data a sequential one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

Array = NDArray[Any]

GREEK = re.compile(
    "(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega"
    "|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega|ell)"
)
SNAPSHOTS = 4
COMPONENTS = 3  # of a vector, drawn at most
SIGNED = 0.05  # a field is signed where its smaller side exceeds this fraction of its larger
BINS = 60
CONSERVED = 1e-6  # a history that varies by less, relatively, is drawn as its change
STYLE: Any = {  # matplotlib types the keys as one long Literal
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.grid": False,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Values, shape (n₁, …, n_k, m), on the product of `axes`, or (n, m) at scattered `points`."""

    solve: str
    unknown: str
    values: Array
    axes: dict[str, Array]
    time: str | None
    at: dict[str, float]
    exact: Array | None
    points: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class Particles:
    """Positions, shape (k, n, d), at k times, with weights of shape (k, n) or equal ones."""

    solve: str
    unknown: str
    positions: Array
    times: Array
    weights: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """What a solve recorded along its steps (`kind` is "loss") or along time ("flow")."""

    solve: str
    kind: str
    along: Array
    values: dict[str, Array]


def pretty(name: str) -> str:
    """A name as mathematics: theta → θ, x1 → x₁, p_inf → p with a subscript."""
    match = re.fullmatch(r"([^\W\d_]+?)_?(\d+|_\w+)?_?('*)", name)
    if not match:
        return name.replace("_", r"\_").replace("$", r"\$")
    stem, index, primes = match.groups()
    letter = f"\\{stem}" if GREEK.fullmatch(stem) else stem if len(stem) == 1 else f"\\mathrm{{{stem}}}"
    return f"${letter}" + (f"_{{{index.strip('_')}}}" if index else "") + f"{primes}$"


def draw_field(field: Field, heading: str) -> Figure:
    """One figure for a field, a row for each of its components."""
    field = _sliced(field)
    spatial = [name for name in field.axes if name != field.time]
    if field.points is not None:
        return _scattered(field, heading)
    if not spatial or (len(spatial) == 1 and field.time is None):
        return _curve(field, heading)
    if len(spatial) == 1:
        return _space_time(field, heading)
    return _plane(field, heading) if field.time is None else _plane_time(field, heading)


def figure(rows: int, columns: int, heading: str, width: float = 4.6, height: float = 3.7) -> tuple[Figure, Any]:
    """An empty figure of panels with a heading."""
    from matplotlib import pyplot

    drawn, panels = pyplot.subplots(rows, columns, figsize=(width * columns, height * rows + 0.3), squeeze=False)
    drawn.suptitle(heading, fontsize=13)
    return drawn, panels


def _sliced(field: Field) -> Field:
    """At most two coordinates of space: the others are held at the middle of their axes."""
    axes, at, values, exact = dict(field.axes), dict(field.at), field.values, field.exact
    spatial = [name for name in axes if name != field.time]
    for name in reversed(spatial[2:]):
        position, middle = list(axes).index(name), len(axes[name]) // 2
        at[name] = float(axes.pop(name)[middle])
        values = np.take(values, middle, axis=position)
        exact = None if exact is None else np.take(exact, middle, axis=position)
    return Field(field.solve, field.unknown, values, axes, field.time, at, exact, field.points)


def _label(field: Field, component: int) -> str:
    """u(x, y) or u₁(x, y), with what is held fixed."""
    coordinates = list(field.axes) or [f"x{i + 1}" for i in range(0 if field.points is None else field.points.shape[1])]
    index = str(component + 1) if field.values.shape[-1] > 1 else ""
    arguments = ", ".join(pretty(name) for name in coordinates)
    fixed = "".join(f", {pretty(name)} = {value:.3g}" for name, value in field.at.items())
    return f"{pretty(field.unknown + index)}({arguments}{fixed})"


def _components(field: Field) -> range:
    return range(min(field.values.shape[-1], COMPONENTS))


def _curve(field: Field, heading: str) -> Figure:
    (name, x), *_ = field.axes.items()
    errors = field.exact is not None
    drawn, panels = figure(len(_components(field)), 1 + errors, heading, width=5.2)
    for row, c in zip(panels, _components(field), strict=True):
        row[0].plot(x, field.values[..., c], lw=2, label="computed")
        if field.exact is not None:
            row[0].plot(x, field.exact[..., c], "k--", lw=1.2, label="exact")
            row[0].legend()
            row[1].plot(x, field.values[..., c] - field.exact[..., c], color="C3", lw=1.2)
            row[1].axhline(0, color="0.7", lw=0.8, zorder=0)
            row[1].set(title="computed − exact", xlabel=pretty(name))
        row[0].set(title=_label(field, c), xlabel=pretty(name))
    return drawn


def _space_time(field: Field, heading: str) -> Figure:
    """Time to the right and space upwards, as in a kymograph; snapshots beside it, and the error where it is known."""
    assert field.time is not None
    name = next(axis for axis in field.axes if axis != field.time)
    x, t = field.axes[name], field.axes[field.time]
    errors = field.exact is not None
    drawn, panels = figure(len(_components(field)), 2 + errors, heading)
    for row, c in zip(panels, _components(field), strict=True):
        values = field.values[..., c]
        _map(row[0], t, x, values.T, pretty(field.time), pretty(name), _label(field, c))
        for position, at in enumerate(_moments(len(t))):
            colour = _shade(position)
            row[1].plot(x, values[:, at], color=colour, lw=2, label=f"{pretty(field.time)} = {t[at]:.3g}")
            if field.exact is not None:
                row[1].plot(x, field.exact[:, at, c], "k--", lw=1)
        row[1].set(title="snapshots" + (" (dashed: exact)" if errors else ""), xlabel=pretty(name))
        row[1].legend(fontsize=9)
        if field.exact is not None:
            error = values - field.exact[..., c]
            _map(row[2], t, x, error.T, pretty(field.time), pretty(name), "computed − exact", signed=True)
    return drawn


def _plane(field: Field, heading: str) -> Figure:
    (first, x), (second, y) = field.axes.items()
    names = pretty(first), pretty(second)
    drawn, panels = figure(len(_components(field)), 1 if field.exact is None else 3, heading)
    for row, c in zip(panels, _components(field), strict=True):
        values = field.values[..., c]
        limits = _limits(values)
        _map(row[0], x, y, values, *names, _label(field, c), limits=limits)
        if field.exact is not None:
            exact = field.exact[..., c]
            _map(row[1], x, y, exact, *names, "exact", limits=limits)
            _map(row[2], x, y, values - exact, *names, "computed − exact", signed=True)
        for panel in row:
            panel.set_aspect(_aspect(x, y))
    return drawn


def _plane_time(field: Field, heading: str) -> Figure:
    assert field.time is not None
    (first, x), (second, y) = [item for item in field.axes.items() if item[0] != field.time]
    t = field.axes[field.time]
    moments = _moments(len(t))
    drawn, panels = figure(len(_components(field)), len(moments), heading, width=3.6)
    for row, c in zip(panels, _components(field), strict=True):
        limits = _limits(field.values[..., c])
        for panel, at in zip(row, moments, strict=True):
            title = f"{pretty(field.unknown)}, {pretty(field.time)} = {t[at]:.3g}"
            values = field.values[:, :, at, c]
            mesh = _map(panel, x, y, values, pretty(first), pretty(second), title, limits=limits, scale=False)
            panel.set_aspect(_aspect(x, y))
        _scale(mesh, row)
    return drawn


def _scattered(field: Field, heading: str) -> Figure:
    """Values at points: against the one coordinate, or as colours in the plane of the first two."""
    assert field.points is not None
    points = field.points
    drawn, panels = figure(1, len(_components(field)), heading, width=5.2, height=4.2)
    for panel, c in zip(panels[0], _components(field), strict=True):
        values = field.values[:, c]
        if points.shape[1] == 1:
            panel.plot(points[:, 0], values, ".", ms=3, label="computed")
            if field.exact is not None:
                panel.plot(points[:, 0], field.exact[:, c], "k.", ms=1.5, label="exact")
                panel.legend()
            panel.set(title=_label(field, c), xlabel=pretty("x"))
            continue
        low, high, colours = _limits(values)
        dots = panel.scatter(points[:, 0], points[:, 1], c=values, s=6, cmap=colours, vmin=low, vmax=high)
        _scale(dots, panel)
        panel.set(title=_label(field, c), xlabel=pretty("x1"), ylabel=pretty("x2"))
    return drawn


def draw_particles(cloud: Particles, heading: str) -> Figure:
    """Histograms on a line, clouds in the plane of the first two coordinates, each at up to four times."""
    moments = _moments(len(cloud.times))
    weights = np.ones(cloud.positions.shape[:2]) if cloud.weights is None else cloud.weights
    name, (_, n, d) = pretty(cloud.unknown), cloud.positions.shape
    if d == 1:
        drawn, panels = figure(1, 1, heading, width=6.4, height=4.2)
        shown = cloud.positions[moments, :, 0]
        edges = np.linspace(shown.min(), shown.max() or 1.0, BINS + 1)
        for position, at in enumerate(moments):
            heights, _ = np.histogram(cloud.positions[at, :, 0], bins=edges, weights=weights[at], density=True)
            panels[0, 0].stairs(heights, edges, color=_shade(position), lw=1.8, label=f"$t$ = {cloud.times[at]:.3g}")
        panels[0, 0].set(title=f"{name}: {n} particles", xlabel=pretty("x"), ylabel="density")
        panels[0, 0].legend()
        return drawn
    drawn, panels = figure(1, len(moments), heading, width=3.6)
    flat = cloud.positions[moments].reshape(-1, d)
    low, high = flat[:, :2].min(axis=0), flat[:, :2].max(axis=0)
    margin = 0.05 * (high - low) + 1e-12
    for panel, at in zip(panels[0], moments, strict=True):
        sizes = 4 * weights[at] / weights[at].mean()
        panel.scatter(*cloud.positions[at, :, :2].T, s=sizes, alpha=max(0.15, min(0.8, 600 / n)), linewidths=0)
        panel.set(title=f"{name}, $t$ = {cloud.times[at]:.3g}", xlabel=pretty("x1"), ylabel=pretty("x2"))
        panel.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
        panel.set_aspect(_aspect(flat[:, 0], flat[:, 1]))
    return drawn


def draw_losses(histories: Sequence[Curves], title: str) -> Figure:
    """The terms of each objective against the step, logarithmic where all are positive."""
    drawn, panels = figure(1, len(histories), f"{title} · training", width=6.0, height=4.0)
    for panel, history in zip(panels[0], histories, strict=True):
        for label, values in history.values.items():
            panel.plot(history.along, values, lw=1.4, label=pretty(label))
        _log_if_positive(panel, list(history.values.values()))
        panel.set(title=history.solve, xlabel="step", ylabel="term of the objective")
        panel.grid(True, which="major", color="0.9")
        panel.legend(fontsize=9)
    return drawn


def draw_energies(histories: Sequence[Curves], title: str) -> Figure:
    """The energy of each flow against time, and a panel for each further monitor."""
    names = list(dict.fromkeys(name for history in histories for name in history.values))
    kept = {name for name in names if all(_kept(h.values[name]) for h in histories if name in h.values)}
    columns = min(len(names), 3)
    drawn, panels = figure(-(-len(names) // columns), columns, f"{title} · along the flow", width=4.8, height=3.6)
    for spare in panels.flat[len(names) :]:
        spare.set_visible(False)
    for panel, name in zip(panels.flat, names, strict=False):
        for number, history in enumerate(histories):
            if name in history.values:
                values = history.values[name] - (history.values[name][0] if name in kept else 0)
                panel.plot(history.along, values, f"C{number}", lw=1.8, label=history.solve)
        panel.set(title=f"{name} − its value at the start" if name in kept else name, xlabel=pretty("t"))
        panel.grid(True, color="0.9")
        if any(history.solve for history in histories):
            panel.legend(fontsize=9)
    return drawn


def _kept(values: Array) -> bool:
    """A conserved quantity: its changes, all rounding, would be drawn beside an unreadable offset."""
    return bool(0 < np.ptp(values) < CONSERVED * np.abs(values).max())


def _map(
    panel: Axes,
    x: Array,
    y: Array,
    values: Array,
    xlabel: str,
    ylabel: str,
    title: str,
    *,
    limits: tuple[float, float, str] | None = None,
    signed: bool = False,
    scale: bool = True,
) -> ScalarMappable:
    """Colours of values[i, j] at (x[i], y[j]), with a scale beside them unless several panels share one."""
    low, high, colours = limits or _limits(values, signed=signed)
    mesh = panel.pcolormesh(x, y, values.T, cmap=colours, vmin=low, vmax=high, shading="nearest", rasterized=True)
    panel.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if scale:
        _scale(mesh, panel)
    return mesh


def _scale(colours: ScalarMappable, panels: Any) -> None:
    """A colour bar beside one or several panels, with its numbers short."""
    first = np.ravel(panels)[0]
    bar = first.figure.colorbar(colours, ax=panels, shrink=0.9)
    bar.formatter.set_powerlimits((-2, 3))


def _aspect(x: Array, y: Array) -> Literal["equal", "auto"]:
    """One scale for both axes, unless the picture would be a strip."""
    return "equal" if 1 / 3 < np.ptp(y) / np.ptp(x) < 3 else "auto"


def _limits(values: Array, *, signed: bool = False) -> tuple[float, float, str]:
    """The range of colours, and the map: diverging and centred at zero for data of both signs."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    small, large = sorted((abs(low), abs(high)))
    if signed or (low < 0 < high and small > SIGNED * large):
        return -large, large, "RdBu_r"
    return low, high, "viridis"


def _log_if_positive(panel: Axes, curves: Sequence[Array]) -> None:
    every = np.concatenate(curves)
    finite = every[np.isfinite(every)]
    if finite.size and finite.min() > 0:
        panel.set_yscale("log")


def _moments(count: int) -> list[int]:
    """Up to four indices spread over the recorded times, the first and the last among them."""
    return sorted({round(i * (count - 1) / (SNAPSHOTS - 1)) for i in range(SNAPSHOTS)})


def _shade(position: int) -> Any:
    from matplotlib import colormaps

    return colormaps["plasma"](0.85 * position / (SNAPSHOTS - 1))
