"""How letters, indices and powers look in a terminal and in LaTeX."""

from __future__ import annotations

from dataclasses import dataclass

SUM, PRODUCT, OPERATOR, POWER, ATOM = range(5)


@dataclass(frozen=True, slots=True)
class Text:
    """Printed text and how tightly it holds together, from a sum to an atom."""

    text: str
    level: int = ATOM

    def within(self, level: int, latex: bool = False) -> str:
        """The text, in brackets where it is looser than its surroundings."""
        if self.level >= level:
            return self.text
        return rf"\left({self.text}\right)" if latex else f"({self.text})"


SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

_COMMANDS = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi chi"
    " psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", _COMMANDS.split(" "), strict=True))
_LETTERS = {**{k: f"\\{v} " for k, v in _GREEK.items()}, "ο": "o", "ℓ": r"\ell ", "ϵ": r"\epsilon ", "ϕ": r"\phi "}


def latex_name(name: str) -> str:
    """A name in LaTeX: Greek letters as commands, several letters upright, x[1] with an index, primes kept."""
    base, bracket, index = name.partition("[")
    primes = len(base) - len(base.rstrip("'"))
    base, underscore, below = base.rstrip("'").partition("_")
    letters = "".join(_LETTERS.get(c, c) for c in base).rstrip()
    if len(base) > 1 and base.isascii() and base.isalpha():
        letters = rf"\mathrm{{{base}}}"
    elif len(base) > 1 and base[0].isalpha() and base[1:].isdigit():
        letters, below, underscore = _LETTERS.get(base[0], base[0]).rstrip(), base[1:], "_"
    subscript = ", ".join(filter(None, (below if underscore else "", index.rstrip("]") if bracket else "")))
    return letters + "'" * primes + (f"_{{{latex_text(subscript)}}}" if subscript else "")


def latex_text(text: str) -> str:
    """Greek letters of an index as commands."""
    return "".join(_LETTERS.get(c, c) for c in text).rstrip()


def unicode_name(name: str) -> str:
    """A name for the terminal: x[1] as x₁, a canonical bound name as s₁, everything else as it is."""
    if name.startswith("∫"):
        digits = "".join(c for c in name.rpartition(".")[2] if c.isdigit())
        return "s" + digits.translate(SUBSCRIPTS)
    base, bracket, index = name.partition("[")
    return base + (index.rstrip("]").translate(SUBSCRIPTS) if bracket else "")


def superscript(n: int) -> str:
    """An integer exponent."""
    return str(n).translate(SUPERSCRIPTS)


def subscript(text: str) -> str:
    """A numeric index; other text after an underscore."""
    return text.translate(SUBSCRIPTS) if text.isdigit() else f"_{text}"
