"""Terms as mathematicians write them, for the terminal and for LaTeX.

∇·(p ∇L) + 1/β Δp: names of definitions are kept, the current point is left out, constants stand before what they
multiply, divergences before Laplacians and constants last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sympy import (
    Abs,
    Add,
    Basic,
    Expr,
    Heaviside,
    I,
    Integer,
    Max,
    Min,
    Mul,
    Number,
    Pow,
    Rational,
    S,
    Symbol,
    exp,
    log,
    pi,
    sign,
)

from pdespec.derive import operators
from pdespec.derive.glyphs import ATOM, OPERATOR, POWER, PRODUCT, SUM, Text, latex_name, superscript, unicode_name
from pdespec.model.bindings import Defined
from pdespec.model.fields import FieldValue
from pdespec.model.sets import Set
from pdespec.model.terms import Parameter, Term
from pdespec.model.vectors import Dot, Partial, Vec


def unicode(term: Any, times: frozenset[Any] = frozenset()) -> str:
    """A term (or a law) in one line of Unicode; in its sums derivatives by the `times` come first: ∂t u − Δu."""
    return Printer(latex=False, times=times).print(term).text


def latex(term: Any, regions: Mapping[Set, str] | None = None) -> str:
    """A term (or a law) in LaTeX; sets that `regions` knows are called by their names."""
    return Printer(latex=True, regions=regions or {}).print(term).text


@dataclass(frozen=True, slots=True)
class Printer:
    """One of the two alphabets.

    `bound` are the points of the integrals around, `times` the variables that lead, `regions` the names of sets.
    """

    latex: bool
    bound: tuple[tuple[Any, ...], ...] = ()
    times: frozenset[Any] = frozenset()
    regions: Mapping[Set, str] = field(default_factory=dict)

    def print(self, term: Any) -> Text:
        """The text of a term."""
        if isinstance(term, str):
            return Text(term)
        if isinstance(term, Add):
            return self._sum(term)
        if isinstance(term, Mul):
            return self._product(term)
        if isinstance(term, Pow):
            return self._power(term)
        if isinstance(term, Number):
            return self._number(term)
        if isinstance(term, Symbol):
            return Text(self.name(term.name))
        rule = operators.RULES.get(type(term))
        if rule is not None:
            return rule(term, self)
        if term is pi:
            return Text(r"\pi" if self.latex else "π")
        if term is S.Exp1:
            return Text("e")
        if term is I:
            return Text("i")
        if isinstance(term, Expr) and term.is_Function:
            return self._function(term)
        return Text(str(term))

    def name(self, name: str) -> str:
        """A name in this alphabet."""
        return latex_name(name) if self.latex else unicode_name(name)

    def within(self, term: Any, level: int) -> str:
        """A term's text, in brackets where its surroundings need them."""
        return self.print(term).within(level, self.latex)

    # ── sums and products ─────────────────────────────────────────────────────────────────────────────────────────────

    def _sum(self, term: Add) -> Text:
        text = ""
        for t in _positive_first(_grouped(sorted(term.args, key=lambda t: _rank(t, self.times)))):
            negative, size = _unsigned(t)
            printed = self.within(size, PRODUCT)
            if not text:
                text = ("−" if not self.latex else "-") * negative + printed
            else:
                text += (" − " if not self.latex else " - ") * negative + " + " * (not negative) + printed
        return Text(text, SUM)

    def _product(self, term: Mul) -> Text:
        negative, size = _unsigned(term)
        if negative:
            inner = self.print(size)
            return Text(("-" if self.latex else "−") + inner.within(PRODUCT, self.latex), min(inner.level, PRODUCT))
        above, below = _rooted(*_fraction(term))
        constants = [f for f in above if _constant(f)]
        others = sorted((f for f in above if not _constant(f)), key=_place)
        constant_below = [f for f in below if _constant(f)]
        others_below = [f for f in below if not _constant(f)]
        if others_below or not others:
            return self._over(self._factors(constants + others), self._factors(below))
        front = self._over(self._factors(constants), self._factors(constant_below)).text
        front = "" if front == "1" else front
        rest = self._factors(others)
        if not front:
            return rest
        return Text(f"{front} {rest.within(PRODUCT, self.latex)}", PRODUCT)

    def _factors(self, factors: list[Expr]) -> Text:
        if not factors:
            return Text("1")
        if len(factors) == 1:
            return self.print(factors[0])
        pieces = [self.within(f, OPERATOR) for f in factors]
        return Text(" ".join(pieces), PRODUCT)

    def _over(self, above: Text, below: Text) -> Text:
        if below.text == "1":
            return above
        if self.latex:
            return Text(rf"\frac{{{above.text}}}{{{below.text}}}", PRODUCT)
        return Text(f"{above.within(PRODUCT)}/{below.within(POWER)}", PRODUCT)

    def _number(self, term: Number) -> Text:
        if isinstance(term, Rational) and term.q > 1000 and 10 ** len(str(term.q)) % term.q == 0:
            digits = Decimal(abs(term.p)) / Decimal(term.q)
            return Text(("-" if self.latex else "−") * (term.p < 0) + f"{digits:f}", ATOM if term > 0 else PRODUCT)
        if isinstance(term, Rational) and term.q != 1:
            text = rf"\frac{{{abs(term.p)}}}{{{term.q}}}" if self.latex else f"{abs(term.p)}/{term.q}"
            return Text(("−" if not self.latex else "-") * (term.p < 0) + text, PRODUCT)
        text = str(abs(term)) if isinstance(term, Integer) else f"{float(abs(term)):g}"
        if self.latex and "e" in text:
            text = rf"{text.partition('e')[0]} \cdot 10^{{{int(text.partition('e')[2])}}}"
        return Text(text if term >= 0 else ("-" if self.latex else "−") + text, ATOM if term >= 0 else PRODUCT)

    # ── powers and functions ──────────────────────────────────────────────────────────────────────────────────────────

    def _power(self, term: Pow) -> Text:
        base, exponent = term.args
        if exponent.is_Number and exponent < 0:
            return self._over(Text("1"), self.print(Pow(base, -exponent)))
        if exponent == S.Half:
            inner = self.print(base)
            return Text(rf"\sqrt{{{inner.text}}}" if self.latex else f"√{inner.within(ATOM)}", POWER)
        inner_text = self.within(base, ATOM)
        if self.latex:
            return Text(f"{inner_text}^{{{self.print(exponent).text}}}", POWER)
        if exponent.is_Integer:
            return Text(inner_text + superscript(int(exponent)), POWER)
        return Text(f"{inner_text}^{self.within(exponent, POWER)}", POWER)

    def _function(self, term: Expr) -> Text:
        arguments = [self.print(a).text for a in term.args]
        if isinstance(term, exp):
            return Text(f"e^{{{arguments[0]}}}", POWER)
        if isinstance(term, Abs):
            return Text(rf"\left|{arguments[0]}\right|" if self.latex else f"|{arguments[0]}|")
        name = _NAMES.get(type(term), type(term).__name__.lower())
        if isinstance(term, log) and self.print(term.args[0]).level == ATOM and not term.args[0].is_Number:
            return Text(rf"\ln {arguments[0]}" if self.latex else f"ln {arguments[0]}", OPERATOR)
        head = _command(name) if self.latex else name
        inside = ", ".join(arguments)
        return Text(rf"{head}\left({inside}\right)" if self.latex else f"{head}({inside})")


_NAMES: dict[type, str] = {log: "ln", Max: "max", Min: "min", sign: "sign", Heaviside: "θ"}
_ARCS = {f"a{f}": rf"\arc{f}" for f in ("sin", "cos", "tan")}
_COMMANDS = frozenset(["sin", "cos", "tan", "sinh", "cosh", "tanh", "ln", "max", "min", "cot"])


def _command(name: str) -> str:
    """The command that sets a function's name upright."""
    if name in _COMMANDS:
        return rf"\{name}"
    return _ARCS.get(name) or (r"\theta" if name == "θ" else rf"\operatorname{{{name}}}")


# ── order ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _unsigned(t: Expr) -> tuple[bool, Expr]:
    """Whether a term has a minus sign in front, and the term without it."""
    coefficient, _ = t.as_coeff_Mul()
    negative = bool(coefficient.is_Number and coefficient < 0)
    if isinstance(t, Dot) and _unsigned(t.args[0])[0]:
        return True, Dot(-t.args[0], t.args[1])
    return negative, -t if negative else t


def _fraction(term: Mul) -> tuple[list[Expr], list[Expr]]:
    """The factors above and below the line, numbers first."""
    above: list[Expr] = []
    below: list[Expr] = []
    for f in term.as_ordered_factors():
        if isinstance(f, Rational) and f.q != 1:
            if f.p != 1:
                above.append(Integer(f.p))
            below.append(Integer(f.q))
        elif isinstance(f, Pow) and f.exp.is_Number and f.exp < 0:
            below.append(Pow(f.base, -f.exp))
        elif f != 1:
            above.append(f)
    return above, below


def _rooted(above: list[Expr], below: list[Expr]) -> tuple[list[Expr], list[Expr]]:
    """Square roots above and below the line under one root: √(2/β)."""
    over = [f for f in above if isinstance(f, Pow) and f.exp == S.Half]
    under = [f for f in below if isinstance(f, Pow) and f.exp == S.Half]
    if len(over) + len(under) < 2 or not over:
        return above, below
    inside = Mul(*(f.base for f in over)) / Mul(*(f.base for f in under))
    root = Pow(inside, S.Half, evaluate=False)
    return [root, *(f for f in above if f not in over)], [f for f in below if f not in under]


def _positive_first(terms: list[Expr]) -> list[Expr]:
    """1 − x rather than −x + 1, where nothing is differentiated."""
    first = next((t for t in terms if not _unsigned(t)[0]), None)
    if first is None or not _unsigned(terms[0])[0] or any(operators.derives(n) for t in terms for n in _nodes(t)):
        return terms
    return [first, *(t for t in terms if t is not first)]


def _grouped(terms: list[Expr]) -> list[Expr]:
    """Terms with the same symbolic constant in front put together: (ln p + 1)/β."""
    found: dict[Expr, list[Expr]] = {}
    for t in terms:
        front = Mul(*(f for f in Mul.make_args(t) if _constant(f) and f.free_symbols))
        key = front if front != 1 else t
        found.setdefault(key, []).append(t)
    return [
        members[0] if len(members) == 1 else key * Add(*(t / key for t in members)) for key, members in found.items()
    ]


def _constant(f: Expr) -> bool:
    """A number or a power of parameters."""
    return all(isinstance(s, Parameter) for s in f.free_symbols) and not f.has(Term)


def _place(f: Expr) -> tuple[int, str]:
    """The place of a factor: coordinates, functions, fields, sums, vectors."""
    base = f.base if isinstance(f, Pow) else f
    if isinstance(base, Symbol):
        return 0, str(f)
    if isinstance(base, FieldValue):
        return 2, str(f)
    if isinstance(base, Defined):
        return 3, str(f)
    if base.is_Function:
        return 1 if not base.has(FieldValue) else 4, str(f)
    if isinstance(base, Add):
        return 5, str(f)
    return 6 + isinstance(base, Vec) + operators.derives(base), str(f)


def _rank(t: Expr, times: frozenset[Any]) -> tuple[Any, ...]:
    """The place of a term of a sum: derivatives in time first, then what is differentiated most, constants last."""
    moves = any(isinstance(n, Partial) and times.intersection(n.variables) for n in _nodes(t))
    orders = max((operators.order(n) for n in _nodes(t)), default=0)
    divergence = any(operators.is_divergence(f) for f in Mul.make_args(t))
    constant = not t.free_symbols - {s for s in t.free_symbols if isinstance(s, Parameter)} and not t.has(Term)
    return constant, not moves, not divergence, -orders, not t.has(FieldValue), -_degree(t), _unsigned(t)[0], str(t)


def _nodes(t: Basic) -> list[Basic]:
    return [t, *(n for a in t.args for n in _nodes(a))]


def _degree(t: Expr) -> int:
    powers = (f.exp if isinstance(f, Pow) and f.exp.is_Integer else 1 for f in Mul.make_args(t) if f.free_symbols)
    return int(sum(p for p in powers if p > 0))
