"""`forward` of an ansatz: features, the layers, then the form u = F(z, N)."""

from __future__ import annotations

from pdespec.emit import layout
from pdespec.emit.activations import ACTIVATIONS
from pdespec.emit.ansatz import Ansatz
from pdespec.emit.code import Code
from pdespec.emit.form import common_form
from pdespec.emit.network_quotient import piece_lines
from pdespec.emit.network_scope import BODY, Scope, assign, returned, scope_of, unpack
from pdespec.emit.quotient import Quotient, quotient_of
from pdespec.plan.plan import Mlp, network_output


def forward_method(ansatz: Ansatz) -> str:
    """The source of `forward(z)`: (n, d) → (n,), or (n, m) for m > 1 outputs."""
    scope = scope_of(ansatz)
    before = scope.coordinates(ansatz.features)
    *lines, network = _network(scope, scope.features(scope.printer({})))
    lines = [*before, *lines, *_result(scope, network)]
    head = f"    def forward(self, {scope.points}: Tensor) -> Tensor:\n"
    return head + layout.indented("\n".join(lines), BODY)


def _network(scope: Scope, inputs: str) -> list[str]:
    """The lines that evaluate the network, the last one its value."""
    net = scope.ansatz.net
    if not isinstance(net, Mlp):
        return [f"self.net({inputs})"]
    a, layer, call = scope.local("a"), scope.local("layer"), ACTIVATIONS[net.activation].call
    loop = [f"for {layer} in self.layers[:-1]:", f"    {a} = {call}({layer}({a}))"]
    return [assign(a, inputs), *loop, f"self.layers[-1]({a})"]


def _result(scope: Scope, network: str) -> list[str]:
    ansatz = scope.ansatz
    squeeze = ".squeeze(-1)" if ansatz.outputs == 1 else ""
    common = common_form(ansatz)
    if common == network_output():
        return [f"return {network}{squeeze}"]
    n = scope.local("n")
    quotient = quotient_of(ansatz)
    if quotient is not None:
        return [f"{n} = {network}{'' if scope.columns else squeeze}", *_quotient(scope, quotient, n, squeeze)]
    after = scope.coordinates(ansatz.form)
    if common is not None:
        value = scope.printer({network_output(): n}, last=True).code(common)
        if scope.columns and squeeze:
            return [f"{n} = {network}", *after, returned(f"{value.operand}{squeeze}")]
        return [f"{n} = {network}{squeeze}", *after, returned(value.text)]
    parts = [scope.local(f"n_{k}") for k in range(1, ansatz.outputs + 1)]
    printer = scope.printer({network_output(k): name for k, name in enumerate(parts)}, last=True)
    value = Code(f"torch.cat([{', '.join(scope.column(printer.code(e)) for e in ansatz.form)}], -1)", tensor=True)
    return [unpack(parts, f"{network}.split(1, -1)"), *after, returned(value.text)]


def _quotient(scope: Scope, form: Quotient, n: str, squeeze: str) -> list[str]:
    """u = P/Q by its pieces; the last of them is the value itself."""
    zero = (0,) * len(scope.ansatz.inputs)
    lines, (name,) = piece_lines(scope, form, [zero], {form.jets("n", zero): n})
    value = lines.pop().removeprefix(f"{name} = ")
    return [*lines, returned(f"({value}){squeeze}" if scope.columns and squeeze else value)]
