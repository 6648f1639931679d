"""Equations as functions: a residual over coordinates, channels of the unknowns, and the normal on a boundary.

    def bulk(x, y, u_xx, u_yy):        −Δu − f
The same function serves a network (its channels are values) and random features (values of the expansion); `slope_by`
gives the derivative of a residual in the direction of every feature, by Gateaux: Σ ∂R/∂(∂^α u) ∂^α φ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr, Symbol, factor_terms

from pdespec.derive.components import expand, flatten
from pdespec.derive.notation import unicode
from pdespec.diagnostics import located
from pdespec.emit.channels import channel_name
from pdespec.emit.code import Code, Precedence
from pdespec.emit.expression import Hook, Printer
from pdespec.emit.layout import comment, docstring, statement
from pdespec.emit.names import Namespace, escape
from pdespec.emit.parts import Script, Section
from pdespec.model.bindings import Defined
from pdespec.model.terms import flat, shape
from pdespec.model.vectors import Grad, Vec
from pdespec.plan.conditions import scalar_residuals
from pdespec.plan.definitions import at_a_point
from pdespec.plan.plan import Channel, Condition, PointSet
from pdespec.plan.values import free_coordinates


@dataclass(frozen=True, slots=True)
class Names:
    """How a condition spells its coordinates, channels and normals; `time` is the place of t among the coordinates."""

    coordinates: dict[Expr, str]
    channels: dict[Channel, str]
    normals: dict[Expr, str]
    time: int | None = None

    def atoms(self, point: tuple[Expr, ...]) -> dict[Expr, str]:
        """Terms to names: derivatives first, those in time before all, as the mathematician orders a sum."""
        ranked = sorted(self.channels.items(), key=lambda item: (*self._rank(item[0]), item[1]))
        return {c.of(point): name for c, name in ranked} | self.coordinates | self.normals

    def _rank(self, c: Channel) -> tuple[int, int]:
        timely = c.orders[self.time] if self.time is not None and isinstance(c.orders, tuple) else 0
        return -timely, -c.order


def component_name(channel: Channel, names: Script) -> str:
    base = names.names.name(channel.field.name)
    return base if channel.component is None else f"{base}{channel.component}"


def spell(condition: Condition, script: Script) -> Names:
    """Names for everything that a condition's residuals may mention."""
    inputs = [coordinate_name(c, script) for c in condition.coordinates]
    channels = {c: channel_name(component_name(c, script), c.orders, inputs) for c in condition.channels}
    normals = {
        n: f"n_{coordinate_name(x, script)}"
        for n, x in zip(normal_symbols(condition), condition.coordinates, strict=False)
    }
    moving = times(script)
    time = next((k for k, c in enumerate(condition.coordinates) if c in moving), None)
    return Names(dict(zip(condition.coordinates, inputs, strict=True)), channels, normals, time)


def times(script: Script) -> frozenset[Symbol]:
    """The coordinates that are times."""
    return frozenset(d.coordinates[0] for d in script.model.domains if d.time)


def coordinate_name(symbol: Expr, script: Script) -> str:
    """x, or x1 for the component x[1] of a vector."""
    base, _, index = str(symbol.name).partition("[")
    return script.names.name(base) + index.rstrip("]")


def normal_symbols(condition: Condition) -> list[Symbol]:
    """n[1] … n[d], as far as the space coordinates go."""
    return [Symbol(f"n[{k}]", real=True) for k in range(1, len(condition.coordinates) + 1)]


def needs_normals(condition: Condition) -> bool:
    """Whether the residual mentions the normal."""
    free = set().union(*(e.free_symbols for e in condition.components))
    return bool(free & set(normal_symbols(condition)))


def used(names: Names, condition: Condition) -> list[str]:
    """The arguments of the residual function, in order: coordinates, channels, normals."""
    free = free_coordinates(*condition.components)
    coordinates = [n for c, n in names.coordinates.items() if c in free]
    normals = [n for c, n in names.normals.items() if c in free]
    return [*coordinates, *names.channels.values(), *normals]


def printer(
    names: Names,
    condition: Condition,
    script: Script,
    extra: dict[Expr, str] | None = None,
    last: dict[Expr, str] | None = None,
) -> Printer:
    """Prints terms of a condition; definitions are called by name."""
    constants = script.constants(*condition.components)
    atoms = {**(extra or {}), **names.atoms(condition.coordinates), **(last or {})}
    return Printer({**atoms, **constants}, set(atoms.values()), hooks={Defined: call(script)})


def call(script: Script) -> Hook:
    """The rule for a definition: f(x, y)."""

    def rule(term: Defined, printer: Printer) -> Code:
        name = script.function(term)
        codes = [printer.code(a) for a in term.arguments]
        return Code(f"{name}({', '.join(c.text for c in codes)})", tensor=any(c.tensor for c in codes))

    return rule


def by_points(conditions: Sequence[Condition]) -> list[tuple[Condition, ...]]:
    """Conditions that hold at the same points together; those points go by the name of the first."""
    groups: dict[PointSet, list[Condition]] = {}
    for c in conditions:
        groups.setdefault(c.points, []).append(c)
    return [tuple(g) for g in groups.values()]


def equations_section(conditions: Sequence[Condition], script: Script) -> list[Section]:
    """The residuals of the conditions as functions; one that several solves share stands with the first of them."""
    new = [c for c in conditions if c.label not in script.residuals]
    script.residuals |= {c.label for c in new}
    return [Section("equations", "\n\n\n".join(residual_function(c, script) for c in new))] if new else []


def residual_function(condition: Condition, script: Script) -> str:
    """The function of one condition; several components give a tuple."""
    names = spell(condition, script)
    with located(condition.residual.equation.span):
        slopes, components = named_slopes(condition, names, script)
        write = printer(names, condition, script, last={s: str(s) for s in slopes})
        lines = [statement(f"{symbol} =", write(value)) for symbol, value in slopes.items()]
        texts = [write(e) for e in components]
    name = script.names.name(condition.label)
    head = f"def {name}({', '.join(f'{a}: Tensor' for a in used(names, condition))}) -> "
    head += "Tensor:" if len(texts) == 1 else f"tuple[{', '.join(['Tensor'] * len(texts))}]:"
    line = condition.residual.equation.span.line
    body = "\n".join([*lines, statement("return", ", ".join(texts))])
    text = escape(unicode(condition.residual.term, times(script)))
    return f"{comment(head, f'spec:{line}')}\n{docstring(text)}\n{body}"


def named_slopes(condition: Condition, names: Names, script: Script) -> tuple[dict[Expr, Expr], tuple[Expr, ...]]:
    """The components of gradients ∇V of known functions under names, `V_x1`, and the residuals in terms of them."""
    term = condition.residual.term
    values: dict[Expr, Expr] = {}
    taken = Namespace((*names.atoms(condition.coordinates).values(), *script.constants(*condition.components).values()))
    for slope in sorted(term.atoms(Grad), key=str):
        components = expand(slope) if _is_known(slope) else ()
        if not isinstance(components, tuple) or len(components) != len(flat(slope.variables)):
            continue
        entries: list[Expr] = []
        for value, x in zip(map(factor_terms, flatten(components)), flat(slope.variables), strict=True):
            hint = f"{script.names.name(slope.operand.name)}_{names.coordinates[x]}"
            entries.append(Symbol(taken.fresh(hint), real=True) if value.args else value)
            values |= {entries[-1]: value} if value.args else {}
        term = term.xreplace({slope: Vec(*entries)})
    found = condition.components
    if values:
        found, _ = scalar_residuals(term, condition.coordinates, condition.residual, {})
    pairs = zip(found, condition.components, strict=True)
    if any((e.xreplace(values) - c).expand() != 0 for e, c in pairs):  # under a derivative, or at a normal
        return {}, condition.components
    free = set().union(*(e.free_symbols for e in found))
    return {s: value for s, value in values.items() if s in free}, found


def _is_known(slope: Grad) -> bool:
    """Whether it is the gradient of a definition at the current point."""
    return isinstance(slope.operand, Defined) and at_a_point(slope.operand) and not shape(slope.operand)


def less(total: Expr, script: Script) -> str:
    """What is taken from an integral that is to have a value: nothing, where that is zero."""
    return "" if total == 0 else f" - {Printer(script.constants(total)).code(total).within(Precedence.PRODUCT)}"
