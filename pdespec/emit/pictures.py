"""Lines that put a solution on a grid into `arrays`, by the conventions of `pdespec.plot`."""

from __future__ import annotations

from pdespec.emit.parts import Script
from pdespec.emit.regions import bounds, shape_code
from pdespec.emit.residuals import coordinate_name
from pdespec.model.sets import Ball, Difference, Product, Set, Sublevel, Union, plain
from pdespec.model.terms import Field
from pdespec.plan.conditions import coordinates

TICKS = {1: 401, 2: 101}


def saved_fields(
    solution: str, fields: tuple[Field, ...], region: Set, script: Script, label: str = ""
) -> tuple[str, ...]:
    """Values on a tensor grid over the bounding box, NaN outside the domain; above two coordinates, a slice at the middle."""
    box = bounds(region, script)
    names = [coordinate_name(c, script) for c in coordinates(fields[0])]
    shown = len(box) if len(box) <= 2 else 2
    n = TICKS[shown]
    key = label or solution
    inside = _inside(region, script)
    free = [f"({lo}, {hi})" for lo, hi in box[:shown]]
    held = [f"0.5 * ({lo} + {hi})" for lo, hi in box[shown:]]
    time = next((d.coordinates[0].name for d in script.model.domains if d.time), "")
    lines = []
    for f in fields:
        name = script.names.name(f.name)
        rest = f", held=({', '.join(held)}{',' if len(held) == 1 else ''})" if held else ""
        lines.append(
            f'axes, arrays["{key}.{name}"] = grid_values(solutions["{solution}"]["{name}"], ({", ".join(free)},), {n}, config{rest}{inside})'
        )
        for k, coordinate in enumerate(names[:shown]):
            kind = "time" if coordinate == time else "axis"
            lines.append(f'arrays["{key}.{name}.{kind}.{coordinate}"] = axes[{k}]')
        for coordinate, value in zip(names[shown:], held, strict=True):
            lines.append(f'arrays["{key}.{name}.at.{coordinate}"] = torch.tensor({value})')
    return tuple(lines)


def _inside(region: Set, script: Script) -> str:
    """The level function of a domain that is no box."""
    parts = [plain(p) for p in plain(region).factors]
    if not any(isinstance(p, (Ball, Difference, Sublevel, Union)) for p in parts):
        return ""
    if isinstance(plain(region), Product):
        return ""
    return f", domain={shape_code(region, script)}"
