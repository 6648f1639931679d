from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pdespec.diagnostics import Diagnostic
from pdespec.model.check import check
from pdespec.model.model import Model
from pdespec.source import Source
from pdespec.syntax.parse import parse

Checked = tuple[Model | None, tuple[Diagnostic, ...]]


def checked(text: str, settings: Mapping[str, str] | None = None, folder: Path | None = None) -> Checked:
    spec, found = parse(Source("test.pde", text))
    assert not [d for d in found if d.severity.value == "error"], found
    return check(spec, settings=settings or {}, folder=folder, name="test")


@pytest.fixture
def model() -> Callable[..., Model]:
    """The model of a text that has no findings."""

    def build(text: str, settings: Mapping[str, str] | None = None, folder: Path | None = None) -> Model:
        result, found = checked(text, settings, folder)
        assert result is not None, found
        assert not found
        return result

    return build


@pytest.fixture
def codes() -> Callable[..., list[str]]:
    """The codes of the findings on a text."""

    def build(text: str, settings: Mapping[str, str] | None = None, folder: Path | None = None) -> list[str]:
        return [d.code for d in checked(text, settings, folder)[1]]

    return build
