"""What a step of a network costs: entries of its layers' channels, and the operations of its matrix products.

A sweep carries C channels of n points through the layers; forwards a layer of a inputs and b outputs takes 2 C n a b
operations, and its adjoint twice as many. Activations touch each of the C n b entries a few times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import Channel, closure, order
from pdespec.emit.form import form_of
from pdespec.emit.network_blocks import is_block, is_compressed
from pdespec.emit.network_sweep import targets
from pdespec.emit.quotient import Quotient, quotient_of
from pdespec.plan.plan import Mlp


@dataclass(frozen=True, slots=True)
class Cost:
    """Channels of the widest sweep, entries of all layers' channels, and operations of matrix products in a step."""

    channels: int = 0
    entries: int = 0
    operations: int = 0

    @property
    def text(self) -> str:
        """The cost of one evaluation in words."""
        return f"{self.channels} channels, {self.operations / 1e9:.2g} GFLOP an evaluation with its gradient"

    def __add__(self, other: Cost) -> Cost:
        channels = max(self.channels, other.channels)
        return Cost(channels, self.entries + other.entries, self.operations + other.operations)


def sweep_cost(ansatz: Ansatz, channels: Sequence[Channel], points: int) -> Cost:
    """The cost of the wanted derivatives at some points, and of the gradient by the weights."""
    net = ansatz.net
    if not isinstance(net, Mlp):
        return Cost()
    carried = carried_channels(ansatz, channels)
    count = net.width + 2 if is_block(ansatz, carried) and is_compressed(ansatz, net, channels) else len(carried)
    hidden = [net.width] * net.depth
    sizes = [len(ansatz.features or ansatz.inputs), *hidden, ansatz.outputs]
    first = 1 if not ansatz.features else count  # the tangents of plain inputs are constant
    products = (2 * a * b * points * (count if k else first) for k, (a, b) in enumerate(pairwise(sizes)))
    return Cost(count, count * points * sum(hidden), 3 * sum(products))


def carried_channels(ansatz: Ansatz, channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """What the layers carry so that the wanted derivatives can be formed at their end."""
    form = quotient_of(ansatz, channels) or form_of(ansatz)
    if form is None or not any(map(order, channels)):
        return closure(channels, len(ansatz.inputs))
    if isinstance(form, Quotient):
        return closure(form.carried(channels), len(ansatz.inputs))
    return closure(form.jets.used(targets(form, channels), "n"), len(ansatz.inputs))
