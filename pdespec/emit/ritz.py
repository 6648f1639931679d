"""Functionals of networks by quadrature, as objectives to descend.

    def energy(u_net, points): …   1/2 ∫ |∇u|² ρ dx as a weighted sum over quadrature points, channels at those points
Intervals and boxes up to dimension two take Gauss–Legendre nodes (trapezoid on circles), other regions Sobol points.
"""

from __future__ import annotations

from math import ceil

from sympy import Expr, Symbol

from pdespec.derive.notation import unicode
from pdespec.emit.axes import Array, Points, Scope
from pdespec.emit.axes import scalar as scalar_code
from pdespec.emit.channels import channel_name
from pdespec.emit.code import Precedence
from pdespec.emit.collocation import (
    class_name,
    condition_lines,
    descents,
    make_networks,
    network_sections,
    stage_steps,
    unpack,
    weights,
)
from pdespec.emit.layout import statement
from pdespec.emit.names import escape
from pdespec.emit.parts import Script, Section, SolveCode, prefix, solution_name, term_key
from pdespec.emit.pictures import saved_fields
from pdespec.emit.regions import bounds, patches, sampler
from pdespec.emit.residuals import coordinate_name, residual_function
from pdespec.model.sets import Set, Torus, plain, product
from pdespec.model.terms import Component, Defined, FieldValue, Integrate
from pdespec.plan.plan import Ritz
from pdespec.plan.unbounded import within
from pdespec.plan.variational import integrals, is_box


def emit_ritz(plan: Ritz, script: Script) -> SolveCode:
    """The sections of a variational solve."""
    stem = prefix(plan.solve, script)
    others = _others(plan)
    equations = [residual_function(c, script) for c in plan.conditions]
    sections = [*network_sections(plan.networks, plan.solve, script)]
    if equations:
        sections.append(Section("equations", "\n\n\n".join(equations)))
    sections.append(Section("quadrature", _quadrature(stem, plan, script)))
    if plan.conditions:
        sections.append(Section("points", sampler(stem, plan.conditions, script)))
    title = f"objective: {escape(plan.solve.objective_text)}"
    sections.append(Section(title, _objective(stem, plan, others, script)))
    sections.append(Section("solve", _solve(stem, plan, others, script), f"spec:{plan.solve.span.line}"))
    solution = solution_name(plan.solve, script)
    domain = product(*(d.set for d in script.model.unknown(plan.fields[0].name).domains))
    region = within(domain, plan.box) if plan.box else domain
    keys = (
        "objective",
        *(script.names.name(e) for e, _ in plan.constraints),
        *(script.names.name(c.label) for c in plan.conditions),
    )
    labels = tuple(term_key(plan.solve, key, script) for key in keys)
    return SolveCode(
        plan.solve.label,
        solution,
        f"{stem}solve",
        tuple(sections),
        sum(map(stage_steps, plan.iterations)),
        labels,
        arguments=tuple(script.names.name(label) for label in others),
        why=plan.why,
        save=saved_fields(plan.solve, plan.fields, region, script),
    )


def _others(plan: Ritz) -> list[str]:
    """Labels of earlier solves whose solutions enter."""
    found = {
        v.field.solve for expr in (plan.objective, *(c for _, c in plan.constraints)) for v in expr.atoms(FieldValue)
    }
    return sorted(found - {""})


def regions(plan: Ritz) -> list[Set]:
    """The regions of the integrals, each once."""
    terms = [plan.objective, *(c for _, c in plan.constraints)]
    return list(dict.fromkeys(i.region for t in terms for i in integrals(t)))


def _points_name(k: int) -> str:
    return "z" if k == 0 else f"z{k + 1}"


def _quadrature(stem: str, plan: Ritz, script: Script) -> str:
    """`quadrature(config)`: nodes (n, d) and weights (n,) for every region."""
    lines = [
        f"def {stem}quadrature(config: Config, draw: int = 0) -> list[tuple[Tensor, Tensor]]:",
        '    """Nodes (n, d) and weights (n,)',
        "",
    ]
    notes, rules = [], []
    for region in regions(plan):
        cut = within(region, plan.box) if plan.box else region
        parts = [plain(p) for p in plain(cut).factors]
        if is_box(cut):
            n = ceil(plan.points ** (1 / len(parts)) - 1e-9)
            each = []
            for p, (lo, hi) in zip(parts, bounds(cut, script), strict=False):
                rule = "trapezoid" if isinstance(p, Torus) else "gauss_legendre"
                each.append(f"{rule}({n}, {lo}, {hi})")
            rules.append(f"tensor_rule({', '.join(each)})")
            notes.append(f"{'Gauss–Legendre' if 'gauss' in each[0] else 'trapezoidal rule'} on {escape(str(region))}")
        else:
            rules.append(f"sobol_rule(draw_points({patches(cut, script)}, {plan.points}, config.seed + draw))")
            notes.append(f"Sobol points of {escape(str(cut))}")
    lines = [*lines[:1], f'    """Nodes (n, d) and weights (n,): {"; ".join(notes)}."""']
    lines.append(f"    rules = [{', '.join(rules)}]")
    lines.append("    return [(z.to(config.device, dtype), w.to(config.device, dtype)) for z, w in rules]")
    return "\n".join(lines)


def _objective(stem: str, plan: Ritz, others: list[str], script: Script) -> str:
    nets = ", ".join(
        f"{script.names.name(n.field.name)}_net: {class_name(n.field, plan.solve, script)}" for n in plan.networks
    )
    more = "".join(f", {script.names.name(o)}: dict[str, nn.Module]" for o in others)
    points = ", points: dict[str, tuple[Tensor, ...]]" if plan.conditions else ""
    lines = [
        f"def {stem}objective({nets}, rules: list[tuple[Tensor, Tensor]]{points}{more}) -> dict[str, Tensor]:",
        f'    """{escape(unicode(plan.objective))}"""',
    ]
    constants = dict(script.constants(plan.objective, *(c for _, c in plan.constraints)))
    texts: dict[Expr, Array] = {}
    places: dict[Set, dict[Expr, Points]] = {}
    for k, region in enumerate(regions(plan)):
        variables = next(i for t in _terms(plan) for i in integrals(t) if i.region == region).variables
        lines += _prepare(k, region, plan, script, variables, texts)
        z, w = _points_name(k), f"w{k + 1}" if k else "w"
        names = [coordinate_name(v, script) for v in variables]
        places[region] = {v: Points(n, z, w) for v, n in zip(variables, names, strict=True)}

    def measure(term: Integrate, scope: Scope) -> tuple[dict[Expr, Points], Expr]:
        place = places[term.region]
        renamed = term.body.xreplace(dict(zip(term.variables, place, strict=True)))
        return place, renamed

    def leaf(term: Expr, scope: Scope) -> Array | None:
        return texts.get(term)

    for d in _definitions(plan.objective):
        constants[Symbol(d.name)] = script.function(d)
    scope = Scope({}, leaf, measure, constants)
    value = scalar_code(plan.objective, scope)
    sign = "-" if plan.sign < 0 else ""
    lines.append("    terms: dict[str, Tensor] = {}")
    lines.append(
        statement(
            f'terms["{term_key(plan.solve, "objective", script)}"] =',
            f"{sign}{value.within(Precedence.PRODUCT) if sign else value.text}",
        )
    )
    for label, constraint in plan.constraints:
        lines += _cosine(term_key(plan.solve, script.names.name(label), script), constraint, plan, scope, texts)
    for c in plan.conditions:
        prepared, residual = condition_lines(c, plan.networks, script)
        lines += [f"    {line}" for line in prepared]
        lines.append(statement(f'terms["{term_key(plan.solve, script.names.name(c.label), script)}"] =', residual))
    lines.append("    return terms")
    return "\n".join(lines)


def _terms(plan: Ritz) -> list[Expr]:
    return [plan.objective, *(c for _, c in plan.constraints)]


def _definitions(term: Expr) -> list[Defined]:
    own = [term] if isinstance(term, Defined) else []
    return own + [d for a in getattr(term, "args", ()) for d in _definitions(a)]


def _prepare(
    k: int, region: Set, plan: Ritz, script: Script, variables: tuple[Expr, ...], texts: dict[Expr, Array]
) -> list[str]:
    """Lines that name nodes, coordinates and channels of one region; `texts` learns the channels."""
    z, w = _points_name(k), f"w{k + 1}" if k else "w"
    lines = [f"    {z}, {w} = rules[{k}]"]
    inside = [i.body for t in _terms(plan) for i in integrals(t) if i.region == region]
    coordinates = [coordinate_name(v, script) for v in variables]
    free = set().union(*(_outside(b) for b in inside))
    if free & set(variables):
        shown = [n if v in free else "_" for v, n in zip(variables, coordinates, strict=True)]
        lines.append(f"    {', '.join(shown)}{',' if len(shown) == 1 else ''} = {z}.unbind(1)")
    for n in plan.networks:
        own: dict[tuple[int | None, tuple[int, ...]], str] = {}
        for atom in _atoms(inside):
            value = atom.args[0] if isinstance(atom, Component) else atom
            if value.field != n.field:
                continue
            component = int(atom.args[1]) if isinstance(atom, Component) else None
            orders = value.orders or (0,) * len(n.coordinates)
            base = script.names.name(n.field.name) + (str(component) if component else "")
            inputs = [coordinate_name(c, script) for c in n.coordinates]
            own[component, orders] = channel_name(base, orders, inputs) + (str(k + 1) if k else "")
            texts[atom] = Array(own[component, orders], (z,))
        if own:
            net = f"{script.names.name(n.field.name)}_net"
            lines += [f"    {line.replace('(z)', f'({z})')}" for line in unpack(own, n, net, script)]
    for atom in _atoms(inside):
        value = atom.args[0] if isinstance(atom, Component) else atom
        if value.field.solve:
            name = f"{script.names.name(value.field.solve)}_{script.names.name(value.field.name)}"
            lines.append(
                f"    {name} = {script.names.name(value.field.solve)}"
                f'["{script.names.name(value.field.name)}"]({z}).detach()'
            )
            texts[atom] = Array(name, (z,))
    return lines


def _atoms(bodies: list[Expr]) -> list[Expr]:
    """Field values in the bodies, components of vectors whole, in a fixed order."""
    found: dict[Expr, None] = {}

    def visit(e: Expr) -> None:
        if isinstance(e, FieldValue) or (isinstance(e, Component) and isinstance(e.args[0], FieldValue)):
            found.setdefault(e)
            return
        for a in e.args:
            visit(a)

    for b in bodies:
        visit(b)
    return sorted(found, key=str)


def _outside(expr: Expr) -> set[Expr]:
    """Symbols that occur other than as the point of a field."""
    if isinstance(expr, FieldValue):
        return set()
    if isinstance(expr, Symbol):
        return {expr}
    return set().union(*(_outside(a) for a in expr.args))


def _cosine(label: str, constraint: Expr, plan: Ritz, scope: Scope, texts: dict[Expr, Array]) -> list[str]:
    """∫ v k = 0 as the squared cosine of the angle between v and k."""
    (integral,) = integrals(constraint)
    atom = next(
        a for a in _atoms([integral.body]) if a.atoms(FieldValue) and not next(iter(a.atoms(FieldValue))).field.solve
    )
    kernel = integral.body / atom
    inner = [Integrate(e, *integral.args[1:]) for e in (integral.body, atom**2, kernel**2)]
    product, v, k = (scalar_code(i, scope) for i in inner)
    return [
        "    # the squared cosine of the angle to what the unknown must be orthogonal to",
        statement(f'terms["{label}"] =', f"({product.text}).square() / (({v.text}) * ({k.text}))"),
    ]


def _solve(stem: str, plan: Ritz, others: list[str], script: Script) -> str:
    nets, lines = make_networks(plan.networks, plan.solve, script)
    given = "".join(f", {script.names.name(o)}: dict[str, nn.Module]" for o in others)
    passed = "".join(f", {script.names.name(o)}" for o in others)
    points = ", points" if plan.conditions else ""
    rules = f"{stem}quadrature(config, k)" if plan.sampled else "rules"
    call = f"{stem}objective({', '.join(nets)}, {rules}{points}{passed})"
    entries = ", ".join(f'"{n.removesuffix("_net")}": {n}' for n in nets)
    scale = weights(plan.solve, plan.conditions, script).strip("{}")
    penalties = ", ".join(f'"{term_key(plan.solve, script.names.name(e), script)}": 100.0' for e, _ in plan.constraints)
    weight = "{" + ", ".join(p for p in (scale, penalties) if p) + "}"
    return "\n".join(
        [
            f"def {stem}solve(config: Config{given}) -> tuple[dict[str, nn.Module], list[Stage]]:",
            '    """The networks, and the stages that train them."""',
            *lines,
            *([] if plan.sampled else [f"    rules = {stem}quadrature(config)"]),
            *([f"    points = {stem}sample(config)"] if plan.conditions else []),
            f"    weights: dict[str, float] = {weight}",
            *descents(plan.iterations, nets, call, plan.solve, "weights"),
            f"    return {{{entries}}}, stages",
        ]
    )
