"""SymPy expressions as the PyTorch code that a person would write.

`Printer` prints sums, products, powers and elementary functions over a mapping from atoms (symbols, field values,
derivatives) to names in code; what is a tensor goes through `torch`, what is a number through `math`.  The order of
terms and factors is the mathematician's, by the order of the mapping: `u_t + u * u_x - nu * u_xx`.
A node without a rule is an error (PDE480), never partial text.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Add, Basic, Expr, Float, Integer, Mul, Number, NumberSymbol, Pow, Rational, S

from pdespec.diagnostics import SpecError, error
from pdespec.emit.code import Code, Precedence, precedence
from pdespec.emit.functions import RULES
from pdespec.emit.names import escape, literal
from pdespec.source import Span

Hook = Callable[[Any, "Printer"], Code]
_DYADIC = (2, 4, 8, 16)
_ONE = Code("1")


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints expressions over named atoms.

    `names` maps atoms (any hashable SymPy node) to names, or to other primaries such as `z[:, 0]`; `tensors` holds
    those texts of `names` that are tensors; `hooks` adds or replaces the rule of a node class.  `order` lists atoms by
    prominence: a sum is ordered by its terms' most prominent atoms (time derivatives first, then the derivatives by
    order, then the value, coordinates and parameters); by default it is the order of `names`.  `fields` are symbols
    that stand, like every atom that is no symbol, at the end of a product: `(1 - x.square()) * n`.
    """

    names: Mapping[Basic, str]
    tensors: Collection[str] = frozenset()
    hooks: Mapping[type, Hook] = field(default_factory=dict)
    order: tuple[Basic, ...] | None = None
    fields: Collection[Basic] = frozenset()
    span: Span | None = None
    _ranks: dict[Basic, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        atoms = self.names if self.order is None else self.order
        object.__setattr__(self, "_ranks", {atom: rank for rank, atom in enumerate(atoms)})

    def __call__(self, expr: Basic) -> str:
        """The text of an expression."""
        return self.code(expr).text

    def code(self, expr: Basic) -> Code:
        """The text of an expression with its precedence; raises SpecError (PDE480) for a node without a rule."""
        name = self.names.get(expr)
        if name is not None:
            return Code(name, precedence(name), name in self.tensors)
        for cls in type(expr).__mro__:
            if cls in self.hooks:
                return self.hooks[cls](expr, self)
            if cls in _RULES:
                return _RULES[cls](expr, self)
            if cls in RULES:
                return RULES[cls](expr, self)
        raise self.unknown(expr)

    def unknown(self, expr: Basic, why: str = "") -> SpecError:
        """The error for an expression that has no form in the emitted code."""
        what = escape(str(expr))[:80]
        kind = type(expr).__name__
        return SpecError([error("PDE480", self.span, f"no PyTorch form for `{what}` ({why or kind})")])

    def prominence(self, expr: Basic) -> tuple[float, ...]:
        """The ranks of an expression's atoms, the most prominent first; infinite for a pure number."""
        return tuple(sorted(self._ranks[atom] for atom in self.atoms(expr))) or (math.inf,)

    def atoms(self, expr: Basic) -> list[Basic]:
        """The ranked atoms in an expression, with repetition."""
        if expr in self._ranks:
            return [expr]
        return [atom for arg in expr.args for atom in self.atoms(arg)]


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _number(expr: Number, printer: Printer) -> Code:
    if isinstance(expr, Integer):
        text = literal(int(expr), printer.span)
    elif isinstance(expr, Rational):
        return _rational(expr, printer)
    elif isinstance(expr, Float) and math.isfinite(float(expr)):
        if expr and abs(float(expr)) < sys.float_info.min:
            raise SpecError([error("PDE482", printer.span, f"the number {expr.n(3)} is too small for float64")])
        text = literal(float(expr), printer.span)
    else:
        raise printer.unknown(expr, "not a finite number")
    return Code(text, Precedence.SIGN if text.startswith("-") else Precedence.ATOM)


def _rational(expr: Rational, printer: Printer) -> Code:
    p, q = int(expr.p), int(expr.q)
    if (q in _DYADIC or _is_short(expr)) and abs(p) < 1000:
        return Code(literal(p / q, printer.span), Precedence.SIGN if p < 0 else Precedence.ATOM)
    if max(abs(p), q) >= 2**53 or (q >= 1000 and is_decimal(expr)):
        return _number(Float(expr, 17), printer)
    return Code(f"{p} / {q}", Precedence.PRODUCT)


def is_decimal(expr: Expr) -> bool:
    """Whether a number is a decimal one, as people write them."""
    return bool(expr.is_Rational and 10 ** len(str(expr.q)) % expr.q == 0)


def _is_short(expr: Rational) -> bool:
    """Whether a fraction has at most three decimals: the literal 0.3 is the correctly rounded 3/10."""
    return bool(1000 % expr.q == 0)


def _constant(expr: NumberSymbol, printer: Printer) -> Code:
    named = {S.Pi: "math.pi", S.Exp1: "math.e"}.get(expr)
    return Code(named or literal(float(expr), printer.span))


# ── sums ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _negative(term: Expr) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)


def _unsigned(term: Expr) -> tuple[bool, Expr]:
    """Whether a term is subtracted, and its absolute value: a sum of negative terms is minus a sum."""
    coefficient, rest = term.as_coeff_Mul()
    factors = Mul.make_args(rest)
    turned = [f.is_Add and all(map(_negative, f.args)) for f in factors]
    if coefficient == 1 and len(factors) == 1:
        return False, term
    rest = Mul(*(-f if turn else f for f, turn in zip(factors, turned, strict=True))) if any(turned) else rest
    return bool(coefficient < 0) != (sum(turned) % 2 == 1), abs(coefficient) * rest


def _degree(term: Expr) -> float:
    """The total degree of a product of powers; functions count nothing."""
    factors = Mul.make_args(term)
    powers = (f.exp if f.is_Pow and f.exp.is_Number else int(not (f.is_Number or f.is_Function)) for f in factors)
    return float(Add(*powers))


def _terms(expr: Add, printer: Printer) -> list[tuple[bool, Code]]:
    """Sign and absolute value of each term, in order."""
    keyed = []
    for term in expr.args:
        negative, size = _unsigned(term)
        code = printer.code(size)
        keyed.append(((printer.prominence(term), -_degree(term), code.text), negative, code))
    keyed.sort(key=lambda entry: entry[0])
    terms = [(negative, code) for _, negative, code in keyed]
    if terms[0][0] and all(atom.is_Symbol for atom in printer.atoms(expr)):
        if not terms[-1][0]:
            return terms[::-1]
        first = next((k for k, (negative, _) in enumerate(terms) if not negative), 0)
        return [terms[first], *terms[:first], *terms[first + 1 :]]
    return terms


def _sum(expr: Add, printer: Printer) -> Code:
    terms = _terms(expr, printer)
    (negative, first), *rest = terms
    text = "-" + first.within(Precedence.PRODUCT) if negative else first.within(Precedence.SUM)
    for negative, code in rest:
        sign = "-" if negative else "+"
        text += f" {sign} {code.within(Precedence.PRODUCT)}"
    return Code(text, Precedence.SUM, any(code.tensor for _, code in terms))


# ── products ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fraction(expr: Expr) -> tuple[Number, list[Expr], list[Expr]]:
    """Coefficient, factors above and factors below the line; below stands what has a negative number as exponent."""
    coefficient, rest = expr.as_coeff_Mul()
    above, below = [], []
    for factor in Mul.make_args(rest):
        if factor.is_Pow and factor.exp.is_Number and factor.exp.is_negative:
            below.append(Pow(factor.base, -factor.exp))
        elif factor is not S.One:
            above.append(factor)
    return coefficient, above, below


def _factor_key(factor: Expr, code: Code, printer: Printer) -> tuple[Any, ...]:
    """Numbers, coordinates, sums, functions, fields: in this order stand the factors of a product."""
    base = factor.base if factor.is_Pow else factor
    kind = 4 if base in printer.fields else 1 if base.is_Symbol else 2 if base.is_Add else 3 if base.is_Function else 4
    ranks = printer.prominence(factor)
    return (kind if code.tensor else 0, tuple(-r for r in ranks) if kind == 4 else ranks, code.text)


def _ordered(factors: list[Expr], printer: Printer) -> list[Code]:
    keyed = [(_factor_key(f, code, printer), code) for f in factors for code in [printer.code(f)]]
    return [code for _, code in sorted(keyed, key=lambda entry: entry[0])]


def _product(expr: Mul, printer: Printer) -> Code:
    negative, unsigned = _unsigned(expr)
    size, above, below = _fraction(unsigned)
    numerator, denominator = _ordered(above, printer), _ordered(below, printer)
    dyadic = size.is_Rational and size.q in _DYADIC
    decimal = size.is_Rational and ((dyadic and not denominator) or (_is_short(size) and not dyadic))
    if isinstance(size, Rational) and size.q != 1 and (not decimal or size.p >= 1000):
        if max(size.p, size.q) >= 2**53:
            numerator.insert(0, printer.code(size))
        else:
            denominator.insert(0, printer.code(Integer(size.q)))
            numerator[:0] = [printer.code(Integer(size.p))] if size.p != 1 else []
    elif size != 1:
        numerator.insert(0, printer.code(size))
    text = " * ".join(code.within(Precedence.PRODUCT) for code in numerator or [_ONE])
    if len(denominator) == 1:
        text += f" / {denominator[0].within(Precedence.SIGN)}"
    elif denominator:
        text += f" / ({' * '.join(code.within(Precedence.PRODUCT) for code in denominator)})"
    level = Precedence.PRODUCT if denominator or len(numerator) > 1 else numerator[0].precedence
    tensor = any(code.tensor for code in (*numerator, *denominator))
    return _signed(Code(text, level, tensor)) if negative else Code(text, level, tensor)


def _signed(code: Code) -> Code:
    """Minus a product: `-a * b` has the value of `-(a * b)`; minus an atom is a signed atom."""
    level = min(code.precedence, Precedence.SIGN)
    level = level if level >= Precedence.PRODUCT else Precedence.SIGN
    return Code("-" + code.within(Precedence.PRODUCT), level, code.tensor)


# ── powers ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _power(expr: Pow, printer: Printer) -> Code:
    base, exponent = expr.args
    if exponent.is_Number and exponent.is_negative:
        below = printer.code(Pow(base, -exponent))
        return Code(f"1 / {below.within(Precedence.SIGN)}", Precedence.PRODUCT, below.tensor)
    b = printer.code(base)
    if exponent == S.Half:
        return Code(f"{b.operand}.sqrt()", tensor=True) if b.tensor else Code(f"math.sqrt({b.text})")
    if exponent == 2 and b.tensor:
        return Code(f"{b.operand}.square()", tensor=True)
    e = printer.code(exponent)
    return Code(f"{b.operand}**{e.within(Precedence.POWER)}", Precedence.POWER, b.tensor or e.tensor)


_RULES: Mapping[type, Hook] = {
    Number: _number,
    NumberSymbol: _constant,
    Add: _sum,
    Mul: _product,
    Pow: _power,
}
