"""Substitution that captures nothing: f[x ↦ a] under ∫, ∑, 𝔼 and under derivatives.

A bound variable that the replacement also uses is renamed first, as in the λ-calculus (Barendregt, The Lambda Calculus,
1984, § 2.1).  For a derivative the point is not the variable: (∂f/∂x)[x ↦ a] is ∂f/∂x at a, an `At`, unless a is a
variable that f does not hold otherwise.
"""

from __future__ import annotations

from sympy import Expr, Integer, Symbol, Tuple
from sympy.core.basic import Basic

from pdespec.model.bindings import At, Binding, Defined, IndexedSum, Law, RelativeError
from pdespec.model.fields import Field
from pdespec.model.terms import Normal, Variable, VectorVariable
from pdespec.model.vectors import Partial, VectorOperator


def substitute(expr: Expr, replacements: dict[Expr, Expr]) -> Expr:
    """Replace variables by terms without touching bound ones, renaming a bound variable that would capture.

    A derivative whose variable goes to a term that is no variable, or to one that its operand also holds otherwise,
    becomes the derivative `At` that point.
    """
    if not replacements or expr.is_Number:
        return expr
    if expr in replacements:
        return replacements[expr]
    if not expr.args or isinstance(expr, (Field, VectorVariable, Normal)):
        return expr
    if isinstance(expr, Defined):
        args = [substitute(a, replacements) for a in expr.arguments]
        return Defined(*expr.args[:3], *args)
    if isinstance(expr, Binding):
        return _substitute_binding(expr, replacements)
    if isinstance(expr, RelativeError):
        replacements = {k: v for k, v in replacements.items() if k not in expr.args[2]}
    if isinstance(expr, Law) and expr.variables:
        return _substitute_gibbs(expr, replacements)
    if isinstance(expr, (Partial, VectorOperator)) and (moved := _moved(expr, replacements)):
        return _substitute_derivative(expr, moved, replacements)
    args = [substitute(a, replacements) for a in expr.args]
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else expr.func(*args)


def _substitute_binding(expr: Binding, replacements: dict[Expr, Expr]) -> Expr:
    inner = {k: v for k, v in replacements.items() if k not in expr.variables}
    used: set[Basic] = set().union(*(v.free_symbols for k, v in inner.items() if k in expr.body.free_symbols))
    renamed = {v: fresh(v, used | expr.body.free_symbols) for v in expr.variables if v in used}
    body = substitute(substitute(expr.body, renamed), inner)
    variables = Tuple(*(renamed.get(v, v) for v in expr.variables))
    return expr.func(body, variables, *(substitute(a, replacements) for a in expr.args[2:]))


def _substitute_gibbs(law: Law, replacements: dict[Expr, Expr]) -> Law:
    """The variables of the potential are bound in it."""
    potential, inverse_temperature, variables, region = law.parameters
    inner = {k: v for k, v in replacements.items() if k not in law.variables and k in potential.free_symbols}
    used: set[Basic] = set().union(*(v.free_symbols for v in inner.values()))
    renamed = {v: fresh(v, used | potential.free_symbols) for v in law.variables if v in used}
    potential = substitute(substitute(potential, renamed), inner)
    variables = Tuple(*(renamed.get(v, v) for v in law.variables))
    return Law("gibbs", potential, substitute(inverse_temperature, replacements), variables, region)


def _moved(expr: Partial | VectorOperator, replacements: dict[Expr, Expr]) -> tuple[Variable, ...]:
    """The variables of a derivative that cannot be renamed, because of where they go."""
    variables = tuple(dict.fromkeys(expr.variables))
    free = expr.operand.free_symbols
    moved = []
    for v in (v for v in variables if v in replacements):
        target = replacements[v]
        kept = (replacements[w].free_symbols if w in replacements else {w} for w in free - {v})
        others: set[Basic] = set().union(*kept)
        if not isinstance(target, (Symbol, VectorVariable)) or target in others:
            moved.append(v)
    return tuple(moved)


def _substitute_derivative(
    expr: Partial | VectorOperator, moved: tuple[Variable, ...], replacements: dict[Expr, Expr]
) -> Expr:
    rest = {k: v for k, v in replacements.items() if k not in moved}
    used: set[Basic] = set().union(*(v.free_symbols for k, v in rest.items() if k in expr.free_symbols))
    renamed = {v: fresh(v, used | expr.free_symbols) for v in moved if v in used}
    body = substitute(substitute(expr, renamed), rest)
    return At(body, Tuple(*(renamed.get(v, v) for v in moved)), *(replacements[v] for v in moved))


def fresh(v: Variable, used: set[Basic]) -> Variable:
    """A variable like `v`, with primes added until nothing in `used` has its name."""
    names = {str(getattr(u, "name", "")) for u in used}
    name = v.name + "'"
    while name in names:
        name += "'"
    return VectorVariable(name, v.dimension) if isinstance(v, VectorVariable) else Symbol(name, **v.assumptions0)


def unfold(term: Defined) -> Expr:
    """The body of a definition at its arguments."""
    return substitute(term.body, dict(zip(term.formals, term.arguments, strict=True)))


def summands(term: IndexedSum) -> list[Expr]:
    """The terms of a sum, or the factors of a product, whose bounds are numbers."""
    (i,), (lo, hi) = term.variables, term.bounds
    return [substitute(term.body, {i: Integer(k)}) for k in range(int(lo), int(hi) + 1)]
