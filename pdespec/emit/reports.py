"""Reports: a function for each quantity, from the solutions of the solves, and `evaluate`, which bounds their values.

A quantity is a scalar term whose fields carry the solve that found them.  Fields are read at points, integrals by
quadrature over their region; a density is summed over its cells or averaged over its particles.  One quantity of a flow
at several times is one function of the time.  Nothing of a report enters the sections that train.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr, Float, Tuple, exp, expand_log, expand_mul, log

from pdespec.derive.components import expand, flatten
from pdespec.derive.laws import density
from pdespec.diagnostics import located
from pdespec.emit.arrays import Array, Points
from pdespec.emit.axes import scalar as scalar_code
from pdespec.emit.code import precedence
from pdespec.emit.expression import Printer
from pdespec.emit.flow_reports import report_times
from pdespec.emit.layout import comment, docstring, statement
from pdespec.emit.names import escape, literal
from pdespec.emit.parts import Script, Section, SolveCode
from pdespec.emit.pictures import exact_name
from pdespec.emit.readings import MOMENT, Body, has_quadrature, solution
from pdespec.emit.regions import patches
from pdespec.emit.sharing import live_lines, share_calls
from pdespec.model.bindings import Density, Expect, Integrate, Law, RelativeError
from pdespec.model.fields import Field, FieldValue
from pdespec.model.model import Report
from pdespec.model.refusal import refuse
from pdespec.model.sets import Interval, plain
from pdespec.model.substitution import substitute
from pdespec.model.terms import flat, shape
from pdespec.model.vectors import Partial, VectorOperator
from pdespec.plan.definitions import at_a_point, with_definitions
from pdespec.plan.unbounded import box_of, unbounded, within

TEST_POINTS = 20_000


@dataclass(slots=True)
class Quantity:
    """What some reports measure, at the time MOMENT where they differ in it, and whether it is an estimate."""

    term: Expr
    name: str
    reports: list[tuple[Report, Expr | None]]
    estimated: bool = False

    @property
    def timed(self) -> bool:
        """Whether it is a function of the time."""
        return len(self.reports) > 1 and self.reports[0][1] is not None


def reports_section(solves: Sequence[SolveCode], script: Script) -> Section:
    """A function for each quantity, and `evaluate`, which calls them."""
    by_label = {s.label: s for s in solves}
    times = report_times(script.plan.solves, script)
    quantities = _quantities(by_label, script)
    functions = [times] if times else []
    for q in quantities:
        with located(q.reports[0][0].span):
            functions.append(_function(q, by_label, script))
    entries = {id(r): _entry(r, moment, q, script) for q in quantities for r, moment in q.reports}
    rows = [f"        {entries[id(r)]}," for r in script.plan.reports]
    evaluate = [
        "@torch.no_grad()",
        "def evaluate(solutions: dict[str, Any], config: Config) -> list[Report]:",
        '    """Every report of the spec, with its bound."""',
        *(["    return [", *rows, "    ]"] if rows else ["    return []"]),
    ]
    return Section("reports", "\n\n\n".join([*functions, "\n".join(evaluate)]), training=False)


def _quantities(solves: dict[str, SolveCode], script: Script) -> list[Quantity]:
    """The reports by what they measure."""
    found: dict[Expr, Quantity] = {}
    for report in script.plan.reports:
        with located(report.span):
            term, moment = _timeless(report.quantity, solves, script)
        if term not in found:
            found[term] = Quantity(term, f"report_{len(found) + 1}", [])
        found[term].reports.append((report, moment))
    return list(found.values())


def _timeless(quantity: Expr, solves: dict[str, SolveCode], script: Script) -> tuple[Expr, Expr | None]:
    """A quantity with the one time at which it reads flows as MOMENT, and that time; None where there is no such."""
    if isinstance(quantity, RelativeError):
        return quantity, None
    final = substitute(quantity, _final_times(script))
    body = Body(script, solves)
    read = {v for v in final.atoms(FieldValue) if solution(v.field, body)[0].leaf is not None}
    moments = {v.point[-1] for v in read}
    if len(moments) != 1 or not next(iter(moments)).is_number:
        return final, None
    (moment,) = moments
    later = {v: FieldValue(v.field, v.args[1], *v.point[:-1], MOMENT) for v in read}
    return _replaced(final, later), moment


def _replaced(term: Expr, changes: dict[Expr, Expr]) -> Expr:
    """A term with field values replaced, also inside integrals."""
    if term in changes:
        return changes[term]
    if not term.args or isinstance(term, (FieldValue, Law, Field)):
        return term
    return term.func(*(_replaced(a, changes) if isinstance(a, (Expr, Tuple)) else a for a in term.args))


def _final_times(script: Script) -> dict[Expr, Expr]:
    """A function of time is reported at the final time."""
    ends: dict[Expr, Expr] = {}
    for d in script.model.domains:
        interval = plain(d.set)
        if d.time and isinstance(interval, Interval):
            ends[d.coordinates[0]] = interval.hi
    return ends


# ── the function of a quantity ────────────────────────────────────────────────────────────────────────────────────────


def _function(q: Quantity, solves: dict[str, SolveCode], script: Script) -> str:
    """The function that measures it: a number, with its standard error where it is an estimate."""
    report, moment = q.reports[0]
    term = q.term if q.timed or moment is None else _replaced(q.term, _at(q.term, moment))
    labels, moments = {v.field.solve for v in _values(term)}, {v.point[-1] for v in _values(term)}
    body = Body(script, solves, len(labels) > 1, len(moments) == 1)
    value, influence = value_code(term, body)
    if influence:
        names, tail = ", ".join((value.text, *influence)), "estimated({})"
        q.estimated = True
    else:
        names, tail = value.text, "{}"
    shared, rest = share_calls(tail.format(names), body.free)
    if value.tensor and not influence:
        rest = f"{Array(rest, level=precedence(rest)).tight()}.item()"
    result = "tuple[float, float]" if influence else "float"
    given = ", t: float" if q.timed else ""
    head = f"def {q.name}(solutions: dict[str, Any], config: Config{given}) -> {result}:"
    text = " ".join(report.text.split())
    read = live_lines([*body.lines, *(f"{n} = {c}" for n, c in shared)], rest)
    lines = [statement(f"{n} =", c) for n, _, c in (line.partition(" = ") for line in read)]
    doc = docstring(escape(_at_t(text, moment) if q.timed else text))
    return "\n".join([comment(head, f"spec:{report.span.line}"), doc, *lines, statement("return", rest)])


def _at(term: Expr, moment: Expr) -> dict[Expr, Expr]:
    return {v: FieldValue(v.field, v.args[1], *v.point[:-1], moment) for v in _values(term) if v.point[-1] == MOMENT}


def _values(term: Expr) -> list[FieldValue]:
    return sorted(term.atoms(FieldValue), key=str)


def _at_t(text: str, moment: Expr | None) -> str:
    """The text of a report with its time as t."""
    assert moment is not None
    numbers = re.finditer(r"\(([\d.]+(?:e-?\d+)?)\)", text)
    found = next((m for m in reversed(list(numbers)) if float(m[1]) == float(moment)), None)
    return text if found is None else f"{text[: found.start()]}(t){text[found.end() :]}"


def value_code(quantity: Expr, body: Body) -> tuple[Array, tuple[str, ...]]:
    """The code of a report's value; with it the influence function (and weights) of an estimate from particles."""
    if isinstance(quantity, RelativeError):
        return Array(_relative_error(quantity, body), tensor=False), ()
    quantity = with_densities(quantity)
    (term,) = with_definitions(quantity, at_a_point) if quantity.has(VectorOperator, Partial) else (quantity,)
    value = scalar_code(term, body.scope({}, term))
    return value, _influence(term, body) if value.tensor else ()


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
    places = tuple(c for a in point for c in flatten(expand(a)))
    return expand_log(log(density(law, places)), force=True)


def _influence(term: Expr, body: Body) -> tuple[str, ...]:
    """δF/δp at the particles of one density at one time, where its solve knows them to be independent."""
    found = {(v.field, v.point[-1]) for v in term.atoms(FieldValue)}
    if len(found) != 1:
        return ()
    solve, _ = solution(next(iter(found))[0], body)
    return solve.influence(term, body) if solve.influence is not None else ()


# ── relative errors ───────────────────────────────────────────────────────────────────────────────────────────────────


def _relative_error(quantity: RelativeError, body: Body) -> str:
    found, exact, variables, region, weight = quantity.args
    symbols = flat(tuple(variables))
    domain = region.value
    if unbounded(domain):
        domain = within(domain, box_of(weight, symbols, body.script.model))
    drawn = f"draw_points({patches(domain, body.script)}, {TEST_POINTS}, config.seed + 99).points"
    z = body.line("test points", "z", f"{drawn}.to(config.device, dtype)")
    body.width[z] = len(symbols)
    points = {s: Points(f"{z}[:, {k}]", z) for k, s in enumerate(symbols)}
    points |= {v: Points(z, z) for v in variables if v not in points}
    known = exact_name(found, exact, body.script)
    texts = [_sampled(found, points, body), f"{known}({z})" if known else _sampled(exact, points, body, "exact")]
    weights = [_sampled(weight, points, body)] if weight != 1 else []
    return f"relative_error({', '.join((*texts, *weights))})"


def _sampled(term: Expr, points: dict[Expr, Points], body: Body, hint: str = "") -> str:
    """The values of a term at points: (n,), or (n, m) for a vector; a long one under the name `hint`."""
    vectorial = isinstance(term, Tuple) or bool(shape(term))
    components = tuple(term) if isinstance(term, Tuple) else (term,)
    if not isinstance(term, Tuple) and not has_quadrature(term):
        components = with_definitions(term, at_a_point)
    scope = body.scope(points, term)
    whole = next(iter(points.values())).axis
    codes = [scalar_code(c, scope) for c in flatten(components)]
    texts = [c.text if c.axes else f"torch.full_like({whole}[:, 0], {c.text})" for c in codes]
    if not vectorial:
        text = texts[0]
    else:
        vectors = {t.rpartition("[..., ")[0] for t in texts}
        in_order = all(t.endswith(f"[..., {k}]") for k, t in enumerate(texts))
        text = vectors.pop() if in_order and len(vectors) == 1 else f"torch.stack([{', '.join(texts)}], -1)"
    if not hint or len(text) < 40:
        return text
    shared, rest = share_calls(text, body.free)
    body.lines += [f"{name} = {code}" for name, code in shared]
    return body.line((hint, term), hint, rest)


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _entry(report: Report, moment: Expr | None, q: Quantity, script: Script) -> str:
    """The report in `evaluate`: its value against its bound."""
    name = f'"{escape(" ".join(report.text.split()))}"'
    call = f"{q.name}(solutions, config{f', {literal(float(moment))}' if q.timed and moment is not None else ''})"
    bound = report.bound
    if bound is None:
        return f"Report({name}, {'*' if q.estimated else ''}{call})"
    target = Printer(script.constants(bound.value))(_decimal(bound.value))
    if bound.tolerance is None:
        return f'bounded({name}, {call}, "{bound.relation}", {target})'
    if bound.tolerance_kind == "stderr" and not q.estimated:
        message = "this value has no standard error to compare with"
        refuse("PDE526", report.span, message, hint="give an absolute or relative tolerance")
    kind = {"absolute": "within", "relative": "relative", "stderr": "stderrs"}[bound.tolerance_kind]
    given = bound.tolerance
    tolerance = f"{float(given):.12g}" if given.is_number else Printer(script.constants(given))(given)
    return f"near({name}, {call}, {target}, {kind}={tolerance})"


def _decimal(value: Expr) -> Expr:
    return Float(value, 17) if value.is_Rational and not value.is_Integer else value
