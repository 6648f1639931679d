"""`save`: every solution on a grid (or as particles) in solution.npz, by the conventions of `pdespec.plot`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sympy import Expr, Tuple

from pdespec.derive.components import expand, flatten
from pdespec.diagnostics import located
from pdespec.emit.expression import Printer
from pdespec.emit.layout import comment, docstring, statement
from pdespec.emit.names import escape
from pdespec.emit.parts import Script, Section, SolveCode, shown_name, solution_name
from pdespec.emit.regions import bounds, joined, shape_code
from pdespec.emit.residuals import coordinate_name
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Solve
from pdespec.model.sets import Ball, Difference, Product, Set, Sublevel, Union, plain
from pdespec.model.vectors import Component
from pdespec.plan.values import coordinates

TICKS = {1: 401, 2: 101}
"""Ticks per axis of a picture."""


def save_section(solves: Sequence[SolveCode], script: Script) -> Section:
    """`save(solutions, config)`."""
    lines = [
        "def save(solutions: dict[str, Any], config: Config) -> None:",
        '    """solution.npz: the solutions on grids, for pictures and for later use."""',
        "    arrays: dict[str, Tensor] = {}",
        *(f"    {line}" for s in solves for line in _saved(s, script)),
        '    write_npz(config.out / "solution.npz", arrays)',
    ]
    return Section("saved solutions", "\n".join(lines), training=False)


def _saved(code: SolveCode, script: Script) -> tuple[str, ...]:
    with located(next(s.span for s in script.model.solves if s.label == code.label)):
        return code.save()


def saved_fields(solve: Solve, fields: tuple[Field, ...], region: Set, script: Script) -> Callable[[], tuple[str, ...]]:
    """The lines, written when asked for: values on a tensor grid over the bounding box, NaN outside the domain, and the
    exact solution beside them where one is known; above two coordinates, a slice at the middle."""

    def lines() -> tuple[str, ...]:
        box = bounds(region, script)
        names = [coordinate_name(c, script) for c in coordinates(fields[0])]
        shown = min(len(box), 2)
        held = [f"0.5 * ({lo} + {hi})" for lo, hi in box[shown:]]
        where = joined([f"({lo}, {hi})" for lo, hi in box[:shown]])
        more = (f", held={joined(held)}" if held else "") + _inside(region, script)
        grid = f"{where}, {TICKS[shown]}, config{more}"
        time = next((d.coordinates[0].name for d in script.model.domains if d.time), "")
        found = []
        for f in fields:
            name = script.names.name(f.name)
            entry = f"{shown_name(solve)}.{name}"
            values = f'solutions["{solution_name(solve, script)}"]["{name}"]'
            found.append(f'axes, arrays["{entry}"] = grid_values({values}, {grid})')
            kinds = ["time" if coordinate == time else "axis" for coordinate in names[:shown]]
            keys = [f'arrays["{entry}.{kind}.{c}"]' for kind, c in zip(kinds, names, strict=False)]
            found.append(f"{', '.join(keys)} = axes" if len(keys) > 1 else f"({keys[0]},) = axes")
            for coordinate, value in zip(names[shown:], held, strict=True):
                found.append(f'arrays["{entry}.at.{coordinate}"] = torch.tensor({value})')
            exact = _exact(f, script)
            if exact is not None:
                found.append(f'_, arrays["{entry}.exact"] = grid_values({request_exact(f, script)}, {grid})')
        return tuple(found)

    return lines


def _inside(region: Set, script: Script) -> str:
    """The level function of a domain that is no box."""
    parts = [plain(p) for p in plain(region).factors]
    curved = any(isinstance(p, (Ball, Difference, Sublevel, Union)) for p in parts)
    return f", domain={shape_code(region, script)}" if curved and not isinstance(plain(region), Product) else ""


# ── exact solutions ───────────────────────────────────────────────────────────────────────────────────────────────────


def _exact(f: Field, script: Script) -> Expr | None:
    """The exact solution that the spec declares for an unknown."""
    return next((e for g, e in script.plan.derivation.exact if g.name == f.name), None)


def request_exact(f: Field, script: Script) -> str:
    """The name of the function of an exact solution, which will be emitted."""
    script.exact.setdefault(f.name, f)
    return f"exact_{script.names.name(f.name)}"


def exact_name(found: Expr, exact: Expr, script: Script) -> str:
    """The function of the declared solution, where an error compares an unknown with just that; else ""."""
    value = next(iter(found.atoms(FieldValue)), None)
    declared = _exact(value.field, script) if value is not None else None
    if value is None or declared is None or isinstance(found, Component):
        return ""
    moved = dict(zip(coordinates(value.field), [c for a in value.point for c in flatten(expand(a))], strict=True))
    wanted = flatten(tuple(exact)) if isinstance(exact, Tuple) else flatten(expand(exact))
    same = tuple(c.xreplace(moved) for c in flatten(expand(declared))) == tuple(wanted)
    plain_value = found == value or tuple(found) == tuple(Component(value, k + 1) for k in range(len(found)))
    return request_exact(value.field, script) if same and plain_value else ""


def exact_section(script: Script) -> Section | None:
    """The exact solutions in use, as functions of points z (n, d)."""
    functions = [_exact_function(f, script) for f in script.exact.values()]
    return Section("exact solutions", "\n\n\n".join(functions), training=False) if functions else None


def _exact_function(f: Field, script: Script) -> str:
    exact = _exact(f, script)
    assert exact is not None
    names = {c: coordinate_name(c, script) for c in coordinates(f)}
    write = Printer({**names, **script.constants(exact)}, set(names.values()))
    components = flatten(expand(exact))
    used = set().union(*(c.free_symbols for c in components))
    codes = [write.code(c) for c in components]
    texts = [c.text if c.tensor else f"torch.full_like(z[:, 0], {c.text})" for c in codes]
    text = f"torch.stack([{', '.join(texts)}], -1)" if f.shape else texts[0]
    columns = [n if c in used else "_" for c, n in names.items()]
    unbound = f"    {', '.join(columns)} = z.unbind(1)" if len(columns) > 1 else f"    ({columns[0]},) = z.unbind(1)"
    places = [c.span for c in script.model.checks if isinstance(c.lhs, FieldValue) and c.lhs.field.name == f.name]
    head = f"def exact_{script.names.name(f.name)}(z: Tensor) -> Tensor:"
    return "\n".join(
        [
            comment(head, f"spec:{places[0].line}" if places else ""),
            docstring(escape(f"{f.name} at points z (n, {len(names)})")),
            *([unbound] if used & set(names) else []),
            statement("return", text),
        ]
    )
