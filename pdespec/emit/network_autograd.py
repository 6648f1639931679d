"""Derivatives of an ansatz by nested automatic differentiation: any order, any network, the same interface.

∂^α u is the derivative of ∂^β u by one input, β = α − e_i; one backward pass gives every input that is wanted next.
"""

from __future__ import annotations

from collections.abc import Sequence

from pdespec.emit import layout
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import Channel, MultiIndex, channel_name, sort_key, unit
from pdespec.emit.network_scope import BODY, Scope, assign, returned, scope_of, unpack
from pdespec.plan.plan import Laplacian

Chain = dict[MultiIndex, list[int]]


def autograd_method(ansatz: Ansatz, name: str, channels: Sequence[Channel]) -> str:
    """The source of a method that returns the channels as a tuple, in their order."""
    scope = scope_of(ansatz)
    titles = [channel_name(ansatz.name, c, ansatz.input_names) for c in channels]
    types = ", ".join(["Tensor"] * len(titles)) if len(titles) <= 4 else "Tensor, ..."
    head = f"    def {name}(self, {scope.points}: Tensor) -> tuple[{types}]:\n"
    text = layout.docstring(f"{', '.join(titles)} by nested automatic differentiation.", BODY)
    z, coordinates, grad = scope.points, list(ansatz.input_names), scope.local("partials")
    zero = (0,) * len(coordinates)
    value = scope.local(channel_name(ansatz.name, zero, coordinates))
    body = [
        f"{z} = {z} if {z}.requires_grad else {z}.detach().requires_grad_()",
        unpack(coordinates, f"{z}.unbind(-1)") if len(coordinates) > 1 else f"{coordinates[0]} = {z}[:, 0]",
        f"{value} = self(torch.stack([{', '.join(coordinates)}], -1))",
    ]
    for parent, inputs in _chain(channels, len(coordinates)).items():
        names = [_local(scope, _raised(parent, i)) for i in inputs]
        by = ", ".join(coordinates[i] for i in inputs)
        left = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
        body.append(f"{left} = {grad}({_local(scope, parent)}, {by})")
    for channel in channels:
        if isinstance(channel, Laplacian):
            parts = [_local(scope, unit(i, len(coordinates), 2)) for i in channel.over]
            body.append(assign(_local(scope, channel), " + ".join(parts)))
    texts = [_local(scope, c) for c in channels]
    body.append(returned(", ".join(texts) if len(texts) > 1 else f"({texts[0]},)"))
    inner = [_partials(grad, ansatz.outputs), "", "with torch.enable_grad():", layout.indented("\n".join(body))]
    return f"{head}{text}\n\n" + layout.indented("\n".join(inner), BODY)


def _partials(name: str, outputs: int) -> str:
    """The source of the inner function ∂f/∂x, one value (or row) for each point."""
    head = f"def {name}(f: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:\n"
    call = "torch.autograd.grad({}.sum(), inputs, create_graph=True, materialize_grads=True)"
    if outputs == 1:
        return f"{head}    return {call.format('f')}"
    rows = f"    rows = [\n        {call.format('component')}\n        for component in f.unbind(-1)\n    ]\n"
    return f"{head}{rows}    return tuple(torch.stack(columns, -1) for columns in zip(*rows))"


def _chain(channels: Sequence[Channel], dimension: int) -> Chain:
    """From each derivative, the inputs by which it is differentiated next."""
    needed: set[MultiIndex] = set()
    for channel in channels:
        pure = [unit(i, dimension, 2) for i in channel.over] if isinstance(channel, Laplacian) else [channel]
        for alpha in pure:
            while any(alpha):
                needed.add(alpha)
                alpha = _lowered(alpha)
    chain: Chain = {}
    for alpha in sorted(needed, key=sort_key):
        chain.setdefault(_lowered(alpha), []).append(_last_input(alpha))
    return chain


def _last_input(alpha: MultiIndex) -> int:
    return max(i for i, times in enumerate(alpha) if times)


def _lowered(alpha: MultiIndex) -> MultiIndex:
    k = _last_input(alpha)
    return (*alpha[:k], alpha[k] - 1, *alpha[k + 1 :])


def _raised(alpha: MultiIndex, i: int) -> MultiIndex:
    return (*alpha[:i], alpha[i] + 1, *alpha[i + 1 :])


def _local(scope: Scope, channel: Channel) -> str:
    return scope.local(channel_name(scope.ansatz.name, channel, scope.ansatz.input_names))
