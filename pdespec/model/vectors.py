"""Vectors, and the calculus on them: components, a·b, a×b, ∂, ∇, ∇·, Δ, ∇², ∇×.

A gradient puts the direction of differentiation first, (∇v)[i, j] = ∂ᵢvⱼ, and a divergence meets the first index,
(∇·A)[j] = ∑ᵢ ∂ᵢAᵢⱼ, so that Δ = ∇·∇ for scalars and vectors alike.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer, S

from pdespec.model.terms import Shape, Term, Variable, VectorVariable, shape


class Vec(Term):
    """A vector by its components, or a matrix by its rows (each a `Vec`)."""

    @property
    def shape(self) -> Shape:
        return (len(self.args), *shape(self.args[0]))


class Component(Term):
    """`v[i]`, counted from one: `Component(v, i)`; `i` is an integer or the index of a sum."""

    def __new__(cls, vector: Expr, index: Any) -> Expr:
        if isinstance(vector, Vec) and isinstance(index, (int, Integer)):
            return vector.args[int(index) - 1]
        return Term.__new__(cls, vector, index)

    @property
    def shape(self) -> Shape:
        return shape(self.args[0])[1:]


class Dot(Term):
    """`a · b`: the last index of `a` with the first of `b`; for two vectors the (symmetric) inner product."""

    def __new__(cls, a: Expr, b: Expr) -> Expr:
        if a == 0 or b == 0:
            return S.Zero
        if len(shape(a)) == len(shape(b)) == 1 and a.compare(b) > 0:
            a, b = b, a
        return Term.__new__(cls, a, b)

    @property
    def shape(self) -> Shape:
        return (*shape(self.args[0])[:-1], *shape(self.args[1])[1:])


class Cross(Term):
    """The cross product of two vectors of three components."""

    @property
    def shape(self) -> Shape:
        return (3,)


class Partial(Term):
    """∂ of a term by scalar variables, repeated ones counted: `Partial(f, x, x, t)`."""

    @property
    def operand(self) -> Expr:
        return self.args[0]

    @property
    def variables(self) -> tuple[Expr, ...]:
        return tuple(self.args[1:])

    @property
    def shape(self) -> Shape:
        return shape(self.operand)


class VectorOperator(Term):
    """A vector-calculus operator on the operand as a function of the given space variables: `Grad(f, x, y)`."""

    @property
    def operand(self) -> Expr:
        return self.args[0]

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(self.args[1:])

    @property
    def dimension(self) -> int:
        """The number of scalar coordinates that it acts on."""
        return sum(v.dimension if isinstance(v, VectorVariable) else 1 for v in self.variables)


class Grad(VectorOperator):
    """∇f; for a vector `(∇v)[i, j] = ∂ᵢvⱼ`."""

    @property
    def shape(self) -> Shape:
        return (self.dimension, *shape(self.operand))


class Div(VectorOperator):
    """∇·v; for a matrix the derivative meets the first index."""

    @property
    def shape(self) -> Shape:
        return shape(self.operand)[1:]


class Lap(VectorOperator):
    """Δf, component by component."""

    @property
    def shape(self) -> Shape:
        return shape(self.operand)


class Hess(VectorOperator):
    """The matrix of second derivatives."""

    @property
    def shape(self) -> Shape:
        return (self.dimension, self.dimension)


class Curl(VectorOperator):
    """∇×v: a vector in three dimensions, a scalar in two; of a scalar in two the rotated gradient (∂₂f, −∂₁f)."""

    @property
    def shape(self) -> Shape:
        return (3,) if self.dimension == 3 else ((2,) if not shape(self.operand) else ())
