"""The derivation told to a person: each term with the rule that gave it and the place of the rule.

What the equations refer to by name comes first, then energies with their variations, then every equation with its
steps, what it means for particles, what it dissipates and where it comes to rest, then objectives; a check stands under
the equation that it is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sympy import Expr, S, exp

from pdespec.derive.account import Both, Line, aligned, named_by, words
from pdespec.derive.derivation import Derivation, Flow, Identity, Objective, Residual, Step
from pdespec.derive.glyphs import indexed, is_name, latex_name, plainer
from pdespec.derive.notation import Printer
from pdespec.derive.operators import region_name
from pdespec.derive.particle_form import motion, needs_density
from pdespec.derive.regions_in_latex import region_in_latex
from pdespec.derive.statements import (
    Statement,
    checked,
    declared,
    definitions,
    energy_name,
    equation,
    metric_rule,
    optimum,
    region_names,
)
from pdespec.model.bindings import Law
from pdespec.model.fields import FieldValue
from pdespec.model.model import Model
from pdespec.model.sets import Set
from pdespec.model.vectors import Partial
from pdespec.source import Span

COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
EQUALS = Both("= ", "= ")


def text(derivation: Derivation) -> str:
    """The account for the terminal."""
    blocks = [
        " · ".join(
            [
                _name(derivation.model),
                *(declared(u).text for u in derivation.model.unknowns),
                *_flows_of(derivation.flows),
            ]
        )
    ]
    blocks += ["\n".join(line.text() for line in block) for block in _blocks(derivation)]
    return "\n\n".join(blocks) + "\n"


def latex(derivation: Derivation) -> str:
    """The account as a LaTeX fragment of `align*` environments, which needs amsmath and no other package."""
    model = derivation.model
    regions = region_names(model)
    told = [*(f"${plainer(declared(u).tex)}$" for u in model.unknowns), *_flows_of(derivation.flows)]
    blocks = [rf"\paragraph{{\texttt{{{words(_name(model))}}}}}" + "\n" + ", ".join(told)]
    for block in _blocks(derivation):
        blocks.append(aligned(block, regions))
    return "\n\n".join(filter(None, blocks)) + "\n"


# ── blocks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _name(model: Model) -> str:
    return Path(model.source.name).name if model.source.name else model.name


def _stated(label: str, statement: Statement, rule: Any = "", span: Span | None = None, indent: int = 0) -> Line:
    """A statement under its label."""
    tex = rf"\text{{{words(label.strip())}:}}\quad " if label else ""
    lead = Both(f"{label}{statement.text}", tex + statement.left)
    return Line(lead, Both("", statement.right), rule, span, indent, in_latex=bool(statement.right))


def _flows_of(flows: tuple[Flow, ...]) -> list[str]:
    """`three flows of one energy`."""
    energies = {f.energy_name for f in flows if f.energy_name}
    if len(flows) < 2 or len(energies) != 1:
        return []
    return [f"{COUNTS.get(len(flows), str(len(flows)))} flows of one energy"]


def _blocks(derivation: Derivation) -> Iterator[list[Line]]:
    told: set[str] = set()
    model = derivation.model
    energies = {f.energy_name for f in derivation.flows if f.variation is not None}
    given = list(definitions(derivation))
    if named := [_stated("", shown, span=d.span) for d, shown in given if d.name not in energies]:
        yield named
    for flow in _with_energy(derivation.flows):
        head = [_stated("", shown, span=d.span) for d, shown in given if d.name == flow.energy_name]
        yield [*head, _variation(flow, model)]
    for r in derivation.residuals:
        block = _equation(r, derivation.flow(r.label), model)
        block += _checks(derivation.identities, r.label, told, model)
        yield block
    for o in derivation.objectives:
        yield _objective(o, model)
    if rest := [i for i in derivation.identities if i.check.text not in told]:
        yield [line for i in rest for line in _identity(i, model)]


def _with_energy(flows: tuple[Flow, ...]) -> Iterator[Flow]:
    """A flow of each energy."""
    seen: set[str] = set()
    for flow in flows:
        if flow.variation is not None and flow.energy_name not in seen:
            seen.add(flow.energy_name)
            yield flow


def _variation(flow: Flow, model: Model) -> Line:
    name, field = energy_name(flow, model), latex_name(flow.field.name)
    above = name.tex if is_name(flow.energy_name) else ""
    tex = rf"\frac{{\delta {above}}}{{\delta {field}}}" + ("" if above else name.tex)
    return Line(Both(f"δ{name.text}/δ{flow.field.name} ", tex), (EQUALS, flow.variation), _leaves(flow))


def _leaves(flow: Flow) -> tuple[Any, ...]:
    """How often the field occurs in its energy."""
    n = sum(1 for _ in _occurrences(flow.energy, flow.field))
    times = {1: "once", 2: "twice"}.get(n, f"{n} times")
    return "leaf rule: ", named_by(flow.field.name), f" appears {times}"


def _occurrences(term: Any, field: Any) -> Iterator[Any]:
    if isinstance(term, FieldValue) and term.field == field:
        yield term
    for a in getattr(term, "args", ()):
        yield from _occurrences(a, field)


def _equation(residual: Residual, flow: Flow | None, model: Model) -> list[Line]:
    stated = residual.equation
    kind = "linear" if residual.linear else "nonlinear"
    solved = flow is not None and stated.lhs == Partial(flow.field.here(), *_time(flow, model))
    told = kind if flow is not None and solved and stated.rhs == flow.right and not flow.conservative else ""
    lines = [_stated(f"{stated.label}  ", equation(stated, model), told, stated.span)]
    if flow is None:
        if residual.role == "interior" and residual.components:
            lines.append(Line(Both("residual: ", r"\text{residual:}\quad "), residual.term, kind))
        return lines
    lead = _slope(flow, model)
    if flow.energy is None and not flow.conservative and not told:
        lines.append(Line(lead, (EQUALS, flow.right), kind))
    for s in flow.steps:
        if s.rule.startswith("dE/dt"):
            continue
        lines.append(Line("" if solved or len(lines) > 1 else lead, (EQUALS, s.term), _rule(s, flow, model), s.span))
    return lines + _transport(flow) + _dissipation(flow, model) + _stationary(flow)


def _time(flow: Flow, model: Model) -> tuple[Any, ...]:
    time = model.unknown(flow.field.name).time
    return time.coordinates if time is not None else ()


def _slope(flow: Flow, model: Model) -> tuple[Any, ...]:
    """`∂t u `, which the terms that follow are equal to."""
    return Partial(flow.field.here(), *_time(flow, model)), Both(" ", "")


def _rule(step: Step, flow: Flow, model: Model) -> Any:
    """The name of a rule, about this energy and this field."""
    if step.span is not None:
        return Both(" ".join(step.rule.replace(":=", "=", 1).split()), metric_rule(flow.equation, model))
    rule = re.sub(
        "δE/δ[pu]",
        f"δ{flow.energy_name}/δ{flow.field.name}" if is_name(flow.energy_name) else "the variation",
        step.rule,
    )
    return re.sub(r"\bp\b", flow.field.name, rule)


def _dissipation(flow: Flow, model: Model) -> list[Line]:
    name = energy_name(flow, model)
    t = "".join(v.name for v in _time(flow, model))
    fraction = (
        rf"\frac{{d{name.tex}}}{{d{latex_name(t)}}}"
        if is_name(flow.energy_name)
        else rf"\frac{{d}}{{d{latex_name(t)}}} {name.tex}"
    )
    decays = flow.metric.split("(")[0] in ("W2", "L2", "Hm1", "Stein", "FR", "WFR")
    sign = Both(" ≤ 0", r" \le 0") if decays else ""
    return [
        Line(Both(f"d{name.text}/d{t} ", fraction), (EQUALS, s.term, sign), "monitored as an identity")
        for s in flow.steps
        if s.rule.startswith("dE/dt")
    ]


def _stationary(flow: Flow) -> list[Line]:
    if flow.stationary is None:
        return []
    name = flow.field.name
    tex = indexed(latex_name(name), r"\infty")
    lead = Both(f"stationary: {name}∞ ", rf"\text{{stationary:}}\quad {tex}")
    return [Line(lead, (Both("∝ ", r"\propto "), _gibbs(flow.stationary)))]


def _gibbs(law: Law) -> Expr:
    potential, inverse = law.parameters[:2]
    return exp(-inverse * potential)


# ── particles ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _transport(flow: Flow) -> list[Line]:
    """What the flow does to a particle, or why it needs the density's value."""
    if not flow.conservative or flow.velocity is None:
        return []
    if needs_density(flow):
        lead = Both("particles: need the value of the density", r"\text{particles:}\quad ")
        tex = r"\text{need the value of the density}"
        how = Both("density = knn | kde | blob in `using`", r"\text{by nearest neighbours, kernels or blobs}")
        return [Line(lead, Both("", tex), how)]
    moved = motion(flow)
    drift: tuple[Any, ...] = ()
    if moved.drift != 0:
        bracketed = (Both("(", r"\left("), moved.drift, Both(")", r"\right)")) if moved.drift.is_Add else (moved.drift,)
        drift = (*bracketed, Both(" dt", r"\,dt"))
    noise: tuple[Any, ...] = () if moved.noise == 0 else (moved.noise, Both(" dW", r"\,dW"))
    join = (Both(" + ", " + "),) if drift and noise else ()
    rule = "linear diffusion is Brownian noise" if noise else "the density is carried along"
    step = (Both("particles: d", r"\text{particles:}\quad d"), moved.point, Both(" ", ""))
    lines = [Line(step, (EQUALS, *(drift + join + noise or (Both("0", "0"),))), rule)]
    if flow.growth != 0:
        weight = Both("weights: d ln w/dt ", r"\text{weights:}\quad \frac{d \ln w}{dt}")
        lines.append(Line(weight, (EQUALS, flow.growth), "births and deaths"))
    return lines


# ── objectives and checks ─────────────────────────────────────────────────────────────────────────────────────────────


def _objective(objective: Objective, model: Model) -> list[Line]:
    solve = next(s for s in model.solves if s.label == objective.solve)
    label = f"{solve.label}  " if solve.label else ""
    lines = [_stated(label, optimum(solve, objective, model), span=solve.span)]
    for field, term in objective.variations:
        lead = Both(f"δ/δ{field.name}: ", rf"\text{{stationary in }} {latex_name(field.name)}\text{{:}}\quad ")
        lines.append(
            Line(
                lead,
                (term, Both(" = 0", " = 0")),
                Both("stationary: the Euler–Lagrange equation", r"\text{Euler--Lagrange equation}"),
            )
        )
    names = region_names(model)
    for n in objective.natural:
        where, where_tex = str(n.region), rf"\text{{{words(str(n.region))}}}"
        if isinstance(n.region, Set):
            where, where_tex = (
                region_name(n.region, names),
                region_in_latex(n.region, Printer(latex=True, regions=names)),
            )
        on = Both(f" = 0 on {where}", rf" = 0 \quad \text{{on }} {where_tex}")
        lines.append(Line("", (n.term, on), "natural boundary condition"))
    lines += [Line("", s.term, s.rule) for s in objective.steps]
    return lines


def _checks(identities: Iterable[Identity], label: str, told: set[str], model: Model) -> list[Line]:
    """The checks that end with this equation."""
    found = []
    for i in identities:
        if i.check.kind == "equations" and i.check.rhs == label:
            told.add(i.check.text)
            found += _identity(i, model)
    return found


def _identity(outcome: Identity, model: Model) -> list[Line]:
    mark = {"proved": "✓", "refuted": "✗", "undecided": "?"}[outcome.verdict]
    why: tuple[Any, ...]
    if outcome.verdict == "proved":
        why = _proof(outcome)
    elif outcome.verdict == "refuted":
        why = ("residual ", outcome.residual) if outcome.residual is not None else (outcome.value,)
    elif outcome.factor is not None:
        why = ("factor ", outcome.factor, ", which may vanish")
    else:
        why = (f"holds at {outcome.points} points to {outcome.digits} digits" if outcome.points else "not testable",)
    rule = (Both(f"{mark} ", ""), f"{outcome.verdict}: ", *why)
    lines = [_stated("check ", checked(outcome.check, model), rule, outcome.check.span, indent=2)]
    if outcome.verdict != "proved":
        lines += [Line("", s.rule, "", s.span, indent=4) for s in outcome.steps]
    return lines


def _proof(outcome: Identity) -> tuple[Any, ...]:
    if outcome.check.kind == "solution":
        names = (s.rule.rpartition(": ")[0] for s in outcome.steps)
        return ("satisfies " + ", ".join("the Euler–Lagrange equation" if n.startswith("δ(") else n for n in names),)
    if outcome.factor is None or outcome.factor == S.One:
        return ("same normal form",)
    return "factor ", outcome.factor, ", nowhere zero"
