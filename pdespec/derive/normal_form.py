"""The normal form of an expression in scalar coordinates.

Sums and products become forms (`polynomial`); tan, sinh … become exponentials; |·|, max, min and sign become square
roots of squares; a power of a sum becomes a generator B with Bᵏ kept apart from its expansion; ∫ and 𝔼 become canonical
products of integrals (`integrals`).  `vanishes` clears the generators B and |B| and expands what is left: only an exact
zero answers yes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import (
    QQ,
    Abs,
    Add,
    Basic,
    Expr,
    Float,
    Heaviside,
    I,
    Max,
    Min,
    Mul,
    NumberSymbol,
    Pow,
    Rational,
    S,
    Symbol,
    cos,
    cosh,
    cot,
    coth,
    csc,
    exp,
    log,
    sec,
    sign,
    sin,
    sinh,
    tan,
    tanh,
)

from pdespec.derive import integrals
from pdespec.derive.deadline import tick
from pdespec.derive.laws import density
from pdespec.derive.polynomial import (
    ONE,
    ZERO,
    Form,
    exponential,
    generator,
    is_real,
    number,
    prime_factors,
    rational_power,
    settled,
    total,
)
from pdespec.derive.readable import expression, term
from pdespec.model.bindings import Density, Expect, Integrate, Optimum
from pdespec.model.fields import Field, FieldValue
from pdespec.model.sets import Set
from pdespec.model.terms import Term
from pdespec.model.vectors import Component

_I = generator(I)
_HALF = QQ(1, 2)


class NoNormalForm(Exception):
    """An expression outside the rules (an infinity, a node without a meaning in coordinates)."""


@dataclass(frozen=True, slots=True)
class Normal:
    """The rules with what is known: `densities` are positive and integrate to one over their `homes`, and
    `positive_symbols` are coordinates that are positive throughout their region.

    A density is given with the number of its scalar coordinates of space, which come first.
    """

    densities: tuple[tuple[Field, int], ...] = ()
    positive_symbols: frozenset[Symbol] = frozenset()
    homes: tuple[tuple[Field, Set], ...] = ()
    _known: dict[Basic, Form] = field(default_factory=dict, compare=False, repr=False)
    _inner: dict[frozenset[Symbol], Normal] = field(default_factory=dict, compare=False, repr=False)

    def form(self, expr: Expr) -> Form:
        """The normal form."""
        found = self._known.get(expr)
        if found is None:
            tick()
            found = self._form(expr)
            self._known[expr] = found
        return found

    def under(self, variables: tuple[Symbol, ...], positive: frozenset[Symbol]) -> Normal:
        """The rules for what stands under a binder, whose variables hide the coordinates of the same name."""
        symbols = self.positive_symbols.difference(variables) | positive
        if symbols == self.positive_symbols:
            return self
        if symbols not in self._inner:
            self._inner[symbols] = replace(self, positive_symbols=symbols, _known={}, _inner={})
        return self._inner[symbols]

    def _form(self, expr: Expr) -> Form:
        if isinstance(expr, Rational):
            return number(expr)
        if isinstance(expr, Float):
            return number(Rational(expr))
        if expr is I:
            return _I
        if isinstance(expr, Add):
            return total(map(self.form, expr.args))
        if isinstance(expr, Mul):
            product = ONE
            for a in expr.args:
                product = product * self.form(a)
            return product
        if expr is S.Exp1:
            return exponential(ONE)
        if isinstance(expr, Pow):
            return self.power(self.form(expr.base), self.form(expr.exp))
        if expr.is_Symbol or isinstance(expr, NumberSymbol):
            return generator(expr)
        if isinstance(expr, Term):
            return self._term(expr)
        rule = _FUNCTIONS.get(expr.func)
        if rule is not None:
            return rule(self, *map(self.form, expr.args))
        if not expr.is_Function:
            raise NoNormalForm(f"{type(expr).__name__} has no normal form")
        return generator(expr.func(*(self.canonical(a) for a in expr.args)))

    def canonical(self, expr: Any) -> Any:
        """An expression rewritten by its normal form (arguments of conditions and the like stay as they are)."""
        return expression(self.form(expr)) if isinstance(expr, Expr) else expr

    # ── terms of the language ─────────────────────────────────────────────────────────────────────────────────────────

    def _term(self, expr: Term) -> Form:
        if isinstance(expr, FieldValue):
            return generator(FieldValue(expr.field, expr.orders, *map(self.canonical, expr.point)))
        if isinstance(expr, Component):
            ((inner, _, _),) = self._term(expr.args[0])
            ((value, _),) = inner
            return generator(Component(value, expr.args[1]))
        if isinstance(expr, (Integrate, Expect)):
            return integrals.integral(expr, self)
        if isinstance(expr, Density):
            return self.form(density(expr.law, expr.point))
        if isinstance(expr, Optimum):
            under = self.under(tuple(expr.args[1]), frozenset())
            return generator(integrals.renamed(expr.func(under.canonical(expr.body), *expr.args[1:])))
        raise NoNormalForm(f"{type(expr).__name__} has no normal form")

    # ── powers and functions ──────────────────────────────────────────────────────────────────────────────────────────

    def power(self, base: Form, exponent: Form) -> Form:
        """baseᵉ; a symbolic exponent is e^{e ln base}, its rational part kept as a power."""
        whole = exponent.terms.get((frozenset(), ZERO), QQ(0))
        rest = exponent - number(whole)
        if rest:
            return self.rational(base, whole) * exponential(rest * self.logarithm(base))
        return self.rational(base, whole)

    def rational(self, base: Form, k: Any) -> Form:
        """baseᵏ for a rational number k."""
        if k.denominator == 1 and k >= 0:
            return base.power(int(k))
        if not base:
            if k < 0:
                raise NoNormalForm("a division by zero")
            return ZERO
        single = base.single
        if single is None:
            return self._sum_power(base, k)
        monomial, exponent, c = single
        integer = k.denominator == 1
        if integer and c < 0:
            sign = number(-1 if int(k) % 2 else 1)
            return sign * rational_power(-c, k) * settled({g: n * k for g, n in monomial}, exponent.scaled(k))
        if integer or (c > 0 and is_real(exponent) and all(self.positive(g) for g, _ in monomial)):
            return rational_power(c, k) * settled({g: n * k for g, n in monomial}, exponent.scaled(k))
        return self._partial_root(base, k)

    def _partial_root(self, base: Form, k: Any) -> Form:
        """A root of one term of unknown sign: what is positive leaves the root, even powers leave as moduli."""
        ((monomial, exponent, c),) = base
        positive = {g: n for g, n in monomial if self.positive(g)}
        rest = {g: n for g, n in monomial if g not in positive}
        outside = settled({g: n * k for g, n in positive.items()}, exponent.scaled(k) if is_real(exponent) else ZERO)
        outside = outside * rational_power(abs(c), k)
        if c > 0 and is_real(exponent) and all(_is_square(g, n) for g, n in rest.items()):
            moduli = settled({Abs(expression(generator(g))): n * k for g, n in rest.items()}, ZERO)
            return outside * moduli
        inside = settled(rest, ZERO if is_real(exponent) else exponent).scaled(QQ(1) if c > 0 else QQ(-1))
        if inside == ONE:
            return outside
        return outside * generator(expression(inside), k)

    def _sum_power(self, base: Form, k: Any) -> Form:
        """Bᵏ with B scaled so that proportional sums share one generator."""
        outside, primitive = self._primitive(base, root=k.denominator != 1)
        return self.rational(outside, k) * generator(expression(primitive), k)

    def _primitive(self, base: Form, *, root: bool) -> tuple[Form, Form]:
        """A sum as (one term) × (a primitive sum); only a positive term may leave a root."""
        monomials = [dict(monomial) for monomial, _, _ in base]
        generators = {g for m in monomials for g in m if g is not I and (not root or self.positive(g))}
        common = {g: min(m.get(g, QQ(0)) for m in monomials) for g in generators}
        leading = min(base, key=_order)[2]
        outside = settled({g: n for g, n in common.items() if n}, ZERO).scaled(abs(leading) if root else leading)
        return outside, base * self.rational(outside, QQ(-1))

    def logarithm(self, a: Form) -> Form:
        """ln a, split over the factors of a that are positive."""
        if not a:
            raise NoNormalForm("the logarithm of zero")
        single = a.single
        if single is None:
            outside, primitive = self._primitive(a, root=True)
            content = ZERO if outside == ONE else self.logarithm(outside)
            return content + generator(log(expression(primitive), evaluate=False))
        monomial, exponent, c = single
        parts = [exponent] if is_real(exponent) else []
        rest: dict[Expr, Any] = {}
        for g, n in monomial:
            if self.positive(g):
                parts.append(generator(log(g, evaluate=False)).scaled(n))
            else:
                rest[g] = n
        parts += [generator(log(p)).scaled(QQ(n)) for p, n in prime_factors(abs(c))]
        inside = settled(rest, ZERO if is_real(exponent) else exponent).scaled(QQ(1) if c > 0 else QQ(-1))
        if inside != ONE:
            parts.append(generator(log(expression(inside), evaluate=False)))
        return total(parts)

    def modulus(self, a: Form) -> Form:
        """|a|: a itself where it is positive, else a generator whose square is a²."""
        single = a.single
        if single is None:
            outside, inner = self._primitive(a, root=True)
            inner = inner if min(inner, key=_order)[2] > 0 else -inner
            if all(map(self.positive_term, inner)):
                return outside * inner
            return outside * generator(Abs(expression(inner), evaluate=False))
        monomial, exponent, c = single
        powers: dict[Expr, Any] = {}
        for g, n in monomial:
            known = _is_square(g, n) or self.positive(g) or isinstance(g, Abs)
            powers[g if known else Abs(g, evaluate=False)] = n
        return settled(powers, exponent).scaled(abs(c))

    def positive(self, g: Expr) -> bool:
        """Whether a generator is provably positive wherever it is defined."""
        if g.is_positive or g in self.positive_symbols:
            return True
        if isinstance(g, FieldValue):
            return not any(g.orders) and any(g.field == f for f, _ in self.densities)
        if isinstance(g, (Integrate, Expect)):
            return self._all_positive(g.body)
        return isinstance(g, Add) and self._all_positive(g)

    def _all_positive(self, expr: Expr) -> bool:
        form = self.form(expr)
        return all(map(self.positive_term, form)) and self.strictly(form)

    def positive_term(self, t: Any) -> bool:
        """Whether one term is provably non-negative."""
        monomial, exponent, c = t
        real = c > 0 and is_real(exponent)
        return real and all(self.positive(g) or isinstance(g, Abs) or _is_square(g, n) for g, n in monomial)

    def strictly(self, form: Form) -> bool:
        """Whether some term of a form vanishes nowhere."""
        return any(all(self.positive(g) for g, _ in monomial) for monomial, _, _ in form)

    # ── zero ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def vanishes(self, form: Form) -> bool:
        """Whether the form is identically zero: every generator B and |B| is cleared, outermost first."""
        while form:
            composite = {g for g, _ in (pair for m, _, _ in form for pair in m) if isinstance(g, (Add, Mul, Abs))}
            if not composite:
                return False
            g = next(g for g in composite if not any(h is not g and h.has(g) for h in composite))
            parts = self._classes(form, g)
            if len(parts) > 1:
                return all(map(self.vanishes, parts))
            form = parts[0]
        return True

    def gathered(self, form: Form) -> Form:
        """The form over common powers of its positive sums, where that leaves fewer terms."""
        for g in sorted({g for m, _, _ in form for g, _ in m if isinstance(g, Add)}, key=lambda g: g.sort_key()):
            parts = self._classes(form, g)
            lowest = min(dict(m).get(g, QQ(0)) for m, _, _ in form)
            if len(parts) == 1 and len(parts[0].terms) < len(form.terms):
                form = parts[0] * generator(g, lowest)
        return form

    def _classes(self, form: Form, g: Expr) -> list[Form]:
        """The form with g cleared of its lowest power; one part for each class of exponents modulo g's relation."""
        step, value = (2, self.form(g.args[0]).power(2)) if isinstance(g, Abs) else (1, self.form(g))
        split: dict[Any, Form] = {}
        for monomial, exponent, c in form:
            n = next((k for h, k in monomial if h == g), QQ(0))
            rest = Form({(frozenset((h, k) for h, k in monomial if h != g), exponent): c})
            split[n] = split.get(n, ZERO) + rest
        lowest = min(split)
        classes: dict[Any, Form] = {}
        for n, part in split.items():
            offset = n - lowest
            times = int(offset / step)
            remainder = offset - times * step
            classes[remainder] = classes.get(remainder, ZERO) + part * value.power(times)
        return list(classes.values())


def _is_square(g: Expr, n: Any) -> bool:
    return g is not I and n.denominator == 1 and int(n) % 2 == 0


def _order(t: tuple[Any, Form, Any]) -> Any:
    """A key that orders the terms of a form independently of how it was found."""
    return term(t[0], t[1]).sort_key()


# ── functions that are written by others ──────────────────────────────────────────────────────────────────────────────


def _exp(scale: Form) -> Callable[[Normal, Form], Form]:
    return lambda rules, a: exponential(scale * a)


_RIGHT, _LEFT = _exp(_I), _exp(-_I)
_GROWING, _DECAYING = _exp(ONE), _exp(-ONE)


def _sin(rules: Normal, a: Form) -> Form:
    return (_LEFT(rules, a) - _RIGHT(rules, a)).scaled(_HALF) * _I


def _cos(rules: Normal, a: Form) -> Form:
    return (_LEFT(rules, a) + _RIGHT(rules, a)).scaled(_HALF)


def _sinh(rules: Normal, a: Form) -> Form:
    return (_GROWING(rules, a) - _DECAYING(rules, a)).scaled(_HALF)


def _cosh(rules: Normal, a: Form) -> Form:
    return (_GROWING(rules, a) + _DECAYING(rules, a)).scaled(_HALF)


Rule = Callable[..., Form]


def _quotient(above: Rule, below: Rule) -> Rule:
    return lambda rules, a: above(rules, a) * rules.rational(below(rules, a), QQ(-1))


def _one(rules: Normal, a: Form) -> Form:
    return ONE


def _sign(rules: Normal, a: Form) -> Form:
    """sign a = a/|a|."""
    return a * rules.rational(rules.modulus(a), QQ(-1))


def _heaviside(rules: Normal, a: Form, *middle: Form) -> Form:
    return (ONE + _sign(rules, a)).scaled(_HALF)


def _max(rules: Normal, *arguments: Form) -> Form:
    return _extreme(rules, arguments, QQ(1))


def _min(rules: Normal, *arguments: Form) -> Form:
    return _extreme(rules, arguments, QQ(-1))


def _extreme(rules: Normal, arguments: tuple[Form, ...], side: Any) -> Form:
    """max(a, b) = (a + b + |a − b|)/2, and so on."""
    first, *rest = arguments
    for b in rest:
        first = (first + b + rules.modulus(first - b).scaled(side)).scaled(_HALF)
    return first


_FUNCTIONS: dict[Any, Rule] = {
    exp: _GROWING,
    log: Normal.logarithm,
    sin: _sin,
    cos: _cos,
    tan: _quotient(_sin, _cos),
    cot: _quotient(_cos, _sin),
    sec: _quotient(_one, _cos),
    csc: _quotient(_one, _sin),
    sinh: _sinh,
    cosh: _cosh,
    tanh: _quotient(_sinh, _cosh),
    coth: _quotient(_cosh, _sinh),
    Abs: Normal.modulus,
    sign: _sign,
    Heaviside: _heaviside,
    Max: _max,
    Min: _min,
}
