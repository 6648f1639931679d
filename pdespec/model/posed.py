"""Well-posedness of each solve, as far as it can be read off orders, regions and signs.

As many equations as unknowns; as many conditions in time as the order in t, at the end from which the equation can be
solved; conditions on the whole boundary (`boundary.py`); a density that keeps its mass.  An absent condition at
infinity is no mistake, and natural conditions of an optimum or of a gradient flow are derived later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from sympy import Expr

from pdespec.diagnostics import Diagnostic, Fix, Label, error
from pdespec.model.bindings import Law
from pdespec.model.boundary import boundary_findings
from pdespec.model.fields import Field, MetricGradient, Variation
from pdespec.model.magnitude import params_put_in
from pdespec.model.model import Equation, Model, Solve, Unknown
from pdespec.model.orders import Kind, difference, direction, fields_of, kind_of, order
from pdespec.model.scope import Scope, base
from pdespec.model.sets import Interval, plain
from pdespec.model.terms import shape
from pdespec.source import Span

Listed = list[tuple[Equation, Kind]]


def posed(model: Model, scope: Scope, whole: bool = True) -> Iterator[Diagnostic]:
    """Everything that keeps a solve from having one solution; `whole` says that no statement was given up."""
    for equation in model.equations:
        yield from _metrics(equation, scope)
    for solve in model.solves:
        listed = [(e, kind_of(e, scope)) for e in model.equations if e.label in solve.equations]
        if not solve.optima:
            yield from _counts(solve, listed, scope)
        for field in _unknowns(listed):
            unknown = scope.unknown_of(field)
            if unknown is not None:
                yield from (
                    _listing(d, solve, field, model, scope) for d in _time(solve, field, unknown, listed, scope)
                )
                yield from _normalised(solve, field, unknown, listed)
        yield from boundary_findings(solve, listed, scope)
    if whole:
        yield from _undetermined(model, scope)


def _unknowns(listed: Listed) -> list[Field]:
    return sorted(set().union(*(fields_of(e) for e, _ in listed)), key=str)


# ── counting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _counts(solve: Solve, listed: Listed, scope: Scope) -> Iterator[Diagnostic]:
    """One scalar equation inside the domain for each scalar unknown."""
    unknowns = [f for f in _unknowns(listed) if f.slots]
    inside = [e for e, k in listed if k.name == "interior"]
    wanted = sum(_size(f.shape) for f in unknowns)
    given = sum(_size(shape(e.lhs) or ((), shape(e.rhs))[not isinstance(e.rhs, Law)]) for e in inside)
    names = ", ".join(f"`{f.name}`" for f in unknowns)
    if unknowns and not inside:
        yield error(
            "PDE311",
            solve.span,
            f"nothing determines {names} inside the domain",
            hint="list an equation that holds there",
        )
    elif given < wanted:
        yield error(
            "PDE314",
            solve.span,
            f"{_scalar(given)} for {wanted} unknown functions ({names})",
            hint="an equation is missing, or one unknown too many occurs",
        )
    elif given > wanted and unknowns:
        yield error(
            "PDE314",
            solve.span,
            f"{_scalar(given)} for {wanted} unknown function{'s' * (wanted > 1)} ({names})",
            hint="list one equation for each unknown",
        )


def _size(form: tuple[int, ...]) -> int:
    return form[0] if form else 1


def _scalar(n: int) -> str:
    return f"{n} scalar equation{'s' * (n != 1)}"


def _undetermined(model: Model, scope: Scope) -> Iterator[Diagnostic]:
    """Unknowns that are in no solve."""
    found = set().union(*scope.found.values())
    for u in model.unknowns:
        if model.solves and u.field not in found:
            yield error("PDE311", u.span, f"nothing determines `{u.name}`", hint="no solve lists an equation for it")


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth"}


def _time(solve: Solve, field: Field, unknown: Unknown, listed: Listed, scope: Scope) -> Iterator[Diagnostic]:
    """Conditions in time: as many as the order, at the right end, none in between."""
    if unknown.time is None:
        return
    t = unknown.time.coordinates[0]
    inside = [e for e, k in listed if k.name == "interior" and field in fields_of(e)]
    if not inside:
        return
    main = max(inside, key=lambda e: order(difference(e), field, frozenset({t})))
    m = order(difference(main), field, frozenset({t}))
    conditions = [(e, k.time) for e, k in listed if k.name == "time" and field in fields_of(e)]
    ends = {"start": [], "end": []}  # type: dict[str, list[Equation]]
    interval = plain(unknown.time.set)
    for e, at in conditions:
        where = _end(at, interval, scope) if at is not None and isinstance(interval, Interval) else "start"
        if where is None:
            yield error(
                "PDE304",
                e.region_span or e.span,
                f"t = {at} is neither the start nor the end of {interval}",
                hint=f"conditions in time stand at {interval.lo} or at {interval.hi}"
                if isinstance(interval, Interval)
                else "",
            )
            return
        ends[where].append(e)
    yield from _at_ends(field, main, m, ends, direction(main, field, t, scope), unknown, scope)


def _end(at: Expr, interval: Interval, scope: Scope) -> str | None:
    """Which end of time a point is."""
    env = base(scope)
    for name, value in (("start", interval.lo), ("end", interval.hi)):
        if params_put_in(at - value, env).expand() == 0:
            return name
    return None


def _at_ends(
    field: Field, main: Equation, m: int, ends: dict[str, list[Equation]], way: str, unknown: Unknown, scope: Scope
) -> Iterator[Diagnostic]:
    assert unknown.time is not None
    interval = plain(unknown.time.set)
    lo, hi = (interval.lo, interval.hi) if isinstance(interval, Interval) else ("0", "T")
    space = " × ".join(d.name for d in unknown.space)
    given = [*ends["start"], *ends["end"]]
    if m <= 0:
        for e in given:
            yield error(
                "PDE302",
                e.span,
                f"no derivative in t of `{field.name}` occurs, so nothing fixes it in time",
                hint="drop this condition",
            )
        return
    backward = way == "backward"
    if backward and m == 1 and ends["start"]:
        yield error(
            "PDE305",
            main.span,
            "backward diffusion: a fixed start does not determine what follows",
            label="grows without bound at high frequencies",
            related=_places(ends["start"], "fixed at the start"),
            hint=f"change the sign, or fix `{field.name}` at the end, on {space} × {{{hi}}}",
        )
        return
    if m == 2 and backward and len(ends["start"]) == 2:
        yield error(
            "PDE305",
            main.span,
            "elliptic in t: two conditions at the start do not determine what follows",
            hint="change the sign, or fix one condition at each end",
        )
        return
    flows = difference(main).has(MetricGradient)
    if ends["end"] and not ends["start"] and m == 1 and (way == "forward" or flows):
        yield error(
            "PDE304",
            ends["end"][0].region_span or ends["end"][0].span,
            f"`{field.name}` is fixed at the end of time, and the equation runs forward",
            hint=f"fix it at the start, on {space} × {{{lo}}}",
        )
        return
    yield from _missing(field, main, m, given, ("end", hi) if backward else ("start", lo), space, unknown)
    if len(given) > m:
        yield from _too_many(field, m, given)


def _missing(
    field: Field, main: Equation, m: int, given: list[Equation], end: tuple[str, object], space: str, unknown: Unknown
) -> Iterator[Diagnostic]:
    """One condition for each of u, ∂t u, … below the order."""
    if len(given) >= m:
        return
    assert unknown.time is not None
    t = unknown.time.coordinates[0]
    fixed = {order(e.lhs, field, frozenset({t})) for e in given}
    k = next(n for n in range(m) if n not in fixed)
    what = f"{'∂' + 't' * k + ' ' if k else ''}{field.name}"
    where, value = end
    yield error(
        "PDE303",
        main.lhs_span,
        f"the equation is {ORDINALS.get(m, f'{m}th')} order in t, and nothing fixes {what} at the {where}",
        label=f"needs {what} at t = {value}",
        hint=f"add {'an initial' if where == 'start' else 'a final'} condition: "
        f"{'start' if where == 'start' else 'finish'}: {what} = … on {space} × {{{value}}}",
    )


def _listing(finding: Diagnostic, solve: Solve, field: Field, model: Model, scope: Scope) -> Diagnostic:
    """A missing condition in time, with its cure where the spec states just one that the solve does not list."""
    if finding.code != "PDE303" or solve.optima:
        return finding
    rest = [e for e in model.equations if e.label not in solve.equations and field in fields_of(e)]
    stated = [e for e in rest if kind_of(e, scope).name == "time"]
    head = re.search(r"\bsolve\s+\w+\b(?!\s*\()", solve.span.text)
    if len(stated) != 1 or head is None:
        return finding
    label = stated[0].span.text.partition(":")[0].strip()
    place = Span(solve.span.source, solve.span.start + head.end(), solve.span.start + head.end())
    return replace(finding, hint=f"list `{label}` in the solve", fix=Fix(place, f", {label}"))


def _too_many(field: Field, m: int, given: list[Equation]) -> Iterator[Diagnostic]:
    yield error(
        "PDE302",
        given[m].span,
        f"`{field.name}` has {len(given)} conditions in time, and order {m} has room for {m}",
        related=_places(given[:m], "another one"),
        hint="drop one of them",
    )


def _places(equations: list[Equation], text: str) -> tuple[Label, ...]:
    return tuple(Label(e.span, text) for e in equations)


# ── densities ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _metrics(equation: Equation, scope: Scope) -> Iterator[Diagnostic]:
    """The identity as a metric does not keep the mass of a density."""
    for node in difference(equation).atoms(MetricGradient):
        unknown = scope.unknown_of(node.field)
        if unknown is not None and unknown.kind == "density" and isinstance(node.body, Variation):
            yield error(
                "PDE308",
                equation.span,
                f"the flow in {node.metric} does not keep the mass of the density `{unknown.name}`",
                hint="W2, FR and Stein keep it; L2 is for functions",
            )


def _normalised(solve: Solve, field: Field, unknown: Unknown, listed: Listed) -> Iterator[Diagnostic]:
    """A stationary density needs its mass: a homogeneous equation has every multiple as a solution."""
    if unknown.kind != "density" or unknown.time is not None or solve.optima:
        return
    inside = [e for e, k in listed if k.name == "interior" and field in fields_of(e)]
    if inside and not any(k.name in ("constraint", "pin") and field in fields_of(e) for e, k in listed):
        space = " d".join(v.name for d in unknown.domains for v in d.coordinates)
        yield error(
            "PDE306",
            inside[0].span,
            f"nothing normalises the density `{field.name}`",
            hint=f"add `mass: ∫ {field.name} d{space} = 1`",
        )
