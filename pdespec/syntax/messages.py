"""What to say where the grammar cannot go on.

First `grammar/messages`: bad examples with the message that each deserves, found again by (opening word,
parser state, token).  Then
rules that hold in many states (a missing operator, a misspelt word).  Last, for every state, what may stand there, in
words.  Nothing of the parser's own vocabulary reaches the reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from pdespec.syntax.names import CLAUSE_WORDS, RESERVED, STATEMENT_WORDS
from pdespec.syntax.resources import grammar_path
from pdespec.syntax.tables import parser

END = "$END"
UNREADABLE = "?"

_OPERAND = {"NUMBER", "_LPAR"}
_OPERATOR = {"MULOP", "SIGN"}
_WORDS = {
    "NAME": "a name", "STRING": 'a file name in `"`', "MEASURE": "a measure such as `dx`", "PERCENT": "`%`",
    "TILDE": "`~`", "INEQ": "`<`, `<=`, `>` or `>=`", "_EQ": "`=`", "_DEFINE": "`:=`", "_ARROW": "`->`",
    "_COLON": "`:`", "_COMMA": "`,`", "_SEMICOLON": "`;`", "_LPAR": "`(`", "_RPAR": "`)`", "_LSQB": "`[`",
    "_RSQB": "`]`", "_RBRACE": "`}`", "_BAR": "`|`", "_NORM": "`‖`", "_KET": "`⟩`", "_DOTS": "`..`",
    "_DELTA_BY": "`δ` and the name of a field", "MULOP": "`/`", END: "the end of the statement",
    **{f"_{word.upper()}": f"`{word}`" for word in RESERVED},
}  # fmt: skip
_CHARACTERS = {
    ".": "a point stands in numbers, with a digit after it (`2.0`); the first entry of a vector is `x[1]`",
    "_": "a name begins with a letter",
    "'": "a prime follows a name",
    "!": "`!=` means unequal; a factorial is not part of the language",
    '"': "a text in quotes names a file",
}
_OPENING = re.compile(r"(?P<label>[^\W\d]\w*['′]*(?:\([^()]*\))?\s*:\s*)?(?P<word>[a-z]+)\b")
_QUOTIENT = re.compile(
    r"(?:∂|\bd)²?\s?(?P<of>[^\W\d²]*)\s?/\s?[∂d](?P<by>[^\W\d²]+)²?(?:[ (]+(?!on\b)(?P<after>[^\W\d²]+))?"
    r"|∂_\{?(?P<index>[^\W\d_²]+)\}?(?: (?!on\b)(?P<operand>[^\W\d²]+))?"
)
_OPENS = {
    "EXTREMUM", "CHOICE", "BIG", "INT", "_INTEGRAL", "DERIV", "NABLA", "LAPLACE", "_BOUNDARY", "_DELTA", "_BRA",
    "_LBRACE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """What is wrong, and what to do about it; `at_opening`: the statement's first word is to blame, not the last."""

    text: str
    hint: str = ""
    at_opening: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a parse ended: the statement's opening word, the parser's state, the word before (if it is one), the token
    found, and the terminals that would have been accepted."""

    opening: str
    state: int
    before: str
    found: str
    text: str
    start: int
    end: int
    accepted: frozenset[str]
    statement: str = ""


def stop(failure: UnexpectedInput, statement: str) -> Stop:
    """The place and the state of a failed parse of a statement."""
    accepted: frozenset[str] = frozenset(failure.interactive_parser.accepts())  # type: ignore[no-untyped-call]
    state = failure.interactive_parser.parser_state.position
    opening = opening_word(statement)
    last = failure.interactive_parser.parser_state.value_stack[-1:]
    before = str(last[0]) if last and isinstance(last[0], Token) and last[0].type == "NAME" else ""
    if isinstance(failure, UnexpectedToken):
        token: Token = failure.token
        if token.type == END:
            return Stop(opening, state, before, END, "", len(statement), len(statement), accepted, statement)
        start = token.start_pos or 0
        return Stop(opening, state, before, token.type, str(token), start, start + len(token), accepted, statement)
    assert isinstance(failure, UnexpectedCharacters)
    at = failure.pos_in_stream or 0
    return Stop(opening, state, before, UNREADABLE, failure.char, at, at + 1, accepted, statement)


def opening_word(statement: str) -> str:
    """The word of the language that begins a statement, `label:` before it where it has a label, or nothing."""
    match = _OPENING.match(statement)
    if match is None or match["word"] not in RESERVED:
        return ""
    labelled = match["label"] and match["word"] != "solve"
    return f"label: {match['word']}" if labelled else match["word"]


def explain(place: Stop) -> Message:
    """The message for a failed parse."""
    message = (
        _misplaced(place)
        or _quotient(place)
        or _misspelt(place)
        or _examples().get((place.opening, place.state, place.found))
        or _examples().get(("", place.state, place.found))
        or _unreadable(place)
        or _missing_operator(place)
        or Message(fallback(place.accepted, found(place)))
    )
    return replace(message, text=message.text.replace("<found>", place.text))


def _misplaced(place: Stop) -> Message | None:
    """A word of the language where an operand should be, or where no statement begins; a label where none belongs."""
    if place.opening.startswith("label: "):
        return Message(f"a label stands before an equation or `solve`, not before `{place.opening[7:]}`")
    if place.opening in CLAUSE_WORDS:
        hint = f"a line goes on only after an operator, a comma or a word: end the line before with `{place.opening}`"
        return Message(f"a line cannot begin with `{place.opening}`", hint, at_opening=True)
    if place.before in RESERVED:
        return Message(f"an operand is missing before `{place.before}`")
    return None


def _quotient(place: Stop) -> Message | None:
    """`∂u/∂t`, `∂²u/∂x²`, `d/dt u`, `d²u/dx²` and `∂_t u` where the parse stopped."""
    for match in _QUOTIENT.finditer(place.statement):
        if match.start() <= place.start <= match.end():
            of, by = match["of"] or match["after"] or match["operand"] or "u", (match["by"] or match["index"])
            twice = "²" in match[0]
            unicode, ascii_ = f"∂{by * (2 if twice else 1)} {of}", f"diff({of}, {by}{f', {by}' if twice else ''})"
            return Message(f"`{match[0].strip()}` is no derivative here", f"write `{unicode}`, in ASCII `{ascii_}`")
    return None


def _unreadable(place: Stop) -> Message | None:
    """A character that is no token here."""
    if place.found != UNREADABLE:
        return None
    return Message(f"`{place.text}` cannot stand here", _CHARACTERS.get(place.text, ""))


def found(place: Stop) -> str:
    """The offending token in words."""
    return "the statement ends" if place.found == END else f"`{place.text}` was found"


def fallback(accepted: frozenset[str], what: str) -> str:
    """`expected A, B or C, but … was found`, for any set of terminals that a state accepts."""
    return f"expected {_alternatives(expected(accepted))}, but {what}"


def expected(accepted: frozenset[str]) -> tuple[str, ...]:
    """In words what may stand at a place, the most telling first."""
    if {"_PARAM", "_SOLVE"} <= accepted:
        return ("a statement",)
    words: list[str] = []
    rest = set(accepted)
    if rest >= _OPERAND:
        words.append("an optimum or a label" if "EXTREMUM" in rest and "_SOLVE" in rest else "an expression")
        rest -= _OPERAND | _OPENS | {"NAME", "_LSQB", "_BAR", "_NORM", "SIGN"}
        if "STRING" in rest:
            rest -= {"STRING"}
    if rest >= _OPERATOR:
        words.append("an operator")
        rest -= _OPERATOR | {"SETOP", "COMPOSE", "POWER", "SUPERSCRIPT", "_LPAR", "_LSQB"}
    if "EXTREMUM" in rest or "DERIV" in rest:
        words.append("an expression")
        rest -= _OPENS | {"NAME", "NUMBER", "_LPAR", "_LSQB", "_BAR", "_NORM", "SIGN"}
    rest -= {"POWER", "SUPERSCRIPT", "COMPOSE", "SETOP"} if words else set()
    words.extend(sorted(_WORDS[terminal] for terminal in rest if terminal in _WORDS))
    return tuple(dict.fromkeys(words))


def _alternatives(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _missing_operator(place: Stop) -> Message | None:
    """After an operand an operator must come: `2 x` is not a product."""
    if not place.accepted >= _OPERATOR or place.found not in ("NAME", "NUMBER", "_LPAR", "STRING", *_OPENS):
        return None
    if place.text in RESERVED:
        return None
    return Message(f"an operator is missing before `{place.text}`", "multiplication is written `*`, never left out")


def _misspelt(place: Stop) -> Message | None:
    """A word of the language, nearly."""
    if close := get_close_matches(place.before, STATEMENT_WORDS, 1, 0.75) if place.found == "NAME" else []:
        first = place.statement.startswith(place.before)
        text = f"`{place.before}` is not a word of the language"
        return Message(text, f"did you mean `{close[0]}`?", at_opening=first)
    words = [word for word in sorted(RESERVED) if f"_{word.upper()}" in place.accepted]
    close = get_close_matches(place.text, words, 1, 0.75) if place.found == "NAME" else []
    if not close:
        return None
    return Message(f"`{place.text}` is not a word of the language", f"did you mean `{close[0]}`?")


@cache
def _examples() -> dict[tuple[str, int, str], Message]:
    return {key: message for _, key, message in read_examples()}


def read_examples() -> list[tuple[str, tuple[str, int, str], Message]]:
    """The file of bad examples: each with the state and the token at which it fails, and its message."""
    entries: list[tuple[str, tuple[str, int, str], Message]] = []
    for block in grammar_path("messages").read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip() and not line.startswith("//")]
        examples = [line for line in lines if not line.startswith(" ")]
        said = [line.strip() for line in lines if line.startswith(" ")]
        hints = [line.removeprefix("help: ") for line in said if line.startswith("help: ")]
        message = Message(" ".join(line for line in said if not line.startswith("help: ")), " ".join(hints))
        for example in examples:
            try:
                parser().parse(example)
            except UnexpectedInput as failure:
                place = stop(failure, example)
                entries.append((example, (place.opening, place.state, place.found), message))
            else:
                raise ValueError(f"grammar/messages: this example is right: {example}")
    return entries
