"""The options of `using` and `with` by their kinds: whole numbers, numbers, words; a call that is absent has none."""

from __future__ import annotations

from sympy import Expr

from pdespec.model.model import Call


def whole(call: Call | None, name: str, default: int) -> int:
    """A whole number among the options."""
    return int(_given(call, name, default))  # type: ignore[call-overload, no-any-return]


def number(call: Call | None, name: str, default: float) -> float:
    """A number among the options."""
    return float(_given(call, name, default))  # type: ignore[arg-type]


def word(call: Call | None, name: str, default: str) -> str:
    """A name among the options."""
    value = _given(call, name, default)
    return value.name if isinstance(value, Call) else str(value)


def literal(value: object) -> str:
    """The Python literal of an option: a number, or a name as a string."""
    if isinstance(value, Call):
        return repr(value.name)
    assert isinstance(value, (int, float, Expr))
    exact = float(value)
    return repr(int(exact) if exact.is_integer() else exact)


def _given(call: Call | None, name: str, default: object) -> object:
    return default if call is None else call.option(name, default)
