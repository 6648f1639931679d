"""An error is a value: a code, a place, a cause and a cure.

Every pass returns the diagnostics that it found beside its result; nothing is printed below the command line.
Codes are `PDE` and three digits, by family: 0 syntax, 1 names, 2 types, 3 well-posedness, 4 derivation, 5 numerics,
6 data, 9 not supported yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum

from pdespec.source import Span


class Severity(Enum):
    """How bad it is: an error stops the build, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that helps to understand the first, with the words shown under it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A replacement of the span's text that would cure the problem."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a spec.

    `message` says what is wrong in one line, `label` is written under the caret, `notes` add facts (a residual, a
    witness point), `hint` says what to do, `fix` is a hint that an editor may apply.  `span` is `None` only for a
    finding about the run as a whole (an unreadable file, say).
    """

    code: str
    severity: Severity
    span: Span | None
    message: str
    label: str = ""
    notes: tuple[str, ...] = ()
    hint: str = ""
    related: tuple[Label, ...] = ()
    fix: Fix | None = None


class SpecError(Exception):
    """Raised where a caller asked for a result and the spec has errors; carries every diagnostic of the run."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = next((d for d in self.diagnostics if d.severity is Severity.ERROR), None)
        super().__init__(f"{first.code}: {first.message}" if first else "the spec has errors")


def error(code: str, span: Span | None, message: str, **more: object) -> Diagnostic:
    """An error with the fields of `Diagnostic`."""
    return Diagnostic(code, Severity.ERROR, span, message, **more)  # type: ignore[arg-type]


def warning(code: str, span: Span | None, message: str, **more: object) -> Diagnostic:
    """A warning with the fields of `Diagnostic`."""
    return Diagnostic(code, Severity.WARNING, span, message, **more)  # type: ignore[arg-type]


def note(code: str, span: Span | None, message: str, **more: object) -> Diagnostic:
    """A note with the fields of `Diagnostic`."""
    return Diagnostic(code, Severity.NOTE, span, message, **more)  # type: ignore[arg-type]


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them stops the build."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


@contextmanager
def located(span: Span | None) -> Iterator[None]:
    """Errors that are raised inside without a place of their own get this one: a statement names its depths."""
    try:
        yield
    except SpecError as problem:
        raise SpecError(d if d.span else replace(d, span=span) for d in problem.diagnostics) from problem
