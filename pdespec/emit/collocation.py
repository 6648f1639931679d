"""Networks trained on residuals: the equations at their points, and the descent of the sum of their mean squares.

residuals(u_net, points)       {label: R(uθ)(zᵢ)}, one row for each component of a system
Σ_label w · mean_i |R(uθ)(zᵢ)|²  is what the first-order methods descend; those of Gauss and Newton read the rows
"""

from __future__ import annotations

from pdespec.emit.descent import (
    channel_lines,
    descent_lines,
    network_lines,
    network_sections,
    sweeps_cost,
    typed_networks,
    weights,
)
from pdespec.emit.layout import docstring, statement
from pdespec.emit.names import escape
from pdespec.emit.optimisers import BY_ROWS, evaluations, stage_steps
from pdespec.emit.parts import Script, Section, SolveCode, prefix, solution_name, term_key, unpacked
from pdespec.emit.pictures import saved_fields
from pdespec.emit.regions import sampler
from pdespec.emit.residuals import by_points, equations_section, less, needs_normals, spell, used
from pdespec.model.model import Solve
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
        Section("residuals", residuals_function(stem, plan.conditions, plan.networks, plan.solve, script)),
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
        cost=sweeps_cost(plan.networks, plan.conditions, script),
        evaluations=evaluations(plan.iterations),
        save=saved_fields(plan.solve, plan.fields, region, script),
    )


def group_lines(group: tuple[Condition, ...], networks: tuple[Network, ...], script: Script) -> list[str]:
    """The lines that prepare what the conditions at one set of points read: coordinates, normals, channels."""
    names = [spell(c, script) for c in group]
    arguments = {a for n, c in zip(names, group, strict=True) for a in used(n, c)}
    points = group[0].points.kind
    more = {"boundary": ["normals"] if any(map(needs_normals, group)) else [], "integral": ["weights"]}
    lines = [unpacked(["z", *more.get(points, [])], f'points["{script.names.name(group[0].label)}"]')]
    for columns, array in ((names[0].coordinates, "z"), (names[0].normals, "normals")):
        if any(n in arguments for n in columns.values()):
            lines.append(unpacked([n if n in arguments else "_" for n in columns.values()], f"{array}.unbind(1)"))
    channels = {c: name for n in names for c, name in n.channels.items()}
    for n in networks:
        own = {(c.component, c.orders): name for c, name in channels.items() if c.field == n.field}
        lines += channel_lines(own, n, "z", script) if own else []
    return lines


def residual_call(condition: Condition, script: Script) -> str:
    """A condition's residual as `residuals` has it."""
    call = f"{script.names.name(condition.label)}({', '.join(used(spell(condition, script), condition))})"
    if condition.points.kind == "integral":
        return f"(weights @ {call}{less(condition.total, script)}).reshape(1)"
    return call if len(condition.components) == 1 else f"torch.stack({call})"


def residuals_function(
    stem: str, conditions: tuple[Condition, ...], networks: tuple[Network, ...], solve: Solve, script: Script
) -> str:
    """`residuals(u_net, points)`: all conditions at their points."""
    lines = [
        f"def {stem}residuals({typed_networks(networks, script)}, points: dict[str, tuple[Tensor, ...]]) "
        "-> dict[str, Tensor]:",
        docstring(_shapes(conditions)),
        "    found = {}",
    ]
    for group in by_points(conditions):
        lines += ["", *(f"    # {escape(c.residual.equation.text.strip())}" for c in group)]
        lines += [f"    {line}" for line in group_lines(group, networks, script)]
        for c in group:
            key = term_key(solve, script.names.name(c.label), script)
            lines.append(statement(f'found["{key}"] =', residual_call(c, script)))
    return "\n".join([*lines, "    return found"])


def _shapes(conditions: tuple[Condition, ...]) -> str:
    """What the residuals look like, as far as these conditions go."""
    systems = any(len(c.components) > 1 for c in conditions)
    integrals = any(c.points.kind == "integral" for c in conditions)
    more = (", (components, n) for a system" if systems else "") + (", (1,) for an integral" if integrals else "")
    return f"The residual of every equation at its points, by its label: (n,){more}."


def _solve(stem: str, plan: Collocation, script: Script) -> str:
    nets = ", ".join(f"{script.names.name(n.field.name)}_net" for n in plan.networks)
    called = any(d.name not in BY_ROWS for d in plan.iterations)
    points, now = f"{stem}sample(config)", "points"
    if plan.renewal:
        draw, at = f"lambda draw: {stem}sample(config, draw)", f"lambda at: {stem}residuals({nets}, at)"
        points = f"ResidualPoints({draw}, {at}, config.seed)"
        now = "points.now"
    return "\n".join(
        [
            f"def {stem}solve(config: Config) -> tuple[dict[str, nn.Module], list[Stage]]:",
            '    """The networks, and the stages that train them."""',
            *network_lines(plan.networks, script),
            statement("points =", points),
            *([f"    compiled_residuals = compiled({stem}residuals, config)"] if called else []),
            *descent_lines(
                plan.iterations,
                plan.networks,
                f"mean_squares(compiled_residuals({nets}, {now}))",
                weights(plan.solve, plan.conditions, script),
                plan.solve,
                script,
                plan.renewal,
            ),
        ]
    )
