"""Laws of probability and processes, as notions of the language.

`gauss(m, C)`, `gibbs(V, β)` ∝ exp(−βV), `uniform(S)`, `points(…)`; `diffusion(b, σ)` with its generator
b·∇f + ½ σσᵀ : ∇∇f, the backward Kolmogorov operator.  A process is one line of `GENERATORS`.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, Rational, S, Tuple

from pdespec.model.arithmetic import components, scalar, spelled
from pdespec.model.bindings import Law
from pdespec.model.builtins import notion, options, positional
from pdespec.model.calculus import space_variables
from pdespec.model.evaluation import evaluate, function, term
from pdespec.model.refusal import refuse, unsupported
from pdespec.model.regions import region
from pdespec.model.scope import Env
from pdespec.model.sets import Named, product
from pdespec.model.terms import Variable, VectorVariable, shape
from pdespec.model.values import Function, Operator, Process, Value, kind
from pdespec.model.vectors import Component, Div, Dot, Grad, Lap, Vec
from pdespec.syntax import ast

# ── laws ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@notion("gauss")
def _gauss(node: ast.Call, env: Env) -> Value:
    mean, covariance = positional(node, env, 2)
    sm, sc = shape(mean), shape(covariance)
    if len(sm) > 1 or (sc not in ((), (1, 1)) and (len(sc) != 2 or sc[0] != sc[1] or (sm and sm[0] != sc[0]))):
        refuse(
            "PDE217",
            node.span,
            f"`gauss` of {spelled(sm)} and {spelled(sc)}",
            hint="a mean, and a scalar c (for c·I) or a square matrix",
        )
    if not sc and covariance.is_nonpositive:
        refuse("PDE217", node.arguments[1].span, "a covariance must be positive")
    return Law("gauss", mean, covariance)


@notion("gibbs")
def _gibbs(node: ast.Call, env: Env) -> Value:
    options(node, ())
    if len(node.arguments) != 2:
        refuse("PDE202", node.span, "`gibbs(V, β)` takes a potential and an inverse temperature")
    potential = function(node.arguments[0], env)
    beta = scalar(term(node.arguments[1], env), node.arguments[1].span, "an inverse temperature")
    if not potential.slots or any(env.root.coordinates[c].time for c in potential.coordinates):
        refuse("PDE217", node.arguments[0].span, "a potential is a function on space")
    domains = {d.name: d for d in potential.homes}
    variables = tuple(v for d in domains.values() for v in d.coordinates)
    by_coordinate = {env.root.coordinate_of(v): v for v in variables}
    body = scalar(
        potential.at(*(by_coordinate[c] for c in potential.coordinates)), node.arguments[0].span, "a potential"
    )
    return Law("gibbs", body, beta, Tuple(*variables), product(*(Named(d.name, d.set) for d in domains.values())))


@notion("uniform")
def _uniform(node: ast.Call, env: Env) -> Value:
    options(node, ())
    if len(node.arguments) != 1:
        refuse("PDE202", node.span, "`uniform(S)` takes a set")
    over = region(node.arguments[0], env)
    if not over.set.bounded:
        refuse("PDE217", node.arguments[0].span, "there is no uniform law on an unbounded set")
    return Law("uniform", over.set)


@notion("points")
def _points(node: ast.Call, env: Env) -> Value:
    options(node, ())
    found = [term(a, env) for a in node.arguments]
    if not found or len({shape(p) for p in found}) > 1:
        refuse("PDE217", node.span, "`points((…), (…))` takes points of one dimension")
    return Law("points", *found)


# ── processes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@notion("diffusion")
def _diffusion(node: ast.Call, env: Env) -> Value:
    options(node, ())
    if len(node.arguments) != 2:
        refuse("PDE202", node.span, "`diffusion(b, σ)` takes a drift and a noise")
    return Process("diffusion", tuple(function(a, env) for a in node.arguments))


@notion("generator")
def _generator(node: ast.Call, env: Env) -> Value:
    options(node, ())
    if len(node.arguments) != 1:
        refuse("PDE202", node.span, "`generator(W)` takes a process")
    process = evaluate(node.arguments[0], env)
    if not isinstance(process, Process):
        refuse(
            "PDE217",
            node.arguments[0].span,
            f"{kind(process)} where a process is expected",
            hint="such as `diffusion(b, σ)`",
        )
    return Operator("the generator", lambda f, place: GENERATORS[process.kind](process, f, node, place))


def _diffusion_generator(process: Process, f: Function, node: ast.Call, env: Env) -> Expr:
    """b·∇f + ½ σ²Δf, or ½ ∇·(σσᵀ∇f) for a constant matrix σ."""
    value = f.at(*env.values(f))
    variables = space_variables(value, node, env)
    drift, noise = (c.at(*env.values(c)) for c in process.coefficients)
    gradient = Grad(value, *variables)
    transport = _along(drift, gradient, node)
    if not shape(noise):
        return transport + Rational(1, 2) * noise**2 * Lap(value, *variables)
    return transport + Rational(1, 2) * Div(Dot(_covariance(noise, variables, node), gradient), *variables)


def _along(drift: Expr, gradient: Expr, node: ast.Call) -> Expr:
    if drift == 0:
        return S.Zero
    if not shape(drift) and shape(gradient)[0] == 1:
        drift = Vec(drift)
    if shape(drift) != shape(gradient)[:1]:
        refuse("PDE201", node.span, f"a drift that is {spelled(shape(drift))} in {shape(gradient)[0]} dimensions")
    return Dot(drift, gradient)


def _covariance(noise: Expr, variables: tuple[Variable, ...], node: ast.Call) -> Expr:
    """σσᵀ."""
    n = sum(v.dimension if isinstance(v, VectorVariable) else 1 for v in variables)
    if len(shape(noise)) != 2 or shape(noise)[0] != n:
        refuse("PDE201", node.span, f"a noise that is {spelled(shape(noise))} in {n} dimensions")
    if noise.free_symbols & set(variables):
        unsupported(node.span, "a noise matrix that varies in space")
    rows = [components(Component(noise, k)) for k in range(1, n + 1)]
    return Vec(*(Vec(*(sum((a * b for a, b in zip(r, s, strict=True)), S.Zero) for s in rows)) for r in rows))


GENERATORS: dict[str, Callable[[Process, Function, ast.Call, Env], Expr]] = {"diffusion": _diffusion_generator}
"""The generator of each kind of process."""
