"""How the emitted text is laid out: section rulers, comments in one column, long lines folded.

    # ── parameters ─────────────…      a ruler fills the line up to column 120
    nu = 0.01 / math.pi                                     # spec:2  ν
A line that is too long is folded inside brackets, at the loosest operator first, as a formatter would do it.
"""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from collections.abc import Iterable, Sequence
from itertools import pairwise

WIDTH = 120
COMMENT_COLUMN = 56
_FEW = 8
_HARD = "\N{NO-BREAK SPACE}"
_OPEN, _CLOSE = "([{", ")]}"
_LEVELS: tuple[frozenset[str], ...] = (frozenset(","), frozenset("|&"), frozenset("+-"), frozenset(("*", "/", "@")))


def ruler(title: str, provenance: str = "") -> str:
    """`# ── title ─────` up to the last column, the provenance (`spec:10`) at its end."""
    left, right = f"# ── {title} ", f" {provenance}" if provenance else ""
    return left + "─" * max(2, WIDTH - len(left) - len(right)) + right


def comment(code: str, text: str, column: int = COMMENT_COLUMN) -> str:
    """A line of code with a trailing comment in the given column, or above it where there is no room."""
    if not text:
        return code
    line = f"{code.ljust(column - 2)}  # {text}"
    if len(line) <= WIDTH:
        return line
    return f"{code[: len(code) - len(code.lstrip())]}# {text}\n{code}"


def comments(lines: Iterable[tuple[str, str]]) -> str:
    """Lines of code with their comments, aligned in one column that suits the longest line."""
    pairs = list(lines)
    longest = max((len(code) for code, text in pairs if text), default=0)
    column = max(COMMENT_COLUMN, longest + 2 if longest + 2 <= WIDTH - 40 else 0)
    return "\n".join(comment(code, text, column) for code, text in pairs)


def docstring(text: str, indent: int = 4) -> str:
    """A docstring of already escaped text; paragraphs (separated by blank lines) are folded at the last column."""
    pad = " " * indent
    if "\n" not in text and indent + len(text) + 6 <= WIDTH:
        return f'{pad}"""{text}"""'
    paragraphs = [textwrap.fill(" ".join(p.split()), WIDTH - 3, initial_indent=pad, subsequent_indent=pad)
                  for p in text.split("\n\n")]  # fmt: skip
    body = "\n\n".join(paragraphs).removeprefix(pad)
    return f'{pad}"""{body}\n{pad}"""'


def indented(lines: str, indent: int = 4) -> str:
    """A block moved to the right; blank lines stay empty."""
    return textwrap.indent(lines, " " * indent)


def statement(head: str, expression: str, indent: int = 4, note: str = "", width: int = WIDTH) -> str:
    """`head expression` (`return a + b`, `x = f(y)`), folded in parentheses or inside its own brackets if too long."""
    pad = " " * indent
    line = f"{pad}{head} {expression}"
    if len(line) <= width:
        return comment(line, note)
    above = f"{pad}# {note}\n" if note else ""
    return above + f"{pad}{head} " + fold(expression, indent, bracketed=False, width=width)


_HEAD = re.compile(
    r"(return|yield|[A-Za-z_][\w.]*(?:\[[^=]*?\])?(?:, [A-Za-z_]\w*(?:\[[^=]*?\])?)*(?:: [^=]+?)? =) (.+)"
)
_DEFINITION = re.compile(r"(def \w+)\((.*)\)( -> .+:)")


def fit(code: str) -> str:
    """Code in which each line that is too long is folded: a statement, an item of a list, a head of a function, a
    docstring."""
    return "\n".join(line if len(line) <= WIDTH else _fitted(line) for line in code.split("\n"))


def _fitted(line: str) -> str:
    text = line.strip()
    indent = len(line) - len(line.lstrip())
    if text.startswith('"""') and text.endswith('"""') and len(text) > 6:
        return docstring(text[3:-3], indent)
    if found := _DEFINITION.fullmatch(text):
        head, arguments, end = found.groups()
        return f"{' ' * indent}{head}(\n{_lines([arguments], 1, indent + 4, WIDTH)}\n{' ' * indent}){end}"
    if found := _HEAD.fullmatch(text):
        return statement(found[1], found[2], indent)
    if text.endswith(","):
        return f"{' ' * indent}{fold(text[:-1], indent)},"
    return line


def fold(text: str, indent: int, bracketed: bool = True, width: int = WIDTH) -> str:
    """An expression over several lines, each within the width where it can be broken.

    `bracketed` says that the text already stands inside brackets, so that a newline needs no new ones.
    """
    pieces, level = _split(text)
    if len(pieces) == 1:
        return _fold_brackets(text, indent, width)
    if not bracketed:
        return f"(\n{_lines(pieces, level, indent + 4, width)}\n{' ' * indent})"
    return _lines(pieces, level, indent, width).lstrip()


def _lines(pieces: Sequence[str], level: int, indent: int, width: int) -> str:
    """Pieces one below another: a comma ends each, an operator begins each but the first; many operands share lines."""
    pad = " " * indent
    end = "," if level == 0 else ""
    if level > 0 and len(pieces) > _FEW:
        pieces = textwrap.wrap(" ".join(p.replace(" ", _HARD) for p in pieces), width - indent, break_long_words=False)
        pieces = [p.replace(_HARD, " ") for p in pieces]
    rows = [pad + p + end for p in pieces]
    return "\n".join(
        row if len(row) <= width else pad + fold(piece, indent, bracketed=level != 0, width=width) + end
        for row, piece in zip(rows, pieces, strict=True)
    )


def _fold_brackets(text: str, indent: int, width: int) -> str:
    """A single call or subscript, folded inside its longest bracket."""
    spans = _brackets(text)
    if not spans:
        return text
    start, end = max(spans, key=lambda s: (s[1] - s[0], -s[0]))
    while _brackets(text[start + 1 : end]) == [(0, end - start - 2)]:
        start, end = start + 1, end - 1
    inner = text[start + 1 : end].strip()
    if not inner:
        return text
    pieces, level = _split(inner)
    pad = " " * indent
    if len(pieces) == 1:  # no comma may be added (a call's generator) or lost (a tuple of one)
        body = f"{pad}    {fold(pieces[0], indent + 4, width=width)}" + ("," if inner.endswith(",") else "")
    else:
        body = _lines(pieces, level, indent + 4, width)
    return f"{text[: start + 1]}\n{body}\n{pad}{text[end:]}"


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    skipped = {tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT}
    return [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in skipped]


def _brackets(text: str) -> list[tuple[int, int]]:
    """The outermost bracket pairs, by the columns of their characters."""
    found, depth, start = [], 0, 0
    for token in _tokens(text):
        if token.string in _OPEN and token.type == tokenize.OP:
            start = token.start[1] if depth == 0 else start
            depth += 1
        elif token.string in _CLOSE and token.type == tokenize.OP:
            depth -= 1
            if depth == 0:
                found.append((start, token.start[1]))
    return found


def _split(text: str) -> tuple[list[str], int]:
    """The text cut at the loosest operators outside all brackets, and their level (0 is the comma)."""
    cuts: dict[int, list[int]] = {level: [] for level in range(len(_LEVELS))}
    depth, operand = 0, False
    for token in _tokens(text):
        if depth == 0 and token.string in {"for", "lambda"}:
            return [text], 0  # its commas belong to its targets
        if token.type == tokenize.OP and token.string in _OPEN:
            depth, operand = depth + 1, False
        elif token.type == tokenize.OP and token.string in _CLOSE:
            depth, operand = depth - 1, True
        else:
            if depth == 0 and operand and token.type == tokenize.OP:
                for level, operators in enumerate(_LEVELS):
                    if token.string in operators:
                        cuts[level].append(token.start[1])
            operand = token.type != tokenize.OP
    level = next((k for k in cuts if cuts[k]), 0)
    if not cuts[level]:
        return [text], 0
    edges = [0, *cuts[level], len(text)]
    pieces = [text[a:b].strip() for a, b in pairwise(edges)]
    if level == 0:
        pieces = [p.removeprefix(",").strip() for p in pieces]
    return [p for p in pieces if p], level
