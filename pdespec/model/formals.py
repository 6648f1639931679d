"""Whether a formal of a definition is a point or a function, and which domain a bound name belongs to.

Both are read off the body, since definitions carry no types: φ in `φ(y)`, `∇φ`, `∫ φ dx` is a function; x in `φ(x)` or
`x[1]` is a point, of the domain on which φ lives.  A formal that is named like a coordinate is a point of its domain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from pdespec.model.scope import Env, Scope
from pdespec.model.values import Closure, Function
from pdespec.syntax import ast

FUNCTION_ARGUMENTS = frozenset({"KL", "error", "generator", "grad"})
"""Notions of the language whose arguments are functions."""

DERIVATIVES = (ast.Partial, ast.Differential, ast.NormalDerivative)


@dataclass(slots=True)
class Evidence:
    """How a formal is used: applied, as a point, differentiated or integrated."""

    applied: bool = False
    point: bool = False
    function: bool = False


def function_formals(definition: ast.Definition, scope: Scope) -> frozenset[str]:
    """The formals of a definition that stand for functions, by id."""
    return frozenset(n for n, e in _evidence(definition, scope).items() if _is_function(n, e, scope))


def applied_formals(definition: ast.Definition, scope: Scope) -> frozenset[str]:
    """The formals that are applied to points, which nothing but a function can be."""
    return frozenset(n for n, e in _evidence(definition, scope).items() if e.applied)


def _evidence(definition: ast.Definition, scope: Scope) -> dict[str, Evidence]:
    key = ("formals", definition.name.id)
    if key not in scope.memo:
        names = {f.id: Evidence() for group in definition.formals for f in group}
        scope.memo[key] = names
        _collect(definition.body, names, scope, False)
    return cast("dict[str, Evidence]", scope.memo[key])


def _is_function(name: str, evidence: Evidence, scope: Scope) -> bool:
    if evidence.applied:
        return True
    return evidence.function and not evidence.point and name not in scope.coordinates


def _collect(node: ast.Node, formals: dict[str, Evidence], scope: Scope, inside: bool) -> None:
    """Note how formals are used below a node; `inside` a derivative or an integral a bare name is a function."""
    if isinstance(node, ast.Name):
        if node.id in formals and inside:
            formals[node.id].function = True
        return
    if isinstance(node, ast.Call):
        _collect_call(node, formals, scope, inside)
        return
    if isinstance(node, ast.Variation):
        _mark(node.field, formals, "function")
        _collect(node.functional, formals, scope, inside)
        return
    if isinstance(node, (ast.Norm, ast.Braket)):
        inside = True
    bound: set[str] = set()
    if isinstance(node, ast.Integral):
        bound = {n.id for n in node.variables}
        inside = True
    elif isinstance(node, ast.Binder):
        bound = {n.id for b in node.bindings for n in b.names}
        inside = inside or node.kind == "mean"
    elif isinstance(node, DERIVATIVES):
        inside = True
    inner = {n: e for n, e in formals.items() if n not in bound}
    for child in ast.children(node):
        _collect(child, inner, scope, inside)


def _collect_call(node: ast.Call, formals: dict[str, Evidence], scope: Scope, inside: bool) -> None:
    callee = node.function
    expects = _expectations(node, scope)
    if isinstance(callee, ast.Name):
        _mark(callee, formals, "applied")
    else:
        _collect(callee, formals, scope, inside)
    applies = not isinstance(callee, ast.Name) or callee.id in formals or callee.id in scope.unknowns
    for k, argument in enumerate(node.arguments):
        expected = expects(k) or ("point" if applies else None)
        if expected == "function":
            _collect(argument, formals, scope, True)
        elif expected == "point":
            for below in ast.walk(argument):
                if isinstance(below, ast.Name):
                    _mark(below, formals, "point")
            _collect(argument, formals, scope, False)
        else:
            _collect(argument, formals, scope, inside)
    for option in node.options:
        _collect(option.value, formals, scope, True)


def _mark(name: ast.Name, formals: dict[str, Evidence], what: str) -> None:
    if name.id in formals:
        setattr(formals[name.id], what, True)


def _expectations(node: ast.Call, scope: Scope) -> Callable[[int], str | None]:
    """What a call's arguments are expected to be, where the callee tells."""
    depth, callee = 0, node.function
    while isinstance(callee, ast.Call):
        depth, callee = depth + 1, callee.function
    if not isinstance(callee, ast.Name):
        return lambda k: None
    if callee.id in FUNCTION_ARGUMENTS:
        return lambda k: "function"
    owner = scope if callee.id in scope.definitions else scope.prelude
    definition = owner.definitions.get(callee.id) if owner else None
    if definition is None or owner is None or depth >= len(definition.formals):
        return lambda k: None
    functions = function_formals(definition, owner)
    group = definition.formals[depth]
    return lambda k: ("function" if group[k].id in functions else "point") if k < len(group) else None


# ── the domain of a bound name ────────────────────────────────────────────────────────────────────────────────────────


def home(name: str, body: ast.Node, env: Env) -> tuple[str, ...] | None:
    """The coordinates of the domain that a bound or formal name comes from: of the function whose argument it is."""
    if name in env.scope.coordinates:
        return (name,)
    for node in ast.walk(body):
        if isinstance(node, ast.Call):
            for k, argument in enumerate(node.arguments):
                if isinstance(argument, ast.Name) and argument.id == name:
                    found = _slot(node, k, env)
                    if found:
                        return found
    return None


def _slot(node: ast.Call, k: int, env: Env) -> tuple[str, ...] | None:
    """The coordinates that argument `k` of a call stands for; the only argument stands for all space coordinates."""
    function = _callee(node.function, env)
    if isinstance(function, Closure):
        return _slot_of_closure(function, k, env)
    if function is None:
        return None
    space = [c for c in function.coordinates if not env.root.coordinates[c].time]
    if len(node.arguments) == 1 and space:
        return tuple(space)
    return (function.coordinates[k],) if k < len(function.coordinates) else None


def _slot_of_closure(closure: Closure, k: int, env: Env) -> tuple[str, ...] | None:
    if not closure.groups or k >= len(closure.groups[0]):
        return None
    formal = closure.groups[0][k].id
    return (formal,) if formal in closure.scope.coordinates else None


def _callee(node: ast.Expr, env: Env) -> Function | Closure | None:
    """What is applied, where that can be told without evaluating at a point; `(∇φ)(y)` lives where φ does."""
    from pdespec.model.evaluation import evaluate

    if isinstance(node, ast.Name):
        if node.id not in env.locals and node.id not in env.scope.names() and not _in_prelude(node.id, env):
            return None
        found = evaluate(node, env)
        return found if isinstance(found, (Function, Closure)) else None
    if isinstance(node, ast.Call):
        return None
    for below in ast.walk(node):
        if isinstance(below, ast.Name):
            found = _callee(below, env)
            if isinstance(found, Function) and found.coordinates:
                return found
    return None


def _in_prelude(name: str, env: Env) -> bool:
    return env.scope.prelude is not None and name in env.scope.prelude.definitions
