"""Whether an expression is zero: proved, refuted or undecided.

Proved: its normal form is zero, with symbolic parameters or with their values.  Refuted: at a witness point its value
is not zero, to 50 digits with independent values for the jets, or, where integrals remain, by quadrature with concrete
functions for the fields and beyond the quadrature's error.  Anything else is undecided: it vanishes at so many points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import mpmath
from sympy import Abs, Add, Basic, Expr, Rational, Symbol

from pdespec.derive.deadline import tick
from pdespec.derive.evaluate import NoValue, evaluate
from pdespec.derive.faces import Face, sample
from pdespec.derive.normal_form import Normal
from pdespec.derive.polynomial import Form
from pdespec.derive.readable import expression
from pdespec.derive.trial import Space, realise, trial
from pdespec.model.bindings import Expect, Integrate, Optimum
from pdespec.model.fields import Field, FieldValue
from pdespec.model.sets import Set, product
from pdespec.model.substitution import substitute
from pdespec.model.terms import Parameter
from pdespec.model.vectors import Component

DIGITS = 50
POINTS = 12
Symbols = tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What a proof may use: densities, the values of the parameters, and the domains of the fields."""

    densities: tuple[tuple[Field, int], ...] = ()
    values: Mapping[Basic, Expr] = field(default_factory=dict)
    spaces: Mapping[Field, Space] = field(default_factory=dict)

    def rules(self, positive: frozenset[Symbol] = frozenset()) -> Normal:
        homes = ((f, _home(self.spaces[f], size)) for f, size in self.densities if f in self.spaces)
        return Normal(self.densities, positive, tuple(homes))


def _home(space: Space, size: int) -> Set:
    """The factors of a domain that hold the first so many coordinates."""
    factors: list[Set] = []
    for region in space.regions:
        if sum(f.dimension for f in factors) < size:
            factors.append(region)
    return product(*factors)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one expression, or for several together (the worst of them)."""

    verdict: str
    residual: Expr | None = None
    witness: tuple[tuple[str, str], ...] = ()
    value: str = ""
    points: int = 0
    digits: int = 0
    factor: Expr | None = None

    @property
    def proved(self) -> bool:
        return self.verdict == "proved"


PROVED = Verdict("proved")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """A refuted verdict if there is one, else the weakest undecided one, else proved."""
    result = PROVED
    for v in verdicts:
        if v.verdict == "refuted":
            return v
        if v.verdict == "undecided" and (result.proved or v.digits < result.digits):
            result = v
    return result


def decide(
    differences: Iterable[Expr],
    known: Known,
    at: Symbols = (),
    face: Face | None = None,
    positive: frozenset[Symbol] = frozenset(),
) -> Verdict:
    """Whether all expressions in scalar coordinates vanish on a face (anywhere, if none is given)."""
    face = face or Face({})
    rules = known.rules(positive)
    return worst(_decide(substitute(d, face.replacements()), known, rules, at, face) for d in differences)


def _decide(difference: Expr, known: Known, rules: Normal, at: Symbols, face: Face) -> Verdict:
    form = rules.form(difference)
    if rules.vanishes(form):
        return PROVED
    residual = expression(form)
    valued = substitute(difference, dict(known.values))
    if valued != difference:
        form = rules.form(valued)
        if rules.vanishes(form):
            return PROVED
    shown = residual if not residual.has(Integrate, Expect) else difference
    return replace(measure(expression(form), known, at, face), residual=shown)


def vanishing(form: Form, known: Known, rules: Normal) -> bool:
    """Whether a form is zero, with symbolic parameters or with their values."""
    return rules.vanishes(form) or rules.vanishes(rules.form(substitute(expression(form), dict(known.values))))


# ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def measure(residual: Expr, known: Known, at: Symbols = (), face: Face | None = None) -> Verdict:
    """Refuted at a witness point, or undecided."""
    face = face or Face({})
    if residual.has(Integrate, Expect):
        return _by_quadrature(residual, known, at, face)
    if residual.has(Optimum):
        return Verdict("undecided")
    return _by_digits(residual, known, at, face)


def jets(expr: Expr) -> list[Expr]:
    """Field values and their components, each as one atom, in a fixed order."""
    found: set[Expr] = set()

    def collect(node: Basic) -> None:
        if isinstance(node, (FieldValue, Component)):
            found.add(node)
            return
        for a in node.args:
            collect(a)

    collect(expr)
    return sorted(found, key=lambda e: e.sort_key())


def _by_digits(residual: Expr, known: Known, at: Symbols, face: Face) -> Verdict:
    random, agreed, digits = Random(20), 0, DIGITS
    atoms = jets(residual)
    plain = residual.xreplace(dict.fromkeys(atoms, Rational(1)))
    loose = sorted((s for s in plain.free_symbols if s not in at), key=str)
    for _ in range(POINTS):
        tick()
        point: dict[Basic, Expr] = {**sample(face, at, random, dict(known.values))}
        point |= {s: known.values.get(s, _random(random, s.is_positive)) for s in loose}
        point |= {j: _random(random, _is_density(j, known)) for j in atoms}
        with mpmath.workdps(DIGITS + 15):
            try:
                numbers = {k: evaluate(v, {}) for k, v in point.items()}
                value = evaluate(residual, numbers)
                size = max(abs(evaluate(t, numbers)) for t in Add.make_args(residual)) or mpmath.mpf(1)
            except NoValue:
                continue
            if abs(value) > size * mpmath.mpf(10) ** (-DIGITS + 10):
                shown = {s: v for s, v in point.items() if residual.has(s)}
                return Verdict("refuted", residual, _witness(shown), _text(value))
            agreed += 1
            digits = min(digits, int(-mpmath.log10(abs(value) / size)) if value else DIGITS)
    return Verdict("undecided", residual, points=agreed, digits=digits if agreed else 0)


def _random(random: Random, positive: bool | None) -> Rational:
    value = Rational(random.randint(150, 1400), 1000)
    return value if positive or random.random() < 0.5 else -value


def _is_density(jet: Expr, known: Known) -> bool:
    return isinstance(jet, FieldValue) and not any(jet.orders) and any(jet.field == f for f, _ in known.densities)


def _witness(point: Mapping[Basic, Expr]) -> tuple[tuple[str, str], ...]:
    from pdespec.derive.notation import unicode

    return tuple(
        (unicode(k) if isinstance(k, Component) else str(k), str(v))
        for k, v in point.items()
        if not isinstance(k, Parameter)
    )


def _text(value: Any) -> str:
    return str(mpmath.nstr(value, 12))


def _by_quadrature(residual: Expr, known: Known, at: Symbols, face: Face) -> Verdict:
    from pdespec.derive.quadrature import NoQuadrature, estimate

    fields = sorted({j.field for j in residual.atoms(FieldValue)}, key=str)
    agreed, digits = 0, 15
    for seed in (1, 2):
        random = Random(seed)
        try:
            functions = {f: trial(f, known.spaces[f], random) for f in fields}
            concrete = substitute(realise(residual, functions), dict(known.values))
            for _ in range(3):
                tick()
                point: dict[Basic, Expr] = {**sample(face, at, random, dict(known.values))}
                loose = sorted(concrete.free_symbols - set(point), key=str)
                point |= {s: abs(_random(random, True)) for s in loose}
                numbers = {k: float(v) for k, v in point.items()}
                value, error = estimate(concrete, numbers)
                size = max(abs(estimate(t, numbers)[0]) for t in Add.make_args(_in_moduli(concrete))) or 1.0
                if abs(value) > 1e3 * error + 1e-9 * size:
                    witness = _trial_witness(point, functions, residual)
                    return Verdict("refuted", residual, witness, f"{value:.10g}")
                agreed += 1
                digits = min(digits, _agreement(value, error, size))
        except (NoQuadrature, KeyError):
            return Verdict("undecided", residual)
    return Verdict("undecided", residual, points=agreed, digits=max(digits, 0))


def _in_moduli(expr: Expr) -> Expr:
    """The expression with every integrand in its modulus: a scale for a value that cancels."""
    if isinstance(expr, (Integrate, Expect)):
        return expr.func(Abs(expr.body), *expr.args[1:])
    return expr.func(*map(_in_moduli, expr.args)) if expr.has(Integrate, Expect) else expr


def _agreement(value: Any, error: Any, size: Any) -> int:
    distance = max(abs(value), abs(error)) / size
    return int(-mpmath.log10(distance)) if distance > 1e-15 else 15


def _trial_witness(point: Mapping[Basic, Expr], functions: Mapping[Field, Any], residual: Expr) -> Any:
    places = _witness({s: v for s, v in point.items() if residual.has(s)})
    return places + tuple((str(f), str(formulas[0])) for f, (_, formulas) in functions.items())
