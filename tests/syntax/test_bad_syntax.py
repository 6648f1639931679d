"""Bad specs in `tests/bad/syntax`, each with its findings beside it: one line `CODE LINE:COLUMN message` for each.

Written anew with `python -m tests.syntax.test_bad_syntax`, and then read.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pdespec.source import Source
from pdespec.syntax.messages import read_examples
from pdespec.syntax.parse import MAX_DIAGNOSTICS, parse
from pdespec.syntax.statements import MAX_STATEMENTS

BAD = Path(__file__).parents[1] / "bad" / "syntax"
SPECS = sorted(BAD.glob("*.pde"))
JARGON = ("token", "terminal", "Lark", "lark", "NAME", "$END", "_EQ", "parser", "Unexpected")


def findings(path: Path) -> str:
    _, diagnostics = parse(Source(path.name, path.read_text(encoding="utf-8")))
    lines = []
    for diagnostic in diagnostics:
        assert diagnostic.span is not None
        lines.append(f"{diagnostic.code} {diagnostic.span.line}:{diagnostic.span.column} {diagnostic.message}\n")
    return "".join(lines)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_findings_are_these(path: Path) -> None:
    assert findings(path) == path.with_suffix(".expected").read_text(encoding="utf-8")


def test_five_mistakes_give_five_messages_at_five_places() -> None:
    source = Source("five.pde", (BAD / "PDE001_five_mistakes.pde").read_text(encoding="utf-8"))
    spec, diagnostics = parse(source)
    assert [d.span.line for d in diagnostics if d.span] == [2, 3, 6, 7, 10]
    assert len(spec.statements) == 4


def test_no_message_speaks_of_the_parser() -> None:
    said = [path.with_suffix(".expected").read_text(encoding="utf-8") for path in SPECS]
    said += [f"{message.text} {message.hint}" for _, _, message in read_examples()]
    for text in said:
        assert not any(word in text.replace("NAME=", "").replace("`NAME", "") for word in JARGON), text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("# " + "a" * (1 << 20), "PDE006"),
        ("f := x\n" * (MAX_STATEMENTS + 1), "PDE006"),
        ("f := " + "x*" * 5001 + "x", "PDE009"),
        ("f := \x00", "PDE004"),
        ("f := 1\rg := 2", "PDE004"),
        ("f := \ud800", "PDE004"),
        ("\ufefff := 1", "PDE004"),
        ("f := a\u00adb", "PDE004"),
        ("f := \U000e0041", "PDE004"),
        ("f := x\u0301", "PDE005"),
        ("f := 𝑥", "PDE005"),
        ("f := 9^9^9^1e999", "PDE008"),
        ("f := __import__", "PDE001"),
    ],
)
def test_hostile_texts_are_refused(text: str, code: str) -> None:
    spec, diagnostics = parse(Source("hostile.pde", text))
    assert [d.code for d in diagnostics] == [code]
    assert not any(statement for statement in spec.statements if code == "PDE006")


def test_nobody_is_shown_more_than_a_hundred() -> None:
    _, diagnostics = parse(Source("many.pde", "f := +\n" * 150))
    assert len(diagnostics) == MAX_DIAGNOSTICS
    assert diagnostics[-1].code == "PDE018" and "51 more" in diagnostics[-1].message


if __name__ == "__main__":
    for spec_path in SPECS:
        spec_path.with_suffix(".expected").write_text(findings(spec_path), encoding="utf-8")
