"""Networks trained on residuals: the class of each network, the equations, their mean squares as the objective, the
stages.
"""

from __future__ import annotations

from pdespec.derive.notation import unicode
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import channel_name
from pdespec.emit.layout import statement
from pdespec.emit.names import escape, literal
from pdespec.emit.network import emit_network
from pdespec.emit.parts import Script, Section, SolveCode, prefix, solution_name, term_key
from pdespec.emit.pictures import saved_fields
from pdespec.emit.regions import needs_normals, sampler
from pdespec.emit.residuals import coordinate_name, residual_function, spell, used
from pdespec.model.model import Solve
from pdespec.model.sets import product
from pdespec.model.terms import Field
from pdespec.plan.plan import Collocation, Condition, Descent, Network
from pdespec.plan.unbounded import within

ITERATIONS_A_STEP = 10
"""Iterations of L-BFGS between two looks at the loss."""


def stage_steps(d: Descent) -> int:
    """The steps of a stage: L-BFGS takes several iterations in one."""
    return -(-d.steps // ITERATIONS_A_STEP) if d.name == "lbfgs" else d.steps


def emit_collocation(plan: Collocation, script: Script) -> SolveCode:
    """The sections of a solve by collocation."""
    stem = prefix(plan.solve, script)
    classes = network_sections(plan.networks, plan.solve, script)
    equations = "\n\n\n".join(residual_function(c, script) for c in plan.conditions)
    sections = (
        *classes,
        Section("equations", equations),
        Section("points", sampler(stem, plan.conditions, script)),
        Section("objective", _objective(stem, plan, script)),
        Section("solve", _solve(stem, plan, script), f"spec:{plan.solve.span.line}"),
    )
    solution = solution_name(plan.solve, script)
    domain = product(*(d.set for d in script.model.unknown(plan.fields[0].name).domains))
    region = within(domain, plan.box) if plan.box else domain
    return SolveCode(
        plan.solve.label,
        solution,
        f"{stem}solve",
        sections,
        sum(map(stage_steps, plan.iterations)),
        tuple(term_key(plan.solve, script.names.name(c.label), script) for c in plan.conditions),
        why=plan.why,
        save=saved_fields(plan.solve, plan.fields, region, script),
    )


def class_name(f: Field, solve: Solve, script: Script) -> str:
    """`U`, or `RitzU` where solves have labels; `uNetwork` where something else in the spec has the name U."""
    name = script.names.name(f.name)
    stem = script.names.name(solve.title) if solve.title else ""
    short = "".join(part[:1].upper() + part[1:] for part in (stem, name) if part)
    return f"{stem}{name}Network" if short in script.names.users else short


def network_sections(networks: tuple[Network, ...], solve: Solve, script: Script) -> tuple[Section, ...]:
    """One class for each network."""
    sections = []
    for n in networks:
        ansatz = describe(n, solve, script)
        form = ", ".join(escape(unicode(e)) for e in n.form)
        title = f"ansatz: {escape(n.field.name)} = {form}" if len(form) < 80 else f"ansatz for {escape(n.field.name)}"
        sections.append(Section(title, emit_network(ansatz, methods(n), engine=script.engine).source))
    return tuple(sections)


def methods(n: Network) -> dict[str, tuple[tuple[int, ...], ...]]:
    """`derivatives`, unless only values are used."""
    return {"derivatives": n.channels} if len(n.channels) > 1 else {}


def describe(n: Network, solve: Solve, script: Script) -> Ansatz:
    """The network as its class is emitted."""
    domains = script.model.unknown(n.field.name).domains
    return Ansatz(
        class_name=class_name(n.field, solve, script),
        name=script.names.name(n.field.name),
        inputs=tuple(n.coordinates),
        input_names=tuple(coordinate_name(c, script) for c in n.coordinates),
        net=n.net,
        outputs=len(n.form),
        features=n.features,
        form=n.form,
        constants=script.constants(*n.form),
        summary=f"{escape(n.field.name)} : {escape(' × '.join(d.name for d in domains))} → "
        + ("R" if not n.field.shape else f"R^{n.field.shape[0]}"),
    )


def channel_lines(condition: Condition, networks: tuple[Network, ...], script: Script) -> list[str]:
    """`u, u_x, _ = u_net.derivatives(z)` for every network whose channels the condition uses."""
    names = spell(condition, script)
    lines = []
    for n in networks:
        own = {(c.component, c.orders): name for c, name in names.channels.items() if c.field == n.field}
        if not own:
            continue
        net = f"{script.names.name(n.field.name)}_net"
        lines += unpack(own, n, net, script)
    return lines


def unpack(own: dict[tuple[int | None, tuple[int, ...]], str], n: Network, net: str, script: Script) -> list[str]:
    """Names for channels of a network, by a plain call where only values are used."""
    zero = (0,) * len(n.coordinates)
    if all(orders == zero for _, orders in own):
        if not n.field.shape:
            return [f"{own[None, zero]} = {net}(z)"]
        count = n.field.shape[0]
        return [f"{', '.join(own.get((k, zero), '_') for k in range(1, count + 1))} = {net}(z).unbind(-1)"]
    if not n.field.shape:
        targets = [own.get((None, o), "_") for o in n.channels]
        return [f"{', '.join(targets)} = {net}.derivatives(z)"]
    lines = []
    inputs = [coordinate_name(c, script) for c in n.coordinates]
    base = script.names.name(n.field.name)
    whole = {o: channel_name(base, o, inputs) for o in n.channels}
    live = {o for _, o in own}
    lines.append(f"{', '.join(whole[o] if o in live else '_' for o in n.channels)} = {net}.derivatives(z)")
    for (component, orders), name in own.items():
        lines.append(f"{name} = {whole[orders]}[..., {(component or 1) - 1}]")
    return lines


def condition_lines(condition: Condition, networks: tuple[Network, ...], script: Script) -> tuple[list[str], str]:
    """The lines that prepare a condition's arguments, and the mean square of its residual."""
    names = spell(condition, script)
    name = script.names.name(condition.label)
    arguments = used(names, condition)
    normals = list(names.normals.values())
    lines = [f'z, normals = points["{name}"]' if needs_normals(condition) else f'(z,) = points["{name}"]']
    coordinates = [coordinate_name(c, script) for c in condition.coordinates]
    if any(c in arguments for c in coordinates):
        shown = [c if c in arguments else "_" for c in coordinates]
        lines.append(f"{', '.join(shown)}{',' if len(shown) == 1 else ''} = z.unbind(1)")
    if needs_normals(condition):
        shown = [n if n in arguments else "_" for n in normals]
        lines.append(f"{', '.join(shown)}{',' if len(shown) == 1 else ''} = normals.unbind(1)")
    lines += channel_lines(condition, networks, script)
    call = f"{name}({', '.join(arguments)})"
    if len(condition.components) == 1:
        return lines, f"{call}.square().mean()"
    return lines, f"torch.stack({call}).square().sum(0).mean()"


def _objective(stem: str, plan: Collocation, script: Script) -> str:
    arguments = ", ".join(
        f"{script.names.name(n.field.name)}_net: {class_name(n.field, plan.solve, script)}" for n in plan.networks
    )
    lines = [
        f"def {stem}objective({arguments}, points: dict[str, tuple[Tensor, ...]]) -> dict[str, Tensor]:",
        '    """The mean squared residual of every equation, by its label."""',
        "    terms = {}",
    ]
    for c in plan.conditions:
        prepared, value = condition_lines(c, plan.networks, script)
        lines += ["", f"    # {escape(c.residual.equation.text.strip())}", *(f"    {line}" for line in prepared)]
        lines.append(statement(f'terms["{term_key(plan.solve, script.names.name(c.label), script)}"] =', value))
    lines.append("    return terms")
    return "\n".join(lines)


def weights(solve: Solve, conditions: tuple[Condition, ...], script: Script) -> str:
    """The weights of the loss terms."""
    keys = [term_key(solve, script.names.name(c.label), script) for c in conditions]
    return "{" + ", ".join(f'"{k}": {literal(c.weight)}' for k, c in zip(keys, conditions, strict=True)) + "}"


def _solve(stem: str, plan: Collocation, script: Script) -> str:
    nets, lines = make_networks(plan.networks, plan.solve, script)
    call = f"{stem}objective({', '.join(nets)}, points)"
    entries = ", ".join(f'"{n.removesuffix("_net")}": {n}' for n in nets)
    return "\n".join(
        [
            f"def {stem}solve(config: Config) -> tuple[dict[str, nn.Module], list[Stage]]:",
            '    """The networks, and the stages that train them."""',
            *lines,
            f"    points = {stem}sample(config)",
            f"    weights = {weights(plan.solve, plan.conditions, script)}",
            *descents(plan.iterations, nets, call, plan.solve, "weights"),
            f"    return {{{entries}}}, stages",
        ]
    )


def make_networks(networks: tuple[Network, ...], solve: Solve, script: Script) -> tuple[list[str], list[str]]:
    """The names of the networks, and the lines that make them."""
    nets, lines = [], []
    for k, n in enumerate(networks):
        net = f"{script.names.name(n.field.name)}_net"
        seed = f"config.seed, {k}" if len(networks) > 1 else "config.seed"
        lines.append(
            f"    {net} = {class_name(n.field, solve, script)}(generator=seeded({seed})).to(config.device, dtype)"
        )
        nets.append(net)
    return nets, lines


def descents(iterations: tuple[Descent, ...], nets: list[str], call: str, solve: Solve, weight: str) -> list[str]:
    """The optimisers and their stages."""
    parameters = f"{nets[0]}.parameters()" if len(nets) == 1 else f"[{', '.join(f'*{n}.parameters()' for n in nets)}]"
    lines = [] if len(nets) == 1 else [f"    parameters = {parameters}"]
    parameters = parameters if len(nets) == 1 else "parameters"
    stages = []
    for k, d in enumerate(iterations):
        optimiser = d.name if [i.name for i in iterations].count(d.name) == 1 else f"{d.name}_{k + 1}"
        if d.name == "adam":
            lines.append(f"    {optimiser} = torch.optim.Adam({parameters}, lr={literal(d.rate)})")
            steps, schedule = f"config.share({d.steps})", f", lambda k: 0.05 ** (k / config.share({d.steps}))"
        else:
            lines.append(
                f"    {optimiser} = torch.optim.LBFGS({parameters}, max_iter={ITERATIONS_A_STEP}, history_size=50, "
                'tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe")'
            )
            steps, schedule = f"config.share({stage_steps(d)})", ", scale=1e6"
        name = f"{solve.title} {d.name}".strip()
        stages.append(f'Descent("{name}", {steps}, {optimiser}, lambda k: {call}, {weight}{schedule})')
    lines.append("    stages: list[Stage] = [")
    lines += [f"        {s}," for s in stages]
    lines.append("    ]")
    return lines
