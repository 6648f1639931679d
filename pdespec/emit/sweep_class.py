"""The frame of a sweep's class: a `torch.autograd.Function` of points and weights with `forward` and `backward`.

What the sweep keeps for its adjoint it returns as further outputs, marked as not differentiable, so that `torch.func`
sees a pure function; a second derivative by the weights is refused by torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from pdespec.emit import layout
from pdespec.emit.activations import Activation
from pdespec.emit.network_scope import BODY
from pdespec.emit.network_sweep import activated


class SweepClass(ABC):
    """One sweep; `outputs` names what it returns before the tape, `words` what an activation's lines call their values,
    and `top` is the highest order of a channel.
    """

    outputs: Sequence[str]
    activation: Activation
    words: Mapping[str, str]
    top: int

    @abstractmethod
    def forward(self) -> list[str]:
        """The lines from points `z` and `weights` to the outputs and the tape."""

    @abstractmethod
    def backward(self) -> list[str]:
        """The lines from `cotangents` of the outputs to the gradients of the weights."""

    def source(self, title: str) -> str:
        """The whole class."""
        text = f"{', '.join(self.outputs)} of the network: forwards each layer maps the stacked channels by one matrix "
        text += "product. Backwards, x_bar is the cotangent of x: the derivative of the loss by it."
        parts = [
            f"class {title}(torch.autograd.Function):\n{layout.docstring(text)}\n\n    generate_vmap_rule = True",
            _method("forward(z: Tensor, *weights: Tensor) -> tuple[Tensor, ...]", self.forward()),
            _method(
                "setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None",
                self._context(),
            ),
            _method(
                "backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]",
                self.backward(),
                "    @torch.autograd.function.once_differentiable\n",
            ),
        ]
        return "\n\n".join(parts)

    def slopes(self, value: str, channels: str, indent: int) -> list[str]:
        """The lines for f′, f″, … at a pre-activation whose f is kept: one order more than forwards."""
        target = f"{self.words['a']} = "
        lines = activated(self.activation, self.words, value, self.top + 1, [], indent)
        return [f"{target}{channels}[0]", *(line for line in lines if not line.startswith(target))]

    def _context(self) -> list[str]:
        kept = f"*output[{len(self.outputs)}:]"
        return [
            "ctx.set_materialize_grads(False)",
            f"ctx.mark_non_differentiable({kept})",
            f"ctx.save_for_backward(*inputs, {kept})",
            "ctx.given = len(inputs)",
        ]


def _method(head: str, lines: list[str], decorator: str = "") -> str:
    return f"    @staticmethod\n{decorator}    def {head}:\n" + layout.indented("\n".join(lines), BODY)
