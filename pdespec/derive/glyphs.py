"""How letters, indices and powers look in a terminal and in LaTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pdespec.syntax.names import LOOKALIKES

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
_VARIANTS = {"ℓ": "ell", "ϵ": "epsilon", "ϕ": "phi", "ϑ": "vartheta", "ϖ": "varpi", "ϱ": "varrho", "ς": "varsigma"}
LETTERS = {**{k: f"\\{v} " for k, v in (_GREEK | _VARIANTS).items()}, **LOOKALIKES}
"""The letters outside A–Z that a name may hold, in LaTeX's mathematics."""

SIGNS = {
    "∇": r"\nabla ", "∂": r"\partial ", "∫": r"\int ", "−": "-", "·": r"\cdot ", "×": r"\times ", "≤": r"\le ",
    "≥": r"\ge ", "²": "^2", "³": "^3", "′": "'", "∈": r"\in ", "→": r"\to ", "↦": r"\mapsto ", "∞": r"\infty ",
    "√": r"\surd ", "∑": r"\sum ", "∪": r"\cup ", "𝔼": r"\operatorname{E} ", "𝕂": r"\mathcal{K} ", "⟨": r"\langle ",
    "⟩": r"\rangle ",
}  # fmt: skip
"""The signs of the language in LaTeX's mathematics."""

_MARKS = {"ᵢ": "i", "ⱼ": "j"}


def latex_name(name: str) -> str:
    """A name in LaTeX: Greek letters as commands, several letters upright, x[1] and xᵢ with an index, primes kept."""
    base, bracket, index = name.partition("[")
    mark = _MARKS.get(base[-1:], "")
    base = base[:-1] if mark else base
    primes = len(base) - len(base.rstrip("'"))
    base, underscore, below = base.rstrip("'").partition("_")
    letters = latex_text(base)
    if len(base) > 1 and base[0].isalpha() and base[1:].isdigit():
        letters, below, underscore = latex_text(base[0]), base[1:], "_"
    elif len(base) > 1 and base.isascii():
        letters = rf"\mathrm{{{base}}}"
    subscript = ", ".join(filter(None, (below if underscore else "", index.rstrip("]") if bracket else "", mark)))
    return letters + "'" * primes + (f"_{{{latex_text(subscript)}}}" if subscript else "")


def latex_text(text: str) -> str:
    """Greek letters and signs as commands, and underscores as they are."""
    return "".join(LETTERS.get(c) or SIGNS.get(c, c) for c in text.replace("_", r"\_")).rstrip()


def indexed(base: str, index: str) -> str:
    """LaTeX with one more index: in braces where it has one already, which TeX refuses to double."""
    return rf"{{{base}}}_{{{index}}}" if "_" in base else rf"{base}_{{{index}}}"


_TALL = r"\\(?:frac|i*nt|sum|prod|begin|sqrt|left|right)(?![a-z])"
_FLAT = re.compile(rf"\\left(\(|\[|\||\\{{)((?:(?!{_TALL}).)*)\\right(\)|\]|\||\\}})")
_SCRIPT = re.compile(r"([_^])\{(\w|\\[A-Za-z]+)\}(?!\w)")


def plainer(tex: str) -> str:
    """LaTeX as one would type it: brackets that grow only around what is tall, single letters as indices bare."""
    before = ""
    while before != tex:
        before, tex = tex, _FLAT.sub(r"\1\2\3", tex)
    return _SCRIPT.sub(r"\1\2", tex)


def is_name(text: str) -> bool:
    """Whether a text is one name, and no formula."""
    return text.rstrip("'").isidentifier()


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
