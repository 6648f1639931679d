"""The registry of networks: which `name(x, y; width=…)` of an ansatz is which module.

A network is a file in `pdespec/runtime` with its class, and a line here: the function that turns the call into what is emitted.
"""

from __future__ import annotations

from collections.abc import Callable

from pdespec.model.model import Call
from pdespec.plan.plan import Mlp, Module

Builder = Callable[[Call, int, int], Mlp | Module]
"""From the call, the number of inputs and the number of outputs."""


def _mlp(call: Call, inputs: int, outputs: int) -> Mlp:
    return Mlp(whole(call, "width", 32), whole(call, "depth", 3), word(call, "activation", "tanh"))


def _residual(call: Call, inputs: int, outputs: int) -> Module:
    width, depth = whole(call, "width", 32), whole(call, "depth", 3)
    return Module(f"ResidualNet({inputs}, {outputs}, width={width}, depth={depth}, generator=generator)")


NETS: dict[str, Builder] = {
    "mlp": _mlp,
    "residual": _residual,
}


def whole(call: Call, name: str, default: int) -> int:
    """A whole number among the options."""
    return int(call.option(name, default))  # type: ignore[call-overload, no-any-return]


def word(call: Call, name: str, default: str) -> str:
    """A name among the options."""
    value = call.option(name, default)
    return value.name if isinstance(value, Call) else str(value)
