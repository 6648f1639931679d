"""Specs that parse, most of them, and mean something else: names, shapes, regions, options, signs and sizes exchanged.

The mutations of `tests/syntax/fuzz.py` break the text; these keep it readable, so that what comes after the parser is
tried: the checks, the derivation, the plan and the emission.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.syntax import fuzz

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"[A-Za-zα-ωΑ-Ωℓ_][A-Za-z0-9α-ωΑ-Ωℓ_]*'*")
NUMBER = re.compile(r"(?<![A-Za-zα-ωΑ-Ω_])(?:\d[\d_]*\.?\d*|\.\d+)(?:e[-+]?\d+)?")
REGION = re.compile(r"\bon\s+[^#\n]+")
OPTION = re.compile(r"([A-Za-z_]+)=([^,;()\s]+)")
CODOMAIN = re.compile(r"->\s*[^#\n]+")
OPERATOR = re.compile(r"∇·|∇|Δ|∂[a-z]+|∂n|∂Ω|\*|/|\+|-|\^|·|×|∪|\\|=|~")
KEYWORDS = frozenset("param domain unknown data ansatz solve report check import on over with within using then from in".split())  # fmt: skip # noqa: SIM905

NUMBERS = (
    *(
        "0",
        "-1",
        "1",
        "2",
        "3",
        "7",
        "1/2",
        "-0.5",
        "1e-300",
        "1e300",
        "1e999",
        "10^-400",
        "9^9^9^9",
        "π",
        "i",
        "2^0.5",
    ),
    *(
        "1000",
        "100_000",
        "10^12",
        "1" * 40,
        "1" * 41,
        "0.1",
        "1e-12",
        "(1, 2)",
        "(-1)",
        "[0, 1]",
        "{1, 5}",
        "0/0",
        "ln(0)",
    ),
)
WRAPPERS = (
    *("sqrt({})", "ln({})", "exp({})", "1/{}", "{}^{}", "|{}|", "-{}", "∇{}", "∇·{}", "Δ{}", "Δ(Δ{})", "∂x {}", "∂t {}"),
    *("∂xxx {}", "({}, {})", "{}[1]", "{}[9]", "{}(0)", "{}({})", "({})²", "max({}, 0)", "𝔼[x ~ {}] x", "∫ {} dx", "δ{}/δu"),
    *("grad({})", "hess({})", "curl({})", "‖{}‖", "argmax[a in {1, 2}] {}", "∑[i in 1..3] {}", "norm({})", "{}'", "KL({}, {})"),
    *("generator({})(u)", "grad({}, u; metric=L2)", "grad({}, p; metric=W2)", "δ{}/δp", "gauss({}, {})", "error({})", "∂n {}"),
    *("sign({})", "sin(1e9*{})", "solution[u]({})", "x -> {}", "{} ∘ {}", "transpose({})", "∏[i in 1..d] {}", "⟨{}|{}⟩"),
)  # fmt: skip
REGIONS = (
    *(
        "on Ω",
        "on ∂Ω",
        "on X",
        "on ∂X",
        "on X × I",
        "on ∂X × I",
        "on X × {0}",
        "on X × {1}",
        "on I",
        "on ∂I",
        "on X × X",
    ),
    *(
        "on Θ × {0}",
        "on {x in X : x > 0}",
        "on [0, 1]",
        "on ∂(A ∪ B)",
        "on X \\ A",
        "on disk((0, 0), 1)",
        "on torus(1)",
    ),
    *("on R^2", "on X × {T}", "on ∂Ω × {0}", "on nothing", "", "on {0}"),
)
SETS = (
    *(
        "[0, 1]",
        "[1, 0]",
        "[0, 0]",
        "[0, 1]^2",
        "[0, 1]^3",
        "R",
        "R^2",
        "R^d",
        "R^0",
        "R^1000",
        "torus(1)",
        "torus(1, 2)",
    ),
    *("disk((0, 0), 1)", "ball(0, 1)", "[0, 1]^2 \\ disk((.5, .5), .2)", "[0, ∞)", "{1, 2, 3}", "torus(-1)", "R^(-1)"),
    *(
        "[0, 1] × torus(1)",
        "[0, 1] ∪ [2, 3]",
        "{x in R : x > 0}",
        "∂[0, 1]^2",
        "annulus((0, 0), 1, 2)",
        "[0, T]",
        "P(R)",
    ),
)
CODOMAINS = ("-> R", "-> R^2", "-> R^3", "-> [0, 1]", "-> R^d", "-> C", "-> X", "-> R^(2, 2)", "-> P(X)", "-> R^100")
OPTIONS = (
    *(
        "points=0",
        "points=1",
        "points=10^9",
        "steps=0",
        "lr=0",
        "lr=-1",
        "cells=3",
        "cells=0",
        "cells=(4, 4)",
        "n=0",
        "n=1",
    ),
    *(
        "box=[0, 1]",
        "box=[-1, 1]^2",
        "metric=W2",
        "metric=L2",
        "metric=Hm1",
        "metric=Stein(K)",
        "metric=FisherRao",
        "dt=0",
    ),
    *(
        "metric=WFR",
        "density=knn(10)",
        "density=kde(.1)",
        "sampler=uniform",
        "nonsense=1",
        "features=10",
        "moments=exact",
    ),
    *("width=0", "depth=0", "width=10^6", "dt=-1", "dt=1e-300", "seed=x", "measure=ρ", "boundary=hard", "box=R"),
)
STATEMENTS = (
    *("check u = 0", "check p = 0", "report error(u) < 1", "report u", "report ∫ u dx", "solve bulk", "solve min[u] E(u)"),
    *("solve flow, start using particles(n=10)", "solve flow, start using grid(cells=8)", "solve bulk, wall using features"),
    *("solve bulk, wall using collocation(points=8)", "ansatz u := x*mlp(x)", "ansatz u := exp(u)", "unknown u : X -> R"),
    *("solve min[u] E(u), wall using ritz(points=8)", "f := f + 1", "E(u) := ∫ u*ln(u) dx", "x := 1", "param d = 3", "g: u = 1"),
    *("param β in {1, 2}", "domain X(x) = [0, 1]", "check bulk = wall", "check flow = start", "gauge: ∫ u dx = 0"),
    *("h(h) := h(h)", "u := u(u)", "import \"other.pde\"", "data q : P(X) from \"moons.npz\"", "noise: ∂t u = Δu on X × I"),
    *("domain I(t) = [0, 1]", "solve min[u] max[v] E(u) - E(v)", "report solve(u)", "check E(u) = 0", "unknown c : R"),
)  # fmt: skip


TERMS = (
    *(
        "u",
        "u^3",
        "u*∂x u",
        "∂x u",
        "|∇u|²",
        "sin(u)",
        "x*u",
        "exp(-x²)*u",
        "∂xx u",
        "Δu",
        "∂t u",
        "∫ u dx",
        "u(0)",
        "1/u",
    ),
    *(
        "sqrt(1 + u²)",
        "∇·(u*∇u)",
        "p*ln(p)",
        "p²",
        "∇·(p*x)",
        "1/2*Δp",
        "∫ (x - y)²*p(y) dy",
        "v · ∇v",
        "∇p",
        "1",
        "x",
        "t",
    ),
    *(
        "max(u, 0)",
        "|u|",
        "∂xxx u",
        "Δ(Δu)",
        "(∂x u)²",
        "ln(2 + u²)",
        "u^1.5",
        "u(x + 1)",
        "∂x p",
        "tan(x)",
        "1/x",
        "sign(x)",
    ),
)
COEFFICIENTS = (
    "2*",
    "-",
    "x*",
    "(1 + x²)*",
    "t*",
    "u*",
    "0*",
    "exp(x)*",
    "1/3*",
    "β*",
    "sqrt(t)*",
    "d*",
    "p*",
    "10^30*",
    "i*",
)
FUNCTIONS = ("sin", "cos", "exp", "ln", "sqrt", "tanh", "abs", "erf", "max", "sign", "atan", "gamma", "floor")


def corpus() -> tuple[list[str], list[str]]:
    """The shipped specs; and the fixtures of the parser with the bad ones, which are short and strange."""
    folders = [ROOT / "tests" / "drafts", *sorted((ROOT / "tests" / "bad").iterdir())]
    right = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "specs").glob("*.pde"))]
    rest = [path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.glob("*.pde"))]
    return right, [text for text in rest if len(text) < 5000]


def specs(count: int, seed: int, first: int = 0) -> Iterator[tuple[int, str]]:
    """Numbered texts, each determined by the seed and its number: one in four of the parser's, else one of ours."""
    right, strange = corpus()
    for number in range(first, first + count):
        rng = random.Random(f"{seed}/{number}")
        if number % 4 == 0:
            yield number, next(fuzz.specs(1, seed * 1_000_003 + number))
        else:
            pool = right if rng.random() < 0.7 else strange
            yield number, mutated(rng.choice(pool), rng.choice(strange), rng)


def mutated(text: str, other: str, rng: random.Random) -> str:
    """One to four semantic mutations, half of them mild, seldom one of the text itself as well."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        text = rng.choice(MILD if rng.random() < 0.5 else MUTATIONS)(text, other, rng)
    if rng.random() < 0.05:
        text = rng.choice(fuzz.MUTATIONS)(text, other, rng)
    return text


def _replace(text: str, found: list[re.Match[str]], rng: random.Random, by: Callable[[re.Match[str]], str]) -> str:
    """One of the matches replaced; the text itself where there is none."""
    if not found:
        return text
    match = rng.choice(found)
    return text[: match.start()] + by(match) + text[match.end() :]


def _names(text: str) -> list[re.Match[str]]:
    return [m for m in NAME.finditer(text) if m[0] not in KEYWORDS]


def swap_names(text: str, other: str, rng: random.Random) -> str:
    """A name becomes another name of the file, or of another file."""
    pool = _names(text if rng.random() < 0.85 else other)
    return _replace(text, _names(text), rng, lambda m: rng.choice(pool)[0] if pool else m[0])


def rename(text: str, other: str, rng: random.Random) -> str:
    """A name becomes another one everywhere, perhaps one that is taken."""
    found = _names(text)
    if not found:
        return text
    old, new = (
        rng.choice(found)[0],
        rng.choice([m[0] for m in found] + ["class", "torch", "lambda", "e", "i", "t", "x"]),
    )
    return NAME.sub(lambda m: new if m[0] == old else m[0], text)


def wrap(text: str, other: str, rng: random.Random) -> str:
    form = rng.choice(WRAPPERS)
    return _replace(text, _names(text), rng, lambda m: form.replace("{}", m[0]))


def exchange_number(text: str, other: str, rng: random.Random) -> str:
    return _replace(text, list(NUMBER.finditer(text)), rng, lambda m: rng.choice(NUMBERS))


def exchange_region(text: str, other: str, rng: random.Random) -> str:
    pool = [*REGIONS, *(m[0] for m in REGION.finditer(text)), *(m[0] for m in REGION.finditer(text))]
    return _replace(text, list(REGION.finditer(text)), rng, lambda m: rng.choice(pool))


def exchange_set(text: str, other: str, rng: random.Random) -> str:
    """A domain becomes another set, with the same coordinates."""
    found = list(re.finditer(r"(?<=\) = )[^#\n]+", text))
    return _replace(text, found, rng, lambda m: rng.choice(SETS))


def exchange_shape(text: str, other: str, rng: random.Random) -> str:
    return _replace(text, list(CODOMAIN.finditer(text)), rng, lambda m: rng.choice(CODOMAINS))


def exchange_option(text: str, other: str, rng: random.Random) -> str:
    return _replace(text, list(OPTION.finditer(text)), rng, lambda m: rng.choice(OPTIONS))


def exchange_operator(text: str, other: str, rng: random.Random) -> str:
    pool = [m[0] for m in OPERATOR.finditer(text)]
    return _replace(text, list(OPERATOR.finditer(text)), rng, lambda m: rng.choice(pool))


def change_sign(text: str, other: str, rng: random.Random) -> str:
    return _replace(text, _names(text), rng, lambda m: f"(-{m[0]})")


def delete_line(text: str, other: str, rng: random.Random) -> str:
    return fuzz.drop_line(text, other, rng)


def add_statement(text: str, other: str, rng: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(STATEMENTS))
    return "\n".join(lines)


def take_line(text: str, other: str, rng: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(other.split("\n")))
    return "\n".join(lines)


def move_line(text: str, other: str, rng: random.Random) -> str:
    lines = text.split("\n")
    line = lines.pop(rng.randrange(len(lines)))
    lines.insert(rng.randrange(len(lines) + 1), line)
    return "\n".join(lines)


def _equations(text: str) -> list[re.Match[str]]:
    """The left sides of equations and the beginnings of definitions' bodies."""
    return list(re.finditer(r"(?<=[a-z]: )[^=\n#]+(?= = )|(?<=:= )(?=[^\n#])", text))


def add_term(text: str, other: str, rng: random.Random) -> str:
    """An equation or a definition gets another term."""
    term, sign = rng.choice(TERMS), rng.choice("+-")
    return _replace(text, _equations(text), rng, lambda m: f"{m[0]} {sign} {term}" if m[0] else f"{term} {sign} ")


def add_coefficient(text: str, other: str, rng: random.Random) -> str:
    factor = rng.choice(COEFFICIENTS)
    return _replace(text, _names(text), rng, lambda m: factor + m[0])


def exchange_function(text: str, other: str, rng: random.Random) -> str:
    found = [m for m in re.finditer(r"[a-z]+(?=\()", text) if m[0] in FUNCTIONS]
    return _replace(text, found, rng, lambda m: rng.choice(FUNCTIONS))


def exchange_value(text: str, other: str, rng: random.Random) -> str:
    """A number becomes one of another size, with nothing strange about it."""
    chosen = rng.choice(("0.1", "1", "2", "3", "5", "1/3", "0.75"))
    return _replace(text, list(NUMBER.finditer(text)), rng, lambda m: chosen)


def drop_statement(text: str, other: str, rng: random.Random) -> str:
    """A check or a report goes, which leaves a spec right."""
    return _replace(text, list(re.finditer(r"^(?:check|report) .*\n?", text, re.M)), rng, lambda m: "")


def drop_method(text: str, other: str, rng: random.Random) -> str:
    """The planner chooses."""
    return _replace(text, list(re.finditer(r"\s+using [^#\n]+", text)), rng, lambda m: "")


MUTATIONS = (
    swap_names, rename, wrap, exchange_number, exchange_region, exchange_set, exchange_shape, exchange_option,
    exchange_operator, change_sign, delete_line, add_statement, take_line, move_line, drop_method,
)  # fmt: skip
MILD = (
    add_term, add_coefficient, exchange_function, exchange_value, change_sign, drop_method, drop_statement, exchange_set,
    exchange_option, move_line,
)  # fmt: skip
