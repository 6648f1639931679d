"""The checks of a spec decided: equal terms, equal equations, declared solutions.

Two equations are equal when one residual is a nowhere vanishing multiple of the other; the multiple is read off a
highest derivative and then verified.  A declared solution must satisfy every equation listed with its unknown in a
solve, on every face of the equation's region, and the Euler–Lagrange equation of an objective.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import QQ, Add, Expr, S

from pdespec.derive.components import expand, flatten
from pdespec.derive.derivation import Identity, Objective, Residual, Step
from pdespec.derive.faces import Face, NoFaces, faces, oriented, positive_coordinates
from pdespec.derive.normal_form import Normal
from pdespec.derive.polynomial import ZERO, Form
from pdespec.derive.prove import PROVED, Known, Verdict, decide, measure, vanishing, worst
from pdespec.derive.readable import expression
from pdespec.derive.resolve import put
from pdespec.derive.trial import Space
from pdespec.model.bindings import Density, Law
from pdespec.model.fields import FieldValue
from pdespec.model.model import Check, Model
from pdespec.model.sets import Product, RealSpace, Set, plain, product
from pdespec.model.terms import flat
from pdespec.model.vectors import Component


def identity(check: Check, verdict: Verdict, steps: Iterable[Step] = ()) -> Identity:
    """The outcome of a check as the derivation keeps it."""
    return Identity(
        check,
        verdict.verdict,
        verdict.residual,
        verdict.witness,
        verdict.value,
        verdict.points,
        verdict.digits,
        verdict.factor,
        tuple(steps),
    )


def known_of(model: Model) -> Known:
    """Densities, parameters and domains of a model, for proofs."""
    densities = []
    spaces: dict[Any, Space] = {}
    for u in model.unknowns:
        mass = sum(d.set.dimension for d in u.space) if u.kind == "density" else 0
        if mass:
            densities.append((u.field, mass))
        spaces[u.field] = Space(tuple(d.set for d in u.domains), mass)
    values: dict[Any, Expr] = {}
    for p in model.params:
        values[p.symbol] = p.value.xreplace(values)
    return Known(tuple(densities), values, spaces)


# ── equal terms ───────────────────────────────────────────────────────────────────────────────────────────────────────


def equal(lhs: Expr, rhs: Expr, coordinates: tuple[Any, ...], model: Model, known: Known) -> Verdict:
    """Whether two terms are the same function of the coordinates."""
    region, variables = _home(coordinates, model)
    at = flat(variables)
    a, b = flatten(expand(lhs)), flatten(expand(rhs))
    a, b = (a, b) if len(a) == len(b) else (_spread(a, len(b)), _spread(b, len(a)))
    differences = [x - y for x, y in zip(a, b, strict=True)]
    if region is None:
        return decide(differences, known, at)
    return decide(differences, known, at, Face({}, within=((region, at),)), positive_coordinates(region, at))


def _spread(components: tuple[Expr, ...], n: int) -> tuple[Expr, ...]:
    return components * n if components == (S.Zero,) else components


def _home(coordinates: tuple[Any, ...], model: Model) -> tuple[Set | None, tuple[Any, ...]]:
    """The set that coordinates run over, with all coordinates of it; all of space for one that is bound elsewhere."""
    parts: list[Set] = []
    variables: list[Any] = []
    for v in coordinates:
        if v not in variables:
            found = next((d for d in model.domains if v in d.coordinates), None)
            parts.append(found.set if found is not None else RealSpace(getattr(v, "dimension", 1)))
            variables += found.coordinates if found is not None else (v,)
    return (product(*parts) if parts else None), tuple(variables)


# ── equal equations ───────────────────────────────────────────────────────────────────────────────────────────────────


def equivalent(first: Residual, second: Residual, known: Known) -> Verdict:
    """Whether one residual is a nowhere vanishing multiple of the other, on the same region."""
    a, b = first.components, second.components
    region = first.equation.region
    at = flat(first.equation.coordinates)
    positive = positive_coordinates(region, at)
    rules = known.rules(positive)
    if len(a) != len(b) or _plainly(region) != _plainly(second.equation.region):
        return Verdict("refuted", Add(*a, *(-x for x in b)), value="the equations differ in size or region")
    forms = [(rules.form(x), rules.form(y)) for x, y in zip(a, b, strict=True)]
    for sign in (1, -1):
        if all(vanishing(f - g.scaled(QQ(sign)), known, rules) for f, g in forms):
            return replace(PROVED, factor=S(sign))
    return _by_factor(forms, known, rules, at, Face({}, within=((region, at),)))


def _plainly(region: Set) -> Set:
    region = plain(region)
    parts = region.parts if isinstance(region, Product) else (region,)
    return product(*map(plain, parts))


def _by_factor(forms: list[tuple[Form, Form]], known: Known, rules: Normal, at: Any, face: Face) -> Verdict:
    ratio = _ratio(forms, rules)
    if ratio is None:
        return _refuted([f - g for f, g in forms], known, rules, at, face)
    above, below = ratio
    rest = [f * below - g * above for f, g in forms]
    factor = expression(above * rules.rational(below, QQ(-1)))
    if all(vanishing(r, known, rules) for r in rest):
        if _nowhere_zero(above, rules) and _nowhere_zero(below, rules):
            return replace(PROVED, factor=factor)
        return Verdict("undecided", factor=factor, residual=factor)
    inverse = rules.rational(below, QQ(-1))
    return replace(_refuted([r * inverse for r in rest], known, rules, at, face), factor=factor)


def _refuted(rest: list[Form], known: Known, rules: Normal, at: Any, face: Face) -> Verdict:
    return worst(PROVED if vanishing(r, known, rules) else measure(expression(r), known, at, face) for r in rest)


def _ratio(forms: list[tuple[Form, Form]], rules: Normal) -> tuple[Form, Form] | None:
    """The coefficients of the highest derivative that both residuals are linear in."""
    for f, g in forms:
        shared = sorted(_jets(f) & _jets(g), key=_height, reverse=True)
        for jet in shared:
            above, below = rules.gathered(_coefficient(f, jet)), rules.gathered(_coefficient(g, jet))
            if above and below:
                return above, below
    return None


def _jets(form: Form) -> set[Expr]:
    return {g for m, _, _ in form for g, _ in m if isinstance(g, (FieldValue, Component))}


def _height(jet: Expr) -> Any:
    value = jet
    while isinstance(value, Component):
        value = value.args[0]
    return (sum(value.orders), jet.sort_key())


def _coefficient(form: Form, jet: Expr) -> Form:
    """The coefficient of a jet where the form is linear in it, else zero."""
    found = ZERO
    for monomial, exponent, c in form:
        power = dict(monomial).get(jet)
        if power is None:
            continue
        if power != 1:
            return ZERO
        found = found + Form({(monomial - {(jet, power)}, exponent): c})
    return found


def _nowhere_zero(form: Form, rules: Normal) -> bool:
    single = form.single
    if single is not None:
        return all(rules.positive(g) or (not g.free_symbols and g.is_nonzero) for g, _ in single[0])
    return any(all(map(rules.positive_term, f)) and bool(rules.strictly(f)) for f in (form, -form))


# ── declared solutions ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Demand:
    """An equation that a declared solution must satisfy: its residual before the solution is put in, and where.

    `home` is the space of the unknown, from whose ends the normal points outwards.  An equation that holds `up_to` a
    multiplier of a constraint proves a solution, and refutes none.
    """

    name: str
    term: Expr
    region: Set
    coordinates: tuple[Any, ...]
    home: Set | None = None
    up_to: bool = False


def demands(
    unknown: str, model: Model, residuals: Mapping[str, Residual], objectives: Iterable[Objective]
) -> list[Demand]:
    """Every equation listed with an unknown in a solve, and the stationarity of its objective."""
    found: dict[Any, Demand] = {}
    for solve in model.solves:
        listed = [residuals[label] for label in solve.equations if label in residuals]
        named = {f.name for r in listed for f in r.fields} | {name for _, name in solve.optima}
        if unknown not in named:
            continue
        for r in listed:
            home = product(*(d.set for d in model.unknown(unknown).space)) if model.unknown(unknown).space else None
            found[r.label] = Demand(r.label, _term(r), r.equation.region, r.equation.coordinates, home)
        bound = any(r.role in ("constraint", "interior") for r in listed)
        for o in objectives:
            if o.solve == solve.label:
                stationary = _stationary(o, unknown, solve.objective_text, model)
                found |= {(solve.label, k): replace(d, up_to=bound) for k, d in enumerate(stationary)}
    return list(found.values())


def _term(r: Residual) -> Expr:
    """The residual; a law at the start demands its density."""
    if isinstance(r.equation.rhs, Law):
        space = tuple(v for v in r.equation.coordinates if v.name != _time_name(r))
        return r.term - Density(r.equation.rhs, *space)
    return r.term


def _time_name(r: Residual) -> str:
    return str(r.equation.coordinates[-1].name) if r.role in ("initial", "terminal") else ""


def _stationary(objective: Objective, unknown: str, text: str, model: Model) -> Iterable[Demand]:
    for field, term in objective.variations:
        if field.name == unknown:
            u = model.unknown(unknown)
            at = tuple(v for d in u.domains for v in d.coordinates)
            home = product(*(d.set for d in u.domains))
            yield Demand(f"δ({text})/δ{unknown} = 0", term, home, at)
            for n in objective.natural:
                yield Demand("the natural boundary condition", n.term, n.region, at, home)  # type: ignore[arg-type]


def satisfied(demand: Demand, formulas: Mapping[str, Expr], known: Known) -> Verdict:
    """Whether declared solutions satisfy one equation on every face of its region."""
    at = flat(demand.coordinates)
    components = flatten(expand(put(demand.term, formulas)))
    values = (v for c in components for v in c.atoms(FieldValue))
    others = sorted({v.field.name for v in values if v.field.name not in formulas and not v.field.solve})
    if others:
        return Verdict("undecided", value=f"{demand.name} also holds {', '.join(others)}, which is not declared")
    positive = positive_coordinates(demand.region, at)
    try:
        parts = [oriented(face, at, demand.home) for face in faces(demand.region, at)]
        mentions = any(n.name.startswith("n[") for c in components for n in c.free_symbols)
        if mentions and not all(f.normal for f in parts):
            return Verdict("undecided", value=f"the normal of {demand.name} is not known")
        verdict = worst(decide(components, known, at, face, positive) for face in parts)
    except NoFaces as failure:
        return Verdict("undecided", value=f"no exact description of {failure}")
    if demand.up_to and verdict.verdict == "refuted":
        return Verdict("undecided", value=f"{demand.name} holds only up to a multiplier of a constraint, if at all")
    return verdict


def involves(demand: Demand, names: Iterable[str]) -> bool:
    """Whether an equation contains any of the unknowns."""
    wanted = set(names)
    return any(v.field.name in wanted and not v.field.solve for v in demand.term.atoms(FieldValue))
