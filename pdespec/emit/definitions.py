"""Parameters as module constants, and the named functions of the point: f(x, y), V(x), K(θ, φ), ∇V.

A function of scalar coordinates takes tensors of any one shape; one of a vector takes points (…, d).  Only what some
section has asked for is emitted, each function after those that it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import sympy
from sympy import Expr, Float, Symbol

from pdespec.derive.components import expand, scalar
from pdespec.derive.notation import unicode
from pdespec.diagnostics import located
from pdespec.emit.arrays import Points, Scope, unsupported
from pdespec.emit.axes import scalar as array_code
from pdespec.emit.code import Code
from pdespec.emit.expression import Hook, Printer, is_decimal
from pdespec.emit.layout import comment, comments, docstring, statement
from pdespec.emit.names import escape
from pdespec.emit.parts import Script, Section
from pdespec.emit.quadratures import quadrature_function
from pdespec.model.bindings import Defined, Expect, IndexedSum, Integrate
from pdespec.model.terms import VectorVariable, flat, shape
from pdespec.model.vectors import Component, Dot, Grad

MOST_WRITTEN_OUT = 4
"""Quadratic forms in more variables stay products."""

Key = tuple[str, str]
"""The name of a definition, and what of it is wanted."""


def parameters_section(
    script: Script, title: str = "parameters", known: frozenset[Expr] = frozenset()
) -> Section | None:
    """The params in use that are not `known` yet, by their formulas."""
    for p in reversed(script.model.params):
        if p.symbol in script.parameters:
            script.constants(p.value)
    used = [p for p in script.model.params if p.symbol in script.parameters - known]
    if not used:
        return None
    lines = []
    for p in used:
        name = script.names.name(p.symbol.name)
        value = Float(p.value, 17) if p.value.is_Integer or is_decimal(p.value) else p.value
        lines.append(
            (f"{name} = {Printer(script.constants(p.value))(value)}", f"spec:{p.span.line}  {escape(p.symbol.name)}")
        )
    return Section(title, comments(lines))


def definitions_section(
    script: Script, title: str = "definitions", known: frozenset[Key] = frozenset()
) -> Section | None:
    """All functions asked for that are not `known` yet; printing one may ask for another."""
    done: dict[Key, str] = {}
    while pending := [key for key in script.requested if key not in done and key not in known]:
        for key in pending:
            with located(next((d.span for d in script.model.definitions if d.name == key[0]), None)):
                done[key] = KINDS[key[1]](script.requested[key], script)
    if not done:
        return None
    places = {d.name: k for k, d in enumerate(script.model.definitions)}
    ordered = sorted(done, key=lambda key: (places.get(key[0], len(places)), list(KINDS).index(key[1])))
    return Section(title, "\n\n\n".join(done[key] for key in ordered))


def _arguments(term: Defined, script: Script) -> dict[Expr, str]:
    return {f: script.names.name(f.name) for f in term.formals}


def _printer(term: Defined, script: Script) -> Printer:
    """Prints the body: components as columns, other definitions by name."""
    arguments = _arguments(term, script)
    atoms: dict[Expr, str] = {f: n for f, n in arguments.items() if not isinstance(f, VectorVariable)}
    for f, n in arguments.items():
        if isinstance(f, VectorVariable):
            atoms |= {s: f"{n}[..., {k}]" for k, s in enumerate(f.components())}
    constants = script.constants(term.body)
    hooks: dict[type, Hook] = dict.fromkeys((Component, Dot, IndexedSum), _in_coordinates)
    hooks[Defined] = lambda t, p: _call(t, p, script, arguments)
    return Printer({**atoms, **constants}, set(atoms.values()) | set(arguments.values()), hooks=hooks)


def _call(term: Defined, printer: Printer, script: Script, arguments: dict[Expr, str]) -> Code:
    name = script.function(term)
    texts = [arguments[a] if a in arguments else printer(a) for a in term.arguments]
    return Code(f"{name}({', '.join(texts)})", tensor=True)


def _in_coordinates(term: Expr, printer: Printer) -> Code:
    return printer.code(scalar(term))


def _function(term: Defined, script: Script) -> str:
    name = script.names.name(term.name)
    arguments = _arguments(term, script)
    write = _printer(term, script)
    formula = _multiplied_out(term)
    head = f"def {name}({', '.join(f'{n}: Tensor' for n in arguments.values())}) -> Tensor:"
    if shape(term.body):
        body = statement("return", f"torch.stack([{', '.join(write(c) for c in expand(term.body))}], -1)")
    else:
        body = statement("return", _value(formula, write, arguments))
    return f"{comment(head, _place(term, script))}\n{docstring(escape(unicode(formula)))}\n{body}"


def _multiplied_out(term: Defined) -> Expr:
    """The body of a definition; a quadratic form (x − m)·A(x − m) as a polynomial in x₁, …, where that is shorter."""
    variables = flat(term.formals)
    if shape(term.body) or len(variables) > MOST_WRITTEN_OUT or not term.body.has(Dot):
        return term.body
    whole = scalar(term.body)
    if not whole.is_polynomial(*variables):
        return term.body
    polynomial = sympy.expand(whole)
    return polynomial if polynomial.count_ops() < whole.count_ops() else term.body


def _place(term: Defined, script: Script) -> str:
    """Where a definition stands in the spec."""
    return next((f"spec:{d.span.line}" for d in script.model.definitions if d.name == term.name), "")


def _value(body: Expr, write: Printer, arguments: dict[Expr, str]) -> str:
    """A constant function still returns a tensor of its argument's shape."""
    code = write.code(body)
    if code.tensor:
        return code.text
    like = next(iter(arguments.values()))
    return f"torch.full_like({like}, {code.text})"


def _gradient(term: Defined, script: Script) -> str:
    """∇ of a function of one vector, by components."""
    (variable,) = term.formals
    name = script.names.name(term.name)
    (argument,) = _arguments(term, script).values()
    write = _printer(term, script)
    if isinstance(variable, Symbol):
        derivative = scalar(term.body).diff(variable)
        body = statement("return", _value(derivative, write, {variable: argument}))
    else:
        columns = []
        for component in expand(Grad(term.body, variable)):
            code = write.code(component)
            columns.append(code.text if code.tensor else f"torch.full_like({argument}[..., 0], {code.text})")
        body = statement("return", f"torch.stack([{', '.join(columns)}], -1)")
    head = f"def grad_{name}({argument}: Tensor) -> Tensor:"
    return f"{head}\n{docstring(f'∇{escape(term.name)}')}\n{body}"


def _matrix(term: Defined, script: Script) -> str:
    """K(xᵢ, yⱼ) for all pairs of two arrays of points."""
    first, second = term.formals
    names = _arguments(term, script)
    points = {v: Points(names[v], axis) for v, axis in zip(term.formals, "ij", strict=True)}

    def no_integral(inner: Integrate | Expect, scope: Scope) -> NoReturn:
        unsupported(f"`{inner}`")

    scope = Scope(points, lambda t, s: None, no_integral, script.constants(term.body), script.function)
    code = array_code(term.body, scope)
    head = f"def {script.function(term, 'matrix')}({names[first]}: Tensor, {names[second]}: Tensor) -> Tensor:"
    what = f"{unicode(term.body)} for all pairs of points, (n, …) and (m, …) to (n, m)."
    return f"{comment(head, _place(term, script))}\n{docstring(escape(what))}\n{statement('return', code.text)}"


KINDS: dict[str, Callable[[Defined, Script], str]] = {
    "value": _function,
    "gradient": _gradient,
    "matrix": _matrix,
    "quadrature": quadrature_function,
}
"""What may be asked of a definition, with the function that prints it."""
