"""Networks that are trained: their classes, their values at points, and the chain of descents.

u, u_x, u_xx = u_net.derivatives(z)         the channels that an expression reads, by one sweep
"""

from __future__ import annotations

from pdespec.derive.notation import unicode
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import channel_name
from pdespec.emit.classes import method_for, shared_class
from pdespec.emit.cost import Cost, sweep_cost
from pdespec.emit.names import escape, literal
from pdespec.emit.network import emit_network
from pdespec.emit.optimisers import Trained, stage_lines
from pdespec.emit.parts import Script, Section, SharedClass, prefix, signature, term_key, unpacked
from pdespec.emit.residuals import by_points, coordinate_name
from pdespec.model.fields import Field
from pdespec.model.model import Solve
from pdespec.plan.plan import Condition, Derivative, Descent, Network, network_output

Own = dict[tuple[int | None, Derivative], str]
"""Names of the channels of one network, by component and derivative."""


# ── classes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def net_name(f: Field, script: Script) -> str:
    """The variable that holds the network of an unknown."""
    return f"{script.names.name(f.name)}_net"


def typed_networks(networks: tuple[Network, ...], script: Script) -> str:
    """`u_net: U, …` as parameters of a function."""
    return ", ".join(f"{net_name(n.field, script)}: {shared_class(n, script).name}" for n in networks)


def network_sections(networks: tuple[Network, ...], script: Script) -> tuple[Section, ...]:
    """One class for each ansatz; one that several solves share stands with the first of them."""
    sections = []
    for n in networks:
        shared = shared_class(n, script)
        if shared.name in script.written:
            continue
        script.written.add(shared.name)
        shown = {network_output(): network_output(None)} if len(n.form) == 1 else {}
        form = ", ".join(escape(unicode(e.xreplace(shown))) for e in n.form)
        names = escape(", ".join(f.name for f in shared.fields))
        title = f"ansatz: {names} = {form}" if len(form) < 80 else f"ansatz for {names}"
        methods = {name: channels for channels, name in shared.methods.items()}
        sections.append(Section(title, emit_network(describe(n, shared, script), methods, engine=script.engine).source))
    return tuple(sections)


def describe(n: Network, shared: SharedClass, script: Script) -> Ansatz:
    """The network as its class is emitted."""
    names = ", ".join(f.name for f in shared.fields)
    return Ansatz(
        class_name=shared.name,
        name=script.names.name(n.field.name),
        inputs=tuple(n.coordinates),
        input_names=tuple(coordinate_name(c, script) for c in n.coordinates),
        net=n.net,
        outputs=len(n.form),
        features=n.features,
        form=n.form,
        constants=script.constants(*n.form, *n.features),
        summary=escape(f"{names} : {signature(script.model.unknown(n.field.name))}."),
    )


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def channel_lines(own: Own, n: Network, points: str, script: Script) -> list[str]:
    """Lines that name channels of a network at points, by a plain call where only values are read."""
    net, zero = net_name(n.field, script), (0,) * len(n.coordinates)
    only_values = all(orders == zero for _, orders in own)
    method, channels = ("", n.channels) if only_values else method_for({o for _, o in own}, shared_class(n, script))
    call = f"{net}({points})" if only_values else f"{net}.{method}({points})"
    if not n.field.shape:
        names = [own.get((None, o), "_") for o in channels]
        return [f"{own[None, zero]} = {call}" if only_values else unpacked(names, call)]
    parts = range(1, n.field.shape[0] + 1)
    if only_values:
        return [unpacked([own.get((k, zero), "_") for k in parts], f"{call}.unbind(-1)")]
    inputs = [coordinate_name(c, script) for c in n.coordinates]
    base = script.names.name(n.field.name)
    live = {o: channel_name(base, o, inputs) for o in channels if any(o == orders for _, orders in own)}
    rows = [unpacked([own.get((k, o), "_") for k in parts], f"{name}.unbind(-1)") for o, name in live.items()]
    return [unpacked([live.get(o, "_") for o in channels], call), *rows]


# ── descent ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def sweeps_cost(networks: tuple[Network, ...], conditions: tuple[Condition, ...], script: Script) -> Cost:
    """The cost of one evaluation of the conditions' residuals and of its gradient."""
    total = Cost()
    for n in networks:
        ansatz = describe(n, shared_class(n, script), script)
        for group in by_points(conditions):
            read = {ch.orders for c in group for ch in c.channels if ch.field == n.field}
            values = read <= {n.channels[0]}
            channels = n.channels[:1] if values else method_for(read, shared_class(n, script))[1]
            total += sweep_cost(ansatz, channels, group[0].points.count if read else 0)
    return total


def weights(solve: Solve, conditions: tuple[Condition, ...], script: Script) -> list[str]:
    """The weights of the loss terms, as entries of a dictionary."""
    keys = [term_key(solve, script.names.name(c.label), script) for c in conditions]
    return [f'"{k}": {literal(c.weight)}' for k, c in zip(keys, conditions, strict=True)]


def network_lines(networks: tuple[Network, ...], script: Script) -> list[str]:
    """The lines that make the networks."""
    lines = []
    for k, n in enumerate(networks):
        seed = f"config.seed, {k}" if len(networks) > 1 else "config.seed"
        made = f"{shared_class(n, script).name}(generator=seeded({seed})).to(config.device, dtype)"
        lines.append(f"    {net_name(n.field, script)} = {made}")
    return lines


def descent_lines(
    iterations: tuple[Descent, ...],
    networks: tuple[Network, ...],
    terms: str,
    weighted: list[str],
    solve: Solve,
    script: Script,
    renewal: int = 0,
) -> list[str]:
    """The optimisers and their stages, and the return of a `solve` function; `terms` is the call of the objective, and
    `weighted` the weights of its terms. After `renewal` steps the points change.
    """
    nets = tuple(net_name(n.field, script) for n in networks)
    nested = any("autograd" in _engines(n, script) for n in networks)
    trained = Trained(solve.title, nets, terms, bool(weighted), prefix(solve, script), nested, renewal)
    lines = [f"    weights = {{{', '.join(weighted)}}}"] if weighted else []
    entries = ", ".join(f'"{script.names.name(n.field.name)}": {net}' for n, net in zip(networks, nets, strict=True))
    return [*lines, *stage_lines(iterations, trained), f"    return {{{entries}}}, stages"]


def _engines(n: Network, script: Script) -> set[str]:
    """How the derivatives of a network are computed."""
    shared = shared_class(n, script)
    methods = {name: channels for channels, name in shared.methods.items()}
    return set(emit_network(describe(n, shared, script), methods, engine=script.engine).engines.values())
