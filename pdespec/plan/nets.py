"""Networks by their names: `mlp`, whose derivatives are written out, and any other of the registry by its class.

By convention the network `name` of `model.methods` is the class `NameNet(inputs, outputs, …, generator=…)` of
`pdespec.runtime`; the options of the call are its keyword arguments, its defaults those of the class.
"""

from __future__ import annotations

from pdespec.model.model import Call
from pdespec.plan.options import literal, whole, word
from pdespec.plan.plan import Mlp, Module


def network(call: Call, inputs: int, outputs: int) -> Mlp | Module:
    """What a network call of an ansatz stands for."""
    if call.name == "mlp":
        return Mlp(whole(call, "width", 32), whole(call, "depth", 3), word(call, "activation", "tanh"))
    given = "".join(f", {name}={literal(value)}" for name, value in call.options)
    title = "".join(part.capitalize() for part in call.name.split("_"))
    return Module(f"{title}Net({inputs}, {outputs}{given}, generator=generator)")
