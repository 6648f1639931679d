"""An ansatz u(z) = F(z, N(z)) with a network N as a class: `forward` and the derivatives that the equations need.

The derivatives are written out: stacked channels, one matrix product per layer, Faà di Bruno through the activation
(see `channels`), the total derivative through F, so that u = l + g N gives the product rule with g, g_x, … by name.
Nested `torch.autograd.grad` stands in above order 4, for other networks, and on request (`engine="autograd"`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pdespec.emit import layout
from pdespec.emit.activations import ACTIVATIONS, MAX_ORDER
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import Channel, channel_name, order
from pdespec.emit.form import form_of
from pdespec.emit.names import escape
from pdespec.emit.network_autograd import autograd_method
from pdespec.emit.network_explicit import explicit_method
from pdespec.emit.network_forward import forward_method
from pdespec.emit.network_sweep import sweep_method
from pdespec.emit.quotient import quotient_of
from pdespec.model.refusal import refuse
from pdespec.plan.plan import Mlp


@dataclass(frozen=True, slots=True)
class NetworkClass:
    """The class's source, the names of what each method returns, and for each method its engine."""

    source: str
    channels: Mapping[str, tuple[str, ...]]
    engines: Mapping[str, str]


def emit_network(ansatz: Ansatz, methods: Mapping[str, Sequence[Channel]], *, engine: str = "auto") -> NetworkClass:
    """The class of an ansatz: `forward(z)`, and for each entry of `methods` one that returns its channels as a tuple.

    Points z are (n, d), every output is (n,), or (n, m) for m > 1 outputs; parameters are drawn with the constructor's
    `generator`.  `engine` is "channels" or "auto" (written-out derivatives where there is a rule) or "autograd".
    Raises SpecError (PDE484) for an activation that is not known.
    """
    if isinstance(ansatz.net, Mlp) and ansatz.net.activation not in ACTIVATIONS:
        refuse("PDE484", None, f"no derivatives of the activation `{escape(ansatz.net.activation)}`")
    parts = [_head(ansatz), _constructor(ansatz), forward_method(ansatz)]
    engines: dict[str, str] = {}
    sweeps: list[str] = []
    for name, channels in methods.items():
        engines[name], sweep, source = _method(ansatz, name, channels, engine)
        sweeps += [sweep] if sweep else []
        parts.append(source)
    titles = {
        name: tuple(channel_name(ansatz.name, c, ansatz.input_names) for c in channels)
        for name, channels in methods.items()
    }
    return NetworkClass("\n\n\n".join([*sweeps, "\n\n".join(parts)]) + "\n", titles, engines)


def network_class(ansatz: Ansatz, channels: Sequence[Channel], *, engine: str = "auto") -> str:
    """The source of the class with one method `derivatives`, or none where only the value is wanted."""
    methods = {"derivatives": channels} if any(order(c) > 0 for c in channels) else {}
    return emit_network(ansatz, methods, engine=engine).source


def _method(ansatz: Ansatz, name: str, channels: Sequence[Channel], engine: str) -> tuple[str, str, str]:
    """The engine of a method, the source of the class that it uses (if any), and its own."""
    form = quotient_of(ansatz, channels) or form_of(ansatz)
    written = engine != "autograd" and isinstance(ansatz.net, Mlp) and max(map(order, channels)) <= MAX_ORDER
    if not written or form is None or not isinstance(ansatz.net, Mlp):
        return "autograd", "", autograd_method(ansatz, name, channels)
    if engine == "channels" or not any(map(order, channels)):
        return "channels", "", sweep_method(ansatz, ansatz.net, form, name, channels)
    return "explicit", *explicit_method(ansatz, ansatz.net, form, name, channels)


def _head(ansatz: Ansatz) -> str:
    d, m = len(ansatz.inputs), ansatz.outputs
    point = ", ".join(ansatz.input_names)
    shapes = f"Points z = ({point}) have shape (n, {d}); every output has shape {'(n,)' if m == 1 else f'(n, {m})'}."
    text = f"{ansatz.summary} {shapes}".strip()
    return f"class {ansatz.class_name}(nn.Module):\n{layout.docstring(text)}"


def _constructor(ansatz: Ansatz) -> str:
    net = ansatz.net
    if not isinstance(net, Mlp):
        lines = ["def __init__(self, generator: torch.Generator) -> None:", "    super().__init__()"]
        return layout.indented("\n".join([*lines, f"    self.net = {net.constructor}"]))
    ends = len(ansatz.features or ansatz.inputs), ansatz.outputs
    return layout.indented(
        f"def __init__(self, generator: torch.Generator, width: int = {net.width}, depth: int = {net.depth}) -> None:\n"
        "    super().__init__()\n"
        f"    sizes = [{ends[0]}, *[width] * depth, {ends[1]}]\n"
        "    layers = [nn.utils.skip_init(nn.Linear, a, b) for a, b in zip(sizes[:-1], sizes[1:])]\n"
        "    self.layers = nn.ModuleList(layers)\n"
        "    for layer in layers:\n"
        "        nn.init.xavier_uniform_(layer.weight, generator=generator)\n"
        "        nn.init.zeros_(layer.bias)"
    )
