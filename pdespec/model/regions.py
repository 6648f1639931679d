"""Sets: intervals, boxes, balls, tori, spaces, products, unions, differences, level sets and boundaries.

A region carries the coordinates of its points where it is made from declared domains, so that `on X × {0}` and
`∫[x in Ω]` know what they move.
"""

from __future__ import annotations

from typing import cast

from sympy import Expr, S, floor

from pdespec.model.arithmetic import components, scalar
from pdespec.model.builtins import notion, options
from pdespec.model.evaluation import evaluate, rule, term
from pdespec.model.magnitude import params_put_in, whole
from pdespec.model.refusal import refuse, unsupported
from pdespec.model.scope import Env
from pdespec.model.sets import (
    Ball,
    Boundary,
    Difference,
    Finite,
    Interval,
    Point,
    RealSpace,
    Set,
    Sphere,
    Sublevel,
    Torus,
    Union,
    plain,
    power,
    product,
)
from pdespec.model.terms import Parameter, Variable, shape
from pdespec.model.values import Region, Value, kind
from pdespec.model.vectors import Vec
from pdespec.source import Span
from pdespec.syntax import ast

LARGEST = 10_000
"""The largest dimension, and the largest number of points of a finite set."""


def region(node: ast.Expr, env: Env) -> Region:
    """An expression that must be a set."""
    found = evaluate(node, env)
    if not isinstance(found, Region):
        refuse("PDE214", node.span, f"{kind(found)} where a set is expected", hint="a single point is written `{…}`")
    return found


def constant(node: ast.Expr, env: Env) -> Expr:
    """A scalar that depends on params alone."""
    return _constant(scalar(term(node, env), node.span, "a number in a set"), node.span)


def _constant(expr: Expr, span: Span) -> Expr:
    if any(not isinstance(s, Parameter) for s in expr.free_symbols):
        refuse("PDE214", span, "a number in a set must be a constant")
    return expr


# ── literals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@rule(ast.Interval)
def _interval(node: ast.Interval, env: Env) -> Value:
    lo, hi = constant(node.low, env), constant(node.high, env)
    if params_put_in(hi - lo, env).is_positive is False:
        refuse("PDE214", node.span, f"the interval [{lo}, {hi}] has no interior")
    return Region(Interval(lo, hi))


@rule(ast.SetLiteral)
def _finite(node: ast.SetLiteral, env: Env) -> Value:
    items = [term(item, env) for item in node.items]
    if len(items) == 1:
        point = tuple(components(items[0])) if shape(items[0]) else (items[0],)
        return Region(Point(tuple(_constant(c, node.items[0].span) for c in point)))
    return Region(Finite(tuple(_constant(scalar(e, n.span), n.span) for e, n in zip(items, node.items, strict=True))))


@rule(ast.Range)
def _range(node: ast.Range, env: Env) -> Value:
    first, last = (params_put_in(constant(n, env), env) for n in (node.first, node.last))
    step = S.One if node.second is None else params_put_in(constant(node.second, env), env) - first
    if not step.is_nonzero or ((last - first) / step).is_negative:
        refuse("PDE214", node.span, "the progression does not reach its end")
    count = int(floor((last - first) / step)) + 1
    if count > LARGEST:
        refuse("PDE214", node.span, f"a set of {count} points; the largest has {LARGEST}")
    return Region(Finite(tuple(first + k * step for k in range(count))))


@rule(ast.Boundary)
def _boundary(node: ast.Boundary, env: Env) -> Value:
    of = region(node.set, env)
    inner = plain(of.set)
    if isinstance(inner, (Torus, RealSpace, Sphere)):
        refuse(
            "PDE310",
            node.span,
            f"{of.set} has no boundary",
            hint="a torus is periodic" if isinstance(inner, Torus) else "",
        )
    return Region(Boundary(of.set), of.coordinates, of.domains)


@rule(ast.Comprehension)
def _comprehension(node: ast.Comprehension, env: Env) -> Value:
    within = region(node.set, env)
    if not within.coordinates:
        refuse("PDE214", node.set.span, "the points of this set have no coordinates", hint="declare it as a domain")
    variables = point_variables([n.id for n in node.names], within, node.span, env)
    names = bound_names([n.id for n in node.names], variables)
    inner = env.with_names(names).at(*zip(within.coordinates, variables, strict=True))
    result = within.set
    for condition in node.conditions:
        result = Sublevel(result, tuple(variables), _condition(condition, inner))
    return Region(result, within.coordinates, within.domains)


def _condition(node: ast.Expr, env: Env) -> Expr:
    """c with {c ≤ 0} meant."""
    if not isinstance(node, ast.Compare):
        refuse("PDE214", node.span, "a condition compares two values")
    if node.op in ("=", "!="):
        unsupported(node.span, "a set given by an equation")
    left, right = (scalar(term(n, env), n.span) for n in (node.left, node.right))
    return left - right if node.op in ("<", "<=") else right - left


def point_variables(names: list[str], of: Region, span: Span, env: Env) -> list[Variable]:
    """The variables of a set's coordinates, for a point that is named by one name, or by one for each coordinate."""
    if len(names) not in (1, len(of.coordinates)):
        refuse("PDE202", span, f"a point of this set has {len(of.coordinates)} coordinates")
    return [env.root.coordinates[c].variable for c in of.coordinates]


def bound_names(names: list[str], variables: list[Variable]) -> dict[str, Value]:
    """What the names of a point stand for."""
    if len(names) == len(variables):
        return dict(zip(names, variables, strict=True))
    return {names[0]: cast("Value", Vec(*(c for v in variables for c in (components(v) if shape(v) else [v]))))}


# ── operations ────────────────────────────────────────────────────────────────────────────────────────────────────────


def combine(node: ast.Binary, left: Value, right: Value) -> Region:
    """A × B, A ∪ B, A \\ B."""
    for found, side in ((left, node.left), (right, node.right)):
        if not isinstance(found, Region):
            refuse(
                "PDE214", side.span, f"{kind(found)} where a set is expected", hint="a single point is written `{…}`"
            )
    assert isinstance(left, Region) and isinstance(right, Region)
    if node.op == "cross":
        coordinates = (*left.coordinates, *right.coordinates)
        return Region(product(left.set, right.set), coordinates, (*left.domains, *right.domains))
    if node.op == "intersection":
        unsupported(node.span, "the intersection of sets", hint=r"write A \ (A \ B), or `{x in A : …}`")
    if node.op not in ("union", "minus"):
        refuse("PDE214", node.span, f"sets have no `{'·' if node.op == 'dot' else node.op}`")
    if left.set.dimension != right.set.dimension:
        sizes = f"{left.set.dimension} and {right.set.dimension}"
        refuse("PDE214", node.span, f"sets of {sizes} dimensions cannot be combined")
    coordinates, domains = (left.coordinates or right.coordinates), (left.domains or right.domains)
    if node.op == "union":
        return Region(Union((*_united(left.set), *_united(right.set))), coordinates, domains)
    return Region(Difference(left.set, right.set), coordinates, domains)


def _united(s: Set) -> tuple[Set, ...]:
    return s.parts if isinstance(s, Union) else (s,)


def to_power(base: Region, n: int, node: ast.Binary) -> Region:
    """A^n."""
    if not 1 <= n <= LARGEST or n * base.set.dimension > LARGEST:
        refuse(
            "PDE214", node.span, f"a set of {n * base.set.dimension} dimensions", hint=f"1 to {LARGEST} are possible"
        )
    return base if n == 1 else Region(power(base.set, n))


# ── named sets ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _center(node: ast.Call, env: Env, default: int | None) -> tuple[Expr, ...]:
    """The centre of a ball: its first of two arguments, or the origin."""
    if len(node.arguments) == 2:
        found = term(node.arguments[0], env)
        parts = components(found) if shape(found) else [found]
        if len(parts) == 1 and found == 0 and default:
            parts = [S.Zero] * default
        return tuple(_constant(c, node.arguments[0].span) for c in parts)
    if default is None:
        refuse("PDE202", node.span, "`ball` takes a centre and a radius", hint="`ball((0, 0, 0), 1)`")
    return (S.Zero,) * default


def _radius(node: ast.Call, env: Env) -> Expr:
    if not 1 <= len(node.arguments) <= 2:
        refuse("PDE202", node.span, f"`{node.function.span.text}` takes a centre and a radius")
    radius = constant(node.arguments[-1], env)
    if params_put_in(radius, env).is_positive is False:
        refuse("PDE214", node.arguments[-1].span, "a radius must be positive")
    return radius


@notion("disk")
def _disk(node: ast.Call, env: Env) -> Value:
    options(node, ())
    radius, center = _radius(node, env), _center(node, env, 2)
    if len(center) != 2:
        refuse("PDE201", node.arguments[0].span, "the centre of a disk is a vector of 2")
    return Region(Ball(center, radius))


@notion("ball")
def _ball(node: ast.Call, env: Env) -> Value:
    given = options(node, ("dimension",))
    size = whole(term(given["dimension"], env), env, given["dimension"].span, "a dimension") if given else None
    return Region(Ball(_center(node, env, size), _radius(node, env)))


@notion("sphere")
def _sphere(node: ast.Call, env: Env) -> Value:
    options(node, ())
    if len(node.arguments) != 1:
        refuse("PDE202", node.span, "`sphere(n)` takes its dimension")
    n = whole(term(node.arguments[0], env), env, node.arguments[0].span, "the dimension of a sphere")
    if not 1 <= n <= LARGEST:
        refuse("PDE214", node.arguments[0].span, f"a sphere of dimension {n}")
    return Region(Sphere(n + 1))


@notion("torus")
def _torus(node: ast.Call, env: Env) -> Value:
    options(node, ())
    if not node.arguments:
        refuse("PDE202", node.span, "`torus(L, …)` takes its periods")
    periods = tuple(constant(a, env) for a in node.arguments)
    for period, argument in zip(periods, node.arguments, strict=True):
        if params_put_in(period, env).is_positive is False:
            refuse("PDE214", argument.span, "a period must be positive")
    return Region(Torus(periods))
