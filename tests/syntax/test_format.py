"""Trees into text: the same tree comes back, comments stay, and a second run changes nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdespec.diagnostics import SpecError
from pdespec.source import Source
from pdespec.syntax import ast
from pdespec.syntax.ast import Expr, Name, Num
from pdespec.syntax.format import format_spec, format_text
from pdespec.syntax.parse import parse
from pdespec.syntax.write import show

DRAFTS = sorted((Path(__file__).parents[1] / "drafts").glob("*.pde"))
COORDINATES = frozenset({"x", "y", "t", "theta", "x1"})
PREAMBLE = "domain X(x, y, t, theta, x1) = R\n"


def read(path: Path) -> Source:
    return Source(path.name, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_both_spellings_have_the_tree_of_the_original(path: Path) -> None:
    source = read(path)
    original, _ = parse(source)
    for ascii in (False, True):
        text = format_text(source, ascii=ascii)
        again, diagnostics = parse(Source("again.pde", text))
        assert diagnostics == ()
        assert again == original
        assert format_text(Source("again.pde", text), ascii=ascii) == text
        assert [c.text for c in again.comments] == [c.text for c in original.comments]
        assert len(text.splitlines()) == source.lines
    code = "\n".join(line.partition("#")[0] for line in format_text(source, ascii=True).splitlines())
    assert code.isascii()


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_there_and_back_gives_the_same_text(path: Path) -> None:
    source = read(path)
    unicode = format_text(source)
    assert format_text(Source("ascii.pde", format_text(source, ascii=True))) == unicode
    assert format_spec(parse(source)[0], coordinates=COORDINATES)


@pytest.mark.parametrize("text", ["f := x^(-1/3)", "f := x^-a", "f := x⁻²", "f := x^(1/2)", "f := x^(-(1 + x))"])
def test_powers_keep_their_brackets(text: str) -> None:
    assert format_text(Source("power.pde", text + "\n")) == text + "\n"


def test_layout_is_kept() -> None:
    text = (
        "# first\n\n"
        "param   β = 5   # inverse temperature\n"
        "domain  X(x) = R,   # space\n"
        "        I(t) = [0, 1]\n"
        "unknown u : X -> R\n\n"
        "f := g(\n    1 + x,  # one\n    # two\n    2*x\n  )\n"
        "bulk:  Δu = f on X\n"
        "walls: u = 0  on ∂X\n"
        "# last\n"
    )
    assert format_text(Source("layout.pde", text)) == text


def test_the_house_style() -> None:
    text = "a:=b+c ;".replace(" ;", "") + "\n\n\n\nlong_name   := 2 * x^2\nbulk :  lap( u )=f( x,y ;k=1 )   on   X\n"
    assert format_text(Source("s", text)) == ("a := b + c\n\nlong_name := 2 * x²\nbulk: Δu = f(x, y; k=1) on X\n")


def test_the_authors_relation_signs_stay() -> None:
    assert format_text(Source("s", "c: u ≤ 1\n")) == "c: u ≤ 1\n"
    assert format_text(Source("s", "c: u ≤ 1\n"), ascii=True) == "c: u <= 1\n"
    assert format_text(Source("s", "c: u <= 1\n")) == "c: u <= 1\n"


def test_one_spelling_is_made_of_two() -> None:
    assert format_text(Source("s", "β := 1\nc := beta\n")) == "β := 1\nc := β\n"


def test_a_wrong_text_is_not_formatted() -> None:
    with pytest.raises(SpecError):
        format_text(Source("s", "f := (1\n"))


# ── random trees ────────────────────────────────────────────────────────────────────────────────────────────────────

IDS = ["a", "b", "u", "beta", "Omega", "X", "p'", "delta", "delta_x", "n", "d", "i", "ell", "x_1"]
names = st.sampled_from(IDS).map(Name)
numbers = st.sampled_from([*range(13), Fraction(1, 4), Fraction(5, 2)]).map(lambda n: Num(Fraction(n)))
some_names = st.lists(names, min_size=1, max_size=2, unique=True).map(tuple)


def options(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[tuple[ast.Option, ...]]:
    return st.lists(st.builds(ast.Option, names, inner | names, law=st.booleans()), max_size=2).map(tuple)


def several(inner: st.SearchStrategy[Expr], least: int = 1) -> st.SearchStrategy[tuple[Expr, ...]]:
    return st.lists(inner, min_size=least, max_size=3).map(tuple)


def bindings(inner: st.SearchStrategy[Expr], bare: bool) -> st.SearchStrategy[tuple[ast.Binding, ...]]:
    kinds = [
        st.builds(ast.Binding, some_names, st.just("in"), inner | st.builds(ast.Range, inner, st.none(), inner)),
        st.builds(ast.Binding, some_names, st.just("~"), inner),
    ]
    if bare:
        pair = st.lists(names, min_size=2, max_size=2).map(tuple)
        kinds.append(st.builds(ast.Binding, pair, st.sampled_from(["<", "!="]), st.none()))
        kinds.append(st.builds(ast.Binding, some_names, st.just(""), st.none()))
    return st.lists(st.one_of(kinds), min_size=1, max_size=2).map(tuple)


def conditions(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.builds(ast.Compare, st.sampled_from(["<", "<=", ">", ">=", "!="]), inner, inner)


def larger(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    operators = ["+", "-", "*", "/", "^", "dot", "cross", "union", "minus", "intersection", "compose"]
    runs = st.lists(st.sampled_from(sorted(COORDINATES)), min_size=1, max_size=3).map(tuple)
    functional = names | st.builds(ast.Call, names, several(inner))
    return st.one_of(
        st.builds(ast.Unary, st.sampled_from(["-", "+"]), inner),
        st.builds(ast.Binary, st.sampled_from(operators), inner, inner),
        st.builds(ast.Abs, inner),
        st.builds(ast.Norm, inner, options(inner)),
        st.builds(ast.Tuple, several(inner, 2)),
        st.builds(ast.Rows, several(inner)),
        st.builds(ast.SetLiteral, several(inner)),
        st.builds(ast.Range, inner, st.none() | inner, inner),
        st.builds(ast.Interval, inner, inner),
        st.builds(ast.Boundary, inner),
        st.builds(ast.Comprehension, some_names, inner, st.lists(conditions(inner), min_size=1, max_size=2).map(tuple)),
        st.builds(ast.Call, inner, several(inner | conditions(inner), 0), options(inner)),
        st.builds(ast.Index, inner, several(inner)),
        st.builds(ast.Partial, runs, inner),
        st.builds(ast.NormalDerivative, inner),
        st.builds(ast.Differential, st.sampled_from(["grad", "div", "lap", "curl", "hess"]), inner),
        st.builds(ast.Variation, functional, names),
        st.builds(ast.Integral, some_names, st.none() | inner, inner),
        st.builds(ast.Binder, st.sampled_from(["sum", "prod"]), bindings(inner, True), inner),
        st.builds(ast.Binder, st.sampled_from(["mean", "max", "sup", "inf", "argmin"]), bindings(inner, False), inner),
        st.builds(ast.Braket, inner, st.none() | inner, inner),
    )


expressions = st.recursive(names | numbers, larger, max_leaves=14)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expressions)
def test_any_tree_comes_back_from_its_text(tree: Expr) -> None:
    for ascii in (False, True):
        text = show(tree, ascii, COORDINATES)
        spec, diagnostics = parse(Source("tree.pde", f"{PREAMBLE}value := {text}\n"))
        assert not [d for d in diagnostics if d.code not in ("PDE020", "PDE021")], text
        definition = spec.statements[-1]
        assert isinstance(definition, ast.Definition)
        assert definition.body == tree, text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expressions)
def test_no_pair_of_brackets_is_superfluous(tree: Expr) -> None:
    """Removing any pair that the tree does not hold changes the tree or makes the text wrong."""
    text = show(tree, False, COORDINATES)
    for start, end in _pairs(text):
        before = text[start - 1 : start]
        if before.isalnum() or before in tuple(")]'∂_}⟩|‖"):
            continue  # a call's own brackets, or a boundary's
        bare = f"{text[:start]} {text[start + 1 : end]} {text[end + 1 :]}"
        spec, diagnostics = parse(Source("tree.pde", f"{PREAMBLE}value := {bare}\n"))
        errors = [d for d in diagnostics if d.severity.value == "error"]
        definition = spec.statements[-1]
        same = not errors and isinstance(definition, ast.Definition) and definition.body == tree
        assert not same or _kept_for_the_eye(text, start, end), f"{text}  and  {bare}"


def _kept_for_the_eye(text: str, start: int, end: int) -> bool:
    """Brackets that only the reader needs: around a sign after an operator or a binder, a modulus in a modulus."""
    return text[start + 1] in "-+" or (text[start + 1] == "|" and text[end - 1] == "|")


def _pairs(text: str) -> list[tuple[int, int]]:
    pairs, opened = [], []
    for i, character in enumerate(text):
        if character == "(":
            opened.append(i)
        elif character == ")":
            pairs.append((opened.pop(), i))
    return pairs


@pytest.mark.parametrize(
    "text",
    [
        "s: solve min[# why\nu] E(u) using m(k=1)\n",
        "f := max[\na in A] a\n",
        "f := ∫[\nx in X] u dx\n",
        "f := (# one\n# two\n  a\n\n  + b)\n",
        "f := a *\n(b + c)\n",
        "f := {x in X :\n  x < 1}\n",
        "solve\n  a, b\n",
        "f := g(a,\r\n  b)\r\n",
    ],
)
def test_odd_line_breaks(text: str) -> None:
    source = Source("breaks.pde", text)
    for ascii in (False, True):
        written = format_text(source, ascii=ascii)
        again, diagnostics = parse(Source("again.pde", written))
        assert diagnostics == () and again == parse(source)[0], written
        assert written.count("#") == text.count("#")
        assert format_text(Source("again.pde", written), ascii=ascii) == written
