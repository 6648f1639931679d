"""Equations on regions.

The region sets the current point of all its coordinates, those that it fixes included: `∂t u = 0 on X × {0}` is a
statement about ∂t u at t = 0.  Factors without coordinates, such as `{0}`, take those of the unknowns' domain in order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, S

from pdespec.diagnostics import SpecError
from pdespec.model.arithmetic import only_component, spelled
from pdespec.model.bindings import Law
from pdespec.model.declare import factors_of
from pdespec.model.evaluation import coerce, evaluate, fields_in, measured, term
from pdespec.model.integrals import check_law
from pdespec.model.magnitude import params_put_in
from pdespec.model.model import Domain, Equation
from pdespec.model.refusal import refuse, unsupported
from pdespec.model.regions import region
from pdespec.model.resolution import mentioned
from pdespec.model.scope import Env, Scope, base
from pdespec.model.sets import Boundary, Finite, Interval, Named, Point, Set, on_boundary, plain, product
from pdespec.model.terms import Variable, VectorVariable, dimension_of, shape
from pdespec.syntax import ast


@dataclass(frozen=True, slots=True)
class Place:
    """A region with the coordinates of its points, and the dimension in which it has a normal."""

    set: Set
    coordinates: tuple[str, ...]
    normal: int = 0

    def enter(self, env: Env) -> Env:
        """The place at which an equation on the region is read."""
        points = tuple((c, env.root.coordinates[c].variable) for c in self.coordinates)
        return replace(env.at(*points), normal=self.normal)

    def variables(self, scope: Scope) -> tuple[Variable, ...]:
        return tuple(scope.coordinates[c].variable for c in self.coordinates)


def domains_of(nodes: tuple[ast.Expr, ...], scope: Scope) -> list[tuple[Domain, ...]]:
    """The domains of the unknowns that some expressions rest on, the largest first."""
    names: set[str] = set().union(*(mentioned(n, scope.definitions) for n in nodes))
    found = [u.domains for key, u in scope.unknowns.items() if key in names and u.domains]
    return sorted(dict.fromkeys(found), key=len, reverse=True) or [()]


def located_in(node: ast.Expr, candidates: list[tuple[Domain, ...]], env: Env) -> Place:
    """The region in the domain of the first unknown that it fits; where it fits none, what is wrong with the first."""
    failures: list[SpecError] = []
    for domains in candidates:
        try:
            return located(node, domains, env)
        except SpecError as failure:
            failures.append(failure)
    raise failures[0]


def whole(domains: tuple[Domain, ...], scope: Scope) -> Place:
    """The whole of some domains."""
    coordinates = tuple(scope.coordinate_of(v) for d in domains for v in d.coordinates)
    return Place(product(*(Named(d.name, d.set) for d in domains)), coordinates)


def located(node: ast.Expr, domains: tuple[Domain, ...], env: Env) -> Place:
    """The region after `on`, its factors matched with the coordinates of the unknowns' domain."""
    expected = [env.root.coordinate_of(v) for d in domains for v in d.coordinates]
    sets: list[Set] = []
    coordinates: list[str] = []
    normal = 0
    for factor in factors_of(node):
        found = region(factor, env)
        rest = expected[len(coordinates) :]
        own = found.coordinates or _taken(found.set, rest, env)
        if not own or (expected and tuple(rest[: len(own)]) != tuple(own)):
            _no_match(factor, domains, rest, env)
        sets.append(_fitted(found.set, own, env))
        coordinates += own
        if not env.root.coordinates[own[0]].time and _has_normal(found.set, own, env):
            normal = sum(map(dimension_of, env.root.coordinates[own[0]].domain.coordinates))
    if len(coordinates) < len(expected):
        missing = _names(expected[len(coordinates) :], env)
        refuse(
            "PDE213",
            node.span,
            f"the region says nothing about {missing}",
            hint=f"the unknown lives on {' × '.join(d.name for d in domains)}",
        )
    return Place(product(*sets), tuple(coordinates), normal)


def _has_normal(s: Set, own: tuple[str, ...], env: Env) -> bool:
    """A boundary has a normal; so has a value of one scalar coordinate, which may be an end or a face."""
    scalar = len(own) == 1 and not isinstance(env.root.coordinates[own[0]].variable, VectorVariable)
    return on_boundary(s) or (scalar and isinstance(plain(s), (Point, Finite)))


def _taken(s: Set, rest: list[str], env: Env) -> tuple[str, ...]:
    """The next coordinates that a set without coordinates stands for."""
    if isinstance(s, Point) and s.coordinates == (S.Zero,) and rest:
        return (rest[0],)
    own: list[str] = []
    size = 0
    for c in rest:
        if size >= s.dimension:
            break
        own.append(c)
        size += dimension_of(env.root.coordinates[c].variable)
    return tuple(own) if size == s.dimension else ()


def _fitted(s: Set, own: tuple[str, ...], env: Env) -> Set:
    """{0} as the zero of the space that it stands in, and both ends of an interval as its boundary."""
    coordinate = env.root.coordinates[own[0]]
    v, whole = coordinate.variable, plain(coordinate.domain.set)
    if isinstance(s, Point) and s.coordinates == (S.Zero,) and isinstance(v, VectorVariable):
        return Point((S.Zero,) * v.dimension)
    if isinstance(s, Finite) and isinstance(whole, Interval):
        ends = [params_put_in(e, env) for e in (whole.lo, whole.hi)]
        if sorted(map(str, ends)) == sorted(str(params_put_in(e, env)) for e in s.values):
            return Boundary(Named(coordinate.domain.name, coordinate.domain.set))
    return s


def _names(coordinates: list[str], env: Env) -> str:
    return ", ".join(dict.fromkeys(env.root.coordinates[c].domain.name for c in coordinates))


def _no_match(factor: ast.Expr, domains: tuple[Domain, ...], rest: list[str], env: Env) -> None:
    lives = " × ".join(d.name for d in domains)
    if not domains:
        refuse("PDE213", factor.span, "the points of this set have no coordinates here")
    if not rest:
        refuse(
            "PDE213", factor.span, "the region has more factors than the unknown's domain", hint=f"it lives on {lives}"
        )
    refuse("PDE213", factor.span, f"this is no set in {_names(rest[:1], env)}", hint=f"the unknown lives on {lives}")


# ── the equation ──────────────────────────────────────────────────────────────────────────────────────────────────────


def equation(statement: ast.Equation, scope: Scope) -> Equation:
    """lhs = rhs on a region."""
    assert statement.label is not None and statement.right is not None
    env = base(scope)
    domains = domains_of((statement.left, statement.right), scope)
    if statement.region is not None:
        where = located_in(statement.region, domains, env)
    else:
        where = _unstated(statement, domains[0], scope)
    inner = where.enter(env)
    lhs = measured(term(statement.left, inner), statement.left.span)
    rhs = _right(statement, lhs, where, inner)
    if not fields_in(lhs) and (isinstance(rhs, Law) or not fields_in(rhs)):
        refuse("PDE219", statement.span, "no unknown occurs in this equation", hint="`:=` defines, `=` equates")
    variables = where.variables(scope)
    _check_coordinates(statement, (lhs, rhs), variables, scope)
    return Equation(
        statement.label.shown,
        statement.relation,
        lhs,
        rhs,
        where.set,
        variables,
        _text(statement),
        statement.span,
        statement.left.span,
        statement.right.span,
        statement.region.span if statement.region else None,
    )


def _text(statement: ast.Equation) -> str:
    return " ".join(statement.span.text.split())


def _unstated(statement: ast.Equation, domains: tuple[Domain, ...], scope: Scope) -> Place:
    """Without `on` an equation between numbers holds once, any other on the whole domain of its unknowns."""
    assert statement.right is not None
    env = base(scope)
    sides = [evaluate(statement.left, env), evaluate(statement.right, env)]
    free = set().union(
        *(s.free_symbols for s in (coerce(v, env, statement.span) for v in sides if not isinstance(v, Law)))
    )
    if not free & {c.variable for c in scope.coordinates.values()}:
        return Place(Point(()), ())
    return whole(domains, scope)


def _right(statement: ast.Equation, lhs: Expr, where: Place, env: Env) -> Expr | Law:
    """The right side: a law where the left is a density, otherwise a term of the same shape."""
    assert statement.right is not None
    found = evaluate(statement.right, env)
    if isinstance(found, Law):
        densities = [v for v in fields_in(lhs) if (u := env.root.unknown_of(v.field)) and u.kind == "density"]
        if lhs not in densities:
            refuse("PDE217", statement.right.span, "a law on the right, and no density on the left")
        space = [
            v
            for c, v in zip(where.coordinates, where.variables(env.root), strict=True)
            if not env.root.coordinates[c].time
        ]
        check_law(found, sum(map(dimension_of, space)), statement.right.span)
        return found
    rhs = measured(coerce(found, env, statement.right.span), statement.right.span)
    sl, sr = shape(lhs), shape(rhs)
    if sl == sr or lhs == 0 or rhs == 0:
        return rhs
    if {sl, sr} == {(), (1,)}:
        return only_component(rhs) if sr else rhs
    return refuse("PDE201", statement.right.span, f"{spelled(sl)} on the left, {spelled(sr)} on the right")


def _check_coordinates(
    statement: ast.Equation, sides: tuple[Expr | Law, ...], variables: tuple[Variable, ...], scope: Scope
) -> None:
    """Every coordinate that an equation mentions must be set by its region."""
    free: set[object] = set().union(*(s.free_symbols for s in sides))
    for c in scope.coordinates.values():
        if c.variable in free and c.variable not in variables:
            refuse("PDE213", statement.span, f"`{c.variable.name}` occurs, and the region does not set it")


def check_supported(statement: ast.Equation) -> None:
    """Refuse the forms of equations that are still to come."""
    if statement.formals:
        assert statement.label is not None
        unsupported(statement.label.span, "a parametric equation")
    if statement.relation == "holds":
        unsupported(statement.left.span, "a condition without `=`")
    if statement.relation != "=":
        unsupported(statement.span, "an inequality")
