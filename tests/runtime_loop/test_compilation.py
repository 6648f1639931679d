"""When a script compiles its objective, and what it does where it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pdespec.runtime import compilation, config
from pdespec.runtime.compilation import compiled
from pdespec.runtime.config import Config

LONG = Config(Path("unused"), "5c1f", planned=10_000, entries=1e6)


def double(x: Tensor) -> Tensor:
    return 2 * x


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, True), ({"steps": 100}, False), ({"compilation": "off"}, False), ({"steps": 1, "compilation": "on"}, True)],
)
def test_it_pays_from_a_number_of_steps(
    changes: dict[str, object], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "has_compiler", lambda: True)
    assert replace(LONG, **changes).compiles == expected  # type: ignore[arg-type]


def test_without_a_compiler_a_line_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(config, "has_compiler", lambda: False)
    assert compiled(double, LONG) is double
    assert "no C++ compiler" in capsys.readouterr().err
    assert LONG.fingerprint()["compilation"] == "False"


def test_what_fails_to_compile_runs_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(function: object, **options: object) -> object:
        def call(*arguments: object) -> object:
            raise RuntimeError("no back end\nat all")

        return call

    monkeypatch.setattr(config, "has_compiler", lambda: True)
    monkeypatch.setattr(compilation.torch, "compile", refuses)
    fast = compiled(double, LONG)
    for _ in range(2):
        torch.testing.assert_close(fast(torch.ones(2)), torch.full((2,), 2.0))
    assert capsys.readouterr().err == "not compiled: RuntimeError: no back end\n"


@pytest.mark.slow
def test_a_compiled_function_is_the_same_function(capsys: pytest.CaptureFixture[str]) -> None:
    if not config.has_compiler():
        pytest.skip("no C++ compiler")
    fast = compiled(double, replace(LONG, compilation="on"))
    torch.testing.assert_close(fast(torch.ones(3)), torch.full((3,), 2.0))
    assert "compiled double in" in capsys.readouterr().err
