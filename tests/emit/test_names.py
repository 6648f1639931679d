"""Names, text and numbers on their way into code: what comes out is inert, ASCII, and one identifier for one name."""

from __future__ import annotations

import ast
import io
import keyword
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdespec.diagnostics import SpecError
from pdespec.emit.names import GREEK, Namespace, escape, ident, latin, literal


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("β", "beta"),
        ("λ", "lambda_"),
        ("lambda", "lambda_"),
        ("ρ0", "rho0"),
        ("u'", "u_prime"),
        ("u″", "u_prime_prime"),
        ("ℓ", "ell"),
        ("Ω", "Omega"),
        ("ϕ", "phi"),
        ("ς", "sigma"),
        ("x[2]", "x_2"),
        ("class", "class_"),
        ("None", "None_"),
        ("max", "max_"),
        ("torch", "torch_"),
        ("nn", "nn_"),
        ("train", "train_"),
        ("_x", "x_"),
        ("__import__", "import____"),
        ("E", "E"),
    ],
)
def test_spelling(name: str, expected: str) -> None:
    assert ident(name) == expected


def test_the_greek_alphabet_has_24_letters_in_both_cases() -> None:
    assert [GREEK[c] for c in "αβγδεζηθικλμνξοπρστυφχψω"] == [latin(c) for c in "αβγδεζηθικλμνξοπρστυφχψω"]
    assert GREEK["Σ"] == "Sigma" and GREEK["Ψ"] == "Psi" and GREEK["ω"] == "omega" and GREEK["Α"] == "Alpha"
    assert len({GREEK[c] for c in "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ"}) == 24


CYRILLIC_A = "\u0430"


@pytest.mark.parametrize(
    "name", ["", "_", "1x", "a b", "x;import os", "x\n", "é", CYRILLIC_A, "x\u202e", "x.y", "x()", "x[y]"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(SpecError) as refused:
        ident(name)
    assert [d.code for d in refused.value.diagnostics] == ["PDE481"]


@given(st.text())
def test_every_identifier_is_safe_or_refused(name: str) -> None:
    try:
        result = ident(name)
    except SpecError:
        return
    assert result.isascii() and result.isidentifier() and not keyword.iskeyword(result) and not result.startswith("_")


@given(st.text())
def test_escaped_text_stays_in_its_docstring_and_comment(text: str) -> None:
    inert = escape(text)
    source = f'"""{inert}"""\n# {inert}\nx = 1  # {inert}\ny = "{inert}"\nz = \'{inert}\'\n'
    tree = ast.parse(source)
    assert len(tree.body) == 4
    assert ast.get_docstring(tree, clean=False) == inert
    kinds = [t.type for t in tokenize.generate_tokens(io.StringIO(source).readline)]
    assert kinds.count(tokenize.COMMENT) == 2


def test_escape_shows_what_would_hide() -> None:
    assert escape('a"""\n\u202eb\\') == "a””” <U+202E>b∖"
    assert escape("u = −sin(πx) on ∂Ω") == "u = −sin(πx) on ∂Ω"


finite = st.floats(allow_nan=False, allow_infinity=False)
exact = st.integers(-(2**53) + 1, 2**53 - 1)


@given(st.one_of(st.text(), exact, finite, st.lists(finite), st.dictionaries(st.text(), exact)))
def test_literals_read_back(value: object) -> None:
    text = literal(value)
    assert ast.literal_eval(text) == value
    assert "\n" not in text and "\u202e" not in text


def test_numbers_beyond_float64_are_refused() -> None:
    assert literal(10**30) == "1e+30"
    for value in (10**400, float("nan"), float("inf"), object()):
        with pytest.raises(SpecError, match="PDE482"):
            literal(value)


def test_a_namespace_keeps_names_apart() -> None:
    names = Namespace(["run"])
    assert names.name("β") == names.name("beta") == "beta"  # one name in two spellings
    assert names.name("λ") == "lambda_"
    assert names.name("run") == names.name("run") == "run_"  # what the script itself calls so keeps its name
    for taken in ("lambda_", "run_"):
        with pytest.raises(SpecError, match="PDE483"):
            names.name(taken)
    assert names.fresh("u_x") == "u_x"
    assert names.fresh("u_x") == "u_x_2"
    assert names.fresh("u_x") == "u_x_3"
    inner = names.inner()
    assert inner.fresh("beta", "b") == "b" and "b" not in names
