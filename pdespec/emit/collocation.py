"""Networks trained on residuals: the equations, their mean squares as the objective, and the descent."""

from __future__ import annotations

from pdespec.emit.descent import (
    channel_lines,
    descent_lines,
    network_lines,
    network_sections,
    stage_steps,
    typed_networks,
    weights,
)
from pdespec.emit.layout import statement
from pdespec.emit.names import escape
from pdespec.emit.parts import Script, Section, SolveCode, prefix, solution_name, term_key, unpacked
from pdespec.emit.pictures import saved_fields
from pdespec.emit.regions import sampler
from pdespec.emit.residuals import equations_section, less, needs_normals, spell, used
from pdespec.model.sets import Named, product
from pdespec.plan.plan import Collocation, Condition, Network
from pdespec.plan.unbounded import within


def emit_collocation(plan: Collocation, script: Script) -> SolveCode:
    """The sections of a solve by collocation."""
    stem = prefix(plan.solve, script)
    sections = (
        *network_sections(plan.networks, script),
        *equations_section(plan.conditions, script),
        Section("points", sampler(stem, plan.conditions, script)),
        Section("objective", _objective(stem, plan, script)),
        Section("solve", _solve(stem, plan, script), f"spec:{plan.solve.span.line}"),
    )
    domain = product(*(Named(d.name, d.set) for d in script.model.unknown(plan.fields[0].name).domains))
    region = within(domain, plan.box) if plan.box else domain
    return SolveCode(
        plan.solve.label,
        solution_name(plan.solve, script),
        f"{stem}solve",
        sections,
        sum(map(stage_steps, plan.iterations)),
        tuple(term_key(plan.solve, script.names.name(c.label), script) for c in plan.conditions),
        why=plan.why,
        save=saved_fields(plan.solve, plan.fields, region, script),
    )


def condition_lines(condition: Condition, networks: tuple[Network, ...], script: Script) -> tuple[list[str], str]:
    """The lines that prepare a condition's arguments, and the mean square of its residual."""
    names, label = spell(condition, script), script.names.name(condition.label)
    arguments = used(names, condition)
    more = {"boundary": ["normals"] if needs_normals(condition) else [], "integral": ["weights"]}
    lines = [unpacked(["z", *more.get(condition.points.kind, [])], f'points["{label}"]')]
    for columns, points in ((names.coordinates, "z"), (names.normals, "normals")):
        if any(n in arguments for n in columns.values()):
            lines.append(unpacked([n if n in arguments else "_" for n in columns.values()], f"{points}.unbind(1)"))
    for n in networks:
        own = {(c.component, c.orders): name for c, name in names.channels.items() if c.field == n.field}
        lines += channel_lines(own, n, "z", script) if own else []
    call = f"{label}({', '.join(arguments)})"
    if condition.points.kind == "integral":
        return lines, f"(weights @ {call}{less(condition.total, script)}).square()"
    if len(condition.components) == 1:
        return lines, f"{call}.square().mean()"
    return lines, f"torch.stack({call}).square().sum(0).mean()"


def _objective(stem: str, plan: Collocation, script: Script) -> str:
    networks = typed_networks(plan.networks, script)
    lines = [
        f"def {stem}objective({networks}, points: dict[str, tuple[Tensor, ...]]) -> dict[str, Tensor]:",
        '    """The mean squared residual of every equation, by its label."""',
        "    terms = {}",
    ]
    for c in plan.conditions:
        prepared, value = condition_lines(c, plan.networks, script)
        lines += ["", f"    # {escape(c.residual.equation.text.strip())}", *(f"    {line}" for line in prepared)]
        lines.append(statement(f'terms["{term_key(plan.solve, script.names.name(c.label), script)}"] =', value))
    return "\n".join([*lines, "    return terms"])


def _solve(stem: str, plan: Collocation, script: Script) -> str:
    nets = ", ".join(f"{script.names.name(n.field.name)}_net" for n in plan.networks)
    return "\n".join(
        [
            f"def {stem}solve(config: Config) -> tuple[dict[str, nn.Module], list[Stage]]:",
            '    """The networks, and the stages that train them."""',
            *network_lines(plan.networks, script),
            f"    points = {stem}sample(config)",
            *descent_lines(
                plan.iterations,
                plan.networks,
                f"{stem}objective({nets}, points)",
                weights(plan.solve, plan.conditions, script),
                plan.solve,
                script,
            ),
        ]
    )
