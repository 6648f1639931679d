"""Sums, products, powers, vectors and indices, with their shapes.

Shapes must agree; the literal 0 is the zero of every vector space, and a vector of one component stands for its
component.  Two vectors are multiplied by `·` or `×`, never by `*`.  A run of operators is folded from the left without
recursion, so that long sums are not deep.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Abs, Add, Expr, Integer, Mul, Rational, S, Symbol, sqrt

from pdespec.model.evaluation import coerce, evaluate, rule, term
from pdespec.model.magnitude import check_power, guarded, nonnegative, params_put_in, whole
from pdespec.model.refusal import SymbolicIndex, refuse, unsupported
from pdespec.model.scope import Env
from pdespec.model.terms import Shape, VectorVariable, shape
from pdespec.model.values import Region, Text, Value
from pdespec.model.vectors import Component, Cross, Dot, Vec
from pdespec.source import Span
from pdespec.syntax import ast


def spelled(form: Shape) -> str:
    """A shape in words."""
    if not form:
        return "a scalar"
    if len(form) == 1:
        return f"a vector of {form[0]}"
    return f"a {' × '.join(map(str, form))} matrix"


def scalar(expr: Expr, span: Span, what: str = "this") -> Expr:
    """A term that must be a scalar; a vector of one component is its component."""
    form = shape(expr)
    if form == (1,):
        return only_component(expr)
    if form:
        refuse("PDE201", span, f"{what} must be a scalar, and it is {spelled(form)}")
    return expr


def only_component(expr: Expr) -> Expr:
    """The component of a vector of one component, taken through sums and products so that factors stay visible."""
    if isinstance(expr, (Add, Mul)):
        return expr.func(*(only_component(a) if shape(a) else a for a in expr.args))
    return Component(expr, 1)


def vector(expr: Expr, dimension: int, span: Span, what: str) -> Expr:
    """A term that must be a vector of a dimension; the literal 0 and, in one dimension, a scalar will do."""
    form = shape(expr)
    if form == (dimension,):
        return expr
    if not form and expr == 0:
        return Vec(*(S.Zero,) * dimension)
    if not form and dimension == 1:
        return Vec(expr)
    return refuse("PDE201", span, f"{what} must be a vector of {dimension}, and it is {spelled(form)}")


# ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@rule(ast.Num)
def _number(node: ast.Num, env: Env) -> Value:
    return Rational(node.value.numerator, node.value.denominator)


@rule(ast.Str)
def _text(node: ast.Str, env: Env) -> Value:
    return Text(node.value)


@rule(ast.Unary)
def _sign(node: ast.Unary, env: Env) -> Value:
    operand = term(node.operand, env)
    return -operand if node.op == "-" else operand


@rule(ast.Binary)
def _binary(node: ast.Binary, env: Env) -> Value:
    if node.op == "^":
        return _power(node, env)
    chain: list[ast.Binary] = []
    first: ast.Expr = node
    while isinstance(first, ast.Binary) and first.op != "^":
        chain.append(first)
        first = first.left
    result = evaluate(first, env)
    for step in reversed(chain):
        result = _combined(result, step, env)
    return result


def _combined(left: Value, node: ast.Binary, env: Env) -> Value:
    if node.op == "compose":
        unsupported(node.span, "composition of operators")
    right = evaluate(node.right, env)
    if isinstance(left, Region) or isinstance(right, Region) or node.op in ("union", "minus", "intersection"):
        from pdespec.model.regions import combine

        return combine(node, left, right)
    a, b = coerce(left, env, node.left.span), coerce(right, env, node.right.span)
    return guarded(OPERATIONS[node.op](a, b, node), node.span)


def _add(a: Expr, b: Expr, node: ast.Binary) -> Expr:
    sa, sb = shape(a), shape(b)
    if sa != sb and a != 0 and b != 0:
        if {sa, sb} != {(), (1,)}:
            refuse("PDE201", node.span, f"{spelled(sa)} and {spelled(sb)} cannot be added")
        a, b = (only_component(e) if shape(e) else e for e in (a, b))
    return a + b if node.op == "+" else a - b


def _multiply(a: Expr, b: Expr, node: ast.Binary) -> Expr:
    sa, sb = shape(a), shape(b)
    if sa and sb:
        if sa == (1,):
            return only_component(a) * b
        if sb == (1,):
            return a * only_component(b)
        refuse("PDE216", node.span, f"{spelled(sa)} times {spelled(sb)}", hint="write `a · b` or `a × b`")
    return a * b


def _divide(a: Expr, b: Expr, node: ast.Binary) -> Expr:
    b = scalar(b, node.right.span, "a divisor")
    if b == 0:
        refuse("PDE206", node.right.span, "division by zero")
    return a / b


def _dot(a: Expr, b: Expr, node: ast.Binary) -> Expr:
    sa, sb = shape(a), shape(b)
    if a == 0 or b == 0 or not (sa or sb):
        return a * b
    if not sa:
        a, sa = vector(a, sb[0], node.left.span, "the left side of `·`"), (sb[0],)
    if not sb:
        b, sb = vector(b, sa[-1], node.right.span, "the right side of `·`"), (sa[-1],)
    if sa[-1] != sb[0]:
        refuse("PDE201", node.span, f"{spelled(sa)} · {spelled(sb)}: {sa[-1]} and {sb[0]} do not match")
    return Dot(a, b)


def _cross(a: Expr, b: Expr, node: ast.Binary) -> Expr:
    if a == 0 or b == 0:
        return S.Zero
    if shape(a) != (3,) or shape(b) != (3,):
        refuse("PDE201", node.span, f"`×` takes two vectors of 3, not {spelled(shape(a))} and {spelled(shape(b))}")
    return Cross(a, b)


OPERATIONS: dict[str, Callable[[Expr, Expr, ast.Binary], Expr]] = {
    "+": _add,
    "-": _add,
    "*": _multiply,
    "/": _divide,
    "dot": _dot,
    "cross": _cross,
}


def _power(node: ast.Binary, env: Env) -> Value:
    base = evaluate(node.left, env)
    if isinstance(base, Region):
        from pdespec.model.regions import to_power

        return to_power(base, whole(term(node.right, env), env, node.right.span, "a power of a set"), node)
    e = coerce(base, env, node.left.span)
    if len(shape(e)) >= 1 and shape(e) != (1,):
        refuse(
            "PDE216", node.span, f"a power of {spelled(shape(e))}", hint="write `|v|^2` for the square of its length"
        )
    e = scalar(e, node.left.span)
    exponent = scalar(term(node.right, env), node.right.span, "an exponent")
    check_power(e, exponent, env, node.span)
    return guarded(e**exponent, node.span)


@rule(ast.Abs)
def _modulus(node: ast.Abs, env: Env) -> Value:
    operand = term(node.operand, env)
    form = shape(operand)
    if len(form) > 1:
        refuse("PDE201", node.span, f"`|·|` of {spelled(form)}")
    return sqrt(Dot(operand, operand)) if form else absolute(operand, env)


def absolute(operand: Expr, env: Env) -> Expr:
    """|a|, without the bars where a is never negative, at another point neither: x may be moved to −x later."""
    return operand if nonnegative(operand, env, everywhere=True) else Abs(operand)


@rule(ast.Tuple)
def _tuple(node: ast.Tuple, env: Env) -> Value:
    return Vec(*(entry for item in node.items for entry in entries(item, env)))


def entries(node: ast.Expr, env: Env) -> list[Expr]:
    """The scalars that an item adds to a tuple: itself, or its components."""
    found = term(node, env)
    form = shape(found)
    if len(form) > 1:
        refuse("PDE201", node.span, f"{spelled(form)} inside a tuple", hint="write `rows((…), (…))` for a matrix")
    return components(found) if form else [found]


def components(expr: Expr) -> list[Expr]:
    """The components of a vector."""
    return [Component(expr, k) for k in range(1, shape(expr)[0] + 1)]


@rule(ast.Rows)
def _rows(node: ast.Rows, env: Env) -> Value:
    rows = [Vec(*entries(row, env)) for row in node.rows]
    if len({shape(row) for row in rows}) != 1:
        refuse("PDE201", node.span, "the rows of a matrix must be equally long")
    return Vec(*rows)


@rule(ast.Index)
def _index(node: ast.Index, env: Env) -> Value:
    result = term(node.base, env)
    for index in node.indices:
        result = _entry(result, term(index, env), node, index.span, env)
    return result


def _entry(base: Expr, index: Expr, node: ast.Index, span: Span, env: Env) -> Expr:
    block = block_of(base, env)
    form = (shape(base)[0] // block, block) if block else shape(base) or ((1,) if isinstance(base, Symbol) else ())
    if not form:
        refuse("PDE201", node.span, "only a vector or a matrix has entries, and this is a scalar")
    if not params_put_in(index, env).is_number:
        if block or not shape(base):
            raise SymbolicIndex
        return Component(base, index)
    k = whole(index, env, span, "an index")
    if not 1 <= k <= form[0]:
        refuse("PDE208", span, f"entry {k} of {spelled(form)}", hint="entries count from one")
    if block:
        return Vec(*(Component(base, Integer((k - 1) * block + j)) for j in range(1, block + 1)))
    return Component(base, Integer(k)) if shape(base) else base


def block_of(base: Expr, env: Env) -> int:
    """The size of the vectors that a coordinate of (R^m)^n is a list of; 0 for anything else."""
    if not isinstance(base, VectorVariable):
        return 0
    for level in reversed(env.levels):
        for name, v in level.variables:
            if v == base:
                return env.root.coordinates[name].block
    return 0
