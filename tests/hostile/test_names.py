"""Names: whatever a spec calls its things, the script means them where the spec does, and keeps its own names to itself."""

from __future__ import annotations

import keyword
import re
import symtable

import pytest

from pdespec.syntax.names import RESERVED
from tests.hostile.scripts import bound_at_top, codes, compiled, functions, script, skeleton, small

FEATURES = """\
domain X(x) = [0, 1]
param PARAMS
unknown u : X -> R
g(y) := ALL*y
f := g(x)*ALL
bulk: -∂xx u + ALL*u = f on X
wall: u = ALL on ∂X
solve bulk, wall
report u(0.5) + ALL < 1, ∫ ALL*u² dx < 2
"""
COLLOCATION = """\
domain X(x) = [0, 1], I(t) = [0, 1]
param PARAMS
unknown u : X × I -> R
g(y) := ALL*y
bulk: ∂t u - ALL*∂xx u + u*∂x u = g(x)*ALL on X × I
begin: u = ALL on X × {0}
wall: u = ALL on ∂X × I
solve bulk, begin, wall using collocation(points=16) with adam(steps=3)
report u(0.5, 1) + ALL < 1, ∫ ALL*u² dx < 2
"""
RITZ = """\
domain X(x, y) = [0, 1]^2
param PARAMS
unknown u : X -> R
E(u) := ∬ ALL*|∇u|² - ALL*u dx dy
wall: u = ALL - 2 on ∂X
solve min[u] E(u), wall using ritz(points=64) with adam(steps=3)
report E(u) + ALL < 1
"""
GRID = """\
domain X(x) = [-3, 3], I(t) = [0, 1]
param PARAMS
unknown p : P(X) over I
E(p) := ALL*∫ p*ln(p) dx + ∫ ALL*x²*p dx + ∬ ALL*(x - y)²*p(x)*p(y) dx dy
flow: ∂t p = -grad(E, p; metric=W2) on X × I
begin: p = gauss(0, 1/4) on X × {0}
solve flow, begin using grid(cells=16)
report E(p) + ALL < 1, E(p)(0.5) < 1
"""
PARTICLES = """\
domain X(x) = R^2, I(t) = [0, 1]
param PARAMS
unknown p : P(X) over I
E(p) := ALL*∫ p*ln(p) dx + ∫ ALL*|x|²*p dx + ∬ exp(-ALL*|x - y|²)*p(x)*p(y) dx dy
V(p) := ∫ ALL*|x|²*p dx
flow: ∂t p = -grad(E, p; metric=W2) on X × I
begin: p = gauss(0, ALL) on X × {0}
solve flow, begin using particles(n=16)
report V(p) + ALL < 1, V(p)(0.5) < 1
"""
SPECTRAL = """\
domain X(x) = torus(6), I(t) = [0, 1]
param PARAMS
unknown u : X × I -> R
E(u) := ∫ ALL*|∇u|² + ALL*(u² - 1)² dx
flow: ∂t u = -grad(E, u; metric=L2) on X × I
begin: u = ALL*cos(2*π*x/6) on X × {0}
solve flow, begin
report E(u) + ALL < 1, E(u)(0.5) < 1
"""
BASES = {
    "features": FEATURES,
    "collocation": COLLOCATION,
    "ritz": RITZ,
    "grid": GRID,
    "particles": PARTICLES,
    "spectral": SPECTRAL,
}
OURS = "zzq"
TAKEN_BY_THE_LANGUAGE = {"PDE001", "PDE010", "PDE011", "PDE102", "PDE103"}


def with_params(base: str, names: list[str]) -> str:
    """The spec with these params, of which every formula has the product."""
    return base.replace("PARAMS", ", ".join(f"{n} = 2" for n in names)).replace("ALL", "(" + "*".join(names) + ")")


def own(source: str) -> list[str]:
    """What a script binds at its top or in a function that looks the param up, but for the param itself."""
    found = set(bound_at_top(source))
    for _, scopes in functions(source):
        if any(OURS in table.get_identifiers() for table in scopes):
            found |= {s.get_name() for table in scopes for s in table.get_symbols() if s.is_local()}
    return sorted(n for n in found - {OURS} if re.fullmatch("[A-Za-z]\\w*", n))


def allowed(base: str, names: list[str]) -> list[str]:
    """Those that a spec may use beside its own: the language refuses some, as it does in any spec."""
    used = set(re.findall(r"\w+", base))
    kept = [n for n in names if n not in used | RESERVED and n.rstrip("_") not in used and f"{n}_" not in names]
    found = compiled(with_params(base, kept)).diagnostics
    refused = {d.span.text for d in found if d.span is not None and d.code in TAKEN_BY_THE_LANGUAGE}
    return [n for n in kept if n not in refused]


def identifiers(source: str) -> dict[str, str]:
    """The identifier of each param, by the comment at its line."""
    return {m[2]: m[1] for m in re.finditer(r"^(\w+) = 2\.0 +# spec:2  (\S+)$", source, re.MULTILINE)}


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_no_name_of_the_script_is_taken_for_a_users(base: str) -> None:
    plain = script(with_params(base, [OURS]))
    names = allowed(base, own(plain))
    assert len(names) > 50
    crowded = script(with_params(base, names))
    spelt = identifiers(crowded)
    assert sorted(spelt) == sorted(names)
    top = bound_at_top(crowded)
    assert [n for n in top if top.count(n) > 1] == []
    wanted = {path for path, scopes in functions(plain) if OURS in scopes[0].get_identifiers()}
    seen = 0
    for path, scopes in functions(crowded):
        if path in wanted:
            seen += 1
            hidden = [n for n in spelt.values() if n in scopes[0].get_identifiers() and not _is_global(scopes[0], n)]
            assert hidden == [], path
    assert seen >= 3


def _is_global(table: symtable.SymbolTable, name: str) -> bool:
    return table.lookup(name).is_global()


DANGEROUS = [
    *("eval exec compile open getattr setattr globals locals vars breakpoint input print super type object".split()),  # noqa: SIM905
    *("torch nn os sys math Path Tensor config run dtype self cls True False None Ellipsis NotImplemented".split()),  # noqa: SIM905
    *("subprocess pickle socket shutil ctypes importlib builtins math re field replace copy platform".split()),  # noqa: SIM905
]


@pytest.mark.parametrize(
    "chunk", [DANGEROUS[:24], DANGEROUS[24:], [k for k in keyword.kwlist if k.isalpha()]], ids=range(3)
)
def test_python_s_own_names_mean_nothing_here(chunk: list[str]) -> None:
    names = allowed(FEATURES, sorted(set(chunk)))
    assert len(names) > 10
    source = script(with_params(FEATURES, names))
    spelt = identifiers(source)
    assert sorted(spelt) == sorted(names)
    for name, identifier in spelt.items():
        assert not keyword.iskeyword(identifier)
        assert identifier in (name, name + "_")
    top = bound_at_top(source)
    assert [n for n in top if top.count(n) > 1] == []


@pytest.mark.parametrize(
    "name", ["__import__", "__builtins__", "__class__", "_x", "os.system", "a-b", "x y", "1x", "exec()"]
)
def test_what_is_no_name_of_the_language_is_refused(name: str) -> None:
    assert codes(small("1", f"param {name} = 1\n")) == {"PDE001"}


def test_things_of_every_kind_are_renamed_alike() -> None:
    """Domains, coordinates, unknowns, labels and definitions named like Python's own, beside the same under plain names."""
    plain = "domain A(b) = [0, 1]\nunknown c : A -> R\nd := b\ne: -Δc = d on A\ng: c = 0 on ∂A\nh: solve e, g\nreport h(c(0.5))\n"
    odd = dict(zip("Abcdegh", ("Class", "import_", "def", "eval", "getattr", "raise", "return"), strict=True))
    text = re.sub(r"\b[Abcdegh]\b", lambda m: odd[m[0]], plain)
    text = text.replace("∂A", "∂Class").replace("Δc", "Δdef")
    renamed = script(text)
    assert len(skeleton(renamed)) > 1000
    assert sorted(set(bound_at_top(renamed))) == sorted(bound_at_top(renamed))
    assert {"def", "eval", "getattr", "raise", "return"}.isdisjoint(bound_at_top(renamed))


def test_an_unknown_and_its_capital_have_networks_of_their_own() -> None:
    text = """\
domain X(x) = [0, 1]
param V = 3
unknown u : X -> R, U : X -> R, v : X -> R
a: -∂xx u + U^3 = V on X
b: -∂xx U + u = 1 on X
c: -∂xx v + v^3 = 1 on X
l: u = 0 on ∂X
m: U = 1 on ∂X
n: v = 2 on ∂X
solve a, b, c, l, m, n using collocation(points=8) with adam(steps=3)
"""
    top = bound_at_top(script(text))
    assert [n for n in top if top.count(n) > 1] == []
    assert {"uNetwork", "UNetwork", "vNetwork"} <= set(top)


def test_two_names_that_python_cannot_tell_apart_are_refused() -> None:
    assert codes(small("λ*lambda_", "param λ = 1, lambda_ = 2\n")) == {"PDE483"}
