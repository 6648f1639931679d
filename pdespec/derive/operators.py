"""How the nodes of the language look: ∇L, ∂t u, ∫ p ln p dθ, δE/δp, 𝔼[x ~ gauss(0, 1)].

A field at the coordinates that it is declared with, or a definition at its formals, is shown by its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sympy import Basic, Expr, Symbol, Tuple, log

from pdespec.derive.glyphs import (
    ATOM,
    OPERATOR,
    POWER,
    PRODUCT,
    Text,
    indexed,
    is_name,
    subscript,
    superscript,
    unicode_name,
)
from pdespec.derive.regions_in_latex import integral, metric_name, region_in_latex
from pdespec.derive.tensors import Frobenius, Outer, ParticleMean, Transpose
from pdespec.model.bindings import (
    At,
    Defined,
    Density,
    Expect,
    IndexedProduct,
    IndexedSum,
    Integrate,
    Law,
    Optimum,
    RelativeError,
)
from pdespec.model.fields import Exact, Field, FieldValue, MetricGradient, Variation
from pdespec.model.sets import Boundary, Named, Product, Set, Sublevel, Union, plain
from pdespec.model.terms import Normal, Region, VectorVariable, flat, shape, variable
from pdespec.model.vectors import Component, Cross, Curl, Div, Dot, Grad, Hess, Lap, Partial, Vec, VectorOperator

if TYPE_CHECKING:
    from pdespec.derive.notation import Printer

DOT = r" \cdot "
Rule = Callable[[Any, "Printer"], Text]


def _text(text: str, level: int = ATOM) -> Text:
    return Text(text, level)


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _field(term: Field, printer: Printer) -> Text:
    name = printer.name(term.name)
    return _text(f"{printer.name(term.solve)}({name})" if term.solve else name)


def _field_value(term: FieldValue, printer: Printer) -> Text:
    """u, u(0, t), or in coordinates u_xx."""
    own = tuple(term.field.slots)
    names = [_name_of(x) for x in term.point]
    head = _field(term.field, printer).text
    at_flat = [s.name for s in flat(Tuple(*map(variable, own, term.field.dimensions)))]
    if any(term.orders):
        index = "".join(printer.name(s) * n for s, n in zip(at_flat, term.orders, strict=False))
        head = indexed(head, index) if printer.latex else f"{head}_{index}"
    if names in (list(own), at_flat) and not _one_of_several(term.point, printer):
        return _text(head)
    last_is_own = len(own) > 1 and len(names) == len(own) and names[-1] == own[-1]
    shown = term.point[:-1] if last_is_own else term.point
    return _text(f"{head}({', '.join(printer.print(x).text for x in shown)})") if shown else _text(head)


def _one_of_several(point: tuple[Any, ...], printer: Printer) -> bool:
    """Whether a point is integrated over beside others, as θ is in ∬ p(θ) p(φ) dθ dφ."""
    bound = {x for group in printer.bound for x in group}
    return bool(bound.intersection(point)) and not bound <= set(point)


def _name_of(x: Expr) -> str:
    return x.name if isinstance(x, (Symbol, VectorVariable)) else ""


def _defined(term: Defined, printer: Printer) -> Text:
    name = printer.name(term.name)
    groups = {next((k for k, g in enumerate(printer.bound) if a in g), -1) for a in term.arguments}
    if term.formals == term.arguments and len(groups) <= 1 and not _one_of_several(term.arguments, printer):
        return _text(name)
    return _text(f"{name}({', '.join(printer.print(a).text for a in term.arguments)})")


def _vector(term: VectorVariable, printer: Printer) -> Text:
    return _text(printer.name(term.name))


def _component(term: Component, printer: Printer) -> Text:
    vector, index = term.args
    if isinstance(vector, FieldValue) and vector.orders:
        named = FieldValue(Field(_indexed(vector.field.name, index), *vector.field.args[1:]), *vector.args[1:])
        return _field_value(named, printer)
    inner, k = printer.within(vector, ATOM), printer.print(index).text
    if printer.latex:
        return _text(indexed(inner, k))
    return _text(inner + subscript(k))


def _indexed(name: str, index: Expr) -> str:
    return f"{name}[{index}]"


def _vec(term: Vec, printer: Printer) -> Text:
    if printer.latex and any(isinstance(a, Vec) for a in term.args):
        rows = (row.args if isinstance(row, Vec) else (row,) for row in term.args)
        inside = r" \\ ".join(" & ".join(printer.print(a).text for a in row) for row in rows)
        return _text(rf"\begin{{pmatrix}} {inside} \end{{pmatrix}}")
    inside = ", ".join(printer.print(a).text for a in term.args)
    return _text(rf"\left({inside}\right)" if printer.latex else f"({inside})")


# ── products ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _dot(term: Dot, printer: Printer) -> Text:
    a, b = term.args
    if a == b:
        inner = printer.print(a).text
        return _text(rf"\left|{inner}\right|^2" if printer.latex else f"|{inner}|²", POWER)
    if isinstance(b, Normal):
        a, b = b, a
    return _text(f"{_tight(a, printer)}{_sign(printer, '·', DOT)}{_tight(b, printer)}", PRODUCT)


def _tight(term: Expr, printer: Printer) -> str:
    return printer.within(term, OPERATOR)


def _sign(printer: Printer, unicode: str, latex: str) -> str:
    return latex if printer.latex else unicode


def _infix(unicode: str, latex: str) -> Rule:
    def rule(term: Expr, printer: Printer) -> Text:
        a, b = term.args
        return _text(f"{_tight(a, printer)}{_sign(printer, unicode, latex)}{_tight(b, printer)}", PRODUCT)

    return rule


# ── derivatives ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _partial(term: Partial, printer: Printer) -> Text:
    index = "".join(printer.name(v.name) for v in term.variables)
    inner = printer.within(term.operand, OPERATOR)
    return _text(rf"\partial_{{{index}}} {inner}" if printer.latex else f"∂{index} {inner}", OPERATOR)


def _operator(unicode: str, latex: str) -> Rule:
    def rule(term: VectorOperator, printer: Printer) -> Text:
        level = ATOM if unicode in ("∇", "Δ") else POWER
        loose = isinstance(term.operand, (log, Variation)) and level == ATOM
        inner = printer.within(term.operand, PRODUCT if loose else level)
        index = _index(term, printer)
        gap = " " if isinstance(term.operand, log) or index else ""
        if printer.latex:
            return _text(f"{latex}{index} {inner}", OPERATOR)
        return _text(unicode + index + gap + inner, OPERATOR)

    return rule


def _index(term: VectorOperator, printer: Printer) -> str:
    """The variable, where the operand has points other than it."""
    points = {s for n in _values(term.operand) for s in n if isinstance(s, (Symbol, VectorVariable))}
    if not isinstance(term.operand, Defined) or points <= set(term.variables):
        return ""
    names = ", ".join(printer.name(v.name) for v in term.variables)
    return f"_{{{names}}}" if printer.latex else f"_{names}"


def _values(term: Expr) -> list[tuple[Any, ...]]:
    return [term.arguments] if isinstance(term, Defined) else []


def _lap(term: Lap, printer: Printer) -> Text:
    power, operand = 1, term.operand
    while isinstance(operand, Lap):
        power, operand = power + 1, operand.operand
    sign = _sign(printer, "Δ", r"\Delta") + ("" if power == 1 else f"^{power}" if printer.latex else superscript(power))
    return _text(sign + (" " if printer.latex else "") + printer.within(operand, ATOM), OPERATOR)


def _hess(term: Hess, printer: Printer) -> Text:
    if printer.latex:
        return _text(rf"\nabla^2 {printer.within(term.operand, ATOM)}", OPERATOR)
    return _text(f"hess({printer.print(term.operand).text})")


def _at(term: At, printer: Printer) -> Text:
    point = ", ".join(printer.print(x).text for x in term.point)
    body = printer.print(term.body).text
    return _text(rf"\left({body}\right)\left({point}\right)" if printer.latex else f"({body})({point})")


# ── binders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _integrate(term: Integrate, printer: Printer) -> Text:
    surface = isinstance(plain(term.region), Boundary)
    measures = [term.variables]
    body = term.body
    while isinstance(body, Integrate) and not surface and not isinstance(plain(body.region), Boundary):
        measures.insert(0, body.variables)
        body = body.body
    names = [printer.name(v.name) for group in measures for v in group]
    printer = replace(printer, bound=(*printer.bound, *measures))
    if printer.latex:
        measure = " ".join(rf"\,d{n}" for n in names)
        return _text(f"{integral(term, len(names), printer)} {printer.within(body, PRODUCT)} {measure}", PRODUCT)
    sign = "∮" if surface else "∫" if len(names) == 1 else "∬" if len(names) == 2 else "∫" * len(names)
    return _text(f"{sign} {printer.within(body, PRODUCT)} {' '.join('d' + n for n in names)}", PRODUCT)


def _expect(term: Expect, printer: Printer) -> Text:
    names = ", ".join(printer.name(v.name) for v in term.variables)
    law = _law(in_dimension(term.law, term.variables) if printer.latex else term.law, printer).text
    body = printer.within(term.body, PRODUCT)
    if printer.latex:
        return _text(rf"\operatorname{{E}}_{{{names} \sim {law}}} {body}", PRODUCT)
    return _text(f"𝔼[{names} ~ {law}] {body}", PRODUCT)


def _particle_mean(term: ParticleMean, printer: Printer) -> Text:
    body, share = printer.within(term.args[0], PRODUCT), printer.print(term.args[1] / Symbol("n")).text
    return _text(rf"{share} \sum_j {body}" if printer.latex else f"{share} Σⱼ {body}", PRODUCT)


def _bounds(symbol: tuple[str, str]) -> Rule:
    def rule(term: IndexedSum, printer: Printer) -> Text:
        (i,), (lo, hi) = term.variables, term.bounds
        index, low, high = printer.name(i.name), printer.print(lo).text, printer.print(hi).text
        body = printer.within(term.body, PRODUCT)
        if printer.latex:
            return _text(rf"{symbol[1]}_{{{index}={low}}}^{{{high}}} {body}", PRODUCT)
        return _text(f"{symbol[0]}[{index} in {low}..{high}] {body}", PRODUCT)

    return rule


def _optimum(term: Optimum, printer: Printer) -> Text:
    name = printer.name(term.variables[0].name)
    body, region = printer.within(term.body, PRODUCT), _set(term.region, printer)
    if printer.latex:
        return _text(rf"\{term.kind}_{{{name} \in {region}}} {body}", PRODUCT)
    return _text(f"{term.kind}[{name} in {region}] {body}", PRODUCT)


def _set(region: Set, printer: Printer) -> str:
    if printer.latex:
        return region_in_latex(region, printer)
    if isinstance(region, Named):
        return printer.name(region.name)
    return region_name(region)


def region_name(region: Set, names: Mapping[Set, str] | None = None) -> str:
    """A region for a person: by its declared name, also where only its formula is left and `names` knows it."""
    known = names or {}
    if isinstance(region, Named):
        return region.name
    if plain(region) in known:
        return known[plain(region)]
    if isinstance(region, Boundary):
        inner = region_name(region.of, names)
        return f"∂{inner}" if inner.isalpha() else f"∂({inner})"
    if isinstance(region, (Product, Union)):
        return (" × " if isinstance(region, Product) else " ∪ ").join(region_name(p, names) for p in region.parts)
    if isinstance(region, Sublevel):
        names_of = ", ".join(map(unicode_name, (v.name for v in region.variables)))
        from pdespec.derive.notation import unicode

        return f"{{{names_of} in {region_name(region.within, names)} : {unicode(region.condition)} <= 0}}"
    return str(region)


def _law(term: Law, printer: Printer) -> Text:
    shown = term.parameters[:2] if term.family == "gibbs" else term.parameters
    inside = [_parameter(p, printer) for p in shown]
    if not printer.latex:
        return _text(f"{term.family}({', '.join(inside)})")
    if term.family == "points":
        masses = " + ".join(rf"\delta_{{{p}}}" for p in inside)
        return _text(rf"\frac{{1}}{{{len(inside)}}} \left({masses}\right)", PRODUCT)
    name = {"gauss": r"\mathcal{N}"}.get(term.family, rf"\operatorname{{{term.family}}}")
    return _text(rf"{name}\left({', '.join(inside)}\right)")


def in_dimension(law: Law, variables: tuple[Any, ...]) -> Law:
    """A normal law with c I for its covariance c, for a point of several coordinates."""
    if law.family != "gauss" or len(flat(variables)) == 1 or shape(law.parameters[1]):
        return law
    return Law("gauss", law.parameters[0], law.parameters[1] * Symbol("I"))


def _parameter(p: Basic, printer: Printer) -> str:
    if isinstance(p, Region):
        return _set(p.value, printer)
    if isinstance(p, Tuple):
        return f"({', '.join(_parameter(q, printer) for q in p)})"
    return printer.print(p).text


def _density(term: Density, printer: Printer) -> Text:
    point = ", ".join(printer.print(x).text for x in term.point)
    return _text(f"{_law(term.law, printer).text}({point})")


# ── what derivation replaces ──────────────────────────────────────────────────────────────────────────────────────────


def _variation(term: Variation, printer: Printer) -> Text:
    field = printer.name(term.field.name)
    text = f"δ{term.name}/δ{field}"
    if printer.latex:
        known = is_name(term.name)
        text = rf"\frac{{\delta{f' {printer.name(term.name)}' if known else ''}}}{{\delta {field}}}"
        text += "" if known else " " + printer.within(term.functional, ATOM)
    own = term.field.slots
    if [_name_of(x) for x in term.point] == list(own):
        return _text(text, OPERATOR)
    shown = term.point[:-1] if len(own) > 1 and _name_of(term.point[-1]) == own[-1] else term.point
    return _text(f"{text}({', '.join(printer.print(x).text for x in shown)})")


def _metric_gradient(term: MetricGradient, printer: Printer) -> Text:
    if not printer.latex:
        return _text(f"grad({term.functional_name}, {printer.name(term.field.name)}; {term.metric})")
    named = is_name(term.functional_name)
    energy = printer.name(term.functional_name) if named else printer.within(term.functional, ATOM)
    return _text(rf"\operatorname{{grad}}_{{{metric_name(term.metric)}}} {energy}", OPERATOR)


def _exact(term: Exact, printer: Printer) -> Text:
    name = printer.name(term.field.name)
    return _text(rf"\operatorname{{exact}}\left({name}\right)" if printer.latex else f"exact({name})")


def _relative_error(term: RelativeError, printer: Printer) -> Text:
    a, b = (printer.print(x).text for x in term.args[:2])
    return _text(rf"\frac{{\|{a} - {b}\|}}{{\|{b}\|}}" if printer.latex else f"‖{a} − {b}‖/‖{b}‖")


RULES: dict[type, Rule] = {
    Field: _field,
    FieldValue: _field_value,
    Defined: _defined,
    VectorVariable: _vector,
    Normal: lambda term, printer: _text("n"),
    Component: _component,
    Vec: _vec,
    Dot: _dot,
    Cross: _infix(" × ", r" \times "),
    Outer: _infix(" ⊗ ", r" \otimes "),
    Frobenius: _infix(" : ", " : "),
    Transpose: lambda term, printer: _text(printer.within(term.args[0], ATOM) + _sign(printer, "ᵀ", "^T"), POWER),
    ParticleMean: _particle_mean,
    Partial: _partial,
    Grad: _operator("∇", r"\nabla"),
    Div: _operator("∇·", r"\nabla \cdot"),
    Curl: _operator("∇×", r"\nabla \times"),
    Lap: _lap,
    Hess: _hess,
    At: _at,
    Integrate: _integrate,
    Expect: _expect,
    IndexedSum: _bounds(("∑", r"\sum")),
    IndexedProduct: _bounds(("∏", r"\prod")),
    Optimum: _optimum,
    Law: _law,
    Density: _density,
    Variation: _variation,
    MetricGradient: _metric_gradient,
    Exact: _exact,
    RelativeError: _relative_error,
}


def order(node: Basic) -> int:
    """How many times a node differentiates."""
    if isinstance(node, Partial):
        return len(node.variables)
    if isinstance(node, (Lap, Hess)):
        return 2 + (order(node.operand) if isinstance(node.operand, Lap) else 0)
    if isinstance(node, FieldValue):
        return sum(node.orders)
    return int(isinstance(node, (Grad, Div, Curl)))


def is_divergence(node: Basic) -> bool:
    """Whether the node is a divergence."""
    return isinstance(node, Div)


def derives(node: Basic) -> bool:
    """Whether the node is a derivative."""
    return order(node) > 0 and not isinstance(node, FieldValue)
