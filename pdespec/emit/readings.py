"""What a report reads: fields at points, integrals by quadrature or against a density, laws.

A report's function is written line by line as its quantity is printed: each array of points, each field at points and
each rule is one line, and no line stands twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Symbol, log

from pdespec.derive.components import expand, flatten, scalar
from pdespec.emit.arrays import Array, Points, Scope
from pdespec.emit.channels import channel_name
from pdespec.emit.expression import Printer
from pdespec.emit.flow_scope import law_rule, node_points
from pdespec.emit.names import literal
from pdespec.emit.parts import Script, SolveCode
from pdespec.emit.regions import patches, tensor_rule
from pdespec.emit.residuals import coordinate_name
from pdespec.model.bindings import Defined, Density, Expect, Integrate
from pdespec.model.fields import Field, FieldValue
from pdespec.model.refusal import refuse
from pdespec.model.sets import Set
from pdespec.model.terms import VectorVariable, flat, shape
from pdespec.model.vectors import Component
from pdespec.plan.unbounded import box_of, unbounded, within
from pdespec.plan.values import coordinates
from pdespec.plan.variational import is_box, weight_of

QUADRATURE = {1: 256, 2: 96}
"""Gauss–Legendre nodes per axis of a box."""

MOMENT = Symbol("moment", real=True)
"""The time of a report that is an argument of its function."""


@dataclass(slots=True)
class Body:
    """The lines of a report's function as they are found necessary.

    `known` maps what a line computes to its name, `width` an array of points to its number of columns; `solves` are the
    solutions by label, `several` says that more than one of them is read, `once` that flows are read at one time.
    """

    script: Script
    solves: dict[str, SolveCode]
    several: bool = False
    once: bool = False
    lines: list[str] = field(default_factory=list)
    known: dict[object, str] = field(default_factory=dict)
    width: dict[str, int] = field(default_factory=dict)

    def line(self, key: object, hint: str, code: str) -> str:
        """The name of a line's value; each line is written once."""
        if key not in self.known:
            self.known[key] = self.free(hint)
            self.lines.append(f"{self.known[key]} = {code}")
        return self.known[key]

    def free(self, hint: str) -> str:
        """A name that nothing has yet, and which is taken from now on."""
        taken = {name for value in self.known.values() for name in value.split(", ")}
        number, name = 1, hint
        while name in taken:
            number += 1
            name = f"{hint}{number}" if not hint[-1].isdigit() else f"{hint}_{number}"
        self.known["name", name] = name
        return name

    def scope(self, points: dict[Expr, Points], term: Expr) -> Scope:
        """What names mean where the variables have these points."""
        return Scope(
            points,
            lambda t, s: _leaf(t, s, self),
            lambda t, s: _measure(t, s, self),
            self.script.constants(term),
            self.script.function,
        )


def solution(f: Field, body: Body) -> tuple[SolveCode, str]:
    """The solve that a field comes from, and the code of its solution."""
    solve = body.solves.get(f.solve) or (next(iter(body.solves.values())) if len(body.solves) == 1 else None)
    if solve is None:
        refuse("PDE944", None, f"it is not clear which solve `{f.name}` comes from", hint="write its label: a(u)")
    return solve, f'solutions["{solve.solution}"]'


# ── fields at points ──────────────────────────────────────────────────────────────────────────────────────────────────


def _leaf(term: Expr, scope: Scope, body: Body) -> Array | None:
    if isinstance(term, Defined):
        return _summed(term, scope, body) if has_quadrature(term) else None
    value = term.args[0] if isinstance(term, (Component, log)) else term
    if not isinstance(value, FieldValue):
        return None
    solve, code = solution(value.field, body)
    if solve.leaf is not None:
        return solve.leaf(value, term, scope, body)
    if isinstance(term, log):
        return None
    name = body.script.names.name(value.field.name)
    base = f"{solve.solution}_{name}" if body.several else name
    function = f'{code}["{name}"]'
    component = int(term.args[1]) if isinstance(term, Component) else 0
    points, axes = _points(value, scope, body)
    end = "" if axes else "[0]"
    if any(value.orders):
        picked = f"lambda z: {function}(z)[..., {component - 1}]" if component else function
        inputs = [coordinate_name(c, body.script) for c in coordinates(value.field)]
        hint = channel_name(base + (str(component) if component else ""), value.orders, inputs)
        slope = f"partial({picked}, {points}, {literal(value.orders)})"
        return Array(body.line(("partial", term, points), hint, slope) + end, axes)
    whole = body.line(("value", value, points), base, f"{function}({points})")
    return Array(f"{whole}{end}" + (f"[..., {component - 1}]" if component else ""), axes)


def has_quadrature(term: Expr) -> bool:
    """Whether it is a definition at points with integrals in it, over boxes, which becomes a function of its own."""
    if not isinstance(term, Defined) or shape(term) or not term.formals or term.body.has(Expect, Density, FieldValue):
        return False
    integrals = term.body.atoms(Integrate)
    scalars = [*term.formals, *(v for i in integrals for v in i.variables)]
    return bool(integrals) and all(isinstance(v, Symbol) for v in scalars) and all(is_box(i.region) for i in integrals)


def _summed(term: Defined, scope: Scope, body: Body) -> Array | None:
    """A definition with integrals at the points of one axis."""
    places = [scope.points.get(a) for a in term.arguments]
    found = {p.axis for p in places if p is not None}
    if len(found) != 1 or not all(p is not None or a.is_number for p, a in zip(places, term.arguments, strict=True)):
        return None
    like = next(p.code for p in places if p is not None)
    texts = [
        p.code if p is not None else f"torch.full_like({like}, {_number(a, body.script)})"
        for p, a in zip(places, term.arguments, strict=True)
    ]
    return Array(f"{body.script.function(term, 'quadrature')}({', '.join(texts)}, config)", tuple(found))


def _points(value: FieldValue, scope: Scope, body: Body) -> tuple[str, tuple[str, ...]]:
    """The array of points (n, d) at which a field is asked for."""
    places = [c for a in value.point for c in flatten(expand(a))]
    variables = [c for c in places if c in scope.points]
    if not variables:
        numbers = ", ".join(_number(c, body.script) for c in places)
        return f"torch.tensor([[{numbers}]], dtype=dtype, device=config.device)", ()
    axis = scope.points[variables[0]].axis
    if all(c in scope.points for c in places) and len(places) == body.width.get(axis, -1):
        return axis, (axis,)
    columns = [
        scope.points[c].code if c in scope.points else f"torch.full_like({axis}[:, 0], {_number(c, body.script)})"
        for c in places
    ]
    return f"torch.stack([{', '.join(columns)}], -1)", (axis,)


def _number(value: Expr, script: Script) -> str:
    """A coordinate of a fixed point; whole numbers and fractions as decimals."""
    number = value.evalf(17) if value.is_Rational else value
    return Printer(script.constants(number))(number)


# ── integrals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _measure(term: Integrate | Expect, scope: Scope, body: Body) -> tuple[dict[Expr, Points], Expr]:
    """Points and weights of an integral, and what is left to sum."""
    if isinstance(term, Expect):
        return _law_nodes(term, scope, body)
    for value in term.body.atoms(FieldValue):
        solve, _ = solution(value.field, body)
        if solve.measure is not None and term.variables[0] in value.point:
            return solve.measure(term, scope, body)
    region = term.region
    if unbounded(region):
        region = within(region, box_of(weight_of(scalar(term)), flat(term.variables), body.script.model))
    nodes, weights, uniform = _quadrature(region, body)
    points = {v: Points(f"{nodes}[:, {k}]", nodes, weights, uniform) for k, v in enumerate(flat(term.variables))}
    whole = {*term.variables, *(a for d in term.body.atoms(Defined) for a in d.arguments)}
    vectors = [v for v in whole if isinstance(v, VectorVariable) and set(flat((v,))) <= points.keys()]
    return points | {v: Points(nodes, nodes, weights, uniform) for v in vectors}, term.body


def _law_nodes(term: Expect, scope: Scope, body: Body) -> tuple[dict[Expr, Points], Expr]:
    """Nodes and weights of the rule of a law."""
    code = law_rule(term, body.script)
    if ("law", code) not in body.known:
        nodes = body.free(body.script.names.name(term.variables[0].name.rstrip("'")) + "_nodes")
        body.known["law", code] = f"{nodes}, {nodes}_weights"
        body.lines.append(f"{nodes}, {nodes}_weights = placed({code}, config)")
    nodes, weights = body.known["law", code].split(", ")
    return {term.variables[0]: node_points(term.variables[0], nodes, f"axis{len(scope.points)}", weights)}, term.body


def _quadrature(region: Set, body: Body) -> tuple[str, str, bool]:
    """Names of nodes (n, d) and weights for a region, and whether the weights are one number."""
    if is_box(region):
        key = ("rule", str(region))
        if key not in body.known:
            z, d = body.free("z"), region.dimension
            body.known[key], body.width[z] = f"{z}, w_{z}", d
            body.lines.append(f"{z}, w_{z} = placed({tensor_rule(region, QUADRATURE[d], body.script)}, config)")
        z, weights = body.known[key].split(", ")
        return z, weights, False
    code = f"draw_points({patches(region, body.script)}, 2**15, config.seed + 77)"
    drawn = body.line(("drawn", region), "drawn", code)
    z = body.line(("drawn points", region), "z", f"{drawn}.points.to(config.device, dtype)")
    body.width[z] = region.dimension
    return z, f"({drawn}.measure / len({z}))", True
