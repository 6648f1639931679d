"""Declarations: params, domains and unknowns.

A domain names the coordinates of its points: one name for a vector, or one for each factor.  A subset of a domain has
the coordinates of that domain.  An interval whose coordinate is `t`, or which follows `over`, is time.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr

from pdespec.diagnostics import SpecError, error, has_errors
from pdespec.model.arithmetic import scalar
from pdespec.model.evaluation import evaluate, term
from pdespec.model.fields import Field
from pdespec.model.magnitude import estimate, params_put_in
from pdespec.model.model import Domain, Param, Unknown
from pdespec.model.refusal import refuse, unsupported
from pdespec.model.regions import region
from pdespec.model.scope import Env, Scope, base
from pdespec.model.sets import Finite, Interval, Named, Point, Product, RealSpace, Set, Torus, plain
from pdespec.model.terms import Parameter, dimension_of, variable
from pdespec.model.values import Coordinate, Region
from pdespec.source import Source, Span
from pdespec.syntax import ast
from pdespec.syntax.parse import parse

# ── params ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def param(statement: ast.Param, scope: Scope, settings: Mapping[str, ast.Expr]) -> None:
    """A constant, or the values of a sweep; `settings` holds what was given from outside."""
    given = settings.get(statement.name.id)
    node = given if given is not None else statement.value
    env = base(scope)
    swept = isinstance(node, ast.SetLiteral) if given is not None else statement.sweep
    values = _sweep(node, env) if swept else (_constant(node, env),)
    positive = all(params_put_in(v, env).is_positive for v in values)
    symbol = Parameter(statement.name.shown, **({"positive": True} if positive else {"real": True}))
    scope.params[statement.name.id] = Param(symbol, values[0], values if swept else (), statement.span)


def _constant(node: ast.Expr, env: Env) -> Expr:
    value = scalar(term(node, env), node.span, "a param")
    if any(not isinstance(s, Parameter) for s in value.free_symbols) or not params_put_in(value, env).is_number:
        refuse("PDE218", node.span, "a param is a constant", hint="define a function with `:=`")
    estimate(params_put_in(value, env), node.span)
    return value


def _sweep(node: ast.Expr, env: Env) -> tuple[Expr, ...]:
    found = evaluate(node, env)
    if isinstance(found, Region) and isinstance(found.set, Finite):
        return found.set.values
    if isinstance(found, Region) and isinstance(found.set, Point) and found.set.dimension == 1:
        return found.set.coordinates
    return refuse("PDE218", node.span, "a sweep runs over a finite set", hint="write `{1, 5, 10}`")


def setting(name: str, text: str) -> ast.Expr:
    """The value of `--set NAME=VALUE`, read as the language reads the value of a param.  Raises SpecError."""
    where = Source(f"--set {name}", f"param {name} = {text}")
    spec, found = parse(where)
    if has_errors(found) or len(spec.statements) != 1 or not isinstance(spec.statements[0], ast.Param):
        problem = next((d.message for d in found), "a single value is expected")
        raise SpecError([error("PDE108", None, f"--set {name}: {problem}")])
    return spec.statements[0].value


# ── domains ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def domain(statement: ast.DomainDecl, scope: Scope, times: frozenset[str]) -> None:
    """A set with its coordinates."""
    of = region(statement.set, base(scope))
    name = statement.name.shown
    if not statement.coordinates:
        _subset(statement, of, scope)
        return
    sizes = _sizes(of.set, statement)
    variables = tuple(variable(c.shown, n) for c, n in zip(statement.coordinates, sizes, strict=True))
    ids = tuple(c.id for c in statement.coordinates)
    time = isinstance(plain(of.set), Interval) and (ids == ("t",) or statement.name.id in times)
    if "t" in ids and len(ids) > 1:
        refuse(
            "PDE214",
            statement.coordinates[ids.index("t")].span,
            "time is a domain of its own",
            hint="write `domain I(t) = [0, T]` and use X × I",
        )
    made = Domain(name, variables, of.set, time, statement.span)
    block = _block(statement.set, base(scope)) if len(ids) == 1 else 0
    for c, v in zip(ids, variables, strict=True):
        scope.coordinates[c] = Coordinate(c, v, made, time, block)
    scope.domains[statement.name.id] = made
    scope.regions[statement.name.id] = Region(Named(name, of.set), ids, (made,))


def _subset(statement: ast.DomainDecl, of: Region, scope: Scope) -> None:
    if not of.coordinates:
        refuse(
            "PDE214",
            statement.name.span,
            f"the points of `{statement.name.shown}` have no name",
            hint=f"write `domain {statement.name.shown}(x) = …`",
        )
    variables = tuple(scope.coordinates[c].variable for c in of.coordinates)
    time = all(scope.coordinates[c].time for c in of.coordinates)
    made = Domain(statement.name.shown, variables, of.set, time, statement.span)
    scope.domains[statement.name.id] = made
    scope.regions[statement.name.id] = Region(Named(statement.name.shown, of.set), of.coordinates, (made,))


def _sizes(of: Set, statement: ast.DomainDecl) -> list[int]:
    """The dimension of each coordinate."""
    count, dimension = len(statement.coordinates), of.dimension
    factors = [f.dimension for f in plain(of).factors] if isinstance(plain(of), Product) else [dimension]
    if count == 1:
        return [dimension]
    if count == dimension:
        return [1] * count
    if count == len(factors):
        return factors
    return refuse("PDE214", statement.span, f"{count} coordinates for a set of {dimension} dimensions")


def _block(node: ast.Expr, env: Env) -> int:
    """m for (R^m)^n with m, n > 1: the points are lists of n vectors."""
    if isinstance(node, ast.Binary) and node.op == "^":
        inner, outer = plain(region(node.left, env).set), plain(region(node, env).set)
        if isinstance(inner, RealSpace) and 1 < inner.d < outer.dimension:
            return inner.d
    return 0


# ── unknowns ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def unknown(statement: ast.UnknownDecl, scope: Scope) -> None:
    """A function, a density or a number to be found."""
    env = base(scope)
    signature = statement.signature
    kind, codomain = "function", None
    if isinstance(signature, ast.Arrow):
        domains = _factors(signature.source, env)
        codomain = _codomain(signature.target, env)
    elif _is_call_of(signature, "P"):
        assert isinstance(signature, ast.Call)
        kind = "density"
        domains = tuple(d for a in signature.arguments for d in _factors(a, env))
    else:
        kind, domains, codomain = "scalar", (), _codomain(signature, env)
    if statement.over is not None:
        domains = (*domains, *_time(statement.over, env))
    slots = tuple(v for d in domains for v in d.coordinates)
    if len(set(slots)) < len(slots):
        unsupported(statement.signature.span, "an unknown of two points of one domain", "PDE964")
    size = codomain.dimension if codomain is not None else 1
    names = tuple(v.name for v in slots)
    field = Field(statement.name.shown, names, tuple(map(dimension_of, slots)), () if size == 1 else (size,))
    restricted = None if codomain is None or isinstance(plain(codomain), RealSpace) else codomain
    scope.unknowns[statement.name.id] = Unknown(field, kind, domains, restricted, (), statement.span)


def _is_call_of(node: ast.Expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.function, ast.Name) and node.function.id == name


def factors_of(node: ast.Expr) -> list[ast.Expr]:
    """The factors of A × B × …"""
    if isinstance(node, ast.Binary) and node.op == "cross":
        return [*factors_of(node.left), node.right]
    return [node]


def _factors(node: ast.Expr, env: Env) -> tuple[Domain, ...]:
    """The declared domains whose product a set is."""
    domains: list[Domain] = []
    for factor in factors_of(node):
        found = region(factor, env)
        if not found.coordinates and isinstance(plain(found.set), RealSpace):
            unsupported(factor.span, "an unknown function of values", "PDE964")
        if not isinstance(found.set, Named) or len(found.domains) != 1:
            refuse(
                "PDE214",
                factor.span,
                "the points of this set have no coordinates",
                hint="declare it: `domain X(x) = …`",
            )
        if isinstance(plain(found.set), Finite):
            unsupported(factor.span, "an unknown on a finite set", "PDE964")
        domains += found.domains
    return tuple(domains)


def _codomain(node: ast.Expr, env: Env) -> Set:
    found = region(node, env).set
    if isinstance(plain(found), (Torus, Finite)):
        unsupported(node.span, "an unknown with values in this set", "PDE964")
    return found


def _time(node: ast.Expr, env: Env) -> tuple[Domain, ...]:
    found = region(node, env)
    if len(found.domains) != 1 or not found.domains[0].time:
        refuse("PDE214", node.span, "after `over` comes an interval of time", hint="write `domain I(t) = [0, 1]`")
    return found.domains


def place(span: Span) -> str:
    """Where something was declared, for a message."""
    return f"{span.source.name}:{span.line}"
