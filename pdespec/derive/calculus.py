"""∇, ∇·, Δ and ∂ at vector level, linear over what is constant in their variables.

∇(c f + g) = c ∇f + ∇g, ∇·∇f = Δf, and a derivative of what does not depend on its variables is zero.  Nothing is
expanded into coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Abs, Add, Basic, Expr, Heaviside, Max, Min, Mul, Pow, S, expand_mul, expand_multinomial, sign

from pdespec.model.terms import Normal, Term, shape
from pdespec.model.vectors import Component, Curl, Div, Dot, Grad, Hess, Lap, Partial, Vec

Variables = tuple[Any, ...]
MOST_MULTIPLIED = 8
"""Higher powers of sums are kept."""


def depends(expr: Basic, variables: Variables) -> bool:
    """Whether a term depends on one of the variables."""
    return not expr.free_symbols.isdisjoint(variables)


def slope(term: Expr, k: int) -> Expr:
    """∂g/∂aₖ of a function g(a₁, …), almost everywhere: |a|′ = sign a, max(a, b) is a where a > b."""
    a = term.args[k]
    if isinstance(term, Abs):
        return sign(a)
    if isinstance(term, (sign, Heaviside)):
        return S.Zero
    if isinstance(term, (Max, Min)):
        rest = term.func(*term.args[:k], *term.args[k + 1 :])
        return Heaviside(a - rest if isinstance(term, Max) else rest - a)
    return term.fdiff(k + 1)


def linear(operator: Callable[[Expr], Expr], f: Expr, variables: Variables) -> Expr:
    """A linear operator applied term by term, constants taken out."""
    if not depends(f, variables):
        return S.Zero
    if f.is_Add:
        return Add(*(linear(operator, a, variables) for a in f.args))
    if f.is_Mul:
        constant = [a for a in f.args if not depends(a, variables) and not shape(a)]
        if constant:
            return Mul(*constant) * linear(operator, Mul(*(a for a in f.args if a not in constant)), variables)
        expanded = distributed(f)
        if expanded.is_Add:
            return linear(operator, expanded, variables)
    return operator(f)


def distributed(product: Expr) -> Expr:
    """A product over a sum of vectors, multiplied out; a scalar product stays as it is."""
    sums = [a for a in Mul.make_args(product) if a.is_Add and shape(a)]
    if not sums:
        return product
    rest = Mul(*(a for a in product.args if a is not sums[0])) if product.is_Mul else S.One
    return Add(*(distributed(rest * term) for term in sums[0].args))


def multiplied_out(e: Expr) -> Expr:
    """Products and powers of sums multiplied out; definitions, integrals and functions stay as they are."""
    if e.is_Add:
        return Add(*map(multiplied_out, e.args))
    if e.is_Pow and e.base.is_Add and e.exp.is_Integer and 0 < e.exp <= MOST_MULTIPLIED:
        return expand_multinomial(Pow(multiplied_out(e.base), e.exp), deep=False)
    return expand_mul(Mul(*map(multiplied_out, e.args)), deep=False) if e.is_Mul else e


def grad(f: Expr, variables: Variables) -> Expr:
    """∇f; in one dimension ∇x = (1)."""
    return linear(lambda g: Vec(S.One) if variables == (g,) and g.is_Symbol else Grad(g, *variables), f, variables)


def div(v: Expr, variables: Variables) -> Expr:
    """∇·v, with ∇·∇f = Δf."""

    def operator(w: Expr) -> Expr:
        return Lap(w.operand, *variables) if isinstance(w, Grad) and w.variables == variables else Div(w, *variables)

    return linear(operator, v, variables)


def lap(f: Expr, variables: Variables) -> Expr:
    """Δf."""
    return linear(lambda g: Lap(g, *variables), f, variables)


def hess(f: Expr, variables: Variables) -> Expr:
    """The matrix of second derivatives of f."""
    return linear(lambda g: Hess(g, *variables), f, variables)


def curl(v: Expr, variables: Variables) -> Expr:
    """∇×v."""
    return linear(lambda w: Curl(w, *variables), v, variables)


def partial(f: Expr, variable: Any) -> Expr:
    """∂f by one scalar variable; repeated ones are counted in one node."""

    def operator(g: Expr) -> Expr:
        return Partial(g.operand, *g.variables, variable) if isinstance(g, Partial) else Partial(g, variable)

    return linear(operator, f, (variable,))


def dot(a: Expr, b: Expr) -> Expr:
    """a · b, scalar factors taken out and sums multiplied out; |a|² stays a square."""
    if a == b:
        scalars = [f for f in Mul.make_args(a) if not shape(f)]
        vector = Mul(*(f for f in Mul.make_args(a) if shape(f)))
        return Mul(*scalars) ** 2 * (S.One if isinstance(vector, Normal) else Dot(vector, vector))
    for first, second, flipped in ((a, b, False), (b, a, True)):
        if first.is_Add:
            return Add(*(dot(second, t) if flipped else dot(t, second) for t in first.args))
        if first.is_Mul:
            scalars = [f for f in first.args if not shape(f)]
            tensor = Mul(*(f for f in first.args if shape(f)))
            return Mul(*scalars) * (dot(second, tensor) if flipped else dot(tensor, second))
    if a == b and isinstance(a, Normal):
        return S.One
    return Dot(a, b)


def component(v: Expr, index: int) -> Expr:
    """The component of a vector, taken through sums and scalar factors."""
    if v.is_Add:
        return Add(*(component(t, index) for t in v.args))
    if v.is_Mul:
        return Mul(*(component(f, index) if shape(f) else f for f in v.args))
    if v == 0:
        return S.Zero
    return Component(v, index)


def components(v: Expr, dimension: int) -> tuple[Expr, ...]:
    """All components of a vector."""
    return tuple(component(v, k) for k in range(1, dimension + 1))


def unit(index: int, dimension: int, length: Expr) -> Expr:
    """`length` times the unit vector number `index` (from one)."""
    zero: Term | Expr = S.Zero if not shape(length) else 0 * length
    return Vec(*(length if k == index else zero for k in range(1, dimension + 1)))
