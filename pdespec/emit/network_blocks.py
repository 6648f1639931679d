"""The sweep of a network in many coordinates: value, gradient and Laplacian, the gradient as one block.

Forwards f(h) has the gradient f′ ∇h and the Laplacian f′ Δh + f″ |∇h|²; backwards, with ā, ∇̄a, Δ̄a the cotangents,
    h̄ = f′ ā + f″ (∇h·∇̄a + Δh Δ̄a) + f‴ |∇h|² Δ̄a,     ∇̄h = f′ ∇̄a + 2 f″ Δ̄a ∇h,     Δ̄h = f′ Δ̄a.
N depends on z through W z alone, so where only its Laplacian is wanted and d exceeds the width H, an orthonormal basis
Q of the rows of W serves instead of all d coordinates: ΔN = Σ_k ∂²N/∂q_k² exactly, with H tangents W q_k. Q may be held
fixed: as QᵀQ Wᵀ = Wᵀ, the gradient by W is exact as well.
Source: Li et al. 2023, "Forward Laplacian".
"""

from __future__ import annotations

from collections.abc import Sequence

from pdespec.emit import layout
from pdespec.emit.activations import WORDS, Activation, symbol
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import Channel, order, unit
from pdespec.emit.expression import Printer
from pdespec.emit.network_scope import BODY, assign
from pdespec.emit.network_sweep import activated
from pdespec.emit.sweep_class import SweepClass
from pdespec.plan.plan import Laplacian, Mlp

MANY = 4
"""Coordinates from which their derivatives are treated as a block rather than by name."""


def is_block(ansatz: Ansatz, carried: Sequence[Channel]) -> bool:
    """Whether the channels are those of value, gradient and Laplacian in many plain coordinates."""
    d = len(ansatz.inputs)
    others = [c for c in carried if isinstance(c, Laplacian) or order(c) > 1]
    firsts = {c for c in carried if c not in others and order(c) == 1}
    alike = not others or (len(others) == 1 and isinstance(others[0], Laplacian) and len(others[0].over) == d)
    return d >= MANY and not ansatz.features and alike and firsts == {unit(i, d) for i in range(d)}


def is_compressed(ansatz: Ansatz, net: Mlp, live: Sequence[Channel]) -> bool:
    """Whether directions along the rows of the first layer take the place of the coordinates."""
    gradient = any(not isinstance(c, Laplacian) and order(c) == 1 for c in live)
    return not gradient and len(ansatz.inputs) > net.width


class BlockSweep(SweepClass):
    """The class of one sweep by blocks; `live` are the channels that are read at its end."""

    def __init__(
        self, ansatz: Ansatz, net: Mlp, activation: Activation, carried: tuple[Channel, ...], live: tuple[Channel, ...]
    ) -> None:
        self.laplacian = isinstance(carried[-1], Laplacian)
        gradient = any(not isinstance(c, Laplacian) and order(c) == 1 for c in live)
        self.compressed = is_compressed(ansatz, net, live)
        self.activation, self.top = activation, 2 if self.laplacian else 1
        self.columns = ansatz.outputs > 1
        read = {"n": carried[0] in live, "grad_n": gradient, "lap_n": self.laplacian and carried[-1] in live}
        self.outputs = tuple(name for name, wanted in read.items() if wanted)
        self.words = {word: word for word in (*WORDS, "phi", "Phi", "h", "W", "b")}

    # ── forwards ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def forward(self) -> list[str]:
        lines = ["(W_in, b_in), *hidden, (W_out, b_out) = zip(weights[::2], weights[1::2])"]
        lines += self._tangents()
        lines += activated(self.activation, self.words, "z @ W_in.T + b_in", self.top, [])
        lines.append(self._channels("tangents", first=True))
        lines.append(f"tape = [{'directions, ' if self.compressed else ''}channels]")
        body = ["inner = channels @ W.T", *self._unpacked("h", "inner")]
        body += activated(self.activation, self.words, "h + b", self.top, [], BODY + 4)
        body += [self._channels("grad_h"), "tape += [inner, channels]"]
        lines += ["for W, b in hidden:", layout.indented("\n".join(body))]
        product = "channels @ W_out.T" if self.columns else "(channels @ W_out.T).squeeze(-1)"
        outputs = {"n": "n[0] + b_out", "grad_n": f"n[1:{'-1' if self.laplacian else ''}]", "lap_n": "n[-1]"}
        lines.append(f"n = {product}")
        return [*lines, f"return {', '.join(outputs[o] for o in self.outputs)}, *tape"]

    def _tangents(self) -> list[str]:
        if not self.compressed:
            return ["tangents = W_in.T[:, None]  # of the first layer: constant"]
        return [
            "directions = torch.linalg.qr(W_in.T).Q.T  # an orthonormal basis of W's rows: N varies along them alone",
            "tangents = (directions @ W_in.T)[:, None]",
        ]

    def _unpacked(self, name: str, stack: str) -> list[str]:
        if self.laplacian:
            return [f"{name}, grad_{name}, lap_{name} = {stack}[0], {stack}[1:-1], {stack}[-1]"]
        return [f"{name}, grad_{name} = {stack}[0], {stack}[1:]"]

    def _channels(self, gradient: str, first: bool = False) -> str:
        parts = [self.words["a"] + "[None]", f"{self._f(1)} * {gradient}"]
        if self.laplacian:
            curved = f"{self._f(2)} * {gradient}.square().sum(0)"
            parts.append(f"({curved if first else f'{self._f(1)} * lap_h + {curved}'})[None]")
        return assign("channels", f"torch.cat([{', '.join(parts)}])")

    def _f(self, k: int) -> str:
        """The k-th derivative of the activation, as a factor."""
        words = {symbol(word): self.words[word] for word in WORDS}
        text = Printer(words, set(words.values()))(self.activation.outer(self.top + 1)[k])
        return text if text.isidentifier() else f"({text})"

    # ── backwards ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def backward(self) -> list[str]:
        bias = "b" if self.activation.biased else "_"
        lines = [
            "(z, *weights), tape = ctx.saved_tensors[: ctx.given], ctx.saved_tensors[ctx.given :]",
            *(["directions, *tape = tape"] if self.compressed else []),
            f"(W_in, {bias}{'_in' if bias == 'b' else ''}), *hidden, (W_out, _) = zip(weights[::2], weights[1::2])",
            *self._last_bars(),
            "gradients = [bars.flatten(0, 1).T @ tape[-1].flatten(0, 1), bars[0].sum(0)]",
            "bars = bars @ W_out",
        ]
        body = self._unpacked("h", "inner")
        body += self.slopes("h + b", "channels", BODY + 4)
        body += self._bars("grad_h", "lap_h")
        stack = ["h_bar[None]", "grad_h_bar", f"({self._f(1)} * lap_a_bar)[None]"][: 3 if self.laplacian else 2]
        body.append(f"bars = torch.cat([{', '.join(stack)}])")
        body.append("gradients = [bars.flatten(0, 1).T @ before.flatten(0, 1), bars[0].sum(0), *gradients]")
        body.append("bars = bars @ W")
        head = f"for (W, {bias}), before, inner, channels in zip(hidden[::-1], tape[-3::-2], tape[-2::-2], tape[::-2]):"
        lines += [head, layout.indented("\n".join(body))]
        compressed = "directions @ W_in.T" if self.compressed else "W_in.T"
        lines += [f"tangents = ({compressed})[:, None]" if self.compressed else f"tangents = {compressed}[:, None]"]
        lines += self.slopes("z @ W_in.T + b_in", "tape[0]", BODY)
        lines += self._bars("tangents", "")
        columns = "grad_h_bar.sum(1).T" + (" @ directions" if self.compressed else "")
        return [*lines, f"W_in_bar = h_bar.T @ z + {columns}", "return None, W_in_bar, h_bar.sum(0), *gradients"]

    def _last_bars(self) -> list[str]:
        """The cotangents that come in; None where nothing is read."""
        names = [f"{o}_bar" for o in self.outputs]
        given = {o: f"{o}_bar" if o in self.outputs else "None" for o in ("n", "grad_n", "lap_n")}
        blocks = [f"({given['n']}, 1)", f"({given['grad_n']}, len(tape[-1]) - {2 if self.laplacian else 1})"]
        blocks += [f"({given['lap_n']}, 1)"] if self.laplacian else []
        stack = f"cotangent_blocks({', '.join(blocks)})"
        return [f"{', '.join(names)}, *_ = cotangents", f"bars = {stack if self.columns else f'{stack}.unsqueeze(-1)'}"]

    def _bars(self, gradient: str, laplacian: str) -> list[str]:
        """The cotangents of value and gradient before the activation."""
        lines = self._unpacked("a_bar", "bars")
        inner = f"({gradient} * grad_a_bar).sum(0)"
        if self.laplacian and laplacian:
            inner = f"({inner} + {laplacian} * lap_a_bar)"
        value = f"{self._f(1)} * a_bar + {self._f(2)} * {inner}"
        slope = f"{self._f(1)} * grad_a_bar"
        if self.laplacian:
            value += f" + {self._f(3)} * {gradient}.square().sum(0) * lap_a_bar"
            slope += f" + 2 * {self._f(2)} * lap_a_bar * {gradient}"
        return [*lines, assign("h_bar", value), assign("grad_h_bar", slope)]
