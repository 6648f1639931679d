"""Sums and products over an index, ∑[i in 1..N] and ∑[i < j].

A sum stays one node with a symbolic index where its body allows it (`x[i]`); where an index must be a number, as for
the i-th of a list of vectors, the sum is written out.  `∑[i < j]` takes its range from the sequence that is indexed.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Add, Expr, Integer, Mul, S, Symbol

from pdespec.model.arithmetic import block_of
from pdespec.model.bindings import IndexedProduct, IndexedSum
from pdespec.model.evaluation import coerce, evaluate, rule, term
from pdespec.model.integrals import mean
from pdespec.model.magnitude import whole
from pdespec.model.refusal import SymbolicIndex, refuse, unsupported
from pdespec.model.scope import Env
from pdespec.model.sets import Finite
from pdespec.model.terms import shape
from pdespec.model.values import Closure, Function, Region, Value
from pdespec.syntax import ast

WRITTEN_OUT = 2_000
"""The largest number of terms of a sum that is written out."""

TERMS = 20_000
"""The largest number of terms, those of sums inside of sums counted, that a sum with a symbolic index may stand for."""


@rule(ast.Binder)
def _binder(node: ast.Binder, env: Env) -> Value:
    if node.kind == "mean":
        return mean(node, env)
    if node.kind not in ("sum", "prod"):
        unsupported(node.span, f"`{node.kind}` over a set")
    result: Callable[[Env], Expr] = lambda inner: term(node.body, inner)  # noqa: E731
    for binding in reversed(node.bindings):
        result = _bound(node, binding, result)
    return result(env)


def _bound(node: ast.Binder, binding: ast.Binding, body: Callable[[Env], Expr]) -> Callable[[Env], Expr]:
    if binding.relation in ("<", "!="):
        return lambda env: _pairs(node, binding, body, env)
    return lambda env: _single(node, binding, body, env)


def _single(node: ast.Binder, binding: ast.Binding, body: Callable[[Env], Expr], env: Env) -> Expr:
    (name,) = binding.names
    if binding.relation == "in" and isinstance(binding.domain, ast.Range) and binding.domain.second is None:
        lo = whole(term(binding.domain.first, env), env, binding.domain.first.span, "the start of a sum")
        hi = whole(term(binding.domain.last, env), env, binding.domain.last.span, "the end of a sum")
    elif binding.relation == "in" and binding.domain is not None:
        return _over_values(node, name, binding.domain, body, env)
    elif binding.relation == "":
        lo, hi = 1, _length(node, name.id, env)
    else:
        refuse("PDE202", binding.span, "a sum runs as `∑[i in 1..N] …` or `∑[i < j] …`")
    if hi < lo:
        return S.Zero if node.kind == "sum" else S.One
    index = Symbol(name.shown, integer=True, positive=True)
    try:
        found = body(env.with_names({name.id: index}))
    except SymbolicIndex:
        _writable(node, hi - lo + 1)
        return _written_out(node, [{name.id: Integer(k)} for k in range(lo, hi + 1)], body, env)
    node_class = IndexedSum if node.kind == "sum" else IndexedProduct
    _bounded(node, hi - lo + 1, found)
    return S.Zero if found == 0 and node.kind == "sum" else node_class(found, (index,), Integer(lo), Integer(hi))


def _bounded(node: ast.Binder, count: int, body: Expr) -> None:
    """Refuse what derivatives by coordinates would write out as more terms than anyone can wait for."""
    if (total := count * _terms(body)) > TERMS:
        refuse("PDE215", node.span, f"this stands for {total:.3g} terms", hint=f"at most {TERMS}")


def _terms(body: Expr) -> int:
    """How many copies of a sum's body there are, at most, in an expression whose sums are written out."""
    sums = body.atoms(IndexedSum)
    return max((int(s.bounds[1] - s.bounds[0] + 1) * _terms(s.body) for s in sums), default=1)


def _over_values(node: ast.Binder, name: ast.Name, domain: ast.Expr, body: Callable[[Env], Expr], env: Env) -> Expr:
    found = evaluate(domain, env)
    if not isinstance(found, Region) or not isinstance(found.set, Finite):
        refuse("PDE214", domain.span, "a sum runs over `1..N` or over a finite set `{…}`")
    return _written_out(node, [{name.id: v} for v in found.set.values], body, env)


def _pairs(node: ast.Binder, binding: ast.Binding, body: Callable[[Env], Expr], env: Env) -> Expr:
    """∑[i < j] and ∑[i != j], over the length of what i or j indexes."""
    first, second = (n.id for n in binding.names)
    n = _length(node, first, env)
    both = binding.relation == "!="
    _writable(node, n * (n - 1) if both else n * (n - 1) // 2)
    pairs = [(i, j) for i in range(1, n + 1) for j in range(1, n + 1) if i < j or (both and i != j)]
    return _written_out(node, [{first: Integer(i), second: Integer(j)} for i, j in pairs], body, env)


def _writable(node: ast.Binder, count: int) -> None:
    if count > WRITTEN_OUT:
        refuse("PDE215", node.span, f"a sum of {count} terms cannot be written out", hint=f"at most {WRITTEN_OUT}")


def _written_out(node: ast.Binder, places: list[dict[str, Expr]], body: Callable[[Env], Expr], env: Env) -> Expr:
    _writable(node, len(places))
    terms = [body(env.with_names(place)) for place in places]
    if len({shape(t) for t in terms if t != 0}) > 1:
        refuse("PDE201", node.body.span, "the terms of this sum have different shapes")
    return Add(*terms) if node.kind == "sum" else Mul(*terms)


def _length(node: ast.Binder, index: str, env: Env) -> int:
    """The length of the sequence that an index is used with."""
    for below in ast.walk(node.body):
        if isinstance(below, ast.Index) and any(isinstance(i, ast.Name) and i.id == index for i in below.indices[:1]):
            found = evaluate(below.base, env)
            value = coerce(found, env, below.base.span) if isinstance(found, (Function, Closure)) else found
            if isinstance(value, Expr) and shape(value):
                return shape(value)[0] // (block_of(value, env) or 1)
    return refuse("PDE210", node.span, f"nothing tells the range of `{index}`", hint=f"write ∑[{index} in 1..N]")
