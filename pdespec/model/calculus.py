"""Derivatives at the current point: ∂, ∇, ∇·, Δ, ∇×, the Hessian and the normal derivative.

Each acts on its whole operand as a function of the current point.  ∇ and its kin act on the space coordinates of the
innermost point that the operand depends on; with two domains at once they are ambiguous.  What does not depend on the
point cannot be differentiated: that is a mistake more often than a zero.
"""

from __future__ import annotations

from sympy import Expr, S, Symbol

from pdespec.model.arithmetic import spelled, vector
from pdespec.model.evaluation import rule, term
from pdespec.model.refusal import refuse
from pdespec.model.scope import Env, Level
from pdespec.model.terms import Normal, Variable, VectorVariable, shape
from pdespec.model.values import Value
from pdespec.model.vectors import Curl, Div, Dot, Grad, Hess, Lap, Partial
from pdespec.source import Span
from pdespec.syntax import ast

HIGHEST = 8
"""Derivatives of higher order by one ∂ are refused."""


@rule(ast.Partial)
def _partial(node: ast.Partial, env: Env) -> Value:
    operand = term(node.operand, env)
    if len(node.coordinates) > HIGHEST:
        refuse(
            "PDE224",
            node.span,
            f"a derivative of order {len(node.coordinates)}; the highest is {HIGHEST}",
            hint="name a lower derivative as an unknown of its own",
        )
    variables = [_coordinate(c, node, env) for c in node.coordinates]
    for v in variables:
        if v not in operand.free_symbols:
            _constant(node, f"the operand does not depend on {v.name.partition('°')[0]}")
    if any(isinstance(v, VectorVariable) for v in variables):
        if len(variables) > 1:
            refuse("PDE211", node.span, f"`{variables[0].name}` is a vector: write ∇, Δ or `hess`")
        return gradient(operand, (variables[0],), node.span)
    if isinstance(operand, Partial):
        return Partial(operand.operand, *operand.variables, *variables)
    return Partial(operand, *variables)


def _coordinate(name: str, node: ast.Partial, env: Env) -> Variable:
    """The variable to differentiate by: a declared coordinate, or a formal point."""
    bound = env.locals.get(name)
    if isinstance(bound, (Symbol, VectorVariable)):
        return bound
    if name not in env.scope.coordinates:
        refuse("PDE111", node.span, f"`{name}` is no coordinate of a domain")
    return env.current(name)


def _constant(node: ast.Expr, why: str) -> None:
    refuse("PDE204", node.span, "the derivative of a constant", label=why)


@rule(ast.Differential)
def _differential(node: ast.Differential, env: Env) -> Value:
    operand = term(node.operand, env)
    if operand == 0 and isinstance(node.operand, ast.Num):
        _constant(node, "the operand is a number")
    variables = space_variables(operand, node, env)
    size = sum(v.dimension if isinstance(v, VectorVariable) else 1 for v in variables)
    form = shape(operand)
    if node.op == "grad":
        return gradient(operand, variables, node.span)
    if node.op == "div":
        if len(form) == 2 and form[0] != size:
            refuse("PDE201", node.span, f"∇· of {spelled(form)} in {size} dimensions")
        return Div(
            operand if len(form) == 2 else vector(operand, size, node.operand.span, "the operand of ∇·"), *variables
        )
    if node.op == "lap":
        return Lap(operand, *variables)
    if node.op == "hess":
        if form:
            refuse("PDE201", node.operand.span, f"`hess` of {spelled(form)}", hint="take a component")
        return Hess(operand, *variables)
    return _curl(operand, variables, size, node)


def gradient(operand: Expr, variables: tuple[Variable, ...], span: Span) -> Expr:
    """∇ of a scalar or a vector."""
    if len(shape(operand)) > 1:
        refuse("PDE201", span, f"∇ of {spelled(shape(operand))}")
    return Grad(operand, *variables)


def _curl(operand: Expr, variables: tuple[Variable, ...], size: int, node: ast.Differential) -> Expr:
    form = shape(operand)
    if (size, form) not in {(2, ()), (2, (2,)), (3, (3,))}:
        refuse(
            "PDE201",
            node.span,
            f"∇× of {spelled(form)} in {size} dimensions",
            hint="a vector of 3 in three dimensions, a vector of 2 or a scalar in two",
        )
    return Curl(operand, *variables)


def space_variables(operand: Expr, node: ast.Expr, env: Env) -> tuple[Variable, ...]:
    """The space coordinates that ∇ acts on: those of the innermost domain at whose point the operand varies."""
    free = operand.free_symbols
    for level in reversed(env.levels):
        domains = _domains_met(level, free, env)
        if len(domains) > 1:
            names = " and ".join(domains)
            refuse("PDE211", node.span, f"∇ is ambiguous here: the operand varies with {names}", hint="write ∂")
        if domains:
            return next(iter(domains.values()))
    _constant(node, "the operand does not depend on the point")
    return ()


def _domains_met(level: Level, free: set[Expr], env: Env) -> dict[str, tuple[Variable, ...]]:
    """The space domains of a level in whose points an operand varies, with their variables."""
    met: dict[str, tuple[Variable, ...]] = {}
    for name, v in level.variables:
        coordinate = env.root.coordinates[name]
        if not coordinate.time and v in free:
            domain = coordinate.domain
            own = tuple(w for n, w in level.variables if env.root.coordinates[n].domain == domain)
            met.setdefault(domain.name, own)
    return met


@rule(ast.NormalDerivative)
def _normal_derivative(node: ast.NormalDerivative, env: Env) -> Value:
    if not env.normal:
        refuse("PDE212", node.span, "the normal derivative is taken on a boundary only")
    operand = term(node.operand, env)
    variables = space_variables(operand, node, env)
    return Dot(Normal(env.normal), gradient(operand, variables, node.span)) if operand != 0 else S.Zero
