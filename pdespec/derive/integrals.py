"""Canonical integrals: linear, with constant factors outside, inner integrals merged and independent ones separated.

∫ f(x) ∫ g(y) dy dx = (∫ f)(∫ g); equal integrands over relabelled points are equal, so that a symmetric kernel needs no
rule of its own.  Elementary integrals of sᵏ e^{αs} over an interval are done; a density integrates to one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, permutations, product
from typing import TYPE_CHECKING, Any

from sympy import QQ, Basic, Expr, I, Integer, Mul, Rational, Symbol, Tuple, gamma, pi

from pdespec.derive.faces import positive_coordinates
from pdespec.derive.polynomial import ONE, ZERO, Form, exponential, generator, number, settled
from pdespec.derive.readable import term
from pdespec.model.bindings import Expect, Integrate, Law, Optimum
from pdespec.model.fields import FieldValue
from pdespec.model.sets import Ball, Boundary, Finite, Interval, Product, Set, Sphere, Torus, plain
from pdespec.model.substitution import substitute
from pdespec.model.terms import Region

if TYPE_CHECKING:
    from pdespec.derive.normal_form import Normal

Bound = tuple[Symbol, ...]
_MANY = 4
"""Up to this power of an integral, and this number of alike points, integrals are merged and relabelled."""


@dataclass(frozen=True, slots=True)
class Group:
    """Points integrated together, and over what: a region or a law."""

    variables: Bound
    measure: Basic

    def around(self, body: Expr) -> Expr:
        node = Expect if isinstance(self.measure, Law) else Integrate
        return node(body, Tuple(*self.variables), self.measure)


def integral(expr: Integrate | Expect, rules: Normal) -> Form:
    """The normal form of an integral or an expectation in scalar coordinates."""
    variables: Bound = tuple(expr.args[1])
    if isinstance(expr, Expect):
        return _linear(rules.under(variables, frozenset()).form(expr.body), Group(variables, expr.law), rules)
    region = plain(expr.region)
    if isinstance(region, Finite):
        return sum((rules.form(substitute(expr.body, {variables[0]: v})) for v in region.values), ZERO)
    if isinstance(region, Boundary) and isinstance(plain(region.of), Interval) and not _has_normal(expr.body):
        ends = _ends(Region(plain(region.of))) or ()
        return sum((rules.form(substitute(expr.body, {variables[0]: v})) for v in ends), ZERO)
    parts = [plain(p) for p in region.parts] if isinstance(region, Product) else [region]
    if sum(p.dimension for p in parts) != len(variables):
        parts = [region]
    form = rules.under(variables, positive_coordinates(region, variables)).form(expr.body)
    for part in reversed(parts):
        own = variables[len(variables) - part.dimension :] if len(parts) > 1 else variables
        variables = variables[: len(variables) - part.dimension]
        form = _linear(form, Group(own, Region(part)), rules)
    return form


def _has_normal(body: Expr) -> bool:
    return any(s.name.startswith("n[") for s in body.free_symbols)


def _linear(form: Form, group: Group, rules: Normal) -> Form:
    """∫ Σ c·(outside)·(inside) = Σ c·(outside)·∫(inside)."""
    inner = set(group.variables)
    result = ZERO
    for monomial, exponent, c in form:
        outside = {g: k for g, k in monomial if not g.free_symbols & inner}
        inside = {g: k for g, k in monomial if g not in outside}
        constant, varying = _divided(exponent, inner)
        factor = settled(outside, constant).scaled(c)
        result = result + factor * _merged(inside, varying, group, rules)
    return result


def _divided(exponent: Form, inner: set[Symbol]) -> tuple[Form, Form]:
    """The terms of an exponent that are free of the bound points, and the others."""
    free: dict[Any, Any] = {}
    bound: dict[Any, Any] = {}
    for key, c in exponent.terms.items():
        (bound if _symbols(Form({key: QQ(1)})) & inner else free)[key] = c
    return Form(free) if free else ZERO, Form(bound) if bound else ZERO


def _symbols(form: Form) -> set[Basic]:
    return set().union(*(g.free_symbols for g in form.generators()))


# ── merging and separating ────────────────────────────────────────────────────────────────────────────────────────────


def _merged(inside: dict[Expr, Any], exponent: Form, group: Group, rules: Normal) -> Form:
    """The integral of one product: inner integrals are opened, then independent points are separated."""
    names = count(1)
    groups, body = [group], ONE
    for g, k in inside.items():
        if isinstance(g, (Integrate, Expect)) and k.denominator == 1 and 0 < k <= _MANY:
            for _ in range(int(k)):
                opened, inner = _open(g, names, rules)
                groups += opened
                body = body * inner
        else:
            body = body * generator(g, k)
    ((monomial, rest, c),) = body * exponential(exponent)
    return _separated(groups, list(monomial), rest, rules).scaled(c)


def _open(g: Expr, names: Iterator[int], rules: Normal) -> tuple[list[Group], Form]:
    """The points of a canonical integral, freshly named, and its integrand."""
    groups = []
    while isinstance(g, (Integrate, Expect)):
        fresh = {v: Symbol(f"∫{next(names)}'", real=True) for v in g.args[1]}
        groups.append(Group(tuple(fresh.values()), g.args[2]))
        g = substitute(g.body, fresh)
    return groups, rules.form(g)


def _separated(groups: list[Group], powers: list[tuple[Expr, Any]], exponent: Form, rules: Normal) -> Form:
    """The product of the integrals over connected points."""
    pieces: list[tuple[set[Basic], Any]] = [(g.free_symbols, (g, k)) for g, k in powers]
    pieces += [(_symbols(Form({key: QQ(1)})), (key, c)) for key, c in exponent.terms.items()]
    clusters: list[tuple[list[Group], list[Any]]] = [([g], []) for g in groups]
    outside: list[Any] = []
    for symbols, piece in pieces:
        touched = [c for c in clusters if any(set(g.variables) & symbols for g in c[0])]
        if not touched:
            outside.append(piece)
            continue
        joined = ([g for c in touched for g in c[0]], [p for c in touched for p in c[1]] + [piece])
        clusters = [c for c in clusters if c not in touched] + [joined]
    result = _product(outside)
    for members, parts in clusters:
        result = result * _connected(members, _product(parts), rules)
    return result


def _product(pieces: list[Any]) -> Form:
    powers = {g: k for g, k in pieces if isinstance(g, Expr)}
    exponents = {key: c for key, c in pieces if not isinstance(key, Expr)}
    return settled(powers, Form(exponents) if exponents else ZERO)


def _connected(groups: list[Group], body: Form, rules: Normal) -> Form:
    ((monomial, exponent, c),) = body
    if _normalised(groups, monomial, exponent, rules):
        return number(1).scaled(c)
    if len(groups) == 1:
        if body == ONE:
            return _volume(groups[0], rules)
        done = _elementary(groups[0], monomial, exponent, rules)
        if done is not None:
            return done.scaled(c)
    return generator(_canonical(groups, term(monomial, exponent))).scaled(c)


def _canonical(groups: list[Group], body: Expr) -> Expr:
    """The least of the relabelled integrals."""
    depth = 1 + max((_depth(s) for s in body.atoms(Symbol)), default=0)
    alike: dict[Any, list[Group]] = {}
    for g in groups:
        alike.setdefault((g.measure.sort_key(), len(g.variables)), []).append(g)
    classes = [alike[key] for key in sorted(alike)]
    orders = product(*(permutations(c) if len(c) <= _MANY else [tuple(c)] for c in classes))
    candidates = (_relabelled([g for c in order for g in c], body, depth) for order in orders)
    return min(candidates, key=lambda e: e.sort_key())


def _relabelled(groups: list[Group], body: Expr, depth: int) -> Expr:
    names = count(1)
    renamed = [(g, {v: Symbol(f"∫{depth}.{next(names)}", real=True) for v in g.variables}) for g in groups]
    body = substitute(body, {v: new for _, names_ in renamed for v, new in names_.items()})
    for g, new in renamed:
        body = Group(tuple(new.values()), g.measure).around(body)
    return body


def _depth(symbol: Symbol) -> int:
    name = symbol.name
    return int(name[1 : name.index(".")]) if name.startswith("∫") and "." in name else 0


def renamed(optimum: Optimum) -> Expr:
    """An optimum with its bound point under a canonical name."""
    new = {v: Symbol(f"∫1.{k}", real=True) for k, v in enumerate(optimum.args[1], 1)}
    return optimum.func(substitute(optimum.body, new), Tuple(*new.values()), *optimum.args[2:])


# ── known integrals ───────────────────────────────────────────────────────────────────────────────────────────────────


def _normalised(groups: list[Group], monomial: Any, exponent: Form, rules: Normal) -> bool:
    """Whether the integrand is a density, over all of its space."""
    if exponent or len(monomial) != 1:
        return False
    ((g, k),) = monomial
    if k != 1 or not isinstance(g, FieldValue) or any(g.orders):
        return False
    home = next((region for f, region in rules.homes if f == g.field), None)
    if home is None:
        return False
    measures = {group.variables: group.measure for group in groups}
    whole = plain(home)
    start = 0
    for factor in map(plain, whole.parts if isinstance(whole, Product) else (whole,)):
        own = g.point[start : start + factor.dimension]
        measure = measures.pop(own, None)
        start += factor.dimension
        if not isinstance(measure, Region) or plain(measure.value) != factor:
            return False
    return not measures


def _elementary(group: Group, monomial: Any, exponent: Form, rules: Normal) -> Form | None:
    """∫ sᵏ e^{αs} ds over an interval, a circle or a torus, or nothing."""
    region = plain(group.measure.value) if isinstance(group.measure, Region) else None
    if isinstance(region, Torus) and region.dimension > 1:
        form = Form({(monomial, exponent): QQ(1)})
        for s, period in zip(group.variables, region.periods, strict=True):
            form = _linear(form, Group((s,), Region(Torus((period,)))), rules)
        return None if any(g.has(Integrate) for g in form.generators()) else form
    ends = _ends(group.measure)
    if ends is None:
        return None
    (s,), powers = group.variables, dict(monomial)
    k = powers.pop(s, QQ(0))
    rate = _rate(exponent, s)
    if powers or rate is None or k.denominator != 1 or k < 0:
        return None
    a, b = map(rules.form, ends)
    if not rate:
        return (b.power(int(k) + 1) - a.power(int(k) + 1)).scaled(QQ(1, int(k) + 1))
    single = rate.single
    if single is None or single[1] or not all(g is I or rules.positive(g) for g, _ in single[0]):
        return None
    return _primitive(b, int(k), rate, rules) - _primitive(a, int(k), rate, rules)


def _primitive(s: Form, k: int, rate: Form, rules: Normal) -> Form:
    """e^{αs} Σⱼ (−1)ʲ k!/(k−j)! s^{k−j} α^{−j−1}."""
    total, c, inverse = ZERO, 1, rules.rational(rate, QQ(-1))
    for j in range(k + 1):
        total = total + s.power(k - j) * inverse.power(j + 1).scaled(QQ(c))
        c = -c * (k - j)
    return total * exponential(rate * s)


def _rate(exponent: Form, s: Symbol) -> Form | None:
    """α where the exponent is αs with α free of s."""
    linear: dict[Any, Any] = {}
    for monomial, inner, c in exponent:
        rest = monomial - {(s, QQ(1))}
        if inner or len(rest) != len(monomial) - 1 or any(s in g.free_symbols for g, _ in rest):
            return None
        linear[(rest, ZERO)] = c
    return Form(linear) if linear else ZERO


def _ends(measure: Basic) -> tuple[Expr, Expr] | None:
    region = plain(measure.value) if isinstance(measure, Region) else None
    if isinstance(region, Interval):
        return region.lo, region.hi
    if isinstance(region, Torus) and region.dimension == 1:
        return Integer(0), region.periods[0]
    return None


def _volume(group: Group, rules: Normal) -> Form:
    """The whole measure: one for a law, the volume of a simple region."""
    if isinstance(group.measure, Law):
        return ONE
    size = volume(plain(group.measure.value))
    return rules.form(size) if size is not None else generator(_canonical([group], Integer(1)))


def volume(region: Set) -> Expr | None:
    """The measure of a simple region, if it is known as a formula."""
    if isinstance(region, Product):
        sizes = [volume(plain(part)) for part in region.parts]
        return None if None in sizes else Mul(*sizes)
    if isinstance(region, Interval):
        return region.hi - region.lo
    if isinstance(region, Torus):
        return Mul(*region.periods)
    if isinstance(region, Ball):
        d = region.dimension
        return pi ** Rational(d, 2) / gamma(Rational(d, 2) + 1) * region.radius**d
    if isinstance(region, Boundary) and isinstance(plain(region.of), Ball):
        ball = plain(region.of)
        size = volume(ball)
        return None if size is None else size * ball.dimension / ball.radius  # type: ignore[attr-defined]
    if isinstance(region, Sphere):
        return 2 * pi ** Rational(region.d, 2) / gamma(Rational(region.d, 2))
    return None
