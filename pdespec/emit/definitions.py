"""Parameters as module constants, and the named functions of the point: f(x, y), V(x), K(θ, φ), ∇V.

A function of scalar coordinates takes tensors of any one shape; one of a vector takes points (…, d).  Only what some
section has asked for is emitted, each function after those that it calls.
"""

from __future__ import annotations

from sympy import Expr, Float, Symbol

from pdespec.derive.components import expand, scalar
from pdespec.derive.notation import unicode
from pdespec.emit.code import Code
from pdespec.emit.expression import Hook, Printer
from pdespec.emit.layout import comment, comments, docstring, statement
from pdespec.emit.names import escape
from pdespec.emit.parts import Script, Section
from pdespec.model.terms import Component, Defined, Dot, Grad, IndexedSum, VectorVariable, shape


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
        value = Float(p.value) if p.value.is_Integer else p.value
        lines.append(
            (f"{name} = {Printer(script.constants(p.value))(value)}", f"spec:{p.span.line}  {escape(p.symbol.name)}")
        )
    return Section(title, comments(lines))


def definitions_section(
    script: Script, title: str = "definitions", known: frozenset[str] = frozenset()
) -> Section | None:
    """All functions asked for that are not `known` yet; printing one may ask for another."""
    done: dict[str, str] = {}
    gradients: dict[str, str] = {}
    while pending := [n for n in script.definitions if n not in done and n not in known] + [
        n for n in script.gradients if n not in gradients and f"grad {n}" not in known
    ]:
        for name in pending:
            if name not in done and name not in known:
                done[name] = _function(script.definitions[name], script)
            elif name not in gradients:
                gradients[name] = _gradient(script.gradients[name], script)
    if not done and not gradients:
        return None
    order = [d.name for d in script.model.definitions if d.name in done or d.name in gradients]
    order += [n for n in (*done, *gradients) if n not in order]
    return Section(title, "\n\n\n".join(c for n in order for c in (done.get(n, ""), gradients.get(n, "")) if c))


def known_definitions(script: Script) -> frozenset[str]:
    """The functions and gradients that have been asked for so far."""
    return frozenset([*script.definitions, *(f"grad {n}" for n in script.gradients)])


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
    place = next((f"spec:{d.span.line}" for d in script.model.definitions if d.name == term.name), "")
    head = f"def {name}({', '.join(f'{n}: Tensor' for n in arguments.values())}) -> Tensor:"
    if shape(term.body):
        body = statement("return", f"torch.stack([{', '.join(write(c) for c in expand(term.body))}], -1)")
    else:
        body = statement("return", _value(term.body, write, arguments))
    return f"{comment(head, place)}\n{docstring(escape(unicode(term.body)))}\n{body}"


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
