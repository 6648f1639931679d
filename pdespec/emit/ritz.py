"""Functionals of networks by quadrature, as objectives to descend.

    def objective(u_net, rules): …     1/2 ∫ |∇u|² ρ dx as a weighted sum over nodes, channels of u at those nodes
Intervals and boxes up to dimension two take Gauss–Legendre nodes (trapezoid on circles), other regions drawn points.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from pdespec.derive.notation import unicode
from pdespec.emit.arrays import Array, Points, Scope
from pdespec.emit.axes import scalar as scalar_code
from pdespec.emit.channels import channel_name
from pdespec.emit.classes import shared_class
from pdespec.emit.code import Precedence
from pdespec.emit.collocation import residuals_function
from pdespec.emit.cost import Cost, sweep_cost
from pdespec.emit.descent import (
    Own,
    channel_lines,
    descent_lines,
    describe,
    net_name,
    network_lines,
    network_sections,
    sweeps_cost,
    typed_networks,
    weights,
)
from pdespec.emit.layout import docstring, statement
from pdespec.emit.names import escape
from pdespec.emit.optimisers import evaluations, stage_steps
from pdespec.emit.parts import Script, Section, SolveCode, prefix, solution_name, term_key, unpacked
from pdespec.emit.pictures import saved_fields
from pdespec.emit.regions import rule, sampler
from pdespec.emit.residuals import coordinate_name, equations_section
from pdespec.model.bindings import Defined, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.sets import Named, Set, product
from pdespec.model.terms import VectorVariable
from pdespec.plan.conditions import sampler_of
from pdespec.plan.plan import Ritz
from pdespec.plan.unbounded import within
from pdespec.plan.values import free_coordinates, split, values
from pdespec.plan.variational import integrals, is_box


def emit_ritz(plan: Ritz, script: Script) -> SolveCode:
    """The sections of a variational solve."""
    stem = prefix(plan.solve, script)
    others = _others(plan)
    sections = [*network_sections(plan.networks, script)]
    sections += equations_section(plan.conditions, script)
    sections.append(Section("quadrature", _quadrature(stem, plan, script)))
    if plan.conditions:
        sections.append(Section("points", sampler(stem, plan.conditions, script)))
        residuals = residuals_function(stem, plan.conditions, plan.networks, plan.solve, script)
        sections.append(Section("residuals", residuals))
    title = f"objective: {escape(plan.solve.objective_text)}"
    sections.append(Section(title, _objective(stem, plan, others, script)))
    sections.append(Section("solve", _solve(stem, plan, others, script), f"spec:{plan.solve.span.line}"))
    domain = product(*(Named(d.name, d.set) for d in script.model.unknown(plan.fields[0].name).domains))
    labels = [*(e for e, _ in plan.constraints), *(c.label for c in plan.conditions)]
    return SolveCode(
        plan.solve.label,
        solution_name(plan.solve, script),
        f"{stem}solve",
        tuple(sections),
        sum(map(stage_steps, plan.iterations)),
        tuple(term_key(plan.solve, key, script) for key in ("objective", *map(script.names.name, labels))),
        arguments=tuple(script.names.name(label) for label in others),
        why=plan.why,
        cost=_cost(plan, script),
        evaluations=evaluations(plan.iterations),
        save=saved_fields(plan.solve, plan.fields, within(domain, plan.box) if plan.box else domain, script),
    )


def _cost(plan: Ritz, script: Script) -> Cost:
    """The cost of one evaluation: all channels at the points of every region, and the conditions."""
    total = sweeps_cost(plan.networks, plan.conditions, script)
    for n in plan.networks:
        total += sweep_cost(describe(n, shared_class(n, script), script), n.channels, plan.points * len(_regions(plan)))
    return total


def _others(plan: Ritz) -> list[str]:
    """Labels of earlier solves whose solutions enter."""
    return sorted({v.field.solve for t in _terms(plan) for v in t.atoms(FieldValue)} - {""})


def _terms(plan: Ritz) -> list[Expr]:
    return [plan.objective, *(c for _, c in plan.constraints)]


def _regions(plan: Ritz) -> dict[Set, list[Integrate]]:
    """The regions of the integrals, each once, with the integrals over it."""
    found: dict[Set, list[Integrate]] = {}
    for i in (i for t in _terms(plan) for i in integrals(t)):
        found.setdefault(i.region, []).append(i)
    return found


# ── quadrature ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _quadrature(stem: str, plan: Ritz, script: Script) -> str:
    """`quadrature(config)`: nodes (n, d) and weights (n,) for every region."""
    notes, rules = [], []
    for region in _regions(plan):
        cut = within(region, plan.box) if plan.box else region
        rules.append(rule(cut, plan.points, "config.seed + draw", sampler_of(plan.solve), script))
        if is_box(cut):
            kind = "trapezoidal rule" if "trapezoid" in rules[-1] else "Gauss–Legendre"
            notes.append(f"{kind} on {escape(str(region))}")
        else:
            notes.append(f"fresh points of {escape(str(cut))}" if plan.sampled else f"points of {escape(str(cut))}")
    draw = ", draw: int = 0" if any("draw" in r for r in rules) else ""
    return "\n".join(
        [
            f"def {stem}quadrature(config: Config{draw}) -> Rules:",
            docstring(f"Nodes (n, d) and weights (n,): {'; '.join(notes)}."),
            f"    rules = [{', '.join(rules)}]",
            "    return [placed(rule, config) for rule in rules]",
        ]
    )


# ── objective ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of one region in the objective: their names, the variables they stand for, and the lines for them."""

    points: str
    weights: str
    variables: tuple[Expr, ...]
    texts: dict[Expr, Array]
    lines: tuple[str, ...]


def _objective(stem: str, plan: Ritz, others: list[str], script: Script) -> str:
    given = [
        typed_networks(plan.networks, script),
        "rules: Rules",
        *(["points: dict[str, tuple[Tensor, ...]]"] if plan.conditions else []),
        *(f"{script.names.name(o)}: dict[str, nn.Module]" for o in others),
    ]
    lines = [
        f"def {stem}objective({', '.join(given)}) -> dict[str, Tensor]:",
        docstring(escape(unicode(plan.objective))),
    ]
    nodes = {r: _nodes(k, found, plan, script) for k, (r, found) in enumerate(_regions(plan).items())}
    lines += [f"    {line}" for n in nodes.values() for line in n.lines]
    scope = _scope(nodes, plan, script)
    value = scalar_code(plan.objective, scope)
    text = f"-{value.within(Precedence.PRODUCT)}" if plan.sign < 0 else value.text
    key = term_key(plan.solve, "objective", script)
    lines.append(statement("value =", text))
    if not plan.constraints and not plan.conditions:
        return "\n".join([*lines, f'    return {{"{key}": value}}'])
    lines.append(f'    terms = {{"{key}": value}}')
    for label, constraint in plan.constraints:
        lines += _cosine(term_key(plan.solve, script.names.name(label), script), constraint, scope)
    if plan.conditions:
        nets = ", ".join(net_name(n.field, script) for n in plan.networks)
        return "\n".join([*lines, f"    return terms | mean_squares({stem}residuals({nets}, points))"])
    return "\n".join([*lines, "    return terms"])


def _scope(nodes: dict[Set, Nodes], plan: Ritz, script: Script) -> Scope:
    """What names mean in the objective: every field is a channel at the nodes of its integral."""

    def measure(term: Integrate, scope: Scope) -> tuple[dict[Expr, Points], Expr]:
        at = nodes[term.region]
        columns = [coordinate_name(v, script) for v in at.variables]
        place = {v: Points(n, at.points, at.weights) for v, n in zip(at.variables, columns, strict=True)}
        return place, term.body.xreplace(dict(zip(term.variables, at.variables, strict=True)))

    texts = {term: code for n in nodes.values() for term, code in n.texts.items()}
    constants = script.constants(*_terms(plan))
    return Scope({}, lambda term, scope: texts.get(term), measure, constants)


def _nodes(k: int, found: list[Integrate], plan: Ritz, script: Script) -> Nodes:
    """Names for the nodes, the coordinates, the channels and the definitions that the integrals of one region read."""
    z, w = (f"z{k + 1}", f"w{k + 1}") if k else ("z", "w")
    variables = tuple(found[0].variables)
    bodies = [i.body.xreplace(dict(zip(i.variables, variables, strict=True))) for i in found]
    columns = [coordinate_name(v, script) for v in variables]
    definitions = dict.fromkeys(d for b in bodies for d in _definitions(b))
    lines = [f"{z}, {w} = rules[{k}]"]
    free = free_coordinates(*bodies)
    if free & set(variables):
        shown = [n if v in free else "_" for v, n in zip(variables, columns, strict=True)]
        lines.append(unpacked(shown, f"{z}.unbind(1)"))
    texts = {d: Array(_call(d, z, script), (z,)) for d in definitions}
    reads = sorted(values(*bodies), key=str)
    for n in plan.networks:
        own: Own = {}
        for value, component in (pair for v in reads if (pair := split(v))[0].field == n.field):
            orders = value.orders or (0,) * len(n.coordinates)
            base = script.names.name(n.field.name) + (str(component) if component else "")
            inputs = [coordinate_name(c, script) for c in n.coordinates]
            own[component, orders] = channel_name(base, orders, inputs) + (str(k + 1) if k else "")
        texts |= {v: Array(own[split(v)[1], split(v)[0].orders or (0,) * len(n.coordinates)], (z,))
                  for v in reads if split(v)[0].field == n.field}  # fmt: skip
        lines += channel_lines(own, n, z, script) if own else []
    for v in reads:
        value, component = split(v)
        if value.field.solve:
            solve, name = script.names.name(value.field.solve), script.names.name(value.field.name)
            part = f"[..., {component - 1}]" if component else ""
            lines.append(f'{solve}_{name}{component or ""} = {solve}["{name}"]({z}).detach(){part}')
            texts[v] = Array(f"{solve}_{name}{component or ''}", (z,))
    return Nodes(z, w, variables, texts, tuple(lines))


def _definitions(term: Expr) -> list[Defined]:
    if isinstance(term, Defined):
        return [term]
    return [d for a in getattr(term, "args", ()) for d in _definitions(a)]


def _call(d: Defined, points: str, script: Script) -> str:
    """V(z) for a function of the point, f(x, y) for one of its coordinates."""
    arguments = [points if isinstance(a, VectorVariable) else coordinate_name(a, script) for a in d.arguments]
    return f"{script.function(d)}({', '.join(arguments)})"


def _cosine(label: str, integral: Integrate, scope: Scope) -> list[str]:
    """∫ v k = 0 as the squared cosine of the angle between v and k."""
    v = next(a for a in values(integral.body) if not split(a)[0].field.solve)
    pieces = [Integrate(e, *integral.args[1:]) for e in (integral.body, v**2, (integral.body / v) ** 2)]
    product, square, other = (scalar_code(i, scope) for i in pieces)
    return [
        "    # the squared cosine of the angle to what the unknown must be orthogonal to",
        statement(f'terms["{label}"] =', f"({product.text}).square() / (({square.text}) * ({other.text}))"),
    ]


# ── solve ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _solve(stem: str, plan: Ritz, others: list[str], script: Script) -> str:
    names = [script.names.name(o) for o in others]
    given = "".join(f", {n}: dict[str, nn.Module]" for n in names)
    rules = (f"{stem}quadrature(config, k)" if plan.sampled else "rules",)
    points = ("points",) if plan.conditions else ()
    nets = [net_name(n.field, script) for n in plan.networks]
    terms = f"compiled_objective({', '.join((*nets, *rules, *points, *names))})"
    penalties = [f'"{term_key(plan.solve, script.names.name(e), script)}": 100.0' for e, _ in plan.constraints]
    weighted = [*weights(plan.solve, plan.conditions, script), *penalties]
    return "\n".join(
        [
            f"def {stem}solve(config: Config{given}) -> tuple[dict[str, nn.Module], list[Stage]]:",
            '    """The networks, and the stages that train them."""',
            *network_lines(plan.networks, script),
            *([] if plan.sampled else [f"    rules = {stem}quadrature(config)"]),
            *([f"    points = {stem}sample(config)"] if plan.conditions else []),
            f"    compiled_objective = compiled({stem}objective, config)",
            *descent_lines(plan.iterations, plan.networks, terms, weighted, plan.solve, script),
        ]
    )
