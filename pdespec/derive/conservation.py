"""The right-hand side of ∂t p = … as flux and source, and as drift, diffusion, pressure and growth.

Σ ∇·F + q is collected from ∇·, Δ and ∂ₓ; then F = −p b + c ∇p + ∇P(p) and q = p s, so that
∂t p = −∇·(p b) + c Δp + ΔP(p) + p s.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Mul, S, exp

from pdespec.derive import calculus
from pdespec.derive.calculus import Variables, depends
from pdespec.derive.differentiate import differentiate
from pdespec.derive.spread import Part, Spread, antiderivative, spread, vector_of
from pdespec.model.bindings import Expect, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.terms import shape
from pdespec.model.vectors import Div, Dot, Grad, Lap, Partial, Vec


@dataclass(frozen=True, slots=True)
class FluxForm:
    """∇·flux + source."""

    flux: Expr
    source: Expr


def flux_form(right: Expr, space: Variables) -> FluxForm:
    """Collect what stands under a divergence in the space variables."""
    flux, source = S.Zero, S.Zero
    for t in Add.make_args(calculus.multiplied_out(right)):
        f, q = _term(t, space)
        flux, source = flux + f, source + q
    return FluxForm(flux, source)


def _term(t: Expr, space: Variables) -> tuple[Expr, Expr]:
    if t.is_Add:
        form = flux_form(t, space)
        return form.flux, form.source
    if t.is_Mul:
        constant = [a for a in t.args if not depends(a, space)]
        rest = Mul(*(a for a in t.args if a not in constant))
        if rest != t:
            f, q = _term(rest, space)
            return Mul(*constant) * f if f != 0 else f, Mul(*constant) * q
    if isinstance(t, Div) and t.variables == space:
        return _values_outside(t.operand), S.Zero
    if isinstance(t, Lap) and t.variables == space:
        return Grad(t.operand, *space), S.Zero
    if isinstance(t, Partial) and len(space) == 1 and set(t.variables) == set(space):
        order = len(t.variables)
        if order == 2:
            return Grad(t.operand, *space), S.Zero
        inner = t.operand if order == 1 else Partial(t.operand, *t.variables[1:])
        return _values_outside(vector_of(inner)), S.Zero
    return S.Zero, t


def _values_outside(v: Expr) -> Expr:
    """A vector with the values that all of its entries hold as factors in front: (x p, y p) is p (x, y)."""
    if not isinstance(v, Vec) or shape(v.args[0]):
        return v
    entries = [calculus.multiplied_out(e) for e in v.args]
    addends = [set(Mul.make_args(t)) for e in entries for t in Add.make_args(e) if t != 0]
    common = [f for f in set.intersection(*addends) if isinstance(f, FieldValue)] if addends else []
    factor = Mul(*common)
    inner = (Add(*(t / factor for t in Add.make_args(e))) for e in entries)
    return factor * Vec(*inner) if common else v


def advected(form: FluxForm, p: FieldValue, space: Variables) -> FluxForm:
    """The form with v · ∇p written as ∇·(p v) − p ∇·v where v is free of p."""
    flux, source = form.flux, S.Zero
    for t in Add.make_args(calculus.multiplied_out(form.source)):
        v = _advecting(t, p, space)
        spreading = _divergence(v, space) if v is not None else None
        if v is None or spreading is None:
            source += t
            continue
        flux, source = flux + p * v, source - p * spreading
    return FluxForm(flux, calculus.multiplied_out(source))


def _divergence(v: Expr, space: Variables) -> Expr | None:
    """∇·v where it is known as a formula."""
    if len(space) == 1 and isinstance(v, Vec) and len(v.args) == 1:
        return differentiate(v.args[0], space[0])
    found = calculus.div(v, space)
    return None if found.has(Div) else found


def _advecting(t: Expr, p: FieldValue, space: Variables) -> Expr | None:
    """v where a term is v · ∇p."""
    slope = Partial(p, *space) if len(space) == 1 and not shape(space[0]) else None
    for a in Mul.make_args(t):
        if a == slope:
            v = vector_of(t / a)
        elif isinstance(a, Dot) and Grad(p, *space) in a.args:
            (other,) = [b for b in a.args if b != Grad(p, *space)] or [None]
            v = other * (t / a) if other is not None else None
        else:
            continue
        return v if v is not None and not v.has(p) else None
    return None


@dataclass(frozen=True, slots=True)
class Transport:
    """Drift b, diffusion c, pressure P and growth s of a density, and the parts of its flux."""

    velocity: Expr
    potential: Expr | None
    diffusion: Expr
    pressure: Expr
    growth: Expr
    drifts: tuple[Part, ...]
    rules: frozenset[str]


def transport(form: FluxForm, p: FieldValue, space: Variables) -> Transport:
    """Flux and source read as a transport of p."""
    found: Spread = spread(form.flux, p)
    diffusion, pressure, drifts = S.Zero, S.Zero, []
    for part in found.parts:
        if not (isinstance(part.vector, Grad) and part.vector.operand == p):
            drifts.append(part)
            continue
        for c in Add.make_args(part.coefficient):
            primitive = None if depends(_others(c, p), space) else antiderivative(c, p)
            if not depends(c, space):
                diffusion += c
            elif primitive is not None:
                pressure += primitive
            else:
                drifts.append(Part(c, part.vector))
    drifts = [_by_mass(part, p, space) for part in drifts]
    velocity = Add(*(-part.term for part in drifts))
    growth = integrals_out(form.source / p, p, space)
    return Transport(velocity, _potential(drifts), diffusion, pressure, growth, tuple(drifts), found.rules)


def _by_mass(part: Part, p: FieldValue, space: Variables) -> Part:
    """A part of the flux over p; e^{−V} ∇e^V is ∇V."""
    coefficient = calculus.multiplied_out(part.coefficient / p)
    f = part.vector.operand if isinstance(part.vector, Grad) else S.Zero
    if isinstance(f, exp) and not depends(coefficient * f, space):
        return Part(coefficient * f, calculus.grad(f.args[0], space))
    return Part(coefficient, part.vector)


def _others(c: Expr, p: FieldValue) -> Expr:
    """The factors of a coefficient that are free of p."""
    return Mul(*(a for a in Mul.make_args(c) if not a.has(p)))


def _potential(drifts: list[Part]) -> Expr | None:
    """Φ with b = −∇Φ, where every part is a constant times a gradient."""
    total = S.Zero
    for part in drifts:
        gradient = isinstance(part.vector, Grad) and not shape(part.vector.operand)
        if not gradient or depends(part.coefficient, part.vector.variables):
            return None
        total += part.coefficient * part.vector.operand
    return total


def integrals_out(expr: Expr, p: FieldValue, space: Variables) -> Expr:
    """A source per mass, multiplied out, with ∫ (f + c) p = ∫ f p + c: constants that the mean takes away cancel."""
    found = []
    for t in Add.make_args(calculus.multiplied_out(expr)):
        factors = [_linear_integral(a, p) if isinstance(a, (Integrate, Expect)) else a for a in Mul.make_args(t)]
        found.append(calculus.multiplied_out(Mul(*factors)))
    return Add(*found)


def _linear_integral(node: Integrate | Expect, p: FieldValue) -> Expr:
    body = calculus.multiplied_out(node.body)
    found = []
    for t in Add.make_args(body):
        constant = Mul(*(a for a in Mul.make_args(t) if not depends(a, node.variables)))
        rest = t / constant
        is_mass = isinstance(rest, FieldValue) and rest.field == p.field and not rest.orders
        found.append(constant if is_mass else constant * node.func(rest, *node.args[1:]))
    return Add(*found)


def rebuilt(found: Transport, p: FieldValue, space: Variables) -> Expr:
    """The right-hand side written from its transport: ∇·(p ∇Φ) + c Δp + ΔP + p s."""
    parts = (calculus.multiplied_out(p * part.coefficient) * part.vector for part in found.drifts)
    drift = Add(*(calculus.div(part, space) for part in parts))
    spreading = found.diffusion * Lap(p, *space) if found.diffusion != 0 else S.Zero
    squeezing = calculus.lap(found.pressure, space) if found.pressure != 0 else S.Zero
    growth = p * found.growth if found.growth != 0 else S.Zero
    return drift + spreading + squeezing + growth
