"""The tensor products, and the mean over particles, that derivation brings in beside the terms of the language.

The adjoint of a·B in the matrix B is the outer product a ⊗ w, that of A·B in A is w·Bᵀ, and a matrix meets its
cotangent in the full contraction A : B = Σ AᵢⱼBᵢⱼ.
"""

from __future__ import annotations

from sympy import Expr, S

from pdespec.model.terms import Shape, Term, shape
from pdespec.model.vectors import Dot


class Outer(Term):
    """a ⊗ b: the matrix aᵢbⱼ."""

    @property
    def shape(self) -> Shape:
        return (*shape(self.args[0]), *shape(self.args[1]))


class Transpose(Term):
    """Aᵀ."""

    @property
    def shape(self) -> Shape:
        n, m = shape(self.args[0])
        return (m, n)


class Frobenius(Term):
    """A : B, the sum of the products of all entries of two matrices."""


class ParticleMean(Term):
    """c/n Σⱼ of a term in θᵢ and θⱼ, `ParticleMean(term, c)`: what c ∫ p(φ) … dφ is for n particles."""

    @property
    def shape(self) -> Shape:
        return shape(self.args[0])


def transpose(a: Expr) -> Expr:
    """Aᵀ, with Aᵀᵀ = A."""
    return a.args[0] if isinstance(a, Transpose) else Transpose(a)


def contract(a: Expr, b: Expr) -> Expr:
    """The full contraction of two terms of the same shape: a product, a dot product or A : B."""
    rank = len(shape(a))
    if a == 0 or b == 0:
        return S.Zero
    if rank == 0:
        return a * b
    return (Dot if rank == 1 else Frobenius)(a, b)
