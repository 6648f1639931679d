"""Ansätze in which the network enters through one function f, mostly as a quotient: u = P(z, f(N))/Q(z, f(N)).

Each piece gets a name and derivatives of its own, so that the chain and quotient rules read as in a textbook:
    v = f(N),  v_x = f′ N_x, …      p, p_x, … and q, q_x, … by the product rule
    u_α = (p_α − Σ_{0<β≤α} C(α, β) q_β u_{α−β})/q       (Leibniz's rule for p = q u, solved for u_α)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, prod

from sympy import Add, Expr, Function, Integer, S, Symbol, factor_terms, fraction

from pdespec.emit.ansatz import Ansatz
from pdespec.emit.channels import Channel, Jets, MultiIndex, below, closure, order, through_activation, unit
from pdespec.emit.form import common_form
from pdespec.plan.plan import Laplacian, network_output

Piece = tuple[str, MultiIndex, Expr]
"""A name, a derivative of it, and that derivative by those of earlier pieces."""

OUTER = tuple(Symbol(name, real=True) for name in ("v", "dv", "d2v", "d3v", "d4v"))
"""f and its derivatives at N."""


@dataclass(frozen=True, slots=True)
class Quotient:
    """`slopes` are f, f′, … at the jet n, each in terms of those before; `above` and `below` are in jets of v."""

    slopes: tuple[Expr, ...]
    above: Expr
    below: Expr
    jets: Jets

    def pieces(self, channels: Sequence[Channel]) -> list[Piece]:
        """All that the wanted channels need, in order."""
        carried = self.carried(channels)
        inner: dict[Channel, Expr] = {c: self.jets("n", c) for c in carried}
        found = [("v", c, through_activation(c, inner, OUTER)) for c in carried if any(c)]
        if self.below == 1:
            return found + [("u", c, self.jets.derivative(self.above, c, "n")) for c in carried]
        for name, expr in (("p", self.above), ("q", self.below)):
            found += [(name, c, self.jets.derivative(expr, c, "n")) for c in carried]
        return found + [("u", c, self._leibniz(c)) for c in carried]

    def carried(self, channels: Sequence[Channel]) -> list[MultiIndex]:
        """The derivatives of every piece that the wanted ones need."""
        d = len(self.jets.inputs)
        pure = [c for wanted in channels for c in _pure(wanted, d)]
        return [c for c in closure(pure, d) if not isinstance(c, Laplacian)]

    def wanted(self, channel: Channel) -> Expr:
        """A wanted channel in the derivatives of u."""
        return sum((self.jets("u", c) for c in _pure(channel, len(self.jets.inputs))), S.Zero)

    def _leibniz(self, alpha: MultiIndex) -> Expr:
        rest = S.Zero
        for beta in below(alpha):
            if any(beta):
                times = prod(comb(a, b) for a, b in zip(alpha, beta, strict=True))
                remaining = tuple(a - b for a, b in zip(alpha, beta, strict=True))
                rest += times * self.jets("q", beta) * self.jets("u", remaining)
        return (self.jets("p", alpha) - rest) / self.jets("q", (0,) * len(alpha))


def _pure(channel: Channel, dimension: int) -> list[MultiIndex]:
    return [unit(i, dimension, 2) for i in channel.over] if isinstance(channel, Laplacian) else [channel]


def quotient_of(ansatz: Ansatz, channels: Sequence[Channel] = ()) -> Quotient | None:
    """The pieces of an ansatz of one output in which N stands in one function of N alone; None for any other."""
    common, n = common_form(ansatz), network_output()
    if ansatz.outputs != 1 or common is None:
        return None
    functions = {g for g in common.atoms(Function) if g.args == (n,)}
    if len(functions) != 1:
        return None
    (g,) = functions
    jets = Jets(ansatz.inputs, lambda function, channel: None)
    zero = (0,) * len(ansatz.inputs)
    v, value = jets("v", zero), jets("n", zero)
    expr = common.xreplace({g: v})
    if n in expr.free_symbols:
        return None
    above, under = fraction(expr)
    if above in Add.make_args(under):  # q = p + …
        under = under - above + jets("p", zero)
    top = max(map(order, channels), default=0)
    return Quotient(_slopes(g.xreplace({n: value}), value, top), above, under, jets)


def _slopes(g: Expr, n: Symbol, top: int) -> tuple[Expr, ...]:
    """f, f′, f″, … at n: by f alone where f′ = φ(f), as in (1 − 2 f) f′ for the second derivative of a sigmoid."""
    raw = [g.diff(n, k).xreplace({g: OUTER[0]}) for k in range(1, top + 1)]
    if not raw or n in raw[0].free_symbols:
        return (g, *raw)
    found = [raw[0]]
    for k in range(1, top):
        chain = sum((found[-1].diff(OUTER[j]) * OUTER[j + 1] for j in range(k + 1)), Integer(0))
        found.append(factor_terms(chain.expand()))
    return (g, *found)
