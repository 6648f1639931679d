"""Texts and comments: whatever stands in them, the script's code stays the same."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import pytest

from pdespec.cli import main
from pdespec.commands.build import script_name
from tests.hostile.scripts import codes, outside_of_texts, script, skeleton, small

MARK = "pwned"
COMMENTS = [
    '"""',
    "'''",
    '"""; import os; os.system("pwned") #',
    "\\",
    "\\n\nf2 := x",
    "{pwned} {0} {__import__} %s %(pwned)s $pwned ${pwned}",
    "\\x22\\x22\\x22 \\N{QUOTATION MARK} \\u0022",
    "# coding: latin-1",
    "-*- coding: utf-7 -*- +ACIAIgAi-",
    "”” ‘‘ 漢 🙂 \u3000",
    "f'{pwned}' rb'' \"pwned\"",
]


@pytest.mark.parametrize("comment", COMMENTS, ids=range(len(COMMENTS)))
def test_a_comment_changes_no_code(comment: str) -> None:
    plain = script(small())
    marked = script(f"{small()}# {comment}\n" if "\n" in comment else small().replace("\n", f"  # {comment}\n"))
    assert MARK not in outside_of_texts(marked)
    if "\n" not in comment:
        assert skeleton(marked) == skeleton(plain)


NAMES = [
    '"""\nimport os\n"""',
    "a'b\"c",
    "{__import__}",
    "x; import os",
    "$(touch pwned)",
    "..",
    "-",
    "\x1b[31m",
    "a\\b",
    "\u202eabc",
    "%s" * 20,
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_the_name_of_a_spec_changes_no_code(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(f"{name}.pde")
    path.write_text(small(), encoding="utf-8")
    assert main(["build", str(path) if not name.startswith("-") else f"./{path}"]) == 0
    (built,) = Path("build").iterdir()
    assert built.name == f"{script_name(str(path))}.py"
    source = built.read_text(encoding="utf-8")
    assert skeleton(source) == skeleton(script(small()))
    printed = {t.string for t in tokenize.generate_tokens(io.StringIO(source).readline)}
    assert not any(c in text for text in printed for c in "\x1b\u202e")


@pytest.mark.parametrize(
    "name",
    [
        "a/b/heat",
        "../heat",
        "/tmp/heat",
        "heat",
        "heat.x",
        "torch",
        "json",
        "class",
        "1",
        "β",
        ".",
        "",
        "a b\nc",
        "a" * 300,
    ],
)
def test_a_script_s_name_is_an_identifier_that_hides_no_module(name: str) -> None:
    made = script_name(f"{name}.pde")
    assert made.isidentifier() and "/" not in made
    assert made not in ("torch", "json", "class", "sys", "os")


@pytest.mark.parametrize("text", ["it's.pde", "%s{}{0}.pde", "'''.pde", "{__import__('os')}.pde", "$(touch pwned).pde"])
def test_a_text_names_a_file_and_nothing_else(text: str, tmp_path: Path) -> None:
    assert codes(small("1", f'import "{text}"\n'), folder=tmp_path) == {"PDE109"}


@pytest.mark.parametrize("text", ['a"b', "a\nb", 'a\\"b', '"""', "'a'"])
def test_a_text_that_does_not_end_is_refused(text: str, tmp_path: Path) -> None:
    found = codes(small("1", f'import "{text}"\n'), folder=tmp_path)
    assert found & {"PDE001", "PDE003", "PDE109"}


INVISIBLE = {
    "right-to-left override": "\u202e",
    "left-to-right isolate": "\u2066",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark inside": "\ufeff",
    "soft hyphen": "\u00ad",
    "variation selector": "\ufe0f",
    "tag letter": "\U000e0041",
    "NUL": "\x00",
    "escape": "\x1b",
    "carriage return": "\r",
    "vertical tab": "\x0b",
    "line separator": "\u2028",
    "next line": "\x85",
    "lone surrogate": "\ud800",
    "Hangul filler": "\u3164",
}


@pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE)
def test_what_cannot_be_seen_is_refused_everywhere(character: str) -> None:
    for text in (
        small(f"x{character} "),
        small(f"x{character}y"),
        small("1", f"# comment {character} end\n"),
        small("1", f'import "{character}a.pde"\n'),
    ):
        assert codes(text) & {"PDE004", "PDE005"}, repr(text)


@pytest.mark.parametrize("word", ["\u0430", "ｘ", "𝑥", "x₁", "é", "x\u0301", "漢", "ﬁ", "²x", "٣", "x\u00a0+ 1"])
def test_other_scripts_are_refused(word: str) -> None:
    assert codes(small(word)) & {"PDE005", "PDE001", "PDE004"}


def test_greek_and_latin_that_look_alike_are_told() -> None:
    from tests.hostile.scripts import compiled

    found = compiled(small("Α + A", "param Α = 1, A = 2\n")).diagnostics
    assert {d.code for d in found} == {"PDE022"}


def test_one_name_in_two_spellings_is_refused() -> None:
    assert codes(small("β*beta", "param β = 1\n")) == {"PDE110"}
