"""Every user name, text and number reaches code through this module.

`ident` spells a name in ASCII (β → beta, λ → lambda_, u′ → u_prime), `escape` makes text inert inside comments and
docstrings, `literal` writes a value through `repr`.  A `Namespace` hands out identifiers and refuses two names that
would share one.  Nothing here may yield a newline, a quote, a backslash or an invisible character from user text.
"""

from __future__ import annotations

import builtins
import keyword
import math
import re
import unicodedata
from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase
from typing import Never

from pdespec.diagnostics import SpecError, error
from pdespec.source import Span

_SMALL = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau upsilon "  # noqa: SIM905
    "phi chi psi omega".split()
)
_CAPITAL = [name.capitalize() for name in _SMALL if name != "sigma"]
_CAPITAL.insert(17, "Sigma")

GREEK: dict[str, str] = {
    **{chr(0x3B1 + k): name for k, name in enumerate(_SMALL)},
    **{chr(code): name for code, name in zip([*range(0x391, 0x3A2), *range(0x3A3, 0x3AA)], _CAPITAL, strict=True)},
    "ϑ": "theta",
    "ϕ": "phi",
    "ϖ": "pi",
    "ϱ": "rho",
    "ϵ": "epsilon",
    "ℓ": "ell",
}
"""Greek letters, their variant forms and ℓ, with their Latin spellings."""

IMPORTED = frozenset(
    "torch nn Tensor math argparse json os signal sys time zipfile struct csv Path Callable F".split()  # noqa: SIM905
)
SECTIONS = frozenset(
    "ansatz objective residual residuals sample step train evaluate report main "  # noqa: SIM905
    "config Config parser args self cls".split()
)
RESERVED = frozenset([*keyword.kwlist, *dir(builtins)]) | IMPORTED | SECTIONS
"""What a user's name may not be in code: such a name gets a trailing underscore."""

_DESERET = ((ascii_uppercase, 0x10400), (ascii_lowercase, 0x10428))
DRAFT = {ord(c): chr(first + k) for letters, first in _DESERET for k, c in enumerate(letters)} | {
    ord("_"): "\N{UNDERTIE}"
}
"""Users' names in a draft: Python takes Deseret letters in identifiers, with upper and lower case, and no user may."""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_COMPONENT = re.compile(r"\[(\d+)\]")
_PRIMES = {"'": "_prime", "′": "_prime", "″": "_prime_prime", "‴": "_prime_prime_prime"}
_BREAKS = {"\n", "\r", "\t", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2028", "\u2029"}
_INERT = {"\\": "∖", '"': "”", "'": "’"}


def latin(name: str) -> str:
    """A name with its Greek letters spelled in Latin ones; one name in both spellings gives one result."""
    return "".join(GREEK.get(c, c) for c in name)


def ident(name: str, span: Span | None = None) -> str:
    """The Python identifier of a user's name: ASCII, no keyword, no builtin, no name that the script itself uses.

    Leading underscores move to the end (`_x` → `x_`), a component `x[2]` becomes `x_2`.
    Raises SpecError (PDE481) for anything that is no name.
    """
    ascii_name = "".join(_PRIMES.get(c, c) for c in _COMPONENT.sub(r"_\1", latin(name)))
    bare = ascii_name.lstrip("_")
    result = bare + "_" * (len(ascii_name) - len(bare))
    if not _IDENTIFIER.fullmatch(result):
        raise SpecError([error("PDE481", span, f"`{escape(name)}` cannot be spelled as an identifier")])
    return result + "_" if result in RESERVED else result


def escape(text: str) -> str:
    """Text for a comment or a docstring: one line, without quotes, backslashes, control or invisible characters.

    A character that would not be seen is shown by its code point, `<U+202E>`.
    """
    return "".join(_inert(c) for c in text)


def _inert(c: str) -> str:
    if c in _BREAKS:
        return " "
    if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return f"<U+{ord(c):04X}>"
    return _INERT.get(c, c)


def literal(value: object, span: Span | None = None) -> str:
    """A Python literal of a number, text, boolean, None, or a tuple, list or dict of them.

    Raises SpecError (PDE482) for a number that is not finite or not representable, and for any other object.
    """
    if value is None or isinstance(value, (bool, str)):
        return repr(value) if not isinstance(value, str) else _quoted(value)
    if isinstance(value, int):
        return _integer(int(value), span)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise SpecError([error("PDE482", span, f"{value!r} is not a finite number")])
        return repr(float(value))
    if isinstance(value, tuple):
        items = [literal(item, span) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if isinstance(value, list):
        return f"[{', '.join(literal(item, span) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(k, span)}: {literal(v, span)}' for k, v in value.items())}}}"
    raise SpecError([error("PDE482", span, f"a {type(value).__name__} has no literal in code")])


def _quoted(text: str) -> str:
    """A string literal in double quotes where that needs no escape, else as `repr` writes it."""
    written = repr(text)
    return f'"{written[1:-1]}"' if '"' not in text and "'" not in text else written


def _integer(value: int, span: Span | None) -> str:
    """An integer; beyond 2⁵³, where float64 is not exact and tensors overflow, the nearest float."""
    if abs(value) < 2**53:
        return repr(value)
    try:
        return repr(float(value))
    except OverflowError as overflow:
        raise SpecError([error("PDE482", span, "an integer is beyond the range of float64")]) from overflow


class Namespace:
    """The identifiers of one scope of the emitted script.

    A user's name keeps one identifier and no two names share one (`name`); a name that the compiler invents (`fresh`)
    gives way by a number.  An `inner` scope sees the identifiers of the outer one and hides none of them.  Users' names
    give way to `avoided`; in a `draft` they are in another alphabet, which tells them from the script's own.
    """

    def __init__(self, taken: Iterable[str] = (), avoided: frozenset[str] = frozenset(), draft: bool = False) -> None:
        self._owner: dict[str, str] = dict.fromkeys(taken, "")
        self._avoided, self._draft = avoided, draft

    @property
    def users(self) -> frozenset[str]:
        """The identifiers of users' names."""
        return frozenset(identifier for identifier, owner in self._owner.items() if owner)

    def name(self, user: str, span: Span | None = None) -> str:
        """The identifier of a user's name; the same one each time.

        What the script itself calls so gives the name a trailing underscore.  Raises SpecError (PDE483) where another
        user's name already has it.
        """
        result, canonical = ident(user, span), latin(user)
        if self._owner.get(result) == "" or result in self._avoided:
            result += "_"
        if self._draft:
            result = result.translate(DRAFT)
        owner = self._owner.setdefault(result, canonical)
        if owner != canonical:
            self._collide(user, owner, result, span)
        return result

    def fresh(self, *hints: str) -> str:
        """An identifier that nothing has yet: the first free hint, else the last with a number."""
        for hint in hints:
            if hint not in self._owner and hint not in RESERVED:
                self._owner[hint] = ""
                return hint
        number = 2
        while f"{hints[-1]}_{number}" in self._owner:
            number += 1
        return self.fresh(f"{hints[-1]}_{number}")

    def take(self, identifier: str) -> None:
        """Keep an identifier from being handed out."""
        self._owner.setdefault(identifier, "")

    def inner(self) -> Namespace:
        """A scope inside this one."""
        scope = Namespace(avoided=self._avoided, draft=self._draft)
        scope._owner = dict(self._owner)
        return scope

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._owner

    @staticmethod
    def _collide(user: str, owner: str, result: str, span: Span | None) -> Never:
        other = f"`{escape(owner)}`" if owner else "a name of the script itself"
        message = f"`{escape(user)}` and {other} are both `{result}` in the emitted script"
        raise SpecError([error("PDE483", span, message, hint="rename one of them")])
