"""Derivatives of an ansatz by one forward sweep whose adjoint is written out.

A `torch.autograd.Function` maps points and weights to the channels of the network N; its `backward` goes through the
layers in reverse, each by the transposed matrix product and by the adjoint of its activation (see `adjoint`). The form
u = F(z, N) and all that follows is left to autograd: it costs as little as it is short.
Many coordinates whose first derivatives and Laplacian are wanted go as one block (see `network_blocks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Basic, Expr, Symbol

from pdespec.emit import layout
from pdespec.emit.activations import ACTIVATIONS, WORDS, Activation, symbol
from pdespec.emit.adjoint import adjoint_of_activation
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import Channel, channel_name, closure, order
from pdespec.emit.expression import Printer
from pdespec.emit.form import Form
from pdespec.emit.names import Namespace
from pdespec.emit.network_blocks import BlockSweep, is_block
from pdespec.emit.network_scope import BODY, Scope, assign, returned, scope_of, unpack
from pdespec.emit.network_sweep import (
    Atoms,
    activated,
    feature_stack,
    network_names,
    partial,
    stacked,
    targets,
    wanted_lines,
)
from pdespec.emit.quotient import Quotient
from pdespec.emit.sweep_class import SweepClass
from pdespec.plan.plan import Mlp


def explicit_method(
    ansatz: Ansatz, net: Mlp, form: Form | Quotient, name: str, channels: Sequence[Channel]
) -> tuple[str, str]:
    """The sources of the sweep's class and of the method that calls it."""
    wanted = [form.wanted(c) for c in channels] if isinstance(form, Quotient) else targets(form, channels)
    live = form.carried(channels) if isinstance(form, Quotient) else form.jets.used(wanted, "n")
    carried = closure(live, len(ansatz.inputs))
    read = tuple(c for c in carried if c in live)
    activation = ACTIVATIONS[net.activation]
    sweep = (
        BlockSweep(ansatz, net, activation, carried, read)
        if is_block(ansatz, carried)
        else Sweep(ansatz, activation, carried, read)
    )
    title = f"{ansatz.class_name}{_camel(name)}"
    scope = scope_of(ansatz)
    titles = [channel_name(ansatz.name, c, ansatz.input_names) for c in channels]
    types = ", ".join(["Tensor"] * len(titles)) if len(titles) <= 4 else "Tensor, ..."
    network = network_names(scope, form.jets, wanted, read)
    lines = _call(scope, network, carried, read, title, sweep)
    lines += wanted_lines(scope, form, channels, wanted, network)
    text = layout.docstring(f"{', '.join(titles)} from the channels of the network, one sweep of `{title}`.", BODY)
    head = f"    def {name}(self, {scope.points}: Tensor) -> tuple[{types}]:\n"
    return sweep.source(title), head + text + "\n" + layout.indented("\n".join(lines), BODY)


def _camel(method: str) -> str:
    """`Sweep` for `derivatives`, `FirstDerivatives` for `first_derivatives`."""
    return "Sweep" if method == "derivatives" else "".join(w.capitalize() for w in method.split("_"))


def _call(
    scope: Scope, network: Atoms, carried: Sequence[Channel], read: Sequence[Channel], title: str, sweep: SweepClass
) -> list[str]:
    """The lines that call the sweep, and name the network's channels."""
    given, lines = scope.points, []
    if scope.ansatz.features:
        given = scope.local("features")
        lines = feature_stack(scope, carried, given)
    call = f"{title}.apply({given}, *self.parameters())"
    if not isinstance(sweep, BlockSweep) or "grad_n" not in sweep.outputs:
        return [*lines, unpack([*network.values(), "*_"], call)]
    slopes = {c: name for c, name in zip(read, network.values(), strict=True) if order(c) == 1}
    block = scope.local("grad_n")
    names = dict.fromkeys(block if n in slopes.values() else n for n in network.values())
    shown = [slopes.get(c, "_") for c in carried if order(c) == 1]
    return [*lines, unpack([*names, "*_"], call), unpack(shown, block)]


class Sweep(SweepClass):
    """The class of one sweep: which channels it carries through the layers, and which are read at its end."""

    def __init__(
        self, ansatz: Ansatz, activation: Activation, carried: tuple[Channel, ...], live: tuple[Channel, ...]
    ) -> None:
        self.ansatz, self.activation, self.carried, self.live = ansatz, activation, carried, live
        self.columns = ansatz.outputs > 1 or bool(ansatz.features)
        self.top = max(map(order, carried))
        self.names = Namespace(())
        self.words = {word: self.names.fresh(word) for word in (*WORDS, "phi", "Phi", "h", "W", "b")}
        inputs = ansatz.input_names
        self.of_h = {c: self.names.fresh(channel_name("h", c, inputs)) for c in carried[1:]}
        self.bar_of_h = {c: self.names.fresh(channel_name("h", c, inputs) + "_bar") for c in carried}
        self.bar_of_a = {c: self.names.fresh(channel_name("a", c, inputs) + "_bar") for c in carried}
        self.of_n = {c: self.names.fresh(channel_name("n", c, inputs)) for c in live}
        self.outputs = tuple(self.of_n.values())

    # ── forwards ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def forward(self) -> list[str]:
        weight, bias = self.words["W"], self.words["b"]
        if self.ansatz.features:
            lines = [f"*hidden, ({weight}_out, {bias}_out) = zip(weights[::2], weights[1::2])"]
            lines += ["channels, tape = z, []"]
        else:
            lines = [
                f"({weight}_in, {bias}_in), *hidden, ({weight}_out, {bias}_out) = zip(weights[::2], weights[1::2])"
            ]
            lines += self._first()
            lines.append("tape = [channels]")
        atoms, inner = self._inner()
        body = [f"inner = channels @ {weight}.T", unpack([self.words["h"], *self.of_h.values()], "inner")]
        body += activated(self.activation, self.words, f"{self.words['h']} + {bias}", self.top, [], BODY + 4)
        body.append(stacked("channels", self.activation, self.words, self.carried, inner, atoms))
        body.append("tape += [inner, channels]")
        lines += [f"for {weight}, {bias} in hidden:", layout.indented("\n".join(body))]
        product = f"channels @ {weight}_out.T"
        shown = [self.of_n.get(c, "_") for c in self.carried]
        lines.append(unpack(shown, product if self.columns else f"({product}).squeeze(-1)"))
        outputs = [f"{n} + {bias}_out" if c == self.carried[0] else n for c, n in self.of_n.items()]
        return [*lines, returned(f"{', '.join(outputs)}, *tape")]

    def _first(self) -> list[str]:
        """The first layer of plain inputs: its tangents are columns of its weights."""
        weight, bias = self.words["W"], self.words["b"]
        atoms, inner = self._tangents()
        lines = self._columns(atoms)
        lines += activated(self.activation, self.words, f"z @ {weight}_in.T + {bias}_in", self.top, [])
        return [*lines, stacked("channels", self.activation, self.words, self.carried, inner, atoms)]

    def _columns(self, atoms: Atoms) -> list[str]:
        """The line that names columns of the first layer's weights."""
        if not atoms:
            return []
        names = [atoms.get(_column(i), "_") for i in range(len(self.ansatz.inputs))]
        line = (
            unpack(names, f"{self.words['W']}_in.T") if len(names) > 1 else f"{names[0]} = {self.words['W']}_in[:, 0]"
        )
        return [layout.comment(line, "the first layer's tangents are constant", layout.COMMENT_COLUMN - BODY)]

    def _tangents(self) -> tuple[Atoms, dict[Channel, Expr]]:
        """Names of the columns, and the channels of the first layer in terms of them."""
        columns = [_column(i) for i in range(len(self.ansatz.inputs))]
        inner = {}
        for channel in self.carried[1:]:
            value = sum((w * partial(x, channel, self.ansatz.inputs)
                         for w, x in zip(columns, self.ansatz.inputs, strict=True)))  # fmt: skip
            if value != 0:
                inner[channel] = value
        used = set(inner.values())
        names: Atoms = {w: f"w_{x}" for w, x in zip(columns, self.ansatz.input_names, strict=True) if w in used}
        return names, inner

    def _inner(self) -> tuple[Atoms, dict[Channel, Expr]]:
        """Names of the channels before an activation, and those channels as symbols."""
        inner: dict[Channel, Expr] = {c: Symbol(f"h:{c}", real=True) for c in self.carried[1:]}
        return {inner[c]: name for c, name in self.of_h.items()}, inner

    # ── backwards ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def backward(self) -> list[str]:
        weight, features = self.words["W"], bool(self.ansatz.features)
        first = "*hidden" if features else f"({weight}_in, {self._bias('_in')}), *hidden"
        lines = [
            "(z, *weights), tape = ctx.saved_tensors[: ctx.given], ctx.saved_tensors[ctx.given :]",
            f"{first}, ({weight}_out, _) = zip(weights[::2], weights[1::2])",
            *(["tape = (z, *tape)"] if features else []),
            *self._last_bars(),
            "gradients = [bars.flatten(0, 1).T @ tape[-1].flatten(0, 1), bars[0].sum(0)]",
            f"bars = bars @ {weight}_out",
        ]
        if features:
            return [*lines, *self._hidden_backwards(), "return None, *gradients"]
        return [*lines, *self._hidden_backwards(), *self._first_backwards()]

    def _bias(self, place: str = "") -> str:
        return self.words["b"] + place if self.activation.biased else "_"

    def _last_bars(self) -> list[str]:
        """The cotangents that come in, one for each channel; None where a channel is not read."""
        names = {c: f"{n}_bar" for c, n in self.of_n.items()}
        stack = f"cotangent_stack({', '.join(names.get(c, 'None') for c in self.carried)})"
        lines = [unpack([*names.values(), "*_"], "cotangents")]
        return [*lines, assign("bars", stack if self.columns else f"{stack}.unsqueeze(-1)")]

    def _hidden_backwards(self) -> list[str]:
        atoms, inner = self._inner()
        found = self._adjoint(inner, atoms)
        held = [f"{self.words['h']}_" if self.activation.biased else "_", *self.of_h.values()]
        body = [unpack(held, "inner")]
        body += self.slopes(f"{held[0]} + {self.words['b']}", "channels", BODY + 4)
        body.append(unpack(list(self.bar_of_a.values()), "bars"))
        body.append(assign("bars", f"torch.stack([{', '.join(found[c] for c in self.carried)}])"))
        body.append("gradients = [bars.flatten(0, 1).T @ before.flatten(0, 1), bars[0].sum(0), *gradients]")
        body.append(f"bars = bars @ {self.words['W']}")
        layers = "zip(hidden[::-1], tape[-3::-2], tape[-2::-2], tape[::-2])"
        head = f"for ({self.words['W']}, {self._bias()}), before, inner, channels in {layers}:"
        return [head, layout.indented("\n".join(body))]

    def _first_backwards(self) -> list[str]:
        atoms, inner = self._tangents()
        found = self._adjoint(inner, atoms)
        weight, value = self.words["W"], self.carried[0]
        lines = self._columns(atoms)
        lines += self.slopes(f"z @ {weight}_in.T + {self.words['b']}_in", "tape[0]", BODY)
        lines.append(unpack(list(self.bar_of_a.values()), "bars"))
        lines.append(assign(self.bar_of_h[value], found[value]))
        columns = []
        for i, x in enumerate(self.ansatz.input_names):
            channel = next((c for c, w in inner.items() if w == _column(i)), None)
            columns.append(f"w_{x}_bar" if channel is not None else f"torch.zeros_like({weight}_in[:, {i}])")
            if channel is not None:
                lines.append(assign(columns[-1], f"({found[channel]}).sum(0)"))
        bars = f"{self.bar_of_h[value]}.T @ z"
        if inner:
            bars += f" + torch.stack([{', '.join(columns)}], 1)"
        lines.append(assign(f"{weight}_in_bar", bars))
        return [*lines, f"return None, {weight}_in_bar, {self.bar_of_h[value]}.sum(0), *gradients"]

    def _adjoint(self, inner: Mapping[Channel, Expr], atoms: Atoms) -> dict[Channel, str]:
        """The cotangents of the channels before an activation, as text; zero where such a channel is zero."""
        bars: dict[Channel, Expr] = {c: Symbol(f"bar:{c}", real=True) for c in self.carried}
        outer = self.activation.outer(self.top + 1)
        words: dict[Basic, str] = {symbol(w): self.words[w] for w in (*WORDS[1:], WORDS[0])}
        names = {**words, **atoms, **{bars[c]: name for c, name in self.bar_of_a.items()}}
        printer = Printer(names, set(names.values()))
        return {c: printer(e) for c, e in adjoint_of_activation(self.carried, inner, bars, outer).items()}


def _column(i: int) -> Symbol:
    """The i-th column of the first layer's weights."""
    return Symbol(f"w:{i}", real=True)
