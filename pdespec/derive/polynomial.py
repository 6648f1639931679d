"""Laurent polynomials with exponentials: the ring in which identities are decided.

A form is Σ c · Π gᵏ · e^f with rational c, generators g (coordinates, jets, integrals, sums under a power …), rational
exponents k and forms f.  The rules gʲgᵏ = gʲ⁺ᵏ, e^f e^g = e^{f+g}, i² = −1, e^{iπ/2} = i and e^{c ln g} = gᶜ are built
in; sine and cosine enter as exponentials, so that sin² + cos² = 1 needs no rule of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import floor
from typing import Any

from sympy import QQ, Expr, I, Integer, Rational, S, factorint, log, pi

from pdespec.derive.deadline import tick

Monomial = frozenset[tuple[Expr, Any]]
Key = tuple[Monomial, "Form"]
ONE_MONOMIAL: Monomial = frozenset()
LARGEST_DIVISOR = 10_000


class Form:
    """An immutable sum of terms: a mapping from (monomial, exponent) to its rational coefficient."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: Mapping[Key, Any]) -> None:
        self.terms = dict(terms)
        self._hash: int | None = None

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self.terms == other.terms

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __iter__(self) -> Iterator[tuple[Monomial, Form, Any]]:
        return ((monomial, exponent, c) for (monomial, exponent), c in self.terms.items())

    def __add__(self, other: Form) -> Form:
        small, large = sorted((self.terms, other.terms), key=len)
        total = dict(large)
        for key, c in small.items():
            _accumulate(total, key, c)
        return Form(total)

    def __neg__(self) -> Form:
        return Form({key: -c for key, c in self.terms.items()})

    def __sub__(self, other: Form) -> Form:
        return self + -other

    def __mul__(self, other: Form) -> Form:
        total: dict[Key, Any] = {}
        for (m, f), c in self.terms.items():
            tick()
            for (n, g), d in other.terms.items():
                for key, e in settled(_joined(m, n), f + g if f and g else f or g).terms.items():
                    _accumulate(total, key, c * d * e)
        return Form(total)

    def scaled(self, c: Any) -> Form:
        """The form times a rational number."""
        return Form({key: c * d for key, d in self.terms.items()}) if c else ZERO

    def power(self, n: int) -> Form:
        """A non-negative integer power, by squaring."""
        result, square = ONE, self
        while n:
            if n & 1:
                result = result * square
            n >>= 1
            if n:
                square = square * square
        return result

    @property
    def single(self) -> tuple[Monomial, Form, Any] | None:
        """The only term, if there is just one."""
        return next(iter(self)) if len(self.terms) == 1 else None

    @property
    def constant(self) -> Any | None:
        """The value, if the form is a rational number."""
        if not self.terms:
            return QQ(0)
        return self.terms.get(_UNIT) if len(self.terms) == 1 else None

    def generators(self) -> set[Expr]:
        """Every generator in it, those of exponents included."""
        found: set[Expr] = set()
        for monomial, exponent, _ in self:
            found.update(g for g, _ in monomial)
            if exponent:
                found |= exponent.generators()
        return found


def _accumulate(total: dict[Key, Any], key: Key, c: Any) -> None:
    value = total.get(key)
    if value is None:
        total[key] = c
    elif value + c:
        total[key] = value + c
    else:
        del total[key]


def _joined(m: Monomial, n: Monomial) -> dict[Expr, Any]:
    powers = dict(m)
    for g, k in n:
        powers[g] = powers.get(g, 0) + k
    return powers


ZERO = Form({})
_UNIT: Key = (ONE_MONOMIAL, ZERO)
ONE = Form({_UNIT: QQ(1)})


def number(c: Any) -> Form:
    """A rational number as a form."""
    c = QQ(c.p, c.q) if isinstance(c, Rational) else QQ(c)
    return Form({_UNIT: c}) if c else ZERO


def generator(g: Expr, k: Any = 1) -> Form:
    """gᵏ."""
    return settled({g: QQ(k)}, ZERO)


def exponential(f: Form) -> Form:
    """e^f."""
    return settled({}, f)


def total(forms: Iterable[Form]) -> Form:
    """The sum of many forms."""
    result = ZERO
    for f in forms:
        result = result + f
    return result


# ── the rules of a single term ────────────────────────────────────────────────────────────────────────────────────────

_QUARTER_TURN: Key = (frozenset({(I, QQ(1)), (pi, QQ(1))}), ZERO)


def settled(powers: dict[Expr, Any], exponent: Form) -> Form:
    """Π gᵏ · e^f with the rules of the ring applied; one term."""
    c = QQ(1)
    if exponent:
        exponent = _settle_exponent(powers, exponent)
    for g in [g for g in powers if g is I or g.is_Integer]:
        k = powers.pop(g)
        if g is I:
            quarter = int(k) % 4
            c = -c if quarter > 1 else c
            rest = QQ(quarter % 2)
        else:
            whole = floor(k)
            c = c * QQ(int(g)) ** whole
            rest = k - whole
        if rest:
            powers[g] = rest
    return Form({(frozenset((g, k) for g, k in powers.items() if k), exponent): c})


def _settle_exponent(powers: dict[Expr, Any], exponent: Form) -> Form:
    """Move e^{iπ/2} and e^{c ln g} from the exponent into the powers."""
    rest = exponent.terms
    turn = rest.get(_QUARTER_TURN)
    if turn is not None:
        quarters = floor(2 * turn)
        rest = {k: v for k, v in rest.items() if k != _QUARTER_TURN}
        if turn - QQ(quarters, 2):
            rest[_QUARTER_TURN] = turn - QQ(quarters, 2)
        powers[I] = powers.get(I, 0) + quarters % 4
    for key in [k for k in rest if _is_logarithm(k)]:
        ((logarithm, _),) = key[0]
        rest = {k: v for k, v in rest.items() if k != key}
        g = logarithm.args[0]
        powers[g] = powers.get(g, 0) + exponent.terms[key]
    return Form(rest) if rest is not exponent.terms else exponent


def _is_logarithm(key: Key) -> bool:
    if len(key[0]) != 1 or key[1]:
        return False
    ((g, k),) = key[0]
    return isinstance(g, log) and k == 1


def prime_factors(c: Any) -> list[tuple[Integer, int]]:
    """The small prime factors of a positive rational with their exponents; what is left counts as one factor."""
    parts = ((int(c.numerator), 1), (int(c.denominator), -1))
    found = ((factorint(part, limit=LARGEST_DIVISOR), sign) for part, sign in parts)
    return [(Integer(p), sign * n) for factors, sign in found for p, n in factors.items()]


def rational_power(c: Any, k: Any) -> Form:
    """cᵏ for a positive rational c and a rational k, by prime factors."""
    if k.denominator == 1:
        return number(QQ(c) ** int(k))
    return settled({p: n * k for p, n in prime_factors(c)}, ZERO)


def is_real(form: Form) -> bool:
    """Whether no imaginary unit occurs in it (all generators stand for real quantities)."""
    return I not in form.generators()


def as_rational(c: Any) -> Rational:
    """A coefficient as a SymPy number."""
    return Rational(int(c.numerator), int(c.denominator)) if c else S.Zero
