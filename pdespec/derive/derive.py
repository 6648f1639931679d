"""Model → Derivation: residuals, flows, first variations, and the checks decided.

Each statement is derived on its own; what fails gives a diagnostic at its place and the others go on.  The time limit
is honoured by all long loops, so that a derivation ends with PDE403 rather than never.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sympy import Expr

from pdespec.derive.deadline import OutOfTime, limit
from pdespec.derive.derivation import Derivation, Flow, Identity, NaturalCondition, Objective, Residual, Step
from pdespec.derive.flow import flow_of
from pdespec.derive.gauge import free_constants
from pdespec.derive.identities import (
    Demand,
    demands,
    equal,
    equivalent,
    identity,
    involves,
    known_of,
    satisfied,
)
from pdespec.derive.metrics import lost_properties
from pdespec.derive.natural import natural_conditions
from pdespec.derive.normal_form import NoNormalForm
from pdespec.derive.prove import Known, Verdict, worst
from pdespec.derive.residual import residual
from pdespec.derive.resolve import domain_of, resolved, with_exact
from pdespec.derive.scope import NoVariation
from pdespec.derive.tidy import shorter, tidy
from pdespec.derive.variation import variation
from pdespec.derive.verdicts import finding
from pdespec.diagnostics import Diagnostic, error
from pdespec.model.fields import Exact, Field, FieldValue
from pdespec.model.model import Check, Equation, Model, Report, Solve
from pdespec.model.terms import NoRule
from pdespec.source import Span

T = TypeVar("T")


@dataclass(slots=True)
class _Work:
    """A derivation under way."""

    model: Model
    known: Known
    residuals: dict[str, Residual] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    objectives: list[Objective] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)

    def attempt(self, span: Span | None, what: str, task: Callable[[], T]) -> T | None:
        """The result of a task, or None and a diagnostic at the place."""
        try:
            return task()
        except NoVariation as failure:
            self.found.append(error(failure.code, span, f"{what}: {failure}"))
        except NoNormalForm as failure:
            self.found.append(error("PDE404", span, f"{what}: {failure}"))
        except NoRule as failure:
            self.found.append(error("PDE405", span, f"{what}: {failure}"))
        except RecursionError:
            self.found.append(error("PDE404", span, f"{what}: its expressions are nested too deeply"))
        return None


def derive(model: Model, *, seconds: float = 30.0) -> tuple[Derivation, tuple[Diagnostic, ...]]:
    """Derive all that follows from a model within a time limit; the diagnostics come with it."""
    work = _Work(model, known_of(model))
    identities: list[Identity] = []
    exact: dict[str, Expr] = {}
    reports: tuple[Report, ...] = model.reports
    try:
        with limit(seconds):
            _equations(work)
            _objectives(work)
            free = lambda: tuple(free_constants(model, work.residuals, work.objectives))  # noqa: E731
            work.found += work.attempt(None, "constants left free", free) or ()
            identities, exact = _identities(work)
            reports = _reports(work, exact)
    except OutOfTime:
        hint = "simplify the spec, or raise the limit"
        work.found.append(error("PDE403", None, f"the derivation took longer than {seconds:g} s", hint=hint))
    fields = tuple((model.unknown(name).field, term) for name, term in exact.items())
    derivation = Derivation(
        model,
        tuple(work.residuals.values()),
        tuple(work.flows),
        tuple(work.objectives),
        tuple(identities),
        fields,
        reports,
    )
    return derivation, tuple(work.found)


# ── equations and flows ───────────────────────────────────────────────────────────────────────────────────────────────


def _equations(work: _Work) -> None:
    tested: set[str] = set()
    for equation in work.model.equations:
        what = f"the equation {equation.label}"
        found = work.attempt(equation.span, what, lambda e=equation: _residual(e, work.model))  # type: ignore[misc]
        if found is None:
            continue
        work.residuals[equation.label] = found
        flow = work.attempt(equation.span, what, lambda r=found: flow_of(r, work.model))  # type: ignore[misc]
        if flow is not None:
            work.flows.append(flow)
            if flow.metric and flow.metric not in tested:
                tested.add(flow.metric)
                work.found += lost_properties(flow, work.model)


def _residual(equation: Equation, model: Model) -> Residual:
    return residual(equation, tidy(resolved(equation.lhs, model)), tidy(resolved(equation.rhs, model)), model)


# ── objectives ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _objectives(work: _Work) -> None:
    for solve in work.model.solves:
        if solve.objective is not None:
            found = work.attempt(solve.span, "the objective", lambda s=solve: _objective(s, work))  # type: ignore[misc]
            if found is not None:
                work.objectives.append(found)


def _objective(solve: Solve, work: _Work) -> Objective:
    """First variations by every unknown that is optimised; one that is no function is left out, with the reason."""
    model = work.model
    term = resolved(solve.objective, model)
    conditions = [work.residuals[label] for label in solve.equations if label in work.residuals]
    variations: list[tuple[Field, Expr]] = []
    natural: list[NaturalCondition] = []
    steps: list[Step] = []
    for _, name in solve.optima:
        unknown = model.unknown(name)
        try:
            first = variation(term, unknown.field, unknown.field.here().point, domain_of(unknown.field, model))
        except NoVariation as failure:
            steps.append(Step(f"no first variation by {name}", str(failure)))
            continue
        variations.append((unknown.field, shorter(tidy(first.interior))))
        natural += natural_conditions(first.boundary, unknown.field, conditions)
    kind = solve.optima[0][0] if solve.optima else "min"
    return Objective(solve.label, term, kind, tuple(variations), tuple(natural), tuple(steps))


# ── checks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _identities(work: _Work) -> tuple[list[Identity], dict[str, Expr]]:
    declared: dict[str, Expr] = {}
    for check in work.model.checks:
        if check.kind == "solution" and isinstance(check.lhs, FieldValue) and isinstance(check.rhs, Expr):
            declared[check.lhs.field.name] = check.rhs
    found, refused = [], set()
    for check in work.model.checks:
        outcome = work.attempt(check.span, "the check", lambda c=check: _decided(c, declared, work))  # type: ignore[misc]
        if outcome is None:
            continue
        found.append(outcome)
        work.found += finding(outcome, work.model)
        if check.kind == "solution" and outcome.verdict != "proved":
            refused.add(_name(check))
    return found, {name: term for name, term in declared.items() if name not in refused}


def _name(check: Check) -> str:
    return check.lhs.field.name if isinstance(check.lhs, FieldValue) else ""


def _decided(check: Check, declared: dict[str, Expr], work: _Work) -> Identity | None:
    if check.kind == "equal":
        lhs, rhs = resolved(check.lhs, work.model), resolved(check.rhs, work.model)
        return identity(check, equal(lhs, rhs, check.coordinates, work.model, work.known))
    if check.kind == "equations":
        pair = [work.residuals.get(str(label)) for label in (check.lhs, check.rhs)]
        if pair[0] is None or pair[1] is None:
            return None
        return identity(check, equivalent(pair[0], pair[1], work.known))
    return _solution(check, declared, work)


def _solution(check: Check, declared: dict[str, Expr], work: _Work) -> Identity:
    """A declared solution tested in every equation that it belongs to; each is a step."""
    name = _name(check)
    wanted = demands(name, work.model, work.residuals, work.objectives)
    verdicts: list[Verdict] = []
    steps: list[Step] = []
    for demand in (d for d in wanted if involves(d, [name])):
        verdict = satisfied(demand, declared, work.known)
        verdicts.append(verdict)
        steps.append(Step(demand.term, f"{demand.name}: {verdict.verdict}", _place(demand, work.model)))
    if not verdicts:
        return identity(check, Verdict("undecided"), [Step(check.text, "no equation of a solve contains it")])
    return identity(check, worst(verdicts), steps)


def _place(demand: Demand, model: Model) -> Span | None:
    return next((e.span for e in model.equations if e.label == demand.name), None)


# ── reports ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _reports(work: _Work, exact: dict[str, Expr]) -> tuple[Report, ...]:
    found = []
    for report in work.model.reports:
        quantity = work.attempt(report.span, "the report", lambda r=report: resolved(r.quantity, work.model))  # type: ignore[misc]
        if quantity is None:
            continue
        quantity = with_exact(quantity, exact)
        missing = sorted({e.field.name for e in quantity.atoms(Exact)})
        if missing:
            work.found.append(_no_exact(report, missing[0], work.model))
            continue
        found.append(replace(report, quantity=quantity))
    return tuple(found)


def _no_exact(report: Report, name: str, model: Model) -> Diagnostic:
    declared = any(c.kind == "solution" and _name(c) == name for c in model.checks)
    why = "the declared one is not proved" if declared else "none is declared"
    hint = f"add `check {name} = …`"
    return error("PDE406", report.span, f"this report needs an exact solution {name}, and {why}", hint=hint)
