"""Definitions with integrals, colehopf := −∫ … dz / ∫ … dz, as functions of points: nodes, then a contraction.

    def colehopf(x: Tensor, t: Tensor, config: Config) -> Tensor:
        z, w_z = placed(gauss_legendre(256, -14.0, 14.0), config)
        return … @ w_z
The arguments share one axis, every variable of integration has its own.  Only reports read such definitions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, S

from pdespec.derive.notation import unicode
from pdespec.emit.arrays import Points, Scope
from pdespec.emit.axes import scalar
from pdespec.emit.layout import comment, docstring, statement
from pdespec.emit.names import Namespace, escape
from pdespec.emit.parts import Script, unpacked
from pdespec.emit.readings import QUADRATURE
from pdespec.emit.regions import tensor_rule
from pdespec.emit.sharing import share_calls
from pdespec.model.bindings import Defined, Expect, Integrate
from pdespec.model.terms import Variable


@dataclass(slots=True)
class Nodes:
    """The lines that place nodes and weights, one for each variable of integration and its region."""

    script: Script
    names: Namespace
    lines: list[str] = field(default_factory=list)
    placed: dict[Integrate, dict[Variable, Points]] = field(default_factory=dict)

    def measure(self, term: Integrate | Expect, scope: Scope) -> tuple[dict[Variable, Points], Expr]:
        """The points of an integral over a box, and what is left to sum."""
        assert isinstance(term, Integrate)
        key = term.func(S.One, *term.args[1:])
        if key not in self.placed:
            self.placed[key] = self._place(term)
        return self.placed[key], term.body

    def _place(self, term: Integrate) -> dict[Variable, Points]:
        names = [self.names.fresh(self.script.names.name(v.name)) for v in term.variables]
        weights = self.names.fresh(f"w_{names[0].rstrip('_')}")
        rule = tensor_rule(term.region, QUADRATURE[len(names)], self.script)
        if len(names) == 1:
            self.lines.append(f"{names[0]}, {weights} = placed({rule.removeprefix('tensor_rule(')[:-1]}, config)")
        else:
            nodes = self.names.fresh("nodes")
            self.lines += [f"{nodes}, {weights} = placed({rule}, config)", unpacked(names, f"{nodes}.unbind(1)")]
        return {v: Points(n, names[0], weights) for v, n in zip(term.variables, names, strict=True)}


def quadrature_function(term: Defined, script: Script) -> str:
    """The function of a definition at points (n,): nodes and weights, then the formula."""
    arguments = {f: script.names.name(f.name) for f in term.formals}
    constants = script.constants(term.body)
    functions = [script.names.name(d.name) for d in script.model.definitions]
    names = Namespace(("config", *arguments.values(), *constants.values(), *functions))
    nodes = Nodes(script, names)
    axis = next(iter(arguments.values()))
    points = {f: Points(n, axis) for f, n in arguments.items()}
    scope = Scope(points, lambda t, s: None, nodes.measure, constants, script.function)
    shared, rest = share_calls(scalar(term.body, scope).text, names.fresh)
    head = (
        f"def {script.names.name(term.name)}({', '.join(f'{n}: Tensor' for n in arguments.values())}, config: Config)"
    )
    line = next((f"spec:{d.span.line}" for d in script.model.definitions if d.name == term.name), "")
    lines = [statement(f"{n} =", c) for n, c in (*(line.split(" = ", 1) for line in nodes.lines), *shared)]
    return "\n".join(
        [
            comment(f"{head} -> Tensor:", line),
            docstring(escape(unicode(term.body))),
            *lines,
            statement("return", rest),
        ]
    )
