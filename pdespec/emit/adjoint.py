"""The adjoint of a jet's way through an activation.

Forwards, every channel of f(h) is a polynomial F_α in f, f′, f″, … at h and in the channels of h. Backwards, with ḡ_α
the cotangent of F_α (the derivative of a loss by it),
    h̄_β = Σ_α ḡ_α ∂F_α/∂(∂^β h)   for β ≠ 0,        h̄ = Σ_k f^{(k+1)} Σ_α ḡ_α ∂F_α/∂f^{(k)}.
Both sums follow from F_α by differentiation, so every channel that has a forward rule has its adjoint.
Source: Griewank & Walther 2008, §3.2 (reverse accumulation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Expr, S, Symbol

from pdespec.emit.channels import Channel, through_activation

FORMAL = tuple(Symbol(f"f{k}", real=True) for k in range(6))
"""f, f′, f″, … at h before they have names."""


def adjoint_of_activation(
    carried: Sequence[Channel], inner: Mapping[Channel, Expr], bars: Mapping[Channel, Expr], outer: Sequence[Expr]
) -> dict[Channel, Expr]:
    """The cotangent of every channel of h; the value, the first of `carried`, stands for h itself.

    `inner` holds the channels of h that are not zero, each a symbol, `bars` the cotangents of the channels of f(h), and
    `outer` f, f′, … at h, one more than the highest order of a channel.
    """
    value = carried[0]
    forms = {c: FORMAL[0] if c == value else through_activation(c, inner, FORMAL) for c in carried if c in bars}
    slope = S.Zero
    for k in range(len(outer) - 1):
        slope += FORMAL[k + 1] * sum((bars[c] * form.diff(FORMAL[k]) for c, form in forms.items()), S.Zero)
    found: dict[Channel, Expr] = {value: slope}
    for channel in carried[1:]:
        if channel in inner:
            found[channel] = sum((bars[c] * form.diff(inner[channel]) for c, form in forms.items()), S.Zero)
    names = dict(zip(FORMAL, outer, strict=False))
    return {c: e.xreplace(names) for c, e in found.items()}
