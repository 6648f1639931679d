"""Derivatives of a network by hand: nested `autograd.grad`, `is_grads_batched`, and nested `torch.func`.

This is what people write, and what emitted scripts are measured against.  On a tape, a field is its values at the
points; ∇f is one backward pass, and ∂ᵢ(∇f)ᵢ one more for each wanted i.  With `torch.func`, a field is a function, and
nested forward mode takes derivatives along a coordinate: jvp gives (f, ∂f), jvp of that (f, ∂f, ∂f, ∂²f), and so on
(Griewank & Walther, Evaluating Derivatives, 2008, ch. 3 and 13).  Each computes only what a residual needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

Layers = Sequence[tuple[Tensor, Tensor]]
Function = Callable[[Tensor], Tensor]


def mlp(layers: Layers, z: Tensor) -> Tensor:
    """A tanh network: (n, d) to (n, outputs)."""
    for weight, bias in layers[:-1]:
        z = torch.tanh(linear(z, weight, bias))
    return linear(z, *layers[-1])


# ── on a tape ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Tape:
    """Derivatives by `torch.autograd.grad`: one pass for each component, or all of them in one batched pass."""

    batched: bool = False

    def gradients(self, values: Tensor, z: Tensor) -> list[Tensor]:
        """∇ of each column of (n, m): m gradients (n, d)."""
        m = values.shape[1]
        if m == 1 or not self.batched:
            return [_pullback(values[:, k].sum(), z) for k in range(m)]
        basis = torch.eye(m, dtype=z.dtype)[:, None, :].expand(m, *values.shape)
        return list(_pullback(values, z, basis))

    def diagonal(self, gradient: Tensor, z: Tensor, axes: Sequence[int]) -> Tensor:
        """∂ᵢ of the i-th column of (n, d), for the wanted i: (n, axes)."""
        if len(axes) == 1 or not self.batched:
            return torch.stack([_pullback(gradient[:, i].sum(), z)[:, i] for i in axes], 1)
        chosen = torch.eye(z.shape[1], dtype=z.dtype)[list(axes)]
        hessian = _pullback(gradient, z, chosen[:, None, :].expand(len(axes), *z.shape))
        return torch.stack([hessian[k, :, i] for k, i in enumerate(axes)], 1)

    def laplacian(self, values: Tensor, z: Tensor) -> Tensor:
        """Δ of (n,)."""
        (gradient,) = self.gradients(values[:, None], z)
        return self.diagonal(gradient, z, range(z.shape[1])).sum(1)


def _pullback(values: Tensor, z: Tensor, cotangents: Tensor | None = None) -> Tensor:
    (found,) = torch.autograd.grad(values, z, cotangents, create_graph=True, is_grads_batched=cotangents is not None)
    return found


# ── torch.func ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Forward:
    """Derivatives along coordinates by nested `torch.func.jvp`, one after the other or all in one `vmap`."""

    batched: bool = False

    def along(self, f: Function, z: Tensor, axes: Sequence[int], order: int) -> list[Tensor]:
        """f, ∂ᵢf, …, ∂ᵢᵒʳᵈᵉʳ f for the wanted i, each (axes, *f); `f` itself is repeated for each axis."""
        basis = torch.eye(z.shape[1], dtype=z.dtype)[list(axes)]
        if self.batched and len(axes) > 1:
            return list(torch.func.vmap(lambda e: tuple(taylor(f, z, e, order)))(basis))
        return [torch.stack(each) for each in zip(*(taylor(f, z, e, order) for e in basis), strict=True)]


def taylor(f: Function, z: Tensor, direction: Tensor, order: int) -> list[Tensor]:
    """f and its derivatives along a direction, up to an order, each like f(z)."""

    def nest(k: int) -> Callable[[Tensor], tuple[Tensor, ...]]:
        if k == 0:
            return lambda y: (f(y),)

        def lifted(y: Tensor) -> tuple[Tensor, ...]:
            below, above = torch.func.jvp(nest(k - 1), (y,), (direction.expand_as(y),))
            return (*below, above[-1])

        return lifted

    return list(nest(order)(z))


@dataclass(frozen=True, slots=True)
class ForwardOverReverse:
    """Second derivatives of scalars by `jvp` of `grad`, all coordinates in one `vmap`."""

    def along(self, f: Function, z: Tensor, axes: Sequence[int], order: int) -> list[Tensor]:
        """As `Forward.along`, for `order` at most 2."""
        if order > 2:
            raise ValueError(f"jvp of grad has no order {order}")
        values = f(z)
        columns = [values] if values.dim() == 1 else list(values.unbind(1))
        each = [self._column(f if values.dim() == 1 else _column(f, k), z, axes) for k in range(len(columns))]
        first, second = (torch.stack(parts, -1) for parts in zip(*each, strict=True))
        shape = len(axes), *values.shape
        return [values.expand(shape), first.reshape(shape), second.reshape(shape)][: order + 1]

    def _column(self, f: Function, z: Tensor, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
        gradient = torch.func.grad(lambda y: f(y).sum())
        basis = torch.eye(z.shape[1], dtype=z.dtype)[list(axes)]

        def one(e: Tensor) -> tuple[Tensor, Tensor]:
            slope, bend = torch.func.jvp(gradient, (z,), (e.expand_as(z),))
            return slope @ e, bend @ e

        first, second = torch.func.vmap(one)(basis)
        return first, second


def _column(f: Function, k: int) -> Function:
    return lambda y: f(y)[:, k]


# ── a forward Laplacian ───────────────────────────────────────────────────────────────────────────────────────────────


def forward_laplacian(layers: Layers, z: Tensor) -> Tensor:
    """Δ of a network with one output: u, d tangents and Δu in one sweep (Li et al., Nat. Mach. Intell. 2024)."""
    (weight, bias), *hidden, (last, _) = layers
    h, tangents, curved = linear(z, weight, bias), weight.T[:, None, :], torch.zeros((), dtype=z.dtype)
    for weight, bias in hidden:
        a = torch.tanh(h)
        slope = 1 - a.square()
        curved = slope * curved - 2 * a * slope * tangents.square().sum(0)
        tangents = slope * tangents
        h, tangents, curved = linear(a, weight, bias), tangents @ weight.T, curved @ weight.T
    a = torch.tanh(h)
    slope = 1 - a.square()
    curved = slope * curved - 2 * a * slope * tangents.square().sum(0)
    return (curved @ last.T).squeeze(-1)


Variant = Tape | Forward | ForwardOverReverse

VARIANTS: Mapping[str, Variant] = {
    "grad": Tape(),
    "grad batched": Tape(batched=True),
    "jvp of jvp": Forward(),
    "jvp of jvp, vmap": Forward(batched=True),
    "jvp of grad, vmap": ForwardOverReverse(),
}
"""The hand-written variants; the fastest of them is "nested"."""
