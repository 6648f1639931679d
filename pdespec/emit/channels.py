"""Which partial derivatives are pushed through a network, and by which formulas.

A channel is a multi-index α over the inputs, or the Laplacian. Through an activation f acts Faà di Bruno's formula
    ∂^α f(h) = Σ_π f^{(|π|)}(h) Π_{B ∈ π} ∂^B h        (π: the partitions of the multiset α),
so a layer needs every β ≤ α; the Laplacian Δf(h) = f′ Δh + f″ Σᵢ (∂ᵢh)² needs the first derivatives only.
Sources: Hardy 2006 (the combinatorial form); Li et al. 2023, "Forward Laplacian".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import product

from sympy import Expr, S, Symbol

from pdespec.plan.plan import Laplacian

MultiIndex = tuple[int, ...]


Channel = MultiIndex | Laplacian


def unit(i: int, dimension: int, times: int = 1) -> MultiIndex:
    """The multi-index of ∂ᵢ, repeated."""
    return tuple(times if k == i else 0 for k in range(dimension))


def order(channel: Channel) -> int:
    """The order of differentiation."""
    return 2 if isinstance(channel, Laplacian) else sum(channel)


def sort_key(channel: Channel) -> tuple[object, ...]:
    """By order, then by the inputs in their order; the Laplacian after everything else."""
    if isinstance(channel, Laplacian):
        return (1, 2, channel.over)
    return (0, sum(channel), tuple(-k for k in channel))


def below(alpha: MultiIndex) -> list[MultiIndex]:
    """Every β ≤ α."""
    return list(product(*(range(k + 1) for k in alpha)))


def closure(channels: Iterable[Channel], dimension: int) -> tuple[Channel, ...]:
    """The channels that a layer must carry so that the given ones can be computed after it, sorted."""
    found: set[Channel] = {(0,) * dimension}
    for channel in channels:
        if isinstance(channel, Laplacian):
            found |= {channel, *(unit(i, dimension) for i in channel.over)}
        else:
            found |= set(below(channel))
    return tuple(sorted(found, key=sort_key))


def channel_name(base: str, channel: Channel, inputs: Sequence[str]) -> str:
    """`u`, `u_x`, `u_xt`, `lap_u`; with longer input names `u_theta_theta`; `lap_xy_u` in two of four coordinates."""
    if isinstance(channel, Laplacian):
        own = "".join(inputs[i] for i in channel.over) + "_" if len(channel.over) < len(inputs) - 1 else ""
        return f"lap_{own}{base}"
    index = [name for name, times in zip(inputs, channel, strict=True) for _ in range(times)]
    joiner = "" if all(len(name) == 1 for name in inputs) else "_"
    return f"{base}_{joiner.join(index)}" if index else base


# ── through an activation ─────────────────────────────────────────────────────────────────────────────────────────────


@cache
def set_partitions(n: int) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The partitions of {0, …, n − 1} into blocks."""
    if n == 0:
        return ((),)
    out: list[tuple[tuple[int, ...], ...]] = []
    for partition in set_partitions(n - 1):
        out.append((*partition, (n - 1,)))
        out += [(*partition[:k], (*block, n - 1), *partition[k + 1 :]) for k, block in enumerate(partition)]
    return tuple(out)


def through_activation(channel: Channel, inner: Mapping[Channel, Expr], outer: Sequence[Expr]) -> Expr:
    """The channel of f(h): `inner` holds the channels of h that are not zero, `outer` holds f, f′, f″, … at h."""
    if isinstance(channel, Laplacian):
        dimension = len(next(c for c in inner if not isinstance(c, Laplacian)))
        squares = sum((inner.get(unit(i, dimension), S.Zero) ** 2 for i in channel.over), S.Zero)
        return outer[1] * inner.get(channel, S.Zero) + outer[2] * squares
    letters = [i for i, times in enumerate(channel) for _ in range(times)]
    total = S.Zero
    for partition in set_partitions(len(letters)):
        term: Expr = outer[len(partition)]
        for block in partition:
            index = tuple(sum(letters[b] == i for b in block) for i in range(len(channel)))
            term = term * inner.get(index, S.Zero)
        total += term
    return total


# ── through the form of the ansatz ────────────────────────────────────────────────────────────────────────────────────


class Jets:
    """Symbols for the derivatives of named functions, made on demand: `n`, `n_x`, `g_xx`.

    `total(expr, i)` is the total derivative D_i = ∂_i + Σ w_{β+e_i} ∂/∂w_β over all jet symbols w_β (Olver 1993, §2.3);
    `known` gives those derivatives that are numbers (zero, mostly), for which no symbol is made.
    """

    def __init__(self, inputs: Sequence[Symbol], known: Callable[[str, MultiIndex], Expr | None]) -> None:
        self.inputs = tuple(inputs)
        self.known = known
        self.symbols: dict[tuple[str, Channel], Symbol] = {}
        self._meaning: dict[Symbol, tuple[str, MultiIndex]] = {}

    def __call__(self, function: str, channel: Channel) -> Expr:
        """The symbol of one derivative of a function, or the number that it is known to be."""
        if (function, channel) in self.symbols:
            return self.symbols[function, channel]
        if not isinstance(channel, Laplacian):
            number = self.known(function, channel)
            if number is not None:
                return number
        index = "lap" if isinstance(channel, Laplacian) else "".join(map(str, channel))
        symbol = self.symbols[function, channel] = Symbol(f"{function}:{index}", real=True)
        if not isinstance(channel, Laplacian):
            self._meaning[symbol] = (function, channel)
        return symbol

    def total(self, expr: Expr, i: int) -> Expr:
        """The total derivative by one input."""
        result = expr.diff(self.inputs[i])
        for symbol in sorted(expr.free_symbols & self._meaning.keys(), key=lambda s: s.name):
            function, beta = self._meaning[symbol]
            raised = (*beta[:i], beta[i] + 1, *beta[i + 1 :])
            result += expr.diff(symbol) * self(function, raised)
        return result

    def derivative(self, expr: Expr, channel: Channel, network: str) -> Expr:
        """A channel of an expression in jet symbols; in the Laplacian, that of `network` is one symbol of its own."""
        if isinstance(channel, Laplacian):
            return self._laplacian(expr, channel, network)
        for i, times in enumerate(channel):
            for _ in range(times):
                expr = self.total(expr, i)
        return expr

    def _laplacian(self, expr: Expr, channel: Laplacian, network: str) -> Expr:
        d = len(self.inputs)
        total = sum((self.total(self.total(expr, i), i) for i in channel.over), S.Zero)
        seconds = {self(network, unit(i, d, 2)): S.Zero for i in channel.over}
        return total.xreplace(seconds) + expr.diff(self(network, (0,) * d)) * self(network, channel)

    def used(self, expressions: Iterable[Expr], function: str) -> tuple[Channel, ...]:
        """The channels of one function that occur in the expressions, sorted."""
        present = set().union(*(e.free_symbols for e in expressions))
        return tuple(sorted((c for (f, c), s in self.symbols.items() if f == function and s in present), key=sort_key))
