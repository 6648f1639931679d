"""Bad specs and what the compiler says about them, word for word.

Each `tests/bad/FAMILY/PDE303_no_start.pde` has the expected rendering beside it, in a `.txt` file of the same name; the
code in the name is what the spec is about and must be reported.  Write new ones with `pytest tests/test_bad.py
--update-goldens`, and read them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pdespec.compiler import compile
from pdespec.explain_codes import pages
from pdespec.render import render
from pdespec.source import Source

BAD = Path(__file__).parent / "bad"
PACKAGE = Path(__file__).parents[1] / "pdespec"
SPECS = sorted(BAD.rglob("*.pde"))
CODE = re.compile(r"\bPDE\d{3}\b")


def used_codes() -> set[str]:
    """Every code that stands in a string of the package; the pages themselves do not count."""
    texts = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return {code for text in texts for code in re.findall(r'"(PDE\d{3})"', text)}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.relative_to(BAD).with_suffix("")))
def test_a_bad_spec_is_refused_in_these_words(path: Path, golden: Callable[[Path, str], None]) -> None:
    source = Source(path.name, path.read_text(encoding="utf-8"))
    diagnostics = compile(source, folder=path.parent, upto="plan").diagnostics
    reported = [diagnostic.code for diagnostic in diagnostics]
    if expected := CODE.match(path.stem.split("_")[0]):
        assert expected[0] in reported
    assert reported, "a bad spec was accepted"
    golden(path.with_suffix(".txt"), render(diagnostics))


def test_there_are_enough_of_them() -> None:
    assert len(SPECS) >= 80


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert used_codes() == set(pages())


def test_every_page_has_its_parts() -> None:
    for code, page in pages().items():
        title, _, rest = page.partition("\n")
        assert re.fullmatch(rf"{code}: [^.]+", title), code
        assert len(rest.split()) >= 25, f"{code}: a page explains"
        assert "```" in rest or code in WITHOUT_EXAMPLE, code


WITHOUT_EXAMPLE: set[str] = set()
