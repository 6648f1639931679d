"""Sets as code: boxes and balls, their unions and differences, and the points that are drawn on them.

A region becomes an expression for its patches: `DISK.interior`, `cartesian(X.boundary, T.interior)`,
`cartesian(X.interior, singleton(0.0))`.  Factors that are intervals or circles side by side are one box.
"""

from __future__ import annotations

from itertools import groupby
from math import ceil
from typing import NoReturn

from sympy import Expr, Float, Integer

from pdespec.derive.components import scalar
from pdespec.derive.notation import unicode
from pdespec.diagnostics import located
from pdespec.emit.expression import Printer
from pdespec.emit.layout import comment, docstring, statement
from pdespec.emit.names import escape, literal
from pdespec.emit.parts import Script, Section
from pdespec.emit.residuals import by_points, needs_normals
from pdespec.model.refusal import refuse
from pdespec.model.sets import (
    Ball,
    Boundary,
    Difference,
    Finite,
    Interval,
    Named,
    Point,
    Product,
    RealSpace,
    Set,
    Sublevel,
    Torus,
    Union,
    on_boundary,
    plain,
)
from pdespec.model.terms import Variable, flat
from pdespec.plan.plan import Condition
from pdespec.plan.variational import is_box


def number(value: Expr, script: Script) -> str:
    """A coordinate of a set: a float, or an expression of parameters."""
    if value.is_Number or not value.free_symbols:
        return Printer({})(Float(value, 17) if value.is_Integer or (value.is_Rational and value.is_number) else value)
    return Printer(script.constants(value))(value)


def joined(items: list[str]) -> str:
    """A tuple of pieces of code."""
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def bounds(region: Set, script: Script) -> list[tuple[str, str]]:
    """The bounding box, by coordinate."""
    region = plain(region)
    match region:
        case Interval(lo=lo, hi=hi):
            return [(number(lo, script), number(hi, script))]
        case Torus(periods=periods):
            return [("0.0", number(p, script)) for p in periods]
        case Ball(center=center, radius=radius):
            return [(number(c - radius, script), number(c + radius, script)) for c in center]
        case Point(coordinates=values):
            return [(number(v, script), number(v, script)) for v in values]
        case Finite(values=values):
            ends = [number(v, script) for v in values]
            return [(f"min({', '.join(ends)})", f"max({', '.join(ends)})") if len(ends) > 1 else (ends[0], ends[0])]
        case Product(parts=parts):
            return [b for part in parts for b in bounds(part, script)]
        case Difference(whole=whole):
            return bounds(whole, script)
        case Sublevel(within=within):
            return bounds(within, script)
        case Boundary(of=of):
            return bounds(of, script)
        case Union(parts=parts):
            boxes = [bounds(p, script) for p in parts]
            return [
                (f"min({', '.join(a for a, _ in c)})", f"max({', '.join(b for _, b in c)})")
                for c in zip(*boxes, strict=True)
            ]
    _refuse(region)


def _refuse(region: Set) -> NoReturn:
    if isinstance(region, RealSpace) or not region.bounded:
        refuse("PDE942", None, f"`{region}` is unbounded", hint="give a bounded domain, or box= in `using`")
    hint = "write a part of a boundary as {x in ∂X : …}" if on_boundary(region) else "write it with boxes and balls"
    refuse("PDE942", None, f"`{region}` has no points as code yet", hint=hint)


def tensor_rule(region: Set, n: int, script: Script) -> str:
    """The product of n-point rules on intervals (Gauss–Legendre) and circles (trapezoidal)."""
    rules = []
    for factor in plain(region).factors:
        name = "trapezoid" if isinstance(plain(factor), Torus) else "gauss_legendre"
        rules += [f"{name}({n}, {lo}, {hi})" for lo, hi in bounds(factor, script)]
    return f"tensor_rule({', '.join(rules)})"


def rule(region: Set, count: int, seed: str, sampler: str, script: Script) -> str:
    """About `count` nodes with weights: the product of rules on a box, points of equal weight elsewhere."""
    if is_box(region):
        return tensor_rule(region, ceil(count ** (1 / region.dimension) - 1e-9), script)
    return f"sobol_rule(draw_points({patches(region, script)}, {count}, {seed}{source_argument(sampler)}))"


def box_code(region: Set, script: Script) -> str:
    """((lo, hi), …) as a literal."""
    return joined([f"({lo}, {hi})" for lo, hi in bounds(region, script)])


def shape_code(region: Set, script: Script) -> str:
    """A solid; one with a name, that is more than a box or a ball, is a function of that name."""
    if isinstance(region, Named) and isinstance(plain(region), (Difference, Union, Sublevel)):
        name = script.names.name(region.name)
        if name not in script.sets:
            script.sets[name] = ""
            script.sets[name] = shape_code(region.value, script)
        return f"{name}()"
    region = plain(region)
    match region:
        case Interval() | Torus():
            return _box([region], script)
        case Product(parts=parts) if all(isinstance(plain(p), (Interval, Torus)) for p in parts):
            return _box(list(parts), script)
        case Product(parts=parts):
            code = shape_code(parts[0], script)
            for part in parts[1:]:
                code = f"Product({code}, {shape_code(part, script)})"
            return code
        case Ball(center=center, radius=radius):
            return f"Ball({joined([number(c, script) for c in center])}, {number(radius, script)})"
        case Difference(whole=whole, hole=hole):
            return f"Difference({shape_code(whole, script)}, {shape_code(hole, script)})"
        case Union(parts=(first, *rest)):
            code = shape_code(first, script)
            for part in rest:
                code = f"Union({code}, {shape_code(part, script)})"
            return code
        case Sublevel(within=within, variables=variables, condition=condition):
            return f"Sublevel({shape_code(within, script)}, lambda x: {_level(variables, condition, script)})"
    _refuse(region)


def _level(variables: tuple[Variable, ...], condition: Expr, script: Script) -> str:
    """A function that is at most zero in a level set, at points x (n, d)."""
    names: dict[Expr, str] = {s: f"x[:, {k}]" for k, s in enumerate(flat(variables))}
    return Printer({**names, **script.constants(condition)}, set(names.values()))(scalar(condition))


def _box(parts: list[Set], script: Script) -> str:
    ends = [b for p in parts for b in bounds(p, script)]
    return f"Box({joined([a for a, _ in ends])}, {joined([b for _, b in ends])})"


def patches(region: Set, script: Script) -> str:
    """The patches of a region, of its boundary where it is one."""
    match plain(region):
        case Boundary(of=of):
            return _surface(of, script)
        case Point(coordinates=values):
            return f"singleton({', '.join(number(v, script) for v in values)})"
        case Finite(values=values):
            return " + ".join(f"singleton({number(v, script)})" for v in values)
        case Sublevel(within=within, variables=variables, condition=condition) if on_boundary(within):
            belongs = f"lambda x: {_level(variables, condition, script)} <= 0"
            return f"restricted({patches(within, script)}, {belongs})"
        case Union(parts=pieces) if all(map(on_boundary, pieces)):
            return " + ".join(patches(piece, script) for piece in pieces)
        case Product(parts=parts) if not all(isinstance(plain(p), (Interval, Torus)) for p in parts):
            code = ""
            for solid, group in groupby(parts, key=lambda p: isinstance(plain(p), (Interval, Torus))):
                members = list(group)
                for piece in [f"{_box(members, script)}.interior"] if solid else [patches(m, script) for m in members]:
                    code = f"cartesian({code}, {piece})" if code else piece
            return code
    return f"{shape_code(region, script)}.interior"


def sets_section(script: Script) -> Section | None:
    """The named sets as functions."""
    functions = []
    for name, code in script.sets.items():
        domain = next(d for d in script.model.domains if script.names.name(d.name) == name)
        head = comment(f"def {name}() -> Shape:", f"spec:{domain.span.line}")
        functions.append(f"{head}\n{docstring(escape(_described(domain.set)))}\n{statement('return', code)}")
    return Section("sets", "\n\n\n".join(functions)) if functions else None


def _described(region: Set) -> str:
    """A set as a person writes it."""
    inner = plain(region)
    if isinstance(inner, Sublevel):
        names = ", ".join(str(v) for v in inner.variables)
        return f"{{{names} in {inner.within} : {unicode(inner.condition)} ≤ 0}}"
    return str(inner)


def _was_cut(s: Set) -> bool:
    """Whether a set is a box that stands for R^d, whose faces are no boundary."""
    while isinstance(s, Named):
        if s.name == str(RealSpace(s.dimension)):
            return True
        s = s.value
    return False


def _surface(inside: Set, script: Script) -> str:
    """The boundary of a solid: none across a circle, and none where an unbounded domain was cut."""
    code, inside = shape_code(inside, script), plain(inside)
    if isinstance(inside, Sublevel) and _was_cut(inside.within):
        return f"{code}.surface"
    parts = [plain(f) for f in inside.factors]
    if not any(isinstance(p, Torus) for p in parts):
        return f"{code}.boundary"
    axes: list[int] = []
    offset = 0
    for p in parts:
        axes += [] if isinstance(p, Torus) else range(offset, offset + p.dimension)
        offset += p.dimension
    if not axes:
        refuse("PDE334", None, f"`{inside}` has no boundary: all its coordinates are periodic")
    return f"tuple({code}.face(axis, side) for axis in {literal(tuple(axes))} for side in (-1, 1))"


def source_argument(sampler: str) -> str:
    """The last argument of `draw_points` for a sampler."""
    return "" if sampler == "sobol" else f", {sampler}_cube"


def sampler(stem: str, conditions: tuple[Condition, ...], script: Script) -> str:
    """`sample(config, draw)`: points of every condition, with normals on a boundary, with weights for an integral."""
    lines = [
        f"def {stem}sample(config: Config, draw: int = 0) -> dict[str, tuple[Tensor, ...]]:",
        '    """Points of every region, with outward normals on boundaries; another `draw` gives other points."""',
        "    points = {",
    ]
    rules = []
    firsts = {group[0].label for group in by_points(conditions)}
    for k, c in enumerate(conditions):
        if c.label not in firsts:
            continue
        name = script.names.name(c.label)
        source = source_argument(c.points.sampler)
        seed = f"config.seed + {Integer(1000) * (k + 1)} + draw"
        with located(c.residual.equation.region_span or c.residual.equation.span):
            region = c.points.region
            if c.points.kind == "integral":
                code = rule(region, c.points.count, seed, c.points.sampler, script)
                rules.append(statement(f'found["{name}"] =', f"placed({code}, config)"))
                continue
            code = patches(region, script)
        lines.append(f'        "{name}": draw_points({code}, {c.points.count}, {seed}{source}),')
    lines.append("    }")
    wanted = [script.names.name(c.label) for c in conditions if c.label in firsts and needs_normals(c)]
    like = "config.device, dtype"
    taken = "found: dict[str, tuple[Tensor, ...]] =" if rules else "return"
    if not wanted:
        lines.append(f"    {taken} {{name: (drawn.points.to({like}),) for name, drawn in points.items()}}")
    else:
        lines += [
            f"    with_normals = {literal(tuple(wanted))}",
            f"    {taken} {{",
            f"        name: tuple(a.to({like}) for a in (drawn[:2] if name in with_normals else drawn[:1]))",
            "        for name, drawn in points.items()",
            "    }",
        ]
    return "\n".join([*lines, *rules, *(["    return found"] if rules else [])])
