"""A problem with given traits, around a smooth solution u*: the equation L u = f and its conditions B u = g with f = L u*, g = B u*.

An operator is a text in the language beside the same operator on SymPy expressions; its data follow from the latter.  Signs are such
that the problem is well-posed: −Δ and Δ² with a mass where the boundary leaves a kernel, +∂ₓₓₓ with its slope at the right end.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp
from sympy import Expr, Rational, Symbol

from tests.generality.draw import TIMES, Traits, draw_traits
from tests.generality.written import written

T = Symbol("t", real=True)


@dataclass(frozen=True, slots=True)
class Problem:
    """A spec, and the traits that it was drawn for."""

    traits: Traits
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """A domain of space: its name and text, its coordinates, and the periods of a torus or the ends of an interval."""

    name: str
    text: str
    head: str
    point: tuple[Symbol, ...]
    scales: tuple[Expr, ...]
    ends: tuple[Expr, Expr] = (sp.S.Zero, sp.S.Zero)

    def laplacian(self, e: Expr) -> Expr:
        return sum((sp.diff(e, x, 2) for x in self.point), sp.S.Zero)


@dataclass(frozen=True, slots=True)
class Operator:
    """A summand of an equation in one unknown."""

    text: str
    value: Callable[[Expr], Expr]


@dataclass(frozen=True, slots=True)
class Trace:
    """B u = plain(u) + ∂n flux(u) on the part `on` of the boundary, the whole of it where that is empty."""

    text: str
    plain: Callable[[Expr], Expr]
    flux: Callable[[Expr], Expr] | None = None
    on: Expr | None = None


def draw(seed: int, count: int) -> list[Problem]:
    """`count` problems, each from a generator of its own."""
    traits = draw_traits(seed, count)
    return [Problem(t, _text(t, random.Random(1_000_003 * seed + k))) for k, t in enumerate(traits)]


def _text(t: Traits, rng: random.Random) -> str:
    place = _place(t, rng)
    names = {"scalar": ("u",), "pair": ("u", "v"), "vector": ("w[1]", "w[2]")}[t.unknowns]
    exact = [_solution(t, place, rng) for _ in names]
    operators = _operators(t, place, rng)
    time = ", I(t) = [0, 1]" if t.time != "steady" else ""
    lines = [f"domain  {place.head} = {place.text}{time}", _unknowns(t, place), ""]
    lines += _equations(t, place, names, exact, operators) + _starts(t, place, exact) + _walls(t, place, exact, rng)
    labels = [
        line.partition(":")[0] for line in lines if ":" in line and not line.startswith(("unknown", "f := ", "g := "))
    ]
    lines += ["", f"solve {', '.join(labels)}"]
    values = list(map(written, exact))
    reports = (
        [f"w, ({', '.join(values)})"]
        if t.unknowns == "vector"
        else [f"{n}, {e}" for n, e in zip(names, values, strict=True)]
    )
    return "\n".join([*lines, "report " + ", ".join(f"error({r})" for r in reports)]) + "\n"


# ── domains and solutions ─────────────────────────────────────────────────────────────────────────────────────────────


def _place(t: Traits, rng: random.Random) -> Place:
    if t.space == 1:
        point: tuple[Symbol, ...] = (Symbol("x", real=True),)
        head = "Ω(x)"
    elif t.order == 2 and rng.random() < 0.3:  # one coordinate with several components, with ∇ and Δ alone
        point = tuple(Symbol(f"x[{k}]", real=True) for k in range(1, t.space + 1))
        head = "Ω(x)"
    else:
        point = tuple(Symbol(name, real=True) for name in "xyz"[: t.space])
        head = f"Ω({', '.join('xyz'[: t.space])})"
    one = (sp.S.One,) * t.space
    if t.region == "torus":
        periods = tuple(rng.choice((sp.S.One, sp.Integer(2), 2 * sp.pi)) for _ in range(t.space))
        return Place("Ω", f"torus({', '.join(map(written, periods))})", head, point, periods)
    if t.region == "disk":
        center, radius = rng.choice((("0, 0", "1"), ("1/2, 1/2", "1/2"), ("1, 0", "3/4")))
        return Place("Ω", f"disk(({center}), {radius})", head, point, one)
    if t.region == "annulus":
        return Place(
            "Ω",
            f"disk((0, 0), 1) \\ disk({rng.choice(('(0, 0), 2/5', '(1/5, 0), 3/10', '(0, -1/4), 1/3'))})",
            head,
            point,
            one,
        )
    ends = [rng.choice(((0, 1), (-1, 1), (0, 2))) for _ in range(t.space)]
    sides = [f"[{a}, {b}]" for a, b in ends]
    text = f"{sides[0]}^{t.space}" if t.space > 1 and len(set(sides)) == 1 else " × ".join(sides)
    return Place("Ω", text, head, point, one, tuple(map(sp.Integer, ends[0])))


def _solution(t: Traits, place: Place, rng: random.Random) -> Expr:
    """A product with a factor for each coordinate, and a function of one coordinate besides."""
    factors = [_factor(t, x, scale, rng) for x, scale in zip(place.point, place.scales, strict=True)]
    aside = Rational(1, 2) * _factor(t, place.point[0], place.scales[0], rng)
    if t.time == "steady":
        return sp.Mul(*factors) + aside
    return sp.Mul(*factors) * rng.choice((sp.exp(-T), sp.cos(2 * T), 1 + sp.sin(T))) + aside * rng.choice(
        (sp.S.One, sp.cos(T))
    )


def _factor(t: Traits, x: Symbol, scale: Expr, rng: random.Random) -> Expr:
    phase = Rational(rng.randrange(0, 10), 5)
    if t.region == "torus":
        return sp.sin(rng.choice((1, 2)) * 2 * sp.pi / scale * x + phase)
    k = rng.choice((1, 2, 3))
    return rng.choice((sp.sin(k * x + phase), sp.cos(k * x + phase), sp.exp(-x / 2), 1 + x**2 / 2))


# ── equations ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _operators(t: Traits, place: Place, rng: random.Random) -> list[Operator]:
    """The summands of the equation for one unknown."""
    found = [_principal(t, place, rng)]
    if t.time != "steady":
        found.insert(0, Operator("∂" + "t" * TIMES[t.time] + " {u}", lambda e: sp.diff(e, T, TIMES[t.time])))
    elif t.order != 2 or t.condition in ("neumann", "periodic"):
        c = rng.choice((sp.S.One, sp.Integer(2)))
        found.append(Operator(f"{_times(c)}{{u}}", lambda e: c * e))
    if t.form == "semilinear":
        found.append(_reaction(t, place, rng))
    return found


def _principal(t: Traits, place: Place, rng: random.Random) -> Operator:
    x = place.point[0]
    if t.order == 1:
        return Operator("2*∂x {u}", lambda e: 2 * sp.diff(e, x))
    if t.order == 3:
        k = Rational(1, rng.choice((1, 4, 10)))
        return Operator(f"{_times(k)}∂xxx {{u}}", lambda e: k * sp.diff(e, x, 3))
    if t.order == 4:
        k = Rational(1, rng.choice((1, 10)))
        text = "∂xxxx {u}" if t.space == 1 and rng.random() < 0.5 else "Δ(Δ{u})"
        return Operator(f"{_times(k)}{text}", lambda e: k * place.laplacian(place.laplacian(e)))
    if t.unknowns != "vector" and t.region != "torus" and rng.random() < 0.4:
        a = 1 + x**2 / 2
        divergence = lambda e: -sum((sp.diff(a * sp.diff(e, y), y) for y in place.point), sp.S.Zero)  # noqa: E731
        return Operator(f"-∇·(({written(a)})*∇{{u}})", divergence)
    k = rng.choice((sp.S.One, Rational(1, 2), sp.Integer(2)))
    return Operator(f"-{_times(k)}Δ{{u}}", lambda e: -k * place.laplacian(e))


def _times(k: Expr) -> str:
    """A coefficient before what it multiplies."""
    return "" if k == 1 else f"{written(k)}*"


def _reaction(t: Traits, place: Place, rng: random.Random) -> Operator:
    """A nonlinear term of lower order; monotone in a steady problem, so that there is one solution."""
    x = place.point[0]
    choices = [Operator("{u}^3", lambda e: e**3)]
    if t.time != "steady":
        choices.append(Operator("sin({u})", sp.sin))
    if t.time == "first" and t.order > 1 and t.space == 1 and t.unknowns != "vector":
        choices.append(Operator("{u}*∂x {u}", lambda e: e * sp.diff(e, x)))
    return rng.choice(choices)


def _unknowns(t: Traits, place: Place) -> str:
    domain = place.name + (" × I" if t.time != "steady" else "")
    names = {"scalar": "u : {} -> R", "pair": "u : {} -> R, v : {} -> R", "vector": "w : {} -> R^2"}[t.unknowns]
    return "unknown " + names.replace("{}", domain)


def _equations(
    t: Traits, place: Place, names: tuple[str, ...], exact: list[Expr], operators: list[Operator]
) -> list[str]:
    """The equations inside; two unknowns are coupled by a rotation, which adds no growth."""
    domain = place.name + (" × I" if t.time != "steady" else "")
    sources = [sum((o.value(e) for o in operators), sp.S.Zero) for e in exact]
    if len(exact) == 2:
        sources = [sources[0] + exact[1], sources[1] - exact[0]]
    right = [written(sp.expand(s)) for s in sources]
    if t.unknowns == "vector":
        linear = [o.text.format(u="w") for o in operators if "{u}^" not in o.text and "sin" not in o.text]
        bent = [
            "(" + ", ".join(o.text.format(u=n) for n in names) + ")"
            for o in operators
            if "{u}^" in o.text or "sin" in o.text
        ]
        return [f"bulk: {_joined([*linear, *bent, '(w[2], -w[1])'])} = ({', '.join(right)}) on {domain}"]
    others = [[], []] if len(exact) == 1 else [["v"], ["-u"]]
    lines = [f"{f} := {r}" for f, r in zip("fg", right, strict=False)]
    for k, (label, name, f) in enumerate(zip(("bulk", "second"), names, "fg", strict=False)):
        lines.append(f"{label}: {_joined([o.text.format(u=name) for o in operators] + others[k])} = {f} on {domain}")
    return lines


def _joined(terms: list[str]) -> str:
    text = terms[0]
    for term in terms[1:]:
        text += f" - {term[1:]}" if term.startswith("-") else f" + {term}"
    return text


# ── conditions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _starts(t: Traits, place: Place, exact: list[Expr]) -> list[str]:
    """u and, for the second order, ∂t u at t = 0."""
    lines = []
    for order in range(TIMES[t.time]):
        values = [written(sp.diff(e, T, order).subs(T, 0)) for e in exact]
        lines += _conditions(t, f"start{order}", ("∂t " if order else "") + "{u}", values, f"{place.name} × {{0}}")
    return lines


def _conditions(t: Traits, label: str, text: str, values: list[str], region: str) -> list[str]:
    """One condition for each unknown, or one for both components."""
    if t.unknowns == "vector":
        return [f"{label}: {text.format(u='w')} = ({', '.join(values)}) on {region}"]
    return [f"{label}{n}: {text.format(u=n)} = {v} on {region}" for n, v in zip("uv", values, strict=False)]


def _traces(t: Traits, place: Place) -> list[Trace]:
    x, (low, high) = place.point[0], place.ends
    same, lap = lambda e: e, place.laplacian
    zero = lambda e: sp.S.Zero  # noqa: E731
    if t.condition == "periodic":
        return []
    if t.order == 1:
        return [Trace("{u}", same, on=low)]
    if t.order == 3:
        return [Trace("{u}", same), Trace("∂x {u}", lambda e: sp.diff(e, x), on=high)]
    if t.order == 2:
        by = {"dirichlet": Trace("{u}", same), "neumann": Trace("∂n {u}", zero, same)}
        return [by.get(t.condition, Trace("∂n {u} + 2*{u}", lambda e: 2 * e, same))]
    if t.condition == "neumann":
        return [Trace("∂n {u}", zero, same), Trace("∂n (Δ{u})", zero, lap)]
    if t.condition == "robin":
        return [Trace("{u}", same), Trace("Δ{u} + ∂n {u}", lap, same)]
    return [Trace("{u}", same), Trace("Δ{u}", lap) if t.region == "box" else Trace("∂n {u}", zero, same)]


def _walls(t: Traits, place: Place, exact: list[Expr], rng: random.Random) -> list[str]:
    lines = []
    by_ends = t.region == "interval" and rng.random() < 0.5
    time = " × I" if t.time != "steady" else ""
    for k, trace in enumerate(_traces(t, place)):
        if trace.on is None and not by_ends:
            values = [_on_boundary(trace, place, e) for e in exact]
            lines += _conditions(t, f"wall{k}", trace.text, values, f"∂{place.name}{time}")
            continue
        for end, name in zip(place.ends, ("left", "right"), strict=True):
            if trace.on in (None, end):
                values = [_at_end(trace, place, e, end) for e in exact]
                lines += _conditions(t, f"{name}{k}", trace.text, values, f"{{{end}}}{time}")
    return lines


def _on_boundary(trace: Trace, place: Place, e: Expr) -> str:
    """The datum as an expression with the normal n(x)."""
    plain = trace.plain(e)
    if trace.flux is None:
        return written(plain)
    slopes = [written(sp.diff(trace.flux(e), x)) for x in place.point]
    normal = f"n(x)*({slopes[0]})" if len(slopes) == 1 else f"n(x) · ({', '.join(slopes)})"
    return normal if plain == 0 else f"{normal} + {written(plain, 2)}"


def _at_end(trace: Trace, place: Place, e: Expr, end: Expr) -> str:
    """The datum at one end of an interval, where the normal is −1 or 1."""
    x = place.point[0]
    flux = sp.S.Zero if trace.flux is None else sp.diff(trace.flux(e), x) * (1 if end == place.ends[1] else -1)
    return written(sp.expand((trace.plain(e) + flux).subs(x, end)))
