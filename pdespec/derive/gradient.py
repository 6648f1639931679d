"""The gradient of a pointwise term written out at vector level, for code that evaluates it.

∇_θ (θ·x)² = 2(θ·x) x and ∇_θ e^{−|θ−φ|²/2} = −e^{−|θ−φ|²/2}(θ − φ): reverse mode with the variable itself as the leaf.
The result is a sum of scalar × atomic vector: variables, one `Vec`, and gradients of fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Add, Expr, Mul, Pow, S, log

from pdespec.derive import calculus
from pdespec.derive.calculus import depends, slope
from pdespec.derive.deadline import tick
from pdespec.derive.tensors import Frobenius, Outer, Transpose, contract, transpose
from pdespec.derive.tidy import constants_out
from pdespec.model.bindings import Defined, Expect, IndexedProduct, IndexedSum, Integrate
from pdespec.model.fields import FieldValue
from pdespec.model.substitution import summands, unfold
from pdespec.model.terms import NoRule, Variable, shape
from pdespec.model.vectors import Component, Cross, Div, Dot, Grad, Lap, Partial, Vec


def gradient(f: Expr, variable: Variable) -> Expr:
    """∇f by a vector variable, as a vector; by a scalar variable, ∂f as a scalar."""
    return collected(_pull(f, S.One, variable), variable)


def collected(vector: Expr, variable: Variable) -> Expr:
    """A sum with all explicit vectors added into one."""
    if not shape(variable):
        return vector
    entries, rest = None, []
    for t in Add.make_args(calculus.distributed(vector)):
        factors = Mul.make_args(t)
        explicit = next((a for a in factors if isinstance(a, Vec)), None)
        if explicit is None:
            rest.append(t)
            continue
        scalar = Mul(*(a for a in factors if a is not explicit))
        row = [scalar * c for c in explicit.args]
        entries = row if entries is None else [a + b for a, b in zip(entries, row, strict=True)]
    return Add(*rest, *([Vec(*entries)] if entries else []))


def _pull(term: Expr, w: Expr, v: Variable) -> Expr:
    """∇_v (w : term) with w held fixed."""
    if w == 0 or not depends(term, (v,)):
        return S.Zero
    if term == v:
        return w
    tick()
    if term.is_Add:
        return Add(*(_pull(a, w, v) for a in term.args))
    if term.is_Mul:
        return Add(*(_factor(term.args, k, w, v) for k in range(len(term.args))))
    if term.is_Pow:
        base, exponent = term.args
        through_base = _pull(base, w * exponent * Pow(base, exponent - 1), v)
        return through_base + _pull(exponent, w * term * log(base), v)
    rule = _RULES.get(type(term))
    if rule is not None:
        return rule(term, w, v)
    if term.is_Function:
        return Add(*(_pull(a, w * slope(term, k), v) for k, a in enumerate(term.args)))
    raise NoRule(f"no explicit gradient of {type(term).__name__}")


def _factor(factors: tuple[Expr, ...], k: int, w: Expr, v: Variable) -> Expr:
    a, rest = factors[k], Mul(*factors[:k], *factors[k + 1 :])
    return _pull(a, w * rest if shape(a) or not shape(rest) else contract(w, rest), v)


def _component(term: Component, w: Expr, v: Variable) -> Expr:
    vector, index = term.args
    return _pull(vector, calculus.unit(int(index), shape(vector)[0], w), v)


def _dot(term: Dot, w: Expr, v: Variable) -> Expr:
    a, b = term.args
    ranks = len(shape(a)), len(shape(b))
    if ranks == (1, 1):
        return _pull(a, 2 * w * a, v) if a == b else _pull(a, w * b, v) + _pull(b, w * a, v)
    if ranks == (2, 1):
        return _pull(a, Outer(w, b), v) + _pull(b, Dot(w, a), v)
    if ranks == (1, 2):
        return _pull(a, Dot(b, w), v) + _pull(b, Outer(a, w), v)
    return _pull(a, Dot(w, transpose(b)), v) + _pull(b, Dot(transpose(a), w), v)


def _cross(term: Cross, w: Expr, v: Variable) -> Expr:
    a, b = term.args
    return _pull(a, Cross(b, w), v) + _pull(b, Cross(w, a), v)


def _frobenius(term: Frobenius, w: Expr, v: Variable) -> Expr:
    a, b = term.args
    return _pull(a, w * b, v) + _pull(b, w * a, v)


def _bound(term: Integrate | Expect, w: Expr, v: Variable) -> Expr:
    """Under the sign of an integral; w does not depend on its points."""
    inner = collected(_pull(term.body, w, v), v)
    found = (constants_out(term.func(t, *term.args[1:])) for t in Add.make_args(inner) if t != 0)
    return Add(*found)


def _field(term: FieldValue, w: Expr, v: Variable) -> Expr:
    if not term.shape and v in term.point:
        return w * (Grad(term, v) if shape(v) else Partial(term, v))
    raise NoRule("no explicit gradient of a vector field, or of a field at a moved point")


def _derivative(term: Grad | Div | Lap | Partial, w: Expr, v: Variable) -> Expr:
    """A derivative of an explicit function is written out first."""
    if isinstance(term, Grad) and term.variables == (v,) and not term.has(FieldValue):
        return _pull(gradient(term.operand, v), w, v)
    if not shape(term):
        return w * (Grad(term, v) if shape(v) else Partial(term, v))
    raise NoRule(f"no explicit gradient of {type(term).__name__}")


_RULES: dict[type, Callable[[Any, Expr, Variable], Expr]] = {
    Component: _component,
    Dot: _dot,
    Vec: lambda term, w, v: Add(*(_pull(a, calculus.component(w, k), v) for k, a in enumerate(term.args, 1))),
    Cross: _cross,
    Frobenius: _frobenius,
    Transpose: lambda term, w, v: _pull(term.args[0], transpose(w), v),
    Defined: lambda term, w, v: _pull(unfold(term), w, v),
    IndexedSum: lambda term, w, v: Add(*(_pull(a, w, v) for a in summands(term))),
    IndexedProduct: lambda term, w, v: _pull(Mul(*summands(term)), w, v),
    Integrate: _bound,
    Expect: _bound,
    FieldValue: _field,
    Grad: _derivative,
    Div: _derivative,
    Lap: _derivative,
    Partial: _derivative,
}
