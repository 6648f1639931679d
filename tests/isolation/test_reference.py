"""What is measured never reaches what is trained: without its reports, checks and declared solutions a spec has the same training."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdespec import compiler
from pdespec.source import Source
from pdespec.syntax import ast
from pdespec.syntax.parse import parse

SPECS = Path(__file__).resolve().parents[2] / "specs"
FIRST, LAST = "# ── precision", "# ── training"


def without_measures(text: str) -> str:
    """The spec with the lines of its reports and checks left blank, so that every other line keeps its number."""
    source = Source("spec.pde", text)
    spec, _ = parse(source)
    lines = text.split("\n")
    for s in spec.statements:
        if isinstance(s, (ast.Report, ast.Check)):
            first, last = s.span.line, source.position(s.span.end - 1)[0]
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines)


def training(text: str) -> str:
    """All sections of the script that decide what is trained."""
    script = compiler.compile(Source("spec.pde", text), folder=SPECS).require().source
    assert script is not None
    return script[script.index(FIRST) : script.index(LAST)]


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.pde")), ids=lambda p: p.stem)
def test_reports_and_checks_do_not_reach_the_training(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    bare = without_measures(text)
    assert "report" in text and "report" not in "\n".join(line.partition("#")[0] for line in bare.split("\n"))
    assert training(bare) == training(text)
