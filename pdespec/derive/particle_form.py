"""What a flow of a density does to a particle: dx = b dt + √(2c) dW, and d ln w = s dt for its weight.

An integral against the density is the mean over the particles, ∫ p(φ) f(θ, φ) dφ ↦ 1/n Σⱼ f(θᵢ, θⱼ) (Sznitman,
Topics in propagation of chaos, 1991).  A drift that needs the density's value at the particle has no such form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr, Mul, Symbol, sqrt

from pdespec.derive.derivation import Flow
from pdespec.derive.gradient import gradient
from pdespec.derive.resolve import rewritten, slots
from pdespec.derive.tensors import ParticleMean
from pdespec.model.bindings import Defined, Expect, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.substitution import substitute
from pdespec.model.terms import Parameter, VectorVariable, shape, variable
from pdespec.model.vectors import Grad, Vec


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion of the particle `point`: dx = drift dt + noise dW; zero where there is none."""

    point: Any
    drift: Expr
    noise: Expr


def needs_density(flow: Flow) -> bool:
    """Whether the density's value at the particle's own point, or a derivative of it, stands in the velocity."""
    velocity = flow.velocity
    if flow.pressure is not None or velocity is None:
        return True
    return any(v.field == flow.field and _bare(v, velocity) for v in velocity.atoms(FieldValue))


def motion(flow: Flow) -> Motion:
    """The motion of one particle of a flow that needs no density."""
    assert flow.velocity is not None
    points = slots(flow.field)[:-1]  # the last one is time
    velocity, noise = rewritten(flow.velocity, {Grad: _explicit}), sqrt(2 * flow.diffusion)
    if not flow.velocity.has(Integrate):
        return Motion(_together(points), velocity, noise)
    here = _renamed(points, "ᵢ")
    return Motion(_together(here), substitute(_as_means(velocity, flow), dict(zip(points, here, strict=True))), noise)


def _together(points: tuple[Any, ...]) -> Any:
    return points[0] if len(points) == 1 else Vec(*points)


def _bare(v: FieldValue, velocity: Expr) -> bool:
    own = [s for s in v.point if isinstance(s, (Symbol, VectorVariable))]
    return bool(own) and not any(s in n.variables for n in velocity.atoms(Integrate) for s in own)


def _explicit(node: Grad) -> Expr:
    """∇(x²/2) written as x; what has a name keeps it."""
    if node.operand.has(Defined, FieldValue, Integrate, Expect) or shape(node.operand) or len(node.variables) != 1:
        return node
    return gradient(node.operand, node.variables[0])


def _as_means(term: Any, flow: Flow) -> Any:
    coefficient = Mul(*(f for f in Mul.make_args(term) if _is_constant(f)))
    mean = _mean(term / coefficient, coefficient, flow)
    if mean is not None:
        return mean
    if not term.args or not term.has(Integrate):
        return term
    return term.func(*(_as_means(a, flow) if isinstance(a, Expr) else a for a in term.args))


def _is_constant(f: Expr) -> bool:
    """A number, a parameter or a power of parameters."""
    return (
        f.is_number or isinstance(f, Parameter) or (f.is_Pow and all(isinstance(s, Parameter) for s in f.free_symbols))
    )


def _mean(term: Expr, coefficient: Expr, flow: Flow) -> Expr | None:
    if not isinstance(term, Integrate):
        return None
    factors = Mul.make_args(term.body)
    weight = [f for f in factors if isinstance(f, FieldValue) and f.field == flow.field]
    if len(weight) != 1 or any(weight[0].orders) or set(weight[0].point[:-1]) != set(term.variables):
        return None
    there = dict(zip(weight[0].point, _renamed(slots(flow.field)[:-1], "ⱼ"), strict=False))
    number, rest = substitute(Mul(*(f for f in factors if f is not weight[0])), there).as_coeff_Mul()
    share = coefficient * number
    return -ParticleMean(rest, -share) if share.could_extract_minus_sign() else ParticleMean(rest, share)


def _renamed(points: tuple[Any, ...], mark: str) -> tuple[Any, ...]:
    return tuple(variable(x.name + mark, getattr(x, "dimension", 1)) for x in points)
