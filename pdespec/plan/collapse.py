"""Second derivatives that an equation reads only as their sum are one channel, the Laplacian.

R depends on u_xx, u_yy, … through u_xx + u_yy + … alone where ∂R/∂u_xx = ∂R/∂u_yy = …; a network then carries one
channel of second order instead of one for each coordinate: Δf(h) = f′ Δh + f″ |∇h|² needs first derivatives only.
Source: Li et al. 2023, "Forward Laplacian".
"""

from __future__ import annotations

from collections import defaultdict

from sympy import Add, Expr, Mul, Pow, S, Symbol

from pdespec.model.terms import flat
from pdespec.model.vectors import Lap
from pdespec.plan.plan import Channel, Laplacian
from pdespec.plan.values import is_value, split


def written_laplacians(term: Expr, point: tuple[Expr, ...]) -> tuple[Expr, tuple[Channel, ...]]:
    """A term whose Δu are their channels wherever nothing differentiates them further, and those channels.

    In a hundred coordinates this saves writing out a hundred second derivatives in order to add them again.
    """
    if isinstance(term, Lap) and is_value(term.operand):
        value, component = split(term.operand)
        places = tuple(sorted(point.index(x) for x in flat(term.variables) if x in point))
        here = not any(value.orders) and flat(value.point) == point and not (value.field.shape and component is None)
        if here and len(places) == len(flat(term.variables)) > 1:
            laplacian = Channel(value.field, component, Laplacian(places))
            return laplacian.of(point), (laplacian,)
    if isinstance(term, (Add, Mul, Pow)):
        parts = [written_laplacians(a, point) for a in term.args]
        found = tuple(dict.fromkeys(c for _, more in parts for c in more))
        return (term.func(*(a for a, _ in parts)), found) if found else (term, ())
    return term, ()


def slope_by(channel: Channel, component: Expr, point: tuple[Expr, ...]) -> Expr:
    """∂R/∂c of a residual R by one of its channels."""
    atom, symbol = channel.of(point), Symbol("_c", real=True)
    return component.xreplace({atom: symbol}).diff(symbol).xreplace({symbol: atom})


def collapse(
    components: tuple[Expr, ...], channels: tuple[Channel, ...], point: tuple[Expr, ...]
) -> tuple[tuple[Expr, ...], tuple[Channel, ...]]:
    """Residuals in terms of Laplacians wherever they read partial derivatives as a sum alone, and their channels."""
    groups: dict[tuple[object, ...], list[Channel]] = defaultdict(list)
    for c in channels:
        if isinstance(c.orders, tuple) and c.order == 2 and max(c.orders) == 2:
            slopes = tuple(slope_by(c, e, point).expand() for e in components)
            groups[c.field, c.component, slopes].append(c)
    sums: dict[Expr, Expr] = {}
    left = list(channels)
    for parts in groups.values():
        if len(parts) > 1:
            over = tuple(sorted(c.orders.index(2) for c in parts if isinstance(c.orders, tuple)))
            laplacian = Channel(parts[0].field, parts[0].component, Laplacian(over))
            sums |= {c.of(point): S.Zero for c in parts} | {parts[0].of(point): laplacian.of(point)}
            left = [*(c for c in left if c not in parts), laplacian]
    return tuple(e.xreplace(sums) for e in components), tuple(left)
