"""The box that stands for R^d where an integrand or an invariant density decays.

A weight w ≥ 0 fixes the smallest box whose complement has less than 10⁻¹⁰ of ∫w: along each axis the marginal of w is
summed on a grid that grows until its ends carry nothing, and cut where each tail holds 10⁻¹⁰/2d.
"""

from __future__ import annotations

import numpy as np
from sympy import Expr, Float, Symbol, log

from pdespec.derive.components import scalar
from pdespec.derive.derivation import Residual
from pdespec.model.fields import FieldValue
from pdespec.model.model import Model, Solve
from pdespec.model.refusal import refuse
from pdespec.model.sets import (
    Boundary,
    Difference,
    Interval,
    Named,
    Product,
    RealSpace,
    Set,
    Sublevel,
    Union,
    plain,
)
from pdespec.model.terms import shape
from pdespec.plan.evaluate import evaluate, parameter_values

LEAK = 1e-10
CELLS = {1: 4000, 2: 400, 3: 80}

Box = tuple[tuple[float, float], ...]


def box_of(weight: Expr, variables: tuple[Expr, ...], model: Model) -> Box:
    """The smallest box outside which the weight has less than 10⁻¹⁰ of its integral."""
    d = len(variables)
    if d not in CELLS:
        refuse(
            "PDE946",
            None,
            f"a box for an unbounded domain is found only up to dimension 3, not {d}",
            hint="give box= in `using`",
        )
    term, constants, half = scalar(weight), parameter_values(model), 1.0
    while half < 2**20:
        axis = (np.arange(CELLS[d]) + 0.5) / CELLS[d] * 2 * half - half
        mesh = np.meshgrid(*[axis] * d, indexing="ij")
        with np.errstate(all="ignore"):  # a weight that overflows or vanishes has tails that are not finite
            values = np.broadcast_to(
                evaluate(term, {**constants, **dict(zip(variables, mesh, strict=True))}), mesh[0].shape
            )
            marginals = [values.sum(axis=tuple(k for k in range(d) if k != j)) for j in range(d)]
            tails = [max(m[: len(m) // 8].sum(), m[-len(m) // 8 :].sum()) / m.sum() for m in marginals]
        if np.isfinite(tails).all() and max(tails) < LEAK / (4 * d):
            return tuple(_cut(m, axis, half, d) for m in marginals)
        half *= 2
    refuse(
        "PDE947",
        None,
        "the weight does not decay: no box holds all but 1e-10 of it",
        hint="give box= in `using`",
    )


def _cut(marginal: np.ndarray, axis: np.ndarray, half: float, d: int) -> tuple[float, float]:
    """The ends at which each tail holds LEAK/2d, rounded outward to two digits."""
    share = np.cumsum(marginal) / marginal.sum()
    if marginal.min() < 0:
        refuse("PDE947", None, "the weight has negative values: no box holds its mass", hint="give box= in `using`")
    h = axis[1] - axis[0]
    low = axis[np.searchsorted(share, LEAK / (2 * d))] - h / 2
    back = np.cumsum(marginal[::-1]) / marginal.sum()
    high = axis[len(axis) - 1 - np.searchsorted(back, LEAK / (2 * d))] + h / 2
    step = 10.0 ** np.floor(np.log10(max(abs(low), abs(high))) - 1)
    return float(round(np.floor(low / step) * step, 12)), float(round(np.ceil(high / step) * step, 12))


def given_box(solve: Solve, dimension: int) -> tuple[tuple[Expr, Expr], ...] | None:
    """The sides of the `box=` in `using`, by coordinate."""
    given = solve.method.option("box") if solve.method else None
    if not isinstance(given, Set):
        return None
    sides = [plain(f) for f in plain(given).factors]
    intervals = tuple((s.lo, s.hi) for s in sides if isinstance(s, Interval))
    if len(intervals) != len(sides) or len(sides) != dimension:
        message = f"`box={given}` is no box in dimension {dimension}"
        refuse("PDE529", solve.method_span, message, hint="box=[-5, 5]^2, say")
    return intervals


def within(region: Set, box: Box) -> Set:
    """The region with its R^d replaced by the box, which keeps the name R^d."""
    match region:
        case Named(name=name, value=value):
            return Named(name, within(value, box))
        case RealSpace():
            sides = tuple(Interval(Float(a), Float(b)) for a, b in box)
            return Named(str(region), sides[0] if len(sides) == 1 else Product(sides))
        case Sublevel(within=base, variables=variables, condition=condition):
            return Sublevel(within(base, box), variables, condition)
        case Difference(whole=whole, hole=hole):
            return Difference(within(whole, box), within(hole, box))
        case Union(parts=parts):
            return Union(tuple(within(p, box) for p in parts))
        case Boundary(of=of):
            return Boundary(within(of, box))
        case Product(parts=parts):
            return Product(tuple(within(p, box) for p in parts))
    return region


def shown(box: Box) -> str:
    """A box as a person writes it."""
    return " × ".join(f"[{a:g}, {b:g}]" for a, b in box)


def unbounded(region: Set) -> bool:
    """Whether points of the region cannot be drawn without a box."""
    return not plain(region).bounded


def invariant_weight(residual: Residual, point: tuple[Expr, ...], model: Model) -> Expr | None:
    """The definition w of the spec with b = D ∇ ln w for an equation D Δu + b·∇u + … = 0: its operator is symmetric in
    L²(w)."""
    (f,), (expr,) = residual.fields[:1], residual.components[:1]
    unit = [tuple(int(j == k) for j in range(len(point))) for k in range(len(point))]
    slope = [_coefficient(expr, FieldValue(f, o, *point)) for o in unit]
    second = {_coefficient(expr, FieldValue(f, tuple(2 * k for k in o), *point)) for o in unit}
    if len(second) != 1 or (diffusion := second.pop()) == 0:
        return None
    for definition in model.definitions:
        if definition.term is None or shape(definition.term):
            continue
        w = scalar(definition.term)
        if not w.free_symbols & set(point):
            continue
        if all((b - diffusion * log(w).diff(x)).expand() == 0 for b, x in zip(slope, point, strict=True)):
            return w
    return None


def _coefficient(expr: Expr, atom: Expr) -> Expr:
    symbol = Symbol("_c", real=True)
    return expr.xreplace({atom: symbol}).diff(symbol)
