"""Vectors as sums of scalar × atomic vector, and the chain rule for what depends on a density at the current point.

∇f(p) = f′(p) ∇p, ∇(f g) = f ∇g + g ∇f where p occurs; what is free of p stays under one ∇.  In ∫ K(x, y) g(p) ∇p dy
the gradient moves to the kernel by parts: −∫ ∇_y K · G(p) dy with G′ = g, where no boundary is in the way.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Function, Mul, Pow, S, log

from pdespec.derive import calculus
from pdespec.derive.calculus import Variables, depends
from pdespec.derive.scope import has_boundary
from pdespec.model.bindings import Expect, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.terms import shape
from pdespec.model.vectors import Div, Grad, Lap, Partial, Vec


@dataclass(frozen=True, slots=True)
class Part:
    """One scalar times one atomic vector."""

    coefficient: Expr
    vector: Expr

    @property
    def term(self) -> Expr:
        return self.coefficient * self.vector


@dataclass(frozen=True, slots=True)
class Spread:
    """A vector as parts, with the names of the rules that were needed."""

    parts: tuple[Part, ...]
    rules: frozenset[str] = frozenset()


CHAIN = "p ∇ ln p = ∇p, by the chain rule"
PARTS = "∫ K ∇p = −∫ (∇K) p, by parts"


def spread(vector: Expr, p: FieldValue) -> Spread:
    """A vector multiplied out, gradients of functions of the density `p` by the chain rule."""
    collected: dict[Expr, Expr] = {}
    rules: set[str] = set()
    for part in _parts(vector, p, rules):
        collected[part.vector] = collected.get(part.vector, S.Zero) + part.coefficient
    parts = tuple(Part(calculus.multiplied_out(c), v) for v, c in collected.items())
    return Spread(tuple(part for part in parts if part.coefficient != 0), frozenset(rules))


def _parts(vector: Expr, p: FieldValue, rules: set[str]) -> list[Part]:
    if vector == 0:
        return []
    if vector.is_Add:
        return [part for a in vector.args for part in _parts(a, p, rules)]
    if vector.is_Mul:
        scalars = Mul(*(a for a in vector.args if not shape(a)))
        (inner,) = (a for a in vector.args if shape(a))
        return [Part(scalars * part.coefficient, part.vector) for part in _parts(inner, p, rules)]
    if isinstance(vector, Grad):
        return _gradient(vector.operand, vector.variables, p, rules)
    if isinstance(vector, (Integrate, Expect)):
        return _integral(vector, p, rules)
    return [Part(S.One, vector)]


def _gradient(f: Expr, variables: Variables, p: FieldValue, rules: set[str]) -> list[Part]:
    """∇f, spread as far as `p` occurs in f."""
    if not depends(f, variables):
        return []
    if not f.has(p) or f == p or isinstance(f, (Grad, Div, Lap, Partial, Integrate, Expect)):
        g = calculus.grad(f, variables)
        return [Part(*_split(t)) for t in Add.make_args(g)]
    if f.is_Add:
        return [part for a in f.args for part in _gradient(a, variables, p, rules)]
    rules.add(CHAIN)
    slopes: list[tuple[Expr, Expr]] = []
    if f.is_Mul:
        held = Mul(*(a for a in f.args if not a.has(p)))
        rest = [a for a in f.args if a.has(p)]
        slopes = [(Mul(held, *rest[:k], *rest[k + 1 :]), a) for k, a in enumerate(rest)] + [(Mul(*rest), held)]
    elif f.is_Pow:
        slopes = [(f.exp * Pow(f.base, f.exp - 1), f.base), (f * log(f.base), f.exp)]
    elif isinstance(f, Function):
        slopes = [(f.fdiff(k), a) for k, a in enumerate(f.args, 1)]
    else:
        return [Part(S.One, Grad(f, *variables))]
    return [
        Part(slope * part.coefficient, part.vector)
        for slope, inner in slopes
        if depends(inner, variables)
        for part in _gradient(inner, variables, p, rules)
    ]


def _split(term: Expr) -> tuple[Expr, Expr]:
    """Scalar and vector factor of a term."""
    scalars = [a for a in Mul.make_args(term) if not shape(a)]
    return Mul(*scalars), Mul(*(a for a in Mul.make_args(term) if shape(a)))


def _integral(vector: Integrate | Expect, p: FieldValue, rules: set[str]) -> list[Part]:
    """∫ of a vector, the density inside taken at the bound point; constants leave it, and ∇p goes to the kernel."""
    variables = vector.variables
    inside = next((v for v in _values(vector.body) if v.field == p.field and depends(v, variables)), p)
    found = []
    for part in spread(vector.body, inside).parts:
        for coefficient in Add.make_args(part.coefficient):
            found.append(_moved(vector, coefficient, part.vector, inside, rules))
    return [part for part in found if part.coefficient != 0]


def _values(expr: Expr) -> list[FieldValue]:
    return sorted(expr.atoms(FieldValue), key=lambda v: v.sort_key())


def _moved(vector: Integrate | Expect, coefficient: Expr, atom: Expr, inside: FieldValue, rules: set[str]) -> Part:
    variables = vector.variables
    if isinstance(atom, Grad) and atom.operand == inside and isinstance(vector, Integrate):
        kernel, function = _factored(coefficient, inside)
        primitive = antiderivative(function, inside)
        if primitive is not None and atom.variables == variables and not has_boundary(vector.region):
            rules.add(PARTS)
            body = -primitive * calculus.grad(kernel, variables)
            return _outside(vector, body)
    return _outside(vector, coefficient * atom)


def _outside(vector: Integrate | Expect, body: Expr) -> Part:
    """Constants in front of the integral."""
    scalar, atom = _split(body)
    constant = Mul(*(a for a in Mul.make_args(scalar) if not depends(a, vector.variables)))
    if body == 0:
        return Part(S.Zero, vector)
    return Part(constant, vector.func(scalar / constant * atom, *vector.args[1:]))


def _factored(coefficient: Expr, p: FieldValue) -> tuple[Expr, Expr]:
    """A product as (free of p) × (function of p alone)."""
    factors = Mul.make_args(coefficient)
    return Mul(*(a for a in factors if not a.has(p))), Mul(*(a for a in factors if a.has(p)))


def antiderivative(function: Expr, p: FieldValue) -> Expr | None:
    """∫ function dp for a sum of powers of p, the function being of p alone; else nothing."""
    total = S.Zero
    for t in Add.make_args(calculus.multiplied_out(function)):
        c, rest = S.One, S.Zero
        for a in Mul.make_args(t):
            if a == p:
                rest += 1
            elif a.is_Pow and a.base == p and not a.exp.has(FieldValue):
                rest += a.exp
            elif a.has(FieldValue):
                return None
            else:
                c *= a
        total += c * log(p) if rest == -1 else c * p ** (rest + 1) / (rest + 1)
    return total


def vector_of(f: Expr) -> Expr:
    """A scalar flux in one dimension as a vector."""
    return f if shape(f) else Vec(f)
