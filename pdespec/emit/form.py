"""The form u = F(z, N) of an ansatz as the derivatives see it.

Where F is affine in the network, u = l + g N, the factor g gets a name, so that the product rule reads as in a textbook
and g, g_x, … are computed once. Otherwise F stays as it is and the total derivative goes through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, S, Symbol, diff

from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import Jets, MultiIndex
from pdespec.plan.plan import network_output

Named = Mapping[str, tuple[Expr, ...]]


@dataclass(frozen=True, slots=True)
class Form:
    """`expr` in jet symbols of `n` and of the `named` functions of the inputs (one expression, or one per output)."""

    expr: Expr
    jets: Jets
    named: Named

    def derivative(self, function: str, channel: MultiIndex) -> tuple[Expr, ...]:
        """A partial derivative of a named function, by components."""
        return _partial(self.named[function], self.jets.inputs, channel)


def form_of(ansatz: Ansatz) -> Form | None:
    """The form of an ansatz; None where its outputs mix, which only nested differentiation covers."""
    common = common_form(ansatz)
    if common is not None:
        return _scalar(ansatz, common)
    slopes, lifts = [], []
    for k, component in enumerate(ansatz.form):
        slope, lift = _affine(component, network_output(k))
        if slope is None or lift is None or _outputs(ansatz) & (slope.free_symbols | lift.free_symbols):
            return None
        slopes.append(slope)
        lifts.append(lift)
    named = {"g": tuple(slopes), "l": tuple(lifts)}
    jets = _jets(ansatz, named)
    zero = (0,) * len(ansatz.inputs)
    return Form(jets("g", zero) * jets("n", zero) + jets("l", zero), jets, named)


def common_form(ansatz: Ansatz) -> Expr | None:
    """The one expression in `network_output(0)` that every output follows, if there is one."""
    first, n = (ansatz.form or (network_output(),))[0], network_output()
    if _outputs(ansatz) & (first.free_symbols - {n}):
        return None
    same = all(e == first.xreplace({n: network_output(k)}) for k, e in enumerate(ansatz.form))
    return first if same else None


def _outputs(ansatz: Ansatz) -> set[Symbol]:
    return {network_output(k) for k in range(ansatz.outputs)}


def _affine(expr: Expr, n: Symbol) -> tuple[Expr | None, Expr | None]:
    """g and l where expr = l + g n, else nothing."""
    slope = diff(expr, n)
    return (None, None) if n in slope.free_symbols else (slope, expr.xreplace({n: S.Zero}))


def _scalar(ansatz: Ansatz, common: Expr) -> Form:
    zero = (0,) * len(ansatz.inputs)
    slope, lift = _affine(common, network_output())
    inputs = set(ansatz.inputs)
    if slope is None or lift is None or not slope.free_symbols & inputs:
        jets = _jets(ansatz, {})
        return Form(common.xreplace({network_output(): jets("n", zero)}), jets, {})
    named = {"g": (slope,)}
    jets = _jets(ansatz, named)
    return Form(jets("g", zero) * jets("n", zero) + lift, jets, named)


def _jets(ansatz: Ansatz, named: Named) -> Jets:
    def known(function: str, channel: MultiIndex) -> Expr | None:
        if function not in named:
            return None
        values = set(_partial(named[function], ansatz.inputs, channel))
        value = values.pop()
        return value if not values and value.is_Number else None

    return Jets(ansatz.inputs, known)


def _partial(components: tuple[Expr, ...], inputs: tuple[Symbol, ...], channel: MultiIndex) -> tuple[Expr, ...]:
    letters = [x for x, times in zip(inputs, channel, strict=True) for _ in range(times)]
    return tuple(diff(c, *letters) if letters else c for c in components)
