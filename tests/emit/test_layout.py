"""Layout: folding changes lines, never meaning."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdespec.emit import layout


def test_rulers_end_at_the_last_column() -> None:
    assert layout.ruler("parameters").startswith("# ── parameters ───")
    assert len(layout.ruler("parameters")) == len(layout.ruler("ansatz: u", "spec:10")) == 120
    assert layout.ruler("ansatz: u", "spec:10").endswith("── spec:10")


def test_comments_share_a_column() -> None:
    text = layout.comments([("nu = 0.01 / math.pi", "spec:2  ν"), ("n = 1", ""), ("k = 2", "spec:3  k")])
    lines = text.split("\n")
    assert [line.find("# spec") for line in lines] == [56, -1, 56] and lines[1] == "n = 1"
    long = layout.comments([("x" * 70, "spec:2"), ("y", "spec:3")])
    assert [line.find("# spec") for line in long.split("\n")] == [72, 72]


def test_a_comment_without_room_stands_above() -> None:
    assert layout.comment("    " + "x" * 100, "a note that is too long for it") == (
        "    # a note that is too long for it\n    " + "x" * 100
    )


def test_docstrings_are_folded() -> None:
    assert layout.docstring("u_t + u u_x") == '    """u_t + u u_x"""'
    folded = layout.docstring("word " * 60 + "\n\nsecond")
    assert max(map(len, folded.split("\n"))) <= 120
    assert ast.parse(folded.strip()).body and folded.endswith('\n\n    second\n    """')


def test_a_sum_is_folded_at_its_terms() -> None:
    text = layout.statement("return", " + ".join(["some_long_name_of_a_term * other"] * 4))
    assert text.split("\n")[:3] == [
        "    return (",
        "        some_long_name_of_a_term * other",
        "        + some_long_name_of_a_term * other",
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "f(" + ", ".join(f"argument_{k}" for k in range(20)) + ")",
        "(" + " + ".join(f"value_{k}" for k in range(30)) + ",)",
        "tuple(c.squeeze(-1) for c in (" + ", ".join(f"value_{k}" for k in range(20)) + "))",
        "sum(a * b for a, b in zip([" + ", ".join(f"value_{k}" for k in range(20)) + "], other))",
        "lambda a, b: function(" + ", ".join(f"value_{k}" for k in range(20)) + ")",
        "a_long_name - (" + " - ".join(f"value_{k}" for k in range(30)) + ") / -b",
        "torch.stack([" + ", ".join(f"value_{k} * (a - b)" for k in range(12)) + "])[:, 0]",
        "{" + ", ".join(f'"key {k}, x": value_{k}' for k in range(12)) + "}",
        "a if c else " + " + ".join(f"value_{k}" for k in range(30)),
    ],
)
def test_folding_keeps_the_syntax_tree(expression: str) -> None:
    folded = layout.statement("x =", expression)
    assert max(map(len, folded.split("\n"))) <= 120 and "\n" in folded
    assert ast.dump(ast.parse(folded.strip())) == ast.dump(ast.parse(f"x = {expression}"))


names = st.sampled_from(["alpha", "u_xx", "torch.sin(x)", "h.square()", "'a, b + c'", "-2.5e-3", "(a, )"])
trees = st.recursive(
    names,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=6).map(lambda xs: " + ".join(xs)),
        st.lists(inner, min_size=1, max_size=6).map(lambda xs: f"({' * '.join(xs)})"),
        st.lists(inner, min_size=1, max_size=6).map(lambda xs: f"call({', '.join(xs)})"),
        st.lists(inner, min_size=1, max_size=6).map(lambda xs: f"[{', '.join(xs)},]"),
        inner.map(lambda a: f"tuple({a} for a, b in z)"),
        inner.map(lambda a: f"({a},)"),
    ),
    max_leaves=40,
)


@settings(max_examples=200, deadline=None)
@given(trees, st.integers(0, 4))
def test_folding_random_expressions_keeps_the_syntax_tree(expression: str, depth: int) -> None:
    folded = layout.statement("x =", expression, indent=4 * depth, width=60)
    assert ast.dump(ast.parse(folded.strip())) == ast.dump(ast.parse(f"x = {expression}"))
