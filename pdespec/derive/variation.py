"""The first variation of a functional, by reverse-mode differentiation in function space.

Walk the functional with a cotangent w (1 at the root) and the groups of integration points.  A pointwise g(a…) passes
w ∂g/∂aᵢ on; ∫ dy adds a group; ∂, ∇, ∇·, ∇× pass their adjoints on and, over the boundary of the group, their flux.  A
leaf u(y) gives δF/δu(z) += ∫ over the other groups of w with y → z; on a boundary it gives a natural condition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Add, Basic, Expr, Mul, Pow, S, log

from pdespec.derive import calculus
from pdespec.derive.calculus import depends, slope
from pdespec.derive.deadline import tick
from pdespec.derive.leaf import BoundaryTerm, Domain, FirstVariation, Scope, Walk, transported
from pdespec.derive.scope import Group, NoVariation
from pdespec.derive.tensors import Frobenius, Outer, Transpose, contract, transpose
from pdespec.model.bindings import Defined, Expect, IndexedProduct, IndexedSum, Integrate
from pdespec.model.fields import Field, FieldValue
from pdespec.model.substitution import fresh, substitute, summands, unfold
from pdespec.model.terms import Term, shape
from pdespec.model.vectors import Component, Cross, Curl, Div, Dot, Grad, Hess, Lap, Partial, Vec, VectorOperator


def variation(functional: Expr, u: Field, point: tuple[Expr, ...], domain: Domain = ()) -> FirstVariation:
    """δF/δu at a point given slot by slot; raises `NoVariation`.  Without a domain every integral covers all of it."""
    if shape(functional):
        raise NoVariation("PDE410", "a functional is a number, not a vector")
    walk = Walk(u, point, domain)
    push(walk, functional, S.One, ())
    return FirstVariation(Add(*walk.interior), tuple(walk.boundary))


def push(walk: Walk, term: Expr, w: Expr, scope: Scope) -> None:
    """Pass the cotangent w of a term on to the leaves."""
    if w == 0 or not term.has(walk.field):
        return
    tick()
    rule = _RULES.get(type(term))
    if rule is None and isinstance(term, Term):
        raise NoVariation("PDE910", f"no rule to differentiate a functional through {type(term).__name__}")
    (rule or _function)(walk, term, w, scope)


# ── pointwise rules ───────────────────────────────────────────────────────────────────────────────────────────────────


def _add(walk: Walk, term: Expr, w: Expr, scope: Scope) -> None:
    for a in term.args:
        push(walk, a, w, scope)


def _mul(walk: Walk, term: Expr, w: Expr, scope: Scope) -> None:
    for k, a in enumerate(term.args):
        rest = Mul(*term.args[:k], *term.args[k + 1 :])
        push(walk, a, w * rest if shape(a) or not shape(rest) else contract(w, rest), scope)


def _pow(walk: Walk, term: Expr, w: Expr, scope: Scope) -> None:
    base, exponent = term.args
    push(walk, base, w * exponent * base ** (exponent - 1), scope)
    push(walk, exponent, w * term * log(base), scope)


def _function(walk: Walk, term: Expr, w: Expr, scope: Scope) -> None:
    for k, a in enumerate(term.args):
        push(walk, a, w * slope(term, k), scope)


def _vec(walk: Walk, term: Vec, w: Expr, scope: Scope) -> None:
    for k, a in enumerate(term.args, 1):
        push(walk, a, calculus.component(w, k), scope)


def _component(walk: Walk, term: Component, w: Expr, scope: Scope) -> None:
    vector, index = term.args
    if not index.is_Integer:
        raise NoVariation("PDE911", "a component whose index is a sum's")
    push(walk, vector, calculus.unit(int(index), shape(vector)[0], w), scope)


def _dot(walk: Walk, term: Dot, w: Expr, scope: Scope) -> None:
    a, b = term.args
    ranks = len(shape(a)), len(shape(b))
    if ranks == (1, 1):
        if a == b:
            push(walk, a, 2 * w * a, scope)
            return
        push(walk, a, w * b, scope)
        push(walk, b, w * a, scope)
    elif ranks == (2, 1):
        push(walk, a, Outer(w, b), scope)
        push(walk, b, Dot(w, a), scope)
    elif ranks == (1, 2):
        push(walk, a, Dot(b, w), scope)
        push(walk, b, Outer(a, w), scope)
    else:
        push(walk, a, Dot(w, transpose(b)), scope)
        push(walk, b, Dot(transpose(a), w), scope)


def _cross(walk: Walk, term: Cross, w: Expr, scope: Scope) -> None:
    a, b = term.args
    push(walk, a, Cross(b, w), scope)
    push(walk, b, Cross(w, a), scope)


def _frobenius(walk: Walk, term: Frobenius, w: Expr, scope: Scope) -> None:
    a, b = term.args
    push(walk, a, w * b, scope)
    push(walk, b, w * a, scope)


def _outer(walk: Walk, term: Outer, w: Expr, scope: Scope) -> None:
    a, b = term.args
    push(walk, a, Dot(w, b), scope)
    push(walk, b, Dot(a, w), scope)


def _transpose(walk: Walk, term: Transpose, w: Expr, scope: Scope) -> None:
    push(walk, term.args[0], transpose(w), scope)


def _defined(walk: Walk, term: Defined, w: Expr, scope: Scope) -> None:
    push(walk, unfold(term), w, scope)


def _sum(walk: Walk, term: IndexedSum, w: Expr, scope: Scope) -> None:
    if type(term) is not IndexedSum:
        push(walk, Mul(*summands(term)), w, scope)
        return
    for a in summands(term):
        push(walk, a, w, scope)


# ── integrals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _integral(walk: Walk, term: Integrate | Expect, w: Expr, scope: Scope) -> None:
    """Add a group, under names that nothing else uses."""
    law = term.law if isinstance(term, Expect) else None
    if law is not None and law.has(walk.field):
        raise NoVariation("PDE912", f"the law of an expectation depends on {walk.field}")
    group = Group(term.variables, None if law is not None else term.region, law)
    used: set[Basic] = set(w.free_symbols).union(*(x.free_symbols for x in walk.point))
    used = used.union(*(set(g.variables) for g in scope))
    names = {v: fresh(v, used | term.body.free_symbols) for v in term.variables if v in used}
    push(walk, substitute(term.body, names), w, (*scope, group.renamed(names)))


# ── derivatives ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _by_parts(
    walk: Walk,
    term: Expr,
    operand: Expr,
    w: Expr,
    scope: Scope,
    *,
    adjoint: Callable[[Expr], Expr],
    flux: Callable[[Expr, Expr], Expr],
) -> None:
    """∫ w·D f = ∫ (D*w) f + ∮ flux(w, n) f over each group that the derivative acts in."""
    variables = tuple(dict.fromkeys(term.variables))
    owners = [g for g in scope if set(g.variables) & set(variables)]
    if {v for g in owners for v in g.variables}.isdisjoint(variables) or len(
        [v for v in variables if not any(v in g.variables for g in scope)]
    ):
        raise NoVariation("PDE411", "a derivative at a fixed point has no first variation as a function")
    if any(g.surface for g in owners):
        _record(walk, term, w, scope)
        return
    for g in owners:
        if g.law is not None:
            plain_group, weight = g.weighted()
            if plain_group.region is None:
                raise NoVariation("PDE411", "a derivative at fixed points has no first variation as a function")
            w, scope = w * weight, tuple(plain_group if h is g else h for h in scope)
    push(walk, operand, adjoint(w), scope)
    for g in (g for g in scope if set(g.variables) & set(variables)):
        edge = g.boundary()
        if edge is not None:
            push(walk, operand, flux(w, g.normal(variables)), tuple(edge if h is g else h for h in scope))


def _grad(walk: Walk, term: Grad, w: Expr, scope: Scope) -> None:
    def adjoint(w: Expr) -> Expr:
        return -calculus.div(w, term.variables)

    _by_parts(walk, term, term.operand, w, scope, adjoint=adjoint, flux=lambda w, n: calculus.dot(_vector(n), w))


def _vector(n: Expr) -> Expr:
    return n if shape(n) else Vec(n)


def _div(walk: Walk, term: Div, w: Expr, scope: Scope) -> None:
    def adjoint(w: Expr) -> Expr:
        return -calculus.grad(w, term.variables)

    def flux(w: Expr, n: Expr) -> Expr:
        return Outer(_vector(n), w) if shape(w) else w * _vector(n)

    _by_parts(walk, term, term.operand, w, scope, adjoint=adjoint, flux=flux)


def _lap(walk: Walk, term: Lap, w: Expr, scope: Scope) -> None:
    """Δ = ∇·∇."""
    push(walk, Div(Grad(term.operand, *term.variables), *term.variables), w, scope)


def _hess(walk: Walk, term: Hess, w: Expr, scope: Scope) -> None:
    """The Hessian is ∇∇."""
    push(walk, Grad(Grad(term.operand, *term.variables), *term.variables), w, scope)


def _curl(walk: Walk, term: Curl, w: Expr, scope: Scope) -> None:
    """∫ w·∇×v = ∫ (∇×w)·v + ∮ (w×n)·v, and its two forms in the plane."""

    def flux(w: Expr, n: Expr) -> Expr:
        if term.dimension == 3:
            return Cross(w, n)
        if shape(term.operand):
            return w * Vec(-calculus.component(n, 2), calculus.component(n, 1))
        one, two = calculus.components(w, 2)
        return one * calculus.component(n, 2) - two * calculus.component(n, 1)

    def adjoint(w: Expr) -> Expr:
        return calculus.curl(w, term.variables)

    _by_parts(walk, term, term.operand, w, scope, adjoint=adjoint, flux=flux)


def _partial(walk: Walk, term: Partial, w: Expr, scope: Scope) -> None:
    """One derivative at a time, the last one first."""
    *rest, last = term.variables
    operand = Partial(term.operand, *rest) if rest else term.operand
    if any(g.surface and last in g.variables for g in scope):
        _record(walk, term, w, scope)
        return
    single = Partial(operand, last)

    def adjoint(w: Expr) -> Expr:
        return -calculus.partial(w, last)

    def flux(w: Expr, n: Expr) -> Expr:
        return w * n if not shape(n) else w * calculus.component(n, 1)

    _by_parts(walk, single, operand, w, scope, adjoint=adjoint, flux=flux)


# ── leaves ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _leaf(walk: Walk, term: FieldValue, w: Expr, scope: Scope) -> None:
    if term.field != walk.field:
        raise NoVariation("PDE910", f"{term.field} at a point that depends on {walk.field}")
    if term.orders:
        raise NoVariation("PDE910", "a derivative in scalar coordinates inside a functional")
    if any(x.has(walk.field) for x in term.point):
        raise NoVariation("PDE910", f"{walk.field} at a point that depends on itself")
    surface, w = transported(walk, term, w, scope)
    if surface is None:
        walk.interior.append(w)
    else:
        walk.boundary.append(BoundaryTerm(w, _at(walk), surface))


def _at(walk: Walk) -> Expr:
    return FieldValue(walk.field, (), *walk.point)


def _record(walk: Walk, term: Expr, w: Expr, scope: Scope) -> None:
    """A derivative of the field on a boundary: kept as it is, at the point z."""
    inner = term.operand
    while isinstance(inner, (Partial, VectorOperator)):
        inner = inner.operand
    if not isinstance(inner, FieldValue):
        push(walk, _by_chain_rule(term), w, scope)
        return
    surface, w = transported(walk, inner, w, scope)
    if surface is None:
        raise NoVariation("PDE916", "a derivative along a boundary that its field does not lie on")
    names = dict(zip(inner.point, walk.point, strict=True))
    walk.boundary.append(BoundaryTerm(w, substitute(term, names), surface))


def _by_chain_rule(term: Expr) -> Expr:
    """∇f(u) = f′(u) ∇u and ∇(f g) = f ∇g + g ∇f; other operators need their operand linear in the field."""
    f = term.operand
    if not isinstance(term, (Grad, Partial)) or shape(f) or isinstance(f, Term):
        raise NoVariation("PDE916", "a boundary term with higher derivatives of a nonlinear expression")

    def derived(g: Expr) -> Expr:
        if not depends(g, term.variables):
            return S.Zero
        return term.func(g, *term.variables)

    if isinstance(term, Partial) and len(term.variables) > 1:
        *rest, last = term.variables
        return Partial(_by_chain_rule(Partial(f, last)), *rest)
    if f.is_Add:
        return Add(*map(derived, f.args))
    if f.is_Mul:
        return Add(*(Mul(*f.args[:k], *f.args[k + 1 :]) * derived(a) for k, a in enumerate(f.args)))
    if f.is_Pow:
        base, exponent = f.args
        return exponent * base ** (exponent - 1) * derived(base) + f * log(base) * derived(exponent)
    return Add(*(slope(f, k) * derived(a) for k, a in enumerate(f.args)))


_RULES: dict[type, Callable[[Walk, Any, Expr, Scope], None]] = {
    Add: _add,
    Mul: _mul,
    Pow: _pow,
    FieldValue: _leaf,
    Vec: _vec,
    Component: _component,
    Dot: _dot,
    Cross: _cross,
    Frobenius: _frobenius,
    Outer: _outer,
    Transpose: _transpose,
    Defined: _defined,
    IndexedSum: _sum,
    IndexedProduct: _sum,
    Integrate: _integral,
    Expect: _integral,
    Grad: _grad,
    Div: _div,
    Lap: _lap,
    Hess: _hess,
    Curl: _curl,
    Partial: _partial,
}

__all__ = ["BoundaryTerm", "Domain", "FirstVariation", "NoVariation", "push", "variation"]
