"""Derivatives of an ansatz in one forward sweep over stacked channels.

The first layer is linear in the features, so its tangents are columns of its weights (constant for plain inputs); each
further layer maps all channels by one matrix product; after the last one, the total derivative of the form applies.
Only live channels are carried: those that some wanted derivative needs, and of the last layer's only those in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Add, Basic, Expr, S, Symbol, diff

from pdespec.emit import layout
from pdespec.emit.activations import ACTIVATIONS, WORDS, Activation, symbol
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import Channel, Jets, channel_name, closure, order, through_activation, unit
from pdespec.emit.expression import Printer
from pdespec.emit.form import Form
from pdespec.emit.network_quotient import piece_lines
from pdespec.emit.network_scope import BODY, Scope, assign, returned, scope_of, unpack
from pdespec.emit.quotient import Quotient
from pdespec.emit.temporaries import hint
from pdespec.plan.plan import Laplacian, Mlp

Atoms = dict[Basic, str]


def targets(form: Form, channels: Sequence[Channel]) -> list[Expr]:
    """Each wanted derivative in jet symbols; a Laplacian is summed where its second derivatives are carried anyway."""
    jets, d = form.jets, len(form.jets.inputs)
    carried = set(closure((c for c in channels if not isinstance(c, Laplacian)), d))
    found = []
    for channel in channels:
        pure = [unit(i, d, 2) for i in channel.over] if isinstance(channel, Laplacian) else []
        if pure and carried.issuperset(pure):
            found.append(sum((jets.derivative(form.expr, c, "n") for c in pure), S.Zero))
        else:
            found.append(jets.derivative(form.expr, channel, "n"))
    return found


def sweep_method(ansatz: Ansatz, net: Mlp, form: Form | Quotient, name: str, channels: Sequence[Channel]) -> str:
    """The source of a method that returns the channels as a tuple, in their order."""
    wanted = [form.wanted(c) for c in channels] if isinstance(form, Quotient) else targets(form, channels)
    live = form.carried(channels) if isinstance(form, Quotient) else form.jets.used(wanted, "n")
    carried = closure(live, len(ansatz.inputs))
    scope = scope_of(ansatz)
    titles = [channel_name(ansatz.name, c, ansatz.input_names) for c in channels]
    types = ", ".join(["Tensor"] * len(titles)) if len(titles) <= 4 else "Tensor, ..."
    head = f"    def {name}(self, {scope.points}: Tensor) -> tuple[{types}]:\n"
    if len(carried) == 1:
        return head + layout.indented(f"return (self({scope.points}),)", BODY)
    what = "in one forward sweep: each layer maps the stacked channels by one matrix product."
    lines = _layers(scope, net, carried)
    more, network = _last(scope, form.jets, wanted, live, carried)
    lines += [*more, *wanted_lines(scope, form, channels, wanted, network)]
    text = layout.docstring(f"{', '.join(titles)} {what}", BODY)
    return head + text + "\n" + layout.indented("\n".join(lines), BODY)


# ── the layers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _layers(scope: Scope, net: Mlp, carried: Sequence[Channel]) -> list[str]:
    activation = ACTIVATIONS[net.activation]
    first, hidden, last, layer, stack = map(scope.local, ("first", "hidden", "last", "layer", "channels"))
    words = {word: scope.local(word) for word in (*WORDS, "phi", "Phi", "h")}
    weights, tangents, inner, atoms, inputs = _first_layer(scope, carried, first)
    top = max(map(order, carried))
    lines = [f"{first}, *{hidden}, {last} = self.layers", *weights]
    lines += activated(activation, words, f"{first}({inputs})", top, tangents)
    lines.append(stacked(stack, activation, words, carried, inner, atoms))
    inner, names = {}, [words["h"]]
    atoms = {}
    for channel in carried[1:]:
        h = Symbol(f"h:{channel}", real=True)
        inner[channel], atoms[h] = h, scope.local(channel_name("h", channel, scope.ansatz.input_names))
        names.append(atoms[h])
    body = [unpack(names, f"{stack} @ {layer}.weight.T")]
    body += activated(activation, words, f"{words['h']} + {layer}.bias", top, [], BODY + 4)
    body.append(stacked(stack, activation, words, carried, inner, atoms))
    return [*lines, f"for {layer} in {hidden}:", layout.indented("\n".join(body))]


def _first_layer(
    scope: Scope, carried: Sequence[Channel], first: str
) -> tuple[list[str], list[str], dict[Channel, Expr], Atoms, str]:
    """Lines for its weights and for its tangents, the channels of its pre-activation, their names, and its input."""
    ansatz = scope.ansatz
    features = ansatz.features or ansatz.inputs
    plain = scope.printer({})
    columns = [Symbol(f"w:{j}", real=True) for j in range(len(features))]
    sums = {c: sum((w * partial(f, c, ansatz.inputs) for w, f in zip(columns, features, strict=True)), S.Zero)
            for c in carried[1:]}  # fmt: skip
    sums = {c: e for c, e in sums.items() if e != 0}
    used = set().union(*(e.free_symbols for e in sums.values()))
    atoms: Atoms = {
        w: scope.names.fresh("w_" + (plain(f) if f.is_Symbol else hint(f, plain)))
        for w, f in zip(columns, features, strict=True)
        if w in used
    }
    note = "" if ansatz.features else "the first layer's tangents are constant"
    weights = _weights([atoms.get(w, "_") for w in columns], first, note)
    before = scope.coordinates(ansatz.features)
    before += scope.share([*features, *sums.values()], atoms)
    printer = scope.printer(atoms)
    inner: dict[Channel, Expr] = {}
    tangents: list[str] = []
    for channel, expr in sums.items():
        inner[channel] = expr
        if not expr.is_Symbol:
            h = inner[channel] = Symbol(f"h:{channel}", real=True)
            atoms[h] = scope.local(channel_name("h", channel, ansatz.input_names))
            tangents.append(assign(atoms[h], printer(expr)))
    return [*weights, *before], tangents, inner, atoms, scope.features(printer)


def _weights(names: list[str], first: str, note: str) -> list[str]:
    used = [name for name in names if name != "_"]
    if not used:
        return []
    if len(used) == 1:
        line = f"{used[0]} = {first}.weight[:, {names.index(used[0])}]"
    else:
        line = unpack(names, f"{first}.weight.T")
    return [layout.comment(line, note, layout.COMMENT_COLUMN - BODY)]


def partial(expr: Expr, channel: Channel, inputs: Sequence[Symbol]) -> Expr:
    """A derivative of an expression in the inputs."""
    if isinstance(channel, Laplacian):
        return sum((diff(expr, inputs[i], 2) for i in channel.over), S.Zero)
    letters = [(x, times) for x, times in zip(inputs, channel, strict=True) if times]
    return diff(expr, *letters) if letters else expr


def activated(
    activation: Activation, words: Mapping[str, str], value: str, top: int, tangents: Sequence[str], indent: int = BODY
) -> list[str]:
    """The lines for f, f′, … at a pre-activation."""
    h = words["h"]
    lines = [f"{h} = {value}"] if activation.biased else []
    column = layout.COMMENT_COLUMN - indent
    for code, note in activation.lines(h if activation.biased else value, words.__getitem__, top):
        lines.append(layout.comment(code, note, column))
    return [*lines, *tangents]


def stacked(
    stack: str,
    activation: Activation,
    words: Mapping[str, str],
    carried: Sequence[Channel],
    inner: Mapping[Channel, Expr],
    atoms: Atoms,
) -> str:
    """All channels of f(h), side by side."""
    outer = activation.outer(max(map(order, carried)))
    derivatives = [symbol(word) for word in (*WORDS[1:], WORDS[0])]
    names: Atoms = {s: words[s.name] for s in derivatives}
    for channel in sorted(inner, key=order, reverse=True):
        for atom in sorted(inner[channel].free_symbols, key=lambda s: s.name):
            names[atom] = atoms[atom]
    printer = Printer(names, set(names.values()))
    values = [printer(through_activation(c, inner, outer)) for c in carried[1:]]
    zero = f"torch.zeros_like({words['a']})"
    texts = [words["a"], *(zero if value == "0" else value for value in values)]
    return assign(stack, f"torch.stack([{', '.join(texts)}])")


# ── after the last layer ──────────────────────────────────────────────────────────────────────────────────────────────


def _last(
    scope: Scope, jets: Jets, wanted: Sequence[Expr], live: Sequence[Channel], carried: Sequence[Channel]
) -> tuple[list[str], Atoms]:
    """The last layer, and the names of the network's channels."""
    network = network_names(scope, jets, wanted, live)
    names = [network[jets("n", c)] if c in live else "_" for c in carried]
    last, product = scope.local("last"), f"{scope.local('channels')} @ {scope.local('last')}.weight.T"
    lines = [unpack(names, product if scope.columns else f"({product}).squeeze(-1)")]
    if names[0] != "_":
        lines.append(f"{names[0]} = {names[0]} + {last}.bias")
    return lines, network


def network_names(scope: Scope, jets: Jets, wanted: Sequence[Expr], live: Sequence[Channel]) -> Atoms:
    """Names of the network's channels: those of the unknown where it is the network itself, else n, n_x, …"""
    base = scope.ansatz.name if list(wanted) == [jets("n", c) for c in live] else "n"
    return {jets("n", c): scope.local(channel_name(base, c, scope.ansatz.input_names)) for c in live}


def wanted_lines(
    scope: Scope, form: Form | Quotient, channels: Sequence[Channel], wanted: Sequence[Expr], network: Atoms
) -> list[str]:
    """The form's derivatives from those of the network, and the return."""
    lines, texts = [], list(network.values())
    if list(wanted) != list(network):
        more, texts = (
            piece_lines(scope, form, channels, network)
            if isinstance(form, Quotient)
            else _form(scope, form, wanted, network)
        )
        lines = ["", *more]
    if scope.columns and scope.ansatz.outputs == 1:
        return [*lines, returned(f"tuple(c.squeeze(-1) for c in ({', '.join(texts)}{',' if len(texts) == 1 else ''}))")]
    return [*lines, returned(", ".join(texts) if len(texts) > 1 else f"({texts[0]},)")]


def feature_stack(scope: Scope, carried: Sequence[Channel], name: str) -> list[str]:
    """The lines for the features and their derivatives, side by side: (channels, n, features)."""
    ansatz = scope.ansatz
    rows = [[partial(f, c, ansatz.inputs) for f in ansatz.features] for c in carried]
    flat = [e for row in rows for e in row]
    lines = scope.coordinates(flat) + scope.share(flat, {})
    printer = scope.printer({})
    texts = [f"torch.cat([{', '.join(scope.column(printer.code(e)) for e in row)}], -1)" for row in rows]
    return [*lines, assign(name, f"torch.stack([{', '.join(texts)}])")]


def _form(scope: Scope, form: Form, wanted: Sequence[Expr], network: Atoms) -> tuple[list[str], list[str]]:
    """Lines for the named functions of the inputs and their derivatives, and the texts of the wanted channels."""
    names = scope.ansatz.input_names
    parts = [(f, c) for f in form.named for c in form.jets.used(wanted, f) if not isinstance(c, Laplacian)]
    known = [form.derivative(f, c) for f, c in parts]
    flat = [e for components in known for e in components]
    lines = scope.coordinates([*flat, *wanted])
    if form.named:  # the network enters linearly, so only terms of the inputs alone can have functions in common
        jets = set(form.jets.symbols.values())
        flat += [term for e in wanted for term in Add.make_args(e) if not term.free_symbols & jets]
        lines += scope.share(flat, {})
    else:
        lines += scope.share(wanted, network)
    plain = scope.printer({})
    atoms: Atoms = {}
    for (function, channel), components in zip(parts, known, strict=True):
        code = scope.stacked(components, plain)
        name = scope.local(channel_name(function, channel, names))
        lines.append(assign(name, code.text))
        atoms[form.jets(function, channel)] = name
    printer = scope.printer({**atoms, **dict(reversed(network.items()))})
    return lines, [printer(e) for e in wanted]
