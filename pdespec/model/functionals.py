"""What is done with functionals: variations, gradients in a metric, divergences and errors.

δE/δp and grad(E, p; metric=M) wait for derivation.  A metric is an operator M(p)(φ) written in the language; it is
applied here to φ = δE/δp, so that nothing else needs to know which metric it is.
"""

from __future__ import annotations

from sympy import Expr, Tuple, log

from pdespec.model.arithmetic import scalar, spelled
from pdespec.model.bindings import Density, Integrate, Law, RelativeError
from pdespec.model.builtins import notion, options
from pdespec.model.definitions import applied_to_functions
from pdespec.model.evaluation import as_function, coerce, evaluate, function, rule, term
from pdespec.model.fields import Exact, MetricGradient, Variation
from pdespec.model.integrals import check_law, extent, weight_at
from pdespec.model.refusal import refuse, unsupported
from pdespec.model.scope import Env
from pdespec.model.terms import shape
from pdespec.model.values import Closure, Function, Text, Value, kind
from pdespec.source import Span
from pdespec.syntax import ast


def functional(node: ast.Expr, env: Env) -> tuple[Expr, str]:
    """A functional's value, and the name that it goes by."""
    name = node
    while isinstance(name, ast.Call):
        name = name.function
    shown = name.shown if isinstance(name, ast.Name) else node.span.text
    return scalar(term(node, env), node.span, "a functional"), shown


def unknown(node: ast.Expr, env: Env) -> Function:
    """An argument that must be an unknown function."""
    found = evaluate(node, env)
    if not isinstance(found, Function) or found.field is None:
        refuse("PDE203", node.span, f"{kind(found)} where an unknown function is expected")
    return found


@rule(ast.Variation)
def _variation(node: ast.Variation, env: Env) -> Value:
    value, name = functional(node.functional, env)
    p = unknown(node.field, env)
    _check_functional(value, p, node.functional.span)
    return Variation(value, p.field, name, *env.values(p))


def _check_functional(value: Expr, p: Function, span: Span) -> None:
    if p.field not in value.atoms(type(p.field)):
        refuse("PDE204", span, f"the functional does not depend on `{p.name}`")
    space = [v for v in value.free_symbols if v in p.slots and v not in p.slots[-1:]]
    if space:
        refuse("PDE209", span, "a functional must not depend on the point", label=f"varies with {space[0]}")


@notion("grad")
def _metric_gradient(node: ast.Call, env: Env) -> Value:
    given = options(node, ("metric",))
    if len(node.arguments) != 2:
        refuse("PDE202", node.span, "`grad(E, p; metric=M)` takes a functional and an unknown")
    if "metric" not in given:
        refuse("PDE202", node.span, "a gradient needs its metric", hint="write `grad(E, p; metric=W2)`")
    value, name = functional(node.arguments[0], env)
    p = unknown(node.arguments[1], env)
    _check_functional(value, p, node.arguments[0].span)
    metric = evaluate(given["metric"], env)
    if not isinstance(metric, Closure):
        refuse(
            "PDE217",
            given["metric"].span,
            f"{kind(metric)} where a metric is expected",
            hint="a metric is an operator M(p)(φ), such as W2",
        )
    phi = _variation_function(value, name, p, env)
    applied = applied_to_functions(metric, (p, phi), env, given["metric"].span)
    body = coerce(applied, env, given["metric"].span)
    if shape(body) != p.field.shape:  # type: ignore[union-attr]
        refuse("PDE201", given["metric"].span, f"the metric gives {spelled(shape(body))}")
    return MetricGradient(body, value, p.field, name, given["metric"].span.text)


def _variation_function(value: Expr, name: str, p: Function, env: Env) -> Function:
    """z ↦ δE/δp(z), at the current time."""
    point = list(env.values(p))
    kept = [k for k, c in enumerate(p.coordinates) if not env.root.coordinates[c].time]
    slots = tuple(env.root.like(p.slots[k]) for k in kept)
    for k, v in zip(kept, slots, strict=True):
        point[k] = v
    body = Variation(value, p.field, name, *point)
    return Function(
        f"δ{name}/δ{p.name}", slots, tuple(p.coordinates[k] for k in kept), tuple(p.homes[k] for k in kept), body
    )


@notion("KL")
def _divergence(node: ast.Call, env: Env) -> Value:
    """∫ p (ln p − ln q)."""
    options(node, ())
    if len(node.arguments) != 2:
        refuse("PDE202", node.span, "`KL(p, q)` takes two densities")
    first, second = (evaluate(a, env) for a in node.arguments)
    if isinstance(first, Law):
        unsupported(node.arguments[0].span, "a divergence from a law")
    p = as_function(first, node.arguments[0], env)
    over = extent(p, node.arguments[0].span, env)
    value = scalar(over.value(p, env), node.arguments[0].span, "a density")
    if isinstance(second, Law):
        check_law(second, over.set.dimension, node.arguments[1].span)
        other: Expr = Density(second, *over.variables)
    else:
        other = over.value(as_function(second, node.arguments[1], env), env)
    return Integrate(value * (log(value) - log(other)), over.variables, over.set)


@notion("error")
def _error(node: ast.Call, env: Env) -> Value:
    """‖f − g‖/‖g‖ in L²(μ); g is the declared exact solution where it is not given."""
    given = options(node, ("measure",))
    if not 1 <= len(node.arguments) <= 2:
        refuse("PDE202", node.span, "`error(u)` or `error(u, v; measure=μ)`")
    f = function(node.arguments[0], env)
    over = extent(f, node.arguments[0].span, env)
    value = over.value(f, env)
    if len(node.arguments) == 1:
        if f.field is None:
            refuse(
                "PDE203",
                node.arguments[0].span,
                "an exact solution belongs to an unknown",
                hint="write `error(f, g)` to compare two functions",
            )
        reference: Expr = Exact(f.field, *env.at(*zip(over.coordinates, over.variables, strict=True)).values(f))
    else:
        reference = _reference(node.arguments[1], over.coordinates, over.variables, env)
    if shape(value) != shape(reference):
        refuse("PDE201", node.span, f"{spelled(shape(value))} and {spelled(shape(reference))} cannot be compared")
    weight = weight_at(given.get("measure"), over, env)
    return RelativeError(value, reference, Tuple(*over.variables), over.set, weight)


def _reference(node: ast.Expr, coordinates: tuple[str, ...], variables: tuple[object, ...], env: Env) -> Expr:
    place = env.at(*zip(coordinates, variables, strict=True))
    found = evaluate(node, place)
    if isinstance(found, Text):
        unsupported(node.span, "a reference from a file", "PDE963")
    if isinstance(found, Law):
        return Density(
            found, *(v for v, c in zip(variables, coordinates, strict=True) if not env.root.coordinates[c].time)
        )
    return coerce(found, place, node.span)
