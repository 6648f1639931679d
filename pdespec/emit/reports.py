"""Reports and saved solutions: a function for each `report` item, from the solutions of the solves.

A quantity is a scalar term whose fields carry the solve that found them.  Values and derivatives of functions are taken
at points, integrals by quadrature over their region; a density is summed over its cells or averaged over its particles.
Nothing of a report enters the sections that train.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Float, Tuple, exp, expand_log, expand_mul, log

from pdespec.derive.components import expand, flatten, scalar
from pdespec.derive.laws import density
from pdespec.emit.axes import Array, Points, Scope
from pdespec.emit.axes import scalar as scalar_code
from pdespec.emit.expression import Printer
from pdespec.emit.flow_reports import report_times
from pdespec.emit.flow_scope import Laws, node_points
from pdespec.emit.layout import comment, docstring
from pdespec.emit.names import escape, literal
from pdespec.emit.parts import Script, Section, SolveCode
from pdespec.emit.regions import patches
from pdespec.model.model import Bound, Report
from pdespec.model.refusal import refuse
from pdespec.model.sets import Interval, Set, Torus, plain
from pdespec.model.terms import (
    Component,
    Density,
    Expect,
    Field,
    FieldValue,
    Integrate,
    Law,
    Partial,
    RelativeError,
    VectorOperator,
    flat,
    substitute,
)
from pdespec.plan.unbounded import box_of, unbounded, within
from pdespec.plan.variational import weight_of

QUADRATURE = {1: 256, 2: 96}
"""Gauss–Legendre nodes per axis of a box."""
TEST_POINTS = 20_000


@dataclass(slots=True)
class Body:
    """The lines of a report's function as they are found necessary."""

    script: Script
    solves: dict[str, SolveCode]
    lines: list[str] = field(default_factory=list)
    known: dict[object, str] = field(default_factory=dict)
    width: dict[str, int] = field(default_factory=dict)

    def measure(self, term: Integrate | Expect, scope: Scope) -> tuple[dict[Expr, Points], Expr]:
        """Points and weights of an integral, and what is left to sum."""
        return _measure(term, scope, self)

    def line(self, key: object, hint: str, code: str) -> str:
        """The name of a line's value; each line is written once."""
        if key not in self.known:
            name = hint if hint not in self.known.values() else f"{hint}{len(self.lines)}"
            self.known[key] = name
            self.lines.append(f"{name} = {code}")
        return self.known[key]


def evaluate_section(solves: list[SolveCode], script: Script) -> Section:
    """A function for each report, and `evaluate`, which calls them."""
    by_label = {s.label: s for s in solves}
    times = report_times(script.plan.solves, script)
    functions = [times] if times else []
    calls = ", ".join(f"report_{k}(solutions, config)" for k in range(1, len(script.plan.reports) + 1))
    functions += [_report(k, r, by_label, script) for k, r in enumerate(script.plan.reports, 1)]
    functions.append(
        "@torch.no_grad()\ndef evaluate(solutions: dict[str, Any], config: Config) -> list[Report]:\n"
        '    """Every report of the spec, with its bound."""\n'
        f"    return [{calls}]"
    )
    return Section("reports", "\n\n\n".join(functions), training=False)


def _report(k: int, report: Report, solves: dict[str, SolveCode], script: Script) -> str:
    body = Body(script, solves)
    value, stderr = value_code(report.quantity, body)
    head = comment(f"def report_{k}(solutions: dict[str, Any], config: Config) -> Report:", f"spec:{report.span.line}")
    name = escape(" ".join(report.text.split()))
    lines = "".join(f"    {line}\n" for line in (*body.lines, f"value = {value}"))
    if stderr:
        lines += f"    stderr = {stderr}\n"
    bound = _bound(report.bound, bool(stderr), script)
    error_term = ", stderr" if stderr else ""
    return f'{head}\n{docstring(name)}\n{lines}    return Report("{name}", value{error_term}{bound})'


def _bound(bound: Bound | None, estimated: bool, script: Script) -> str:
    """The bound as a person reads it, and whether the value meets it (NaN meets none)."""
    if bound is None:
        return ""
    number = Printer(script.constants(bound.value))(_plain(bound.value))
    if bound.tolerance is None:
        return f', bound="{bound.relation} {number}", met=value {bound.relation} {number}'
    width = float(bound.tolerance)
    match bound.tolerance_kind:
        case "relative":
            shown, allowed = f"{width * 100:.6g}%", f"{width:.12g} * abs({number})"
        case "stderr":
            if not estimated:
                refuse(
                    "PDE526",
                    None,
                    "this value has no standard error to compare with",
                    hint="give an absolute or relative tolerance",
                )
            shown, allowed = f"{width:g}*stderr", f"{width:g} * stderr"
        case _:
            shown, allowed = f"{width:g}", f"{width!r}"
    target = number if number.replace(".", "").replace("e-", "").isalnum() else f"({number})"
    return f', bound="~ {number} within {shown}", met=abs(value - {target}) <= {allowed}'


def _plain(value: Expr) -> Expr:
    return Float(value) if value.is_Rational and not value.is_Integer else value


def value_code(quantity: Expr, body: Body) -> tuple[str, str]:
    """The code of a report's value, and of its standard error where it is a mean over particles."""
    if isinstance(quantity, RelativeError):
        return _relative_error(quantity, body), ""
    quantity = with_densities(substitute(quantity, _final_times(body.script)))
    term = scalar(quantity) if quantity.has(VectorOperator, Partial) else quantity
    scope = _scope({}, term, body)
    code = scalar_code(term, scope)
    return f"float({code.text})" if code.tensor else code.text, standard_error(term, body)


def with_densities(term: Expr) -> Expr:
    """Densities of laws by their formulas, logarithms of them in closed form, integrands as sums, so that p ln p is 0
    where p is."""
    if isinstance(term, log) and isinstance(term.args[0], Density):
        return _log_density(term.args[0])
    if isinstance(term, Density):
        return exp(_log_density(term))
    if not term.args or isinstance(term, (FieldValue, Law, Field)):
        return term
    args = [with_densities(a) if isinstance(a, Expr) else a for a in term.args]
    if isinstance(term, (Integrate, Expect)):
        args[0] = expand_mul(args[0])
    return term.func(*args)


def _log_density(term: Density) -> Expr:
    """ln of a law's density: −βV − ln ∫e^{−βV} for a Gibbs law."""
    law, point = term.law, term.point
    if law.family == "gibbs":
        potential, inverse, variables, region = law.parameters
        here = substitute(potential, dict(zip(variables, point, strict=True)))
        return -inverse * here - log(Integrate(exp(-inverse * potential), variables, region))
    coordinates = tuple(c for a in point for c in flatten(expand(a)))
    return expand_log(log(density(law, coordinates)), force=True)


def _final_times(script: Script) -> dict[Expr, Expr]:
    """A function of time is reported at the final time."""
    ends: dict[Expr, Expr] = {}
    for d in script.model.domains:
        interval = plain(d.set)
        if d.time and isinstance(interval, Interval):
            ends[d.coordinates[0]] = interval.hi
    return ends


def standard_error(term: Expr, body: Body) -> str:
    """The standard error of a functional of one density at one time, where its solve knows one."""
    found = {(v.field, v.point[-1]) for v in term.atoms(FieldValue)}
    if len(found) != 1:
        return ""
    f, _ = next(iter(found))
    solve, _ = solution(f, body)
    return solve.stderr(term, body) if solve.stderr is not None else ""


def _scope(points: dict[Expr, Points], term: Expr, body: Body) -> Scope:
    """What names mean in a report."""
    return Scope(
        points,
        lambda t, s: _leaf(t, s, body),
        body.measure,
        body.script.constants(term),
        request=lambda t, gradient: body.script.function(t, gradient),
    )


# ── fields at points ──────────────────────────────────────────────────────────────────────────────────────────────────


def solution(f: Field, body: Body) -> tuple[SolveCode, str]:
    """The solve that a field comes from, and the code of its solution."""
    solve = body.solves.get(f.solve) or (next(iter(body.solves.values())) if len(body.solves) == 1 else None)
    if solve is None:
        refuse("PDE944", None, f"it is not clear which solve `{f.name}` comes from")
    return solve, f'solutions["{solve.solution}"]'


def _leaf(term: Expr, scope: Scope, body: Body) -> Array | None:
    value = term.args[0] if isinstance(term, (Component, log)) else term
    if not isinstance(value, FieldValue):
        return None
    solve, code = solution(value.field, body)
    if solve.leaf is not None:
        return solve.leaf(value, term, scope, body)
    if isinstance(term, log):
        return None
    name = body.script.names.name(value.field.name)
    function = f'{code}["{name}"]'
    component = f"[..., {int(term.args[1]) - 1}]" if isinstance(term, Component) else ""
    points, axes = _points(value, scope, body)
    if value.orders and any(value.orders):
        picked = f"lambda z: {function}(z){component}" if component else function
        key = ("partial", value, term, points)
        return Array(
            body.line(key, f"{name}_{len(body.lines)}", f"partial({picked}, {points}, {literal(value.orders)})"), axes
        )
    return Array(f"{function}({points}){component}" if axes else f"{function}({points})[0]{component}", axes)


def _points(value: FieldValue, scope: Scope, body: Body) -> tuple[str, tuple[str, ...]]:
    """The array of points (n, d) at which a field is asked for."""
    coordinates = [c for a in value.point for c in flatten(expand(a))]
    variables = [c for c in coordinates if c in scope.points]
    if not variables:
        numbers = ", ".join(Printer(body.script.constants(c))(_plain(c)) for c in coordinates)
        return f"torch.tensor([[{numbers}]], dtype=dtype, device=config.device)", ()
    axis = scope.points[variables[0]].axis
    array = next((a for a in body.known.values() if a == axis), axis)
    if all(c in scope.points for c in coordinates) and len(coordinates) == body.width.get(axis, -1):
        return array, (axis,)
    columns = [
        scope.points[c].code if c in scope.points else f"torch.full_like({array}[:, 0], {Printer({})(_plain(c))})"
        for c in coordinates
    ]
    return f"torch.stack([{', '.join(columns)}], -1)", (axis,)


# ── integrals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _measure(term: Integrate | Expect, scope: Scope, body: Body) -> tuple[dict[Expr, Points], Expr]:
    if isinstance(term, Expect):
        return _law_nodes(term, scope, body)
    for value in _values(term.body):
        solve, _ = solution(value.field, body)
        if solve.measure is not None and term.variables[0] in value.point:
            return solve.measure(term, scope, body)
    region = term.region
    if unbounded(region):
        region = within(region, box_of(weight_of(term), flat(term.variables), body.script.model))
    nodes, weights, uniform = quadrature(region, body)
    variables = flat(term.variables)
    points = {v: Points(f"{nodes}[:, {k}]", nodes, weights, uniform) for k, v in enumerate(variables)}
    for v in term.variables:
        if v not in points:
            points[v] = Points(nodes, nodes, weights, uniform)
    return points, term.body


def _law_nodes(term: Expect, scope: Scope, body: Body) -> tuple[dict[Expr, Points], Expr]:
    """Nodes and weights of the rule of a law."""
    laws = Laws(body.script)
    nodes, weights = laws.nodes(term)
    if ("law", nodes) not in body.known:
        body.known["law", nodes] = nodes
        body.lines += laws.lines()
    return {term.variables[0]: node_points(term.variables[0], nodes, f"axis{len(scope.points)}", weights)}, term.body


def _values(term: Expr) -> list[FieldValue]:
    if isinstance(term, FieldValue):
        return [term]
    return [v for a in getattr(term, "args", ()) for v in _values(a)]


def quadrature(region: Set, body: Body) -> tuple[str, str, bool]:
    """Names of nodes (n, d) and weights for a region, and whether the weights are one number."""
    script = body.script
    parts = [plain(p) for p in plain(region).factors]
    if len(parts) <= 2 and all(isinstance(p, (Interval, Torus)) and p.dimension == 1 for p in parts):
        from pdespec.emit.regions import bounds

        n = QUADRATURE[len(parts)]
        rules = [
            f"{'trapezoid' if isinstance(p, Torus) else 'gauss_legendre'}({n}, {', '.join(bounds(p, script)[0])})"
            for p in parts
        ]
        key = ("rule", str(region))
        if key not in body.known:
            name = "z" if "z" not in body.known.values() else f"z{len(body.lines)}"
            body.known[key] = name
            body.width[name] = len(parts)
            body.lines.append(
                f"{name}, w_{name} = (a.to(config.device, dtype) for a in tensor_rule({', '.join(rules)}))"
            )
        name = body.known[key]
        return name, f"w_{name}", False
    drawn = body.line(
        ("drawn", str(region)), "drawn", f"draw_points({patches(region, script)}, 2**15, config.seed + 77)"
    )
    z = body.line(("drawn z", str(region)), "z", f"{drawn}.points.to(config.device, dtype)")
    body.width[z] = region.dimension
    return z, f"({drawn}.measure / len({z}))", True


# ── relative errors ───────────────────────────────────────────────────────────────────────────────────────────────────


def _relative_error(quantity: RelativeError, body: Body) -> str:
    found, exact, variables, region, weight = quantity.args
    script = body.script
    symbols = flat(tuple(variables))
    domain = region.value
    if unbounded(domain):
        domain = within(domain, box_of(weight, symbols, script.model))
    drawn = f"draw_points({patches(domain, script)}, {TEST_POINTS}, config.seed + 99).points"
    z = body.line("test points", "z", f"{drawn}.to(config.device, dtype)")
    body.width[z] = len(symbols)
    points = {s: Points(f"{z}[:, {k}]", z) for k, s in enumerate(symbols)}
    points |= {v: Points(z, z) for v in variables if v not in points}
    texts = [_sampled(term, points, body, hint) for term, hint in ((found, "found"), (exact, "exact"))]
    more = ""
    if weight != 1:
        more = f", {_sampled(weight, points, body, 'weight')}"
    return f"relative_error({texts[0]}, {texts[1]}{more})"


def _sampled(term: Expr, points: dict[Expr, Points], body: Body, hint: str) -> str:
    """The values of a term at points: (n,), or (n, m) for a vector."""
    components = expand(term) if not isinstance(term, Tuple) else tuple(term)
    scope = _scope(points, term, body)
    whole = next(iter(points.values())).axis
    texts = []
    for c in flatten(components):
        code = scalar_code(c, scope)
        texts.append(code.text if code.axes else f"torch.full_like({whole}[:, 0], {code.text})")
    text = texts[0] if not isinstance(components, tuple) else f"torch.stack([{', '.join(texts)}], -1)"
    return body.line((hint, term), hint, text)


# ── saved solutions ───────────────────────────────────────────────────────────────────────────────────────────────────


def solution_section(solves: list[SolveCode], script: Script) -> Section:
    """`save`: solution.npz with every unknown on a grid (or as particles), for pictures and for later use."""
    lines = [
        "def save(solutions: dict[str, Any], config: Config) -> None:",
        '    """solution.npz: the solutions on grids, for pictures and for later use."""',
        "    arrays: dict[str, Tensor] = {}",
    ]
    for s in solves:
        lines += [f"    {line}" for line in s.save()]
    lines.append('    write_npz(config.out / "solution.npz", arrays)')
    return Section("saved solutions", "\n".join(lines), training=False)
