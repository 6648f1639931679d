"""Equations that hold at points, solved for the coefficients c of an expansion by (Gauss–Newton) least squares.

Each equation b gives a residual r_b(c) at its n_b points and the rows J_b = ∂r_b/∂c. Least is Σ_b s_b² |r_b(c)|²/n_b;
s_b is the equation's importance over the root mean square of J_b's entries, so an operator's order and units cancel.
Linear equations take one step from c = 0; nonlinear ones take several, each halved until the sum falls. A step solves
min |A d + r|² + ε²|d|², the columns of A normalised, by one QR of [A r; εI] (Golub & Van Loan 2013, §5.3, §6.1). With ε
16 units of roundoff, about 4·10⁻¹⁵, the damping is near A's own rounding, yet keeps the triangle regular: the accuracy
of an SVD truncated there at a fraction of its cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Rows = dict[str, tuple[Tensor, Tensor]]
"""For each equation's label: its residual (n,) and the rows ∂residual/∂c (n, K)."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients, the weighted residual at the start and after each step, and the last system's numerical rank."""

    coefficients: Tensor
    history: tuple[float, ...]
    rank: int


def row_scales(rows: Rows, importance: Mapping[str, float]) -> dict[str, float]:
    """s_b = importance_b / rms(J_b): 1 for an equation in the interior, about 10 for a condition."""
    sizes = {label: jacobian.square().mean().sqrt().item() for label, (_, jacobian) in rows.items()}
    for label, size in sizes.items():
        if not 0 < size < math.inf:
            raise FloatingPointError(f"{label}: the rows of this equation have size {size}")
    return {label: importance[label] / size for label, size in sizes.items()}


def weighted_residual(rows: Rows, scales: Mapping[str, float]) -> float:
    """(Σ_b s_b² mean r_b²)^½."""
    return math.sqrt(sum(scales[label] ** 2 * residual.square().mean().item() for label, (residual, _) in rows.items()))


def damped_step(rows: Rows, scales: Mapping[str, float]) -> tuple[Tensor, int]:
    """The least-squares step d (K,) and the number of pivots above 10⁻¹³ of the largest.

    Conditions, whose rows are the heaviest, come first, as the row-wise stability of Householder's QR wants it.
    """
    factor = {label: scales[label] / math.sqrt(len(residual)) for label, (residual, _) in rows.items()}
    order = sorted(rows, key=lambda label: -(factor[label] * rows[label][1]).abs().max().item())
    matrix = torch.cat([factor[label] * rows[label][1] for label in order])
    target = torch.cat([-factor[label] * rows[label][0] for label in order])
    columns = matrix.norm(dim=0)
    columns = columns.where(columns > 0, torch.ones_like(columns))  # a feature that enters no equation stays at 0
    count = matrix.shape[1]
    small = 16 * torch.finfo(matrix.dtype).eps
    damping = small * torch.eye(count, count + 1, dtype=matrix.dtype, device=matrix.device)
    system = torch.cat([torch.cat([matrix / columns, target[:, None]], dim=1), damping])
    triangle = torch.linalg.qr(system, mode="r").R[:count]
    solution = torch.linalg.solve_triangular(triangle[:, :count], triangle[:, count:], upper=True)[:, 0]
    pivots = triangle.diagonal().abs()
    return solution / columns, int((pivots > 1e-13 * pivots.max()).sum())


def gauss_newton(
    equations: Callable[[Tensor], Rows],
    start: Tensor,
    scales: Mapping[str, float],
    steps: int = 1,
    tolerance: float = 0.1,
) -> Fit:
    """Up to `steps` damped steps from `start`; ends when a whole step lowers the residual by less than `tolerance`."""
    coefficients, rows, rank = start, equations(start), 0
    history = [weighted_residual(rows, scales)]
    for _ in range(steps):
        direction, rank = damped_step(rows, scales)
        for halving in range(12):
            trial = coefficients + direction / 2**halving
            trial_rows = equations(trial)
            residual = weighted_residual(trial_rows, scales)
            if residual < history[-1]:
                coefficients, rows = trial, trial_rows
                history.append(residual)
                break
        else:
            break
        if halving == 0 and residual > (1 - tolerance) * history[-2]:
            break
    if not math.isfinite(history[-1]):
        raise FloatingPointError("the residual at the start is not finite")
    return Fit(coefficients, tuple(history), rank)


def search_scale(
    held_out: Callable[[tuple[float, ...]], float],
    dimension: int,
    ladder: Sequence[float] = (0.375, 0.75, 1.5, 3.0, 6.0),
    log: Callable[[tuple[float, ...], float], None] = lambda scale, residual: None,
) -> tuple[float, ...]:
    """The features' scale (one number per coordinate) with the least residual at points outside the fit.

    First a common scale from the ladder; then, one coordinate after the other, doubled or halved while the residual
    falls by a tenth or more.
    """

    def tried(scale: tuple[float, ...]) -> float:
        residual = held_out(scale)
        log(scale, residual)
        return residual

    least, best = min((tried((scale,) * dimension), (scale,) * dimension) for scale in ladder)
    for axis in range(dimension if dimension > 1 else 0):
        for factor in (2.0, 0.5):
            while True:
                scale = (*best[:axis], best[axis] * factor, *best[axis + 1 :])
                residual = tried(scale)
                if not residual < 0.9 * least:
                    break
                least, best = residual, scale
    return best
