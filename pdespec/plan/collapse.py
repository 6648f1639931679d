"""Second derivatives that an equation reads only as their sum are one channel, the Laplacian.

R depends on u_xx, u_yy, … through u_xx + u_yy + … alone where ∂R/∂u_xx = ∂R/∂u_yy = …; a network then carries one
channel of second order instead of one for each coordinate: Δf(h) = f′ Δh + f″ |∇h|² needs first derivatives only.
Source: Li et al. 2023, "Forward Laplacian".
"""

from __future__ import annotations

from collections import defaultdict

from sympy import Expr, S, Symbol

from pdespec.plan.plan import Channel, Laplacian


def slope_by(channel: Channel, component: Expr, point: tuple[Expr, ...]) -> Expr:
    """∂R/∂c of a residual R by one of its channels."""
    atom, symbol = channel.of(point), Symbol("_c", real=True)
    return component.xreplace({atom: symbol}).diff(symbol).xreplace({symbol: atom})


def collapse(
    components: tuple[Expr, ...], channels: tuple[Channel, ...], point: tuple[Expr, ...]
) -> tuple[tuple[Expr, ...], tuple[Channel, ...]]:
    """The residuals in terms of Laplacians wherever they read nothing else, and the channels that are left."""
    groups: dict[tuple[object, ...], list[Channel]] = defaultdict(list)
    for c in channels:
        if isinstance(c.orders, tuple) and c.order == 2 and max(c.orders) == 2:
            slopes = tuple(slope_by(c, e, point).expand() for e in components)
            groups[c.field, c.component, slopes].append(c)
    for parts in groups.values():
        if len(parts) > 1:
            over = tuple(sorted(c.orders.index(2) for c in parts if isinstance(c.orders, tuple)))
            laplacian = Channel(parts[0].field, parts[0].component, Laplacian(over))
            channels = (*(c for c in channels if c not in parts), laplacian)
    return with_laplacians(components, channels, point), channels


def with_laplacians(
    components: tuple[Expr, ...], channels: tuple[Channel, ...], point: tuple[Expr, ...]
) -> tuple[Expr, ...]:
    """Residuals in terms of those channels that are Laplacians, given that they depend on the sums alone."""
    sums: dict[Expr, Expr] = {}
    for c in channels:
        if isinstance(c.orders, Laplacian):
            parts = [
                Channel(c.field, c.component, tuple(2 * (k == i) for k in range(len(point)))) for i in c.orders.over
            ]
            sums |= {part.of(point): S.Zero for part in parts} | {parts[0].of(point): c.of(point)}
    return tuple(e.xreplace(sums) for e in components)
