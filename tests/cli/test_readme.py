"""What the README shows is what the program prints; --update-goldens rewrites its blocks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from pdespec.cli import main
from pdespec.compiler import compile
from pdespec.render import render
from pdespec.source import Source

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SHOWN = re.compile(r"(?<=<!-- shown: )(.*?)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)


def spec(name: str) -> str:
    return block("pde", (ROOT / "specs" / f"{name}.pde").read_text(encoding="utf-8"))


def block(language: str, text: str) -> str:
    return f"```{language}\n{text.strip(chr(10))}\n```\n"


def script(name: str, begin: str, end: str) -> str:
    """The part of a script from the line with `begin` up to the line with `end`."""
    source = compile(Source(f"{name}.pde", (ROOT / "specs" / f"{name}.pde").read_text(encoding="utf-8"))).source
    assert source is not None
    lines = source.splitlines()
    first = next(i for i, line in enumerate(lines) if begin in line)
    last = next(i for i, line in enumerate(lines) if end in line and i > first)
    return block("python", "\n".join(lines[first:last]))


def mistake(name: str) -> str:
    path = ROOT / "tests" / "bad" / f"{name}.pde"
    source = Source("heat.pde" if "PDE303" in name else "poisson.pde", path.read_text(encoding="utf-8"))
    return block("text", render(compile(source, upto="plan").diagnostics))


def expected(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    kind, *arguments = shlex.split(command)
    if kind == "explain":
        assert main(["explain", *arguments]) == 0
        return block("text", capsys.readouterr().out)
    shows: dict[str, Callable[..., str]] = {"spec": spec, "script": script, "mistake": mistake}
    return shows[kind](*arguments)


def test_the_readme_shows_what_is_so(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    text = README.read_text(encoding="utf-8")
    assert len(SHOWN.findall(text)) >= 5
    fresh = SHOWN.sub(lambda match: match[1] + match[2] + expected(match[1], capsys), text)
    if request.config.getoption("--update-goldens"):
        README.write_text(fresh, encoding="utf-8")
    assert README.read_text(encoding="utf-8") == fresh
