r"""The statements of a spec as mathematics: -\Delta u &= f \quad\text{on } \Omega.

In the terminal a statement is quoted in its author's words.  In LaTeX it is written from its terms, split where a row
of `align*` is aligned: at the sign between its two sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Basic, Expr

from pdespec.derive.account import Both, words
from pdespec.derive.bound_names import distinct
from pdespec.derive.derivation import Derivation, Flow, Objective
from pdespec.derive.glyphs import is_name, latex_name
from pdespec.derive.notation import Printer, latex
from pdespec.derive.operators import in_dimension
from pdespec.derive.regions_in_latex import metric_name, region_in_latex
from pdespec.derive.resolve import rewritten
from pdespec.model.bindings import Defined, Law
from pdespec.model.fields import Field, MetricGradient, Variation, value
from pdespec.model.model import Check, Definition, Equation, Model, Solve, Unknown
from pdespec.model.sets import Point, Set, plain
from pdespec.syntax.names import canonical


@dataclass(frozen=True, slots=True)
class Statement:
    """The author's text, and the two halves of the statement in LaTeX; both are empty where LaTeX leaves it out."""

    text: str
    left: str = ""
    right: str = ""


def region_names(model: Model) -> dict[Set, str]:
    """The declared name of each set."""
    return {plain(d.set): d.name for d in model.domains}


def declared(unknown: Unknown) -> Both:
    """`p : P(Θ) over I`, `u : X × I → R²`."""
    name = latex_name(unknown.name)
    if unknown.kind == "density":
        over = f" over {unknown.time.name}" if unknown.time else ""
        text = f"{unknown.name} : P({' × '.join(d.name for d in unknown.space)}){over}"
        path = rf"{latex_name(unknown.time.name)} \to " if unknown.time else ""
        space = r" \times ".join(latex_name(d.name) for d in unknown.space)
        colon = r"\colon" if path else r"\in"
        return Both(text, rf"{name} {colon} {path}\mathcal{{P}}({space})")
    target = "R" + "".join(f"^{n}" for n in unknown.field.shape)
    size = r" \times ".join(map(str, unknown.field.shape))
    target_tex = rf"\mathbf{{R}}^{{{size}}}" if size else r"\mathbf{R}"
    source = " × ".join(d.name for d in unknown.domains)
    source_tex = r" \times ".join(latex_name(d.name) for d in unknown.domains)
    if not source:
        return Both(f"{unknown.name} : {target}", rf"{name} \in {target_tex}")
    return Both(f"{unknown.name} : {source} → {target}", rf"{name} \colon {source_tex} \to {target_tex}")


def equation(stated: Equation, model: Model) -> Statement:
    """An equation on its region."""
    written = stated.text.partition(":")[2].strip() if ":" in stated.text else stated.text
    names = region_names(model)
    sign = {"<=": r"\le", ">=": r"\ge"}.get(stated.relation, stated.relation)
    space = tuple(v for v in stated.coordinates if not any(d.time and v in d.coordinates for d in model.domains))
    value_at = in_dimension(stated.rhs, space) if isinstance(stated.rhs, Law) else distinct(stated.rhs)
    right = f"{sign} {latex(value_at, names)}"
    if stated.region != Point(()):
        right += rf" \quad \text{{on }} {region_in_latex(stated.region, Printer(latex=True, regions=names))}"
    return Statement(written, latex(distinct(stated.lhs), names), right)


def checked(check: Check, model: Model) -> Statement:
    """An identity, or two equations that say the same."""
    written = check.text.removeprefix("check ").strip()
    names = region_names(model)
    if check.kind == "equations":
        left, right = (rf"\text{{{words(str(label))}}}" for label in (check.lhs, check.rhs))
        return Statement(written, left, rf"\Leftrightarrow {right}")
    return Statement(written, latex(distinct(check.lhs), names), f"= {latex(distinct(check.rhs), names)}")


def optimum(solve: Solve, objective: Objective, model: Model) -> Statement:
    """What is to be minimised."""
    written = ", ".join(f"{kind}[{name}]" for kind, name in solve.optima)
    signs = r"\ ".join(rf"\{kind}_{{{latex_name(name)}}}" for kind, name in solve.optima)
    return Statement(f"{written} {solve.objective_text}", "", rf"{signs} {latex(objective.term, region_names(model))}")


# ── what has a name ───────────────────────────────────────────────────────────────────────────────────────────────────


def energy_name(flow: Flow, model: Model) -> Both:
    """The energy of a flow: its name, or its formula."""
    if is_name(flow.energy_name):
        return Both(flow.energy_name, latex_name(flow.energy_name))
    return Both(flow.energy_name, rf"\left({latex(flow.energy, region_names(model))}\right)")


def definitions(derivation: Derivation) -> Iterator[tuple[Definition, Statement]]:
    """The definitions that equations, objectives and checks refer to, in the order of the spec."""
    model = derivation.model
    values, functions = _functionals(derivation), _functions(derivation)
    for d in _referred_to(model):
        written, names = " ".join(d.text.replace(":=", "=", 1).split()), region_names(model)
        if d.name in values:
            functional, field = values[d.name]
            left = rf"{latex_name(d.name)}({latex_name(field.name)})"
            yield d, Statement(written, left, f"= {latex(functional, names)}")
        elif (known := d.term or functions.get(d.name)) is not None:
            formals = ", ".join(latex_name(v.name) for v in known.formals)
            called = rf"({formals})" if "(" in written.partition("=")[0] else ""
            yield d, Statement(written, latex_name(d.name) + called, f"= {latex(known.body, names)}")
        else:
            yield d, Statement(written)


def _referred_to(model: Model) -> list[Definition]:
    """Definitions by the names in the texts of statements, and in the texts of definitions referred to."""
    known = {canonical(d.name): d for d in model.definitions}
    texts = [e.text for e in model.equations] + [s.objective_text for s in model.solves]
    texts += [c.text for c in model.checks if c.kind != "equations"]
    found: set[str] = set()
    while texts:
        fresh = {canonical(w) for w in re.findall(r"[^\W\d∂∇Δδ][\w']*", texts.pop())} & known.keys() - found
        found |= fresh
        texts += [known[name].text for name in fresh]
    return [d for name, d in known.items() if name in found]


def _functionals(derivation: Derivation) -> dict[str, tuple[Expr, Field]]:
    """Functionals of one field, by the names that they are varied under."""
    terms = [side for e in derivation.model.equations for side in (e.lhs, e.rhs)]
    terms += [side for c in derivation.model.checks for side in (c.lhs, c.rhs) if isinstance(side, Basic)]
    asked = [(v.name, v.functional, v.field) for t in terms for v in t.atoms(Variation)]
    asked += [(g.functional_name, g.functional, g.field) for t in terms for g in t.atoms(MetricGradient)]
    return {name: (functional, field) for name, functional, field in asked}


def _functions(derivation: Derivation) -> dict[str, Defined]:
    """Functions that are kept by name, such as a kernel of two points."""
    terms = [t for f in derivation.flows for t in (f.right, f.variation) if t is not None]
    terms += [r.term for r in derivation.residuals]
    return {d.name: d for t in terms for d in t.atoms(Defined)}


def metric_rule(stated: Equation, model: Model) -> str:
    r"""What the metric of a flow does to a function: \mathcal{K}_{W_2} \varphi = -\nabla \cdot (p \nabla \varphi)."""
    node = next(iter(stated.lhs.atoms(MetricGradient) | stated.rhs.atoms(MetricGradient)))
    taken = {s.name for s in node.body.free_symbols if hasattr(s, "name")}
    letter = next(c for c in "φψχ" if c not in taken)
    trial = Field(letter, node.field.slots, node.field.dimensions)
    body = rewritten(node.body, {Variation: lambda v: value(trial, *v.point)})
    names = region_names(model)
    return rf"\mathcal{{K}}_{{{metric_name(node.metric)}}} {latex_name(letter)} = {latex(body, names)}"
