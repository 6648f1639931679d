"""How elaboration stops: one statement is given up, and the pass goes on with the next.

A refusal carries its diagnostic.  A term that rests on something already reported is given up without a second message
(`rest_on_broken`), so that five mistakes give five messages.
"""

from __future__ import annotations

from typing import NoReturn

from pdespec.diagnostics import SpecError, error
from pdespec.source import Span


class SymbolicIndex(Exception):
    """An index is needed as a number (a block of a vector, say) where it is still the letter of a sum."""


def refuse(code: str, span: Span | None, message: str, **more: object) -> NoReturn:
    """Give up the statement with an error."""
    raise SpecError([error(code, span, message, **more)])


def unsupported(span: Span | None, what: str, code: str = "PDE961", **more: object) -> NoReturn:
    """Give up the statement because of a construct of the language that cannot be compiled yet."""
    raise SpecError([error(code, span, f"{what} is not supported yet", **more)])


def rest_on_broken() -> NoReturn:
    """Give up the statement silently: what it rests on has been reported."""
    raise SpecError(())
