"""Greek letters and their Latin spellings: β and `beta` are one name.

A name's id is ASCII with its primes kept.  Going back, a part of the id that spells a letter becomes the letter, parts
being separated by `_`, digits and primes: `beta_1` ↦ β_1, but `betax` stays, since nobody reads βx out of it.
"""

from __future__ import annotations

import re

_SMALL = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron", "π": "pi", "ρ": "rho",
    "ς": "sigma", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_VARIANTS = {
    "ϑ": "theta", "ϕ": "phi", "ϖ": "pi", "ϱ": "rho", "ϵ": "epsilon", "ℓ": "ell",
    "\N{MICRO SIGN}": "mu", "\N{OHM SIGN}": "Omega",
}  # fmt: skip
LATIN: dict[str, str] = {
    **_SMALL,
    **{letter.upper(): word.capitalize() for letter, word in _SMALL.items() if letter != "ς"},
    **_VARIANTS,
}
"""Each letter outside A–Z that a name may hold, and how it is spelt in ASCII."""

LOOKALIKES: dict[str, str] = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True))
"""Greek letters that cannot be told from Latin ones by eye."""

_UNREADABLE = {*LOOKALIKES, *_VARIANTS, "ς", "Δ"} - {"ℓ"}
_LETTER = {word: letter for letter, word in LATIN.items() if letter not in _UNREADABLE}
_ONE_GLYPH = str.maketrans({"\N{MICRO SIGN}": "μ", "\N{OHM SIGN}": "Ω", "′": "'"})

STATEMENT_WORDS = ("param", "domain", "unknown", "data", "ansatz", "solve", "report", "check", "import")
"""The words that begin a statement."""

CLAUSE_WORDS = ("on", "over", "with", "within", "using", "then", "from", "in")
"""The words inside statements."""

RESERVED = frozenset(STATEMENT_WORDS + CLAUSE_WORDS)
"""No name may be one of these."""


def canonical(text: str) -> str:
    """The id of a name: `β₁`'s letters in Latin, primes as `'`."""
    return "".join(LATIN.get(c, "'" if c == "′" else c) for c in text)


def normal_spelling(text: str) -> str:
    """The spelling with glyphs that look alike in every font made one (micro sign, ohm sign, prime)."""
    return text.translate(_ONE_GLYPH)


def unicode_spelling(identifier: str) -> str:
    """The Greek spelling of an id, part by part; the id itself where no part spells a letter."""
    return re.sub(r"[A-Za-z]+", lambda part: _LETTER.get(part.group(), part.group()), identifier)


def split_coordinates(run: str, declared: frozenset[str]) -> tuple[str, ...]:
    """The coordinates that `∂run` differentiates by: one declared coordinate, else a run of one-letter ones.

    A run of which some letter is not declared is split only where the letter repeats (`xx`), else kept whole.
    """
    whole = canonical(run)
    letters = tuple(canonical(c) for c in re.findall(r"[^0-9_'′][0-9_'′]*", run))
    if whole in declared or len(letters) <= 1:
        return (whole,)
    if all(c in declared for c in letters) or len(set(letters)) == 1:
        return letters
    return (whole,)
