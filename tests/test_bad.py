"""Bad specs and what the whole compiler says about them.

Each `tests/bad/FAMILY/PDE303_no_start.pde` has its findings beside it in a `.expected` file: one line `CODE LINE:COLUMN
message` for each.  The code in the name is what the spec is about and must be among them.  Write new ones with `pytest
tests/test_bad.py --update-goldens`, and read them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pdespec.compiler import compile
from pdespec.diagnostics import Diagnostic
from pdespec.explain_codes import pages
from pdespec.render import render
from pdespec.source import Source

BAD = Path(__file__).parent / "bad"
PACKAGE = Path(__file__).parents[1] / "pdespec"
SPECS = sorted(BAD.rglob("*.pde"))
BEYOND_SYNTAX = [path for path in SPECS if path.parent.name != "syntax"]  # those have tests of their own, without SymPy


def finding(diagnostic: Diagnostic) -> str:
    place = f"{diagnostic.span.line}:{diagnostic.span.column}" if diagnostic.span else "-"
    return f"{diagnostic.code} {place} {diagnostic.message}\n"


@pytest.mark.parametrize("path", BEYOND_SYNTAX, ids=lambda path: str(path.relative_to(BAD).with_suffix("")))
def test_the_findings_are_these(path: Path, golden: Callable[[Path, str], None]) -> None:
    source = Source(path.name, path.read_text(encoding="utf-8"))
    diagnostics = compile(source, folder=path.parent, upto="plan").diagnostics
    codes = [diagnostic.code for diagnostic in diagnostics]
    assert path.stem.split("_")[0] in codes
    assert all(code in render(diagnostics) for code in codes)
    golden(path.with_suffix(".expected"), "".join(map(finding, diagnostics)))


def test_there_are_enough_of_them() -> None:
    assert len(SPECS) >= 80


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    texts = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    used = {code for text in texts for code in re.findall(r'"(PDE\d{3})"', text)}
    assert used == set(pages())


def test_every_page_explains_and_shows() -> None:
    for code, page in pages().items():
        title, _, rest = page.partition("\n")
        assert re.fullmatch(rf"{code}: [^.]+", title), code
        assert len(rest.split()) >= 25, f"{code}: a page explains"
        assert "```" in rest, f"{code}: a page shows"
