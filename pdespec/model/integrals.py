"""Integrals, means and norms.

∫ f dx runs over the declared domain of x, or over the smaller one on which an unknown inside lives; ∫[x in S] fixes it,
and over a boundary it is a surface integral.  A bound name that is no coordinate takes the domain of the function that
it is an argument of.  𝔼[x ~ p] f is ∫ f p dx for a density p and an expectation for a law.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, S, Tuple, sqrt

from pdespec.model.arithmetic import scalar
from pdespec.model.bindings import Expect, Integrate, Law
from pdespec.model.evaluation import as_function, coerce, evaluate, fields_in, function, rule, term
from pdespec.model.formals import home
from pdespec.model.model import Domain
from pdespec.model.refusal import refuse, unsupported
from pdespec.model.regions import bound_names, region
from pdespec.model.scope import Env
from pdespec.model.sets import Interval, Named, Product, RealSpace, Set, Torus, on_boundary, plain, product
from pdespec.model.substitution import fresh
from pdespec.model.terms import Variable, VectorVariable, dimension_of, shape, variable
from pdespec.model.values import Closure, Coordinate, Function, Operator, Region, Value, kind
from pdespec.model.vectors import Dot
from pdespec.source import Span
from pdespec.syntax import ast


@dataclass(frozen=True, slots=True)
class Bound:
    """Variables bound together over a set: what their names stand for, and which coordinates they move.

    `coordinates` are those of a declared domain, one for each variable; empty for a set without coordinates.
    """

    names: tuple[tuple[str, Value], ...]
    variables: tuple[Variable, ...]
    coordinates: tuple[str, ...]
    set: Set | None
    moves: bool

    def enter(self, env: Env) -> Env:
        """The place inside the integral."""
        inner = env.with_names(dict(self.names))
        return inner.at(*zip(self.coordinates, self.variables, strict=True)) if self.moves else inner


@rule(ast.Integral)
def _integral(node: ast.Integral, env: Env) -> Value:
    bound = _over_region(node, env) if node.region is not None else _over_domains(node, env)
    inner = env
    for b in bound:
        inner = b.enter(inner)
        if b.set is not None and on_boundary(b.set):
            inner = replace(inner, normal=b.set.dimension)
    body = term(node.body, inner)
    variables: list[Variable] = []
    sets: list[Set] = []
    for b in bound:
        ordered, found = (b.variables, b.set) if b.set is not None else _domain_of(b, body, node, env)
        variables += ordered
        sets.append(found)
    return S.Zero if body == 0 else Integrate(body, tuple(variables), product(*sets))


def unused(v: Variable, env: Env) -> Variable:
    """A variable, renamed if a value that is in scope holds it."""
    taken = env.taken()
    return fresh(v, taken) if v in taken else v


# ── over an explicit set ──────────────────────────────────────────────────────────────────────────────────────────────


def _over_region(node: ast.Integral, env: Env) -> list[Bound]:
    assert node.region is not None
    return [bound_in(node.variables, region(node.region, env), node.span, env)]


def bound_in(names: tuple[ast.Name, ...], over: Region, span: Span, env: Env) -> Bound:
    """Names bound to the points of a set."""
    ids = tuple(n.id for n in names)
    if over.coordinates and len(ids) in (1, len(over.coordinates)):
        moves = ids == over.coordinates
        own = [env.root.coordinates[c].variable for c in over.coordinates]
        if len(ids) == 1 and len(own) == 1 and not moves:
            own = [variable(names[0].shown, own[0].dimension if isinstance(own[0], VectorVariable) else 1)]
        variables = [unused(v, env) for v in own]
        return Bound(
            tuple(bound_names(list(ids), variables).items()), tuple(variables), over.coordinates, over.set, moves
        )
    if len(ids) == 1:
        declared = env.scope.coordinates.get(ids[0])
        if declared is not None and dimension_of(declared.variable) == over.set.dimension:
            v = unused(declared.variable, env)
            return Bound(((ids[0], v),), (v,), (ids[0],), over.set, True)
        v = unused(variable(names[0].shown, over.set.dimension), env)
        return Bound(((ids[0], v),), (v,), (), over.set, False)
    if len(ids) == over.set.dimension:
        variables = [unused(variable(n.shown), env) for n in names]
        moves = all(n in env.scope.coordinates for n in ids)
        names_ = tuple(zip(ids, variables, strict=True))
        return Bound(names_, tuple(variables), ids if moves else (), over.set, moves)
    return refuse("PDE202", span, f"{len(ids)} names for the points of a set of {over.set.dimension} dimensions")


# ── over declared domains ─────────────────────────────────────────────────────────────────────────────────────────────


def _over_domains(node: ast.Integral, env: Env) -> list[Bound]:
    """The variables grouped by the domains that they belong to."""
    found: list[Bound] = []
    groups: dict[str, list[Coordinate]] = {}
    for name in node.variables:
        coordinate = env.scope.coordinates.get(name.id)
        if coordinate is None:
            groups[name.id] = []
        else:
            groups.setdefault(f"domain {coordinate.domain.name}", []).append(coordinate)
    for key, group in groups.items():
        if not group:
            found.append(_undeclared(next(n for n in node.variables if n.id == key), node.body, env))
            continue
        variables = tuple(unused(c.variable, env) for c in group)
        ids = tuple(c.id for c in group)
        found.append(Bound(tuple(zip(ids, variables, strict=True)), variables, ids, None, True))
    return found


def _undeclared(name: ast.Name, body: ast.Expr, env: Env) -> Bound:
    """A bound name that is no coordinate: it takes the domain of the function that it is an argument of."""
    coordinates = home(name.id, body, env)
    if coordinates is None:
        refuse(
            "PDE210",
            name.span,
            f"nothing tells the domain of `{name.shown}`",
            hint=f"write ∫[{name.shown} in S] … d{name.shown}",
        )
    own = [env.root.coordinates[c].variable for c in coordinates]
    if len(own) == 1:
        renamed = [unused(variable(name.shown, dimension_of(own[0])), env)]
    else:
        renamed = [fresh(v, env.taken()) for v in own]
    return Bound(tuple(bound_names([name.id], renamed).items()), tuple(renamed), coordinates, None, False)


def _domain_of(b: Bound, body: Expr, node: ast.Integral, env: Env) -> tuple[tuple[Variable, ...], Set]:
    """The set that bound coordinates run over, and the variables in its order."""
    declared = env.root.coordinates[b.coordinates[0]].domain
    smaller = {d.name: d for d in _domains_inside(b, body, env)}
    if len(smaller) > 1:
        names = " and ".join(smaller)
        refuse("PDE210", node.span, f"the unknowns inside live on {names}", hint="write ∫[… in S] to fix the set")
    domain = next(iter(smaller.values()), declared)
    given = dict(zip(b.coordinates, b.variables, strict=True))
    order = [env.root.coordinate_of(v) for v in domain.coordinates]
    if set(order) == set(given):
        return tuple(given[c] for c in order), Named(domain.name, domain.set)
    factors = _factors(domain.set, len(order))
    if factors is None:
        refuse(
            "PDE210", node.span, f"{domain.name} is no product: an integral over {', '.join(given)} alone has no limits"
        )
    kept = [(given[c], f) for c, f in zip(order, factors, strict=True) if c in given]
    return tuple(v for v, _ in kept), product(*(f for _, f in kept))


def _domains_inside(b: Bound, body: Expr, env: Env) -> list[Domain]:
    """The domains of the unknowns that are evaluated at the bound point."""
    found: list[Domain] = []
    for value in fields_in(body):
        unknown = env.root.unknown_of(value.field)
        if unknown is None:
            continue
        homes = [d for d in unknown.domains for _ in d.coordinates]
        found += [d for d, x in zip(homes, value.point, strict=False) if x in b.variables]
    return found


def _factors(s: Set, count: int) -> tuple[Set, ...] | None:
    """A set as a product of as many factors as it has coordinates."""
    inner = plain(s)
    if isinstance(inner, Product) and len(inner.parts) == count:
        return inner.parts
    if isinstance(inner, Torus) and inner.dimension == count:
        return tuple(Torus((p,)) for p in inner.periods)
    if isinstance(inner, RealSpace) and inner.d == count:
        return (RealSpace(1),) * count
    return (inner,) if isinstance(inner, Interval) and count == 1 else None


# ── means ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def mean(node: ast.Binder, env: Env) -> Expr:
    """𝔼[x ~ μ] f."""
    (binding,) = node.bindings
    if binding.relation != "~" or binding.domain is None:
        refuse("PDE202", node.span, "a mean is taken as `𝔼[x ~ μ] …`")
    measure = evaluate(binding.domain, env)
    if isinstance(measure, Law):
        return _expectation(node, binding, measure, env)
    if isinstance(measure, (Function, Closure)):
        return _against_density(node, binding, as_function(measure, binding.domain, env), env)
    return refuse("PDE217", binding.domain.span, f"{kind(measure)} where a law or a density is expected")


def _expectation(node: ast.Binder, binding: ast.Binding, law: Law, env: Env) -> Expr:
    names = binding.names
    if len(names) > 1:
        if not all(n.id in env.scope.coordinates for n in names):
            unsupported(node.span, "a law of several points")
        bound = [(n.id, unused(env.scope.coordinates[n.id].variable, env)) for n in names]
        body = term(node.body, env.with_names(dict(bound)).at(*bound))
        return Expect(body, tuple(v for _, v in bound), law)
    (name,) = names
    coordinates = home(name.id, node.body, env)
    if coordinates is not None and len(coordinates) == 1:
        own = env.root.coordinates[coordinates[0]].variable
        if coordinates[0] != name.id:
            own = variable(name.shown, dimension_of(own))
    else:
        own = variable(name.shown, _dimension_of_law(law) or 1)
    v = unused(own, env)
    check_law(law, dimension_of(v), binding.span)
    inner = env.with_names({name.id: v})
    moved = inner.at((name.id, v)) if name.id in env.scope.coordinates else inner
    body = term(node.body, moved)
    return S.Zero if body == 0 else Expect(body, (v,), law)


def _dimension_of_law(law: Law) -> int | None:
    """The dimension that a law itself tells."""
    if law.family == "gauss":
        return next((shape(p)[0] for p in law.parameters if shape(p)), None)
    if law.family == "gibbs":
        return sum(map(dimension_of, law.variables))
    if law.family == "points":
        return shape(law.parameters[0])[0] if shape(law.parameters[0]) else 1
    return int(law.parameters[0].value.dimension) if law.family == "uniform" else None


def check_law(law: Law, dimension: int, span: Span) -> None:
    """Refuse a law of another dimension than the points that are drawn from it."""
    own = _dimension_of_law(law)
    if own is not None and own != dimension:
        refuse("PDE201", span, f"a law in {own} dimensions for points of {dimension}")


def _against_density(node: ast.Binder, binding: ast.Binding, density: Function, env: Env) -> Expr:
    """∫ f p dx."""
    space = [k for k, c in enumerate(density.coordinates) if not env.root.coordinates[c].time]
    coordinates = tuple(density.coordinates[k] for k in space)
    domains = tuple({density.homes[k].name: density.homes[k] for k in space}.values())
    over = Region(product(*(Named(d.name, d.set) for d in domains)), coordinates, domains)
    bound = bound_in(binding.names, over, binding.span, env)
    weight = list(env.values(density))
    if len(bound.variables) != len(space):
        message = f"the density has {len(space)} arguments in space, and {len(bound.variables)} are named"
        refuse("PDE202", binding.span, message)
    for k, v in zip(space, bound.variables, strict=True):
        weight[k] = v
    body = term(node.body, bound.enter(env)) * density.at(*weight)
    return S.Zero if body == 0 else Integrate(body, bound.variables, over.set)


# ── norms ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Extent:
    """A function over its own domain: the variables bound, their coordinates, and the set."""

    variables: tuple[Variable, ...]
    coordinates: tuple[str, ...]
    set: Set

    def value(self, function: Function, env: Env) -> Expr:
        """A function at these variables."""
        return function.at(*env.at(*zip(self.coordinates, self.variables, strict=True)).values(function))


def extent(function: Function, span: Span, env: Env) -> Extent:
    """The domain of a function; that of a density is space, at the current time."""
    density = any((u := env.root.unknown_of(v.field)) and u.kind == "density" for v in fields_in(function.term))
    kept = [k for k, c in enumerate(function.coordinates) if not (density and env.root.coordinates[c].time)]
    if not kept:
        refuse("PDE203", span, "a function is expected, and this does not depend on a point")
    coordinates = tuple(function.coordinates[k] for k in kept)
    domains = {function.homes[k].name: function.homes[k] for k in kept}
    whole = [c for d in domains.values() for c in map(env.root.coordinate_of, d.coordinates)]
    variables = tuple(unused(env.root.coordinates[c].variable, env) for c in whole)
    if not set(coordinates) <= set(whole):
        refuse("PDE210", span, "the domain of this function is not clear")
    return Extent(variables, tuple(whole), product(*(Named(d.name, d.set) for d in domains.values())))


@rule(ast.Norm)
def _norm(node: ast.Norm, env: Env) -> Value:
    from pdespec.model.builtins import options

    given = options(node, ("measure",))
    operand = function(node.operand, env)
    over = extent(operand, node.operand.span, env)
    value = over.value(operand, env)
    square = Dot(value, value) if shape(value) else value**2
    weight = weight_at(given.get("measure"), over, env)
    return sqrt(Integrate(square * weight, Tuple(*over.variables), over.set))


def weight_at(node: ast.Expr | None, over: Extent, env: Env) -> Expr:
    """The density of a measure at the variables of an integral; 1 where none is given."""
    if node is None:
        return S.One
    inner = env.at(*zip(over.coordinates, over.variables, strict=True))
    return scalar(coerce(evaluate(node, inner), inner, node.span), node.span, "a measure's density")


@rule(ast.Braket)
def _braket(node: ast.Braket, env: Env) -> Value:
    bra, ket = function(node.bra, env), function(node.ket, env)
    over = extent(ket, node.span, env)
    inner = env.at(*zip(over.coordinates, over.variables, strict=True))
    right: Expr = over.value(ket, env)
    if node.operator is not None:
        from pdespec.model.definitions import applied_to_functions

        operator = evaluate(node.operator, inner)
        if isinstance(operator, Closure):
            right = coerce(applied_to_functions(operator, (ket,), inner, node.span), inner, node.span)
        elif isinstance(operator, Operator):
            right = operator.apply(ket, inner)
        else:
            right = coerce(operator, inner, node.operator.span) * right
    left = over.value(bra, env)
    body = Dot(left, right) if shape(left) else left * right
    return Integrate(body, over.variables, over.set)
