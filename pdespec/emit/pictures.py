"""Lines that put a solution on a grid into `arrays`, by the conventions of `pdespec.plot`."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr

from pdespec.derive.components import expand, flatten
from pdespec.emit.expression import Printer
from pdespec.emit.parts import Script, shown_name, solution_name
from pdespec.emit.regions import bounds, shape_code
from pdespec.emit.residuals import coordinate_name
from pdespec.model.model import Solve
from pdespec.model.sets import Ball, Difference, Product, Set, Sublevel, Union, plain
from pdespec.model.terms import Field
from pdespec.plan.values import coordinates

TICKS = {1: 401, 2: 101}


def saved_fields(solve: Solve, fields: tuple[Field, ...], region: Set, script: Script) -> Callable[[], tuple[str, ...]]:
    """The lines, written when asked for: values on a tensor grid over the bounding box, NaN outside the domain, and the
    exact solution beside them where one is known; above two coordinates, a slice at the middle."""
    solution, key = solution_name(solve, script), shown_name(solve)

    def lines() -> tuple[str, ...]:
        box = bounds(region, script)
        names = [coordinate_name(c, script) for c in coordinates(fields[0])]
        shown = len(box) if len(box) <= 2 else 2
        held = [f"0.5 * ({lo} + {hi})" for lo, hi in box[shown:]]
        where = ", ".join(f"({lo}, {hi})" for lo, hi in box[:shown])
        rest = f", held=({', '.join(held)}{',' if len(held) == 1 else ''})" if held else ""
        grid = f"({where},), {TICKS[shown]}, config{rest}{_inside(region, script)}"
        time = next((d.coordinates[0].name for d in script.model.domains if d.time), "")
        found = []
        for f in fields:
            name = script.names.name(f.name)
            entry = f"{key}.{name}"
            found.append(f'axes, arrays["{entry}"] = grid_values(solutions["{solution}"]["{name}"], {grid})')
            for k, coordinate in enumerate(names[:shown]):
                kind = "time" if coordinate == time else "axis"
                found.append(f'arrays["{entry}.{kind}.{coordinate}"] = axes[{k}]')
            for coordinate, value in zip(names[shown:], held, strict=True):
                found.append(f'arrays["{entry}.at.{coordinate}"] = torch.tensor({value})')
            exact = next((e for g, e in script.plan.derivation.exact if g.name == f.name), None)
            if exact is not None:
                found.append(f'_, arrays["{entry}.exact"] = grid_values(lambda z: {_exact(exact, f, script)}, {grid})')
        return tuple(found)

    return lines


def _exact(exact: Expr, f: Field, script: Script) -> str:
    """The exact solution at points z."""
    columns = {c: f"z[:, {k}]" for k, c in enumerate(coordinates(f))}
    write = Printer({**columns, **script.constants(exact)}, set(columns.values()))
    codes = [write.code(c) for c in flatten(expand(exact))]
    texts = [c.text if c.tensor else f"torch.full_like(z[:, 0], {c.text})" for c in codes]
    return f"torch.stack([{', '.join(texts)}], -1)" if f.shape else texts[0]


def _inside(region: Set, script: Script) -> str:
    """The level function of a domain that is no box."""
    parts = [plain(p) for p in plain(region).factors]
    if not any(isinstance(p, (Ball, Difference, Sublevel, Union)) for p in parts):
        return ""
    if isinstance(plain(region), Product):
        return ""
    return f", domain={shape_code(region, script)}"
