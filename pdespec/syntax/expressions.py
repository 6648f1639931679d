"""Parse trees of expressions into nodes of the syntax tree.

Here the two spellings meet: `lap(u)` and `Δu`, `dot(a, b)` and `a · b`, `integral[x](f)` and `∫ f dx` become one node
each.  One method per rule of the grammar, called from the leaves upwards.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from lark import Token

from pdespec.diagnostics import Diagnostic, error
from pdespec.source import Source, Span
from pdespec.syntax import ast
from pdespec.syntax.ast import Expr, Name
from pdespec.syntax.names import RESERVED, canonical, normal_spelling, split_coordinates

MAX_DIGITS = 40
MAX_EXPONENT = 300

_BINARY: dict[str, ast.BinaryOperator] = {
    "+": "+", "-": "-", "−": "-", "*": "*", "∗": "*", "/": "/", "^": "^", "·": "dot", "⋅": "dot", "×": "cross",
    "∪": "union", "\\": "minus", "∖": "minus", "∩": "intersection", "∘": "compose",
}  # fmt: skip
_RELATION: dict[str, ast.Relation] = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", "≤": "<=", ">=": ">=", "≥": ">=", "!=": "!=", "≠": "!=",
}  # fmt: skip
_BINDER: dict[str, ast.BinderKind] = {
    "∑": "sum", "sum": "sum", "∏": "prod", "prod": "prod", "𝔼": "mean", "mean": "mean", "max": "max", "min": "min",
    "sup": "sup", "inf": "inf", "argmax": "argmax", "argmin": "argmin",
}  # fmt: skip
_DIFFERENTIAL: dict[str, ast.DifferentialKind] = {
    "∇": "grad", "∇·": "div", "∇⋅": "div", "∇×": "curl", "Δ": "lap", "∆": "lap",
}  # fmt: skip
_SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_WORD_OPERATORS: dict[str, ast.BinaryOperator] = {
    "dot": "dot", "cross": "cross", "union": "union", "minus": "minus", "intersection": "intersection",
    "compose": "compose",
}  # fmt: skip
_WORD_DIFFERENTIALS: dict[str, ast.DifferentialKind] = {
    "grad": "grad", "div": "div", "lap": "lap", "curl": "curl", "hess": "hess",
}  # fmt: skip


class Mistake(Exception):
    """A statement that the grammar accepts and the language does not; ends the building of that statement."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def mistake(code: str, span: Span, message: str, hint: str = "") -> Mistake:
    """A `Mistake` from the fields of its diagnostic."""
    return Mistake(error(code, span, message, hint=hint))


def pattern(node: Expr, what: str) -> tuple[Name, ...]:
    """The names of `x` or `(x, s)`, where `what` says what they are for."""
    items = node.items if isinstance(node, ast.Tuple) else (node,)
    names = tuple(item for item in items if isinstance(item, Name))
    if len(names) != len(items):
        raise mistake("PDE011", node.span, f"{what} must be a name, or names in brackets such as `(x, s)`")
    return names


class ExpressionBuilder:
    """Builds expressions of one statement.  `base` is where the statement begins in the source."""

    def __init__(self, source: Source, base: int, coordinates: frozenset[str]) -> None:
        self.source = source
        self.base = base
        self.coordinates = coordinates

    def token_span(self, token: Token) -> Span:
        start = self.base + (token.start_pos or 0)
        return Span(self.source, start, start + len(token))

    def leaf(self, token: Token) -> Any:
        """A token of the tree: a name, a number or a text become nodes, the others stay as they are."""
        if token.type == "NAME":
            return self.name(str(token), self.token_span(token))
        if token.type == "NUMBER":
            return self.number(str(token), self.token_span(token))
        if token.type == "STRING":
            return ast.Str(token[1:-1], span=self.token_span(token))
        return token

    def name(self, text: str, span: Span) -> Name:
        if text in RESERVED:
            raise mistake(
                "PDE010", span, f"`{text}` is a word of the language and cannot be a name", f"call it `{text}_`, say"
            )
        return Name(canonical(text), shown=normal_spelling(text), span=span)

    def number(self, text: str, span: Span) -> ast.Num:
        mantissa, _, exponent = text.lower().partition("e")
        digits = sum(c.isdigit() for c in mantissa)
        if digits > MAX_DIGITS:
            raise mistake("PDE008", span, f"a number has at most {MAX_DIGITS} digits, this one has {digits}")
        if exponent and (len(exponent) > 6 or abs(int(exponent)) > MAX_EXPONENT):
            raise mistake("PDE008", span, f"the exponent of a number lies between -{MAX_EXPONENT} and {MAX_EXPONENT}")
        return ast.Num(Fraction(text.replace("_", "")), text=text, span=span)

    # ── operators ───────────────────────────────────────────────────────────────────────────────────────────────────

    def binary(self, span: Span, c: list[Any]) -> Expr:
        return ast.Binary(_BINARY[c[1]], c[0], c[2], span=span)

    def binary_signed(self, span: Span, c: list[Any]) -> Expr:
        right = self.signed(self.token_span(c[2]).to(c[3].span), c[2:])
        return ast.Binary(_BINARY[c[1]], c[0], right, span=span)

    def signed(self, span: Span, c: list[Any]) -> Expr:
        return ast.Unary("+" if c[0] == "+" else "-", c[1], span=span)

    def superscript(self, span: Span, c: list[Any]) -> Expr:
        text = str(c[1]).translate(_SUPERSCRIPT)
        here = self.token_span(c[1])
        power: Expr = self.number(text.lstrip("-"), here)
        if text[0] == "-":
            power = ast.Unary("-", power, span=here)
        return ast.Binary("^", c[0], power, span=span)

    def parenthesis(self, span: Span, c: list[Any]) -> Expr:
        inner: Expr = c[0]
        return inner

    def compare(self, span: Span, c: list[Any]) -> Expr:
        return ast.Compare(_RELATION[c[1]], c[0], c[2], span=span)

    def relation(self, span: Span, c: list[Any]) -> ast.Relation:
        return _RELATION[c[0]] if c else "="

    def test(self, span: Span, c: list[Any]) -> tuple[Expr, ...]:
        sides = zip(c[0::2], c[1::2], c[2::2], strict=False)
        return tuple(ast.Compare(op, left, right, span=left.span.to(right.span)) for left, op, right in sides)

    def tests(self, span: Span, c: list[Any]) -> tuple[Expr, ...]:
        return tuple(condition for test in c for condition in test)

    # ── brackets ────────────────────────────────────────────────────────────────────────────────────────────────────

    def exprs(self, span: Span, c: list[Any]) -> tuple[Expr, ...]:
        return tuple(c)

    def vector(self, span: Span, c: list[Any]) -> Expr:
        return ast.Tuple((c[0], *c[1]), span=span)

    def interval(self, span: Span, c: list[Any]) -> Expr:
        return ast.Interval(c[0], c[1], span=span)

    def finite_set(self, span: Span, c: list[Any]) -> Expr:
        return ast.SetLiteral(c[0], span=span)

    def progression(self, span: Span, c: list[Any]) -> Expr:
        starts, last = c
        if len(starts) > 2:
            message = "before `..` stand one or two numbers: `{first .. last}` or `{first, second .. last}`"
            raise mistake("PDE011", starts[2].span, message)
        return ast.Range(starts[0], starts[1] if len(starts) == 2 else None, last, span=span)

    def comprehension(self, span: Span, c: list[Any]) -> Expr:
        return ast.Comprehension(pattern(c[0], "what stands before `in`"), c[1], c[2], span=span)

    def modulus(self, span: Span, c: list[Any]) -> Expr:
        inner: Expr = c[0]
        text = self.source.text
        if isinstance(inner, ast.Abs) and text[span.start + 1] == "|" and text[span.end - 2] == "|":
            raise mistake("PDE015", span, "`||…||` is a modulus in a modulus", "a norm is `‖f‖` or `norm(f)`")
        return ast.Abs(inner, span=span)

    def norm(self, span: Span, c: list[Any]) -> Expr:
        return ast.Norm(c[0], span=span)

    def braket(self, span: Span, c: list[Any]) -> Expr:
        return ast.Braket(c[0], c[1] if len(c) == 3 else None, c[-1], span=span)

    def boundary(self, span: Span, c: list[Any]) -> Expr:
        return ast.Boundary(c[0], span=span)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def call(self, span: Span, c: list[Any]) -> Expr:
        function, (arguments, options) = c
        if isinstance(function, Name):
            meaning = _WORDS.get(function.id)
            if meaning is not None:
                return meaning(self, ast.Call(function, arguments, options, span=span))
        return ast.Call(function, arguments, options, span=span)

    def arguments(self, span: Span, c: list[Any]) -> tuple[tuple[Expr, ...], tuple[ast.Option, ...]]:
        return c[0] or (), c[1] or ()

    def named_arguments(self, span: Span, c: list[Any]) -> tuple[tuple[Expr, ...], tuple[ast.Option, ...]]:
        return (), tuple(c)

    def values(self, span: Span, c: list[Any]) -> tuple[Expr, ...]:
        return tuple(c)

    def options(self, span: Span, c: list[Any]) -> tuple[ast.Option, ...]:
        return tuple(c)

    def option(self, span: Span, c: list[Any]) -> ast.Option:
        return ast.Option(c[0], c[1], span=span)

    def law(self, span: Span, c: list[Any]) -> ast.Option:
        return ast.Option(c[0], c[2], law=True, span=span)

    def bare(self, span: Span, c: list[Any]) -> ast.Option:
        return ast.Option(c[0], c[0], span=span)

    def index(self, span: Span, c: list[Any]) -> Expr:
        return ast.Index(c[0], c[1], span=span)

    # ── calculus ────────────────────────────────────────────────────────────────────────────────────────────────────

    def derivative(self, span: Span, c: list[Any]) -> Expr:
        run = str(c[0])[1:].lstrip()
        if run == "n" and "n" not in self.coordinates:
            return ast.NormalDerivative(c[1], span=span)
        self.name(run, self.token_span(c[0]))  # refuses the language's own words
        return ast.Partial(split_coordinates(run, self.coordinates), c[1], span=span)

    def differential(self, span: Span, c: list[Any]) -> Expr:
        return ast.Differential(_DIFFERENTIAL["".join(str(c[0]).split())], c[1], span=span)

    def variation(self, span: Span, c: list[Any]) -> Expr:
        return ast.Variation(c[0], c[2], span=span)

    def integral(self, span: Span, c: list[Any]) -> Expr:
        _, region, body, measure = c
        variables = []
        at = self.token_span(measure).start
        for word in str(measure).split():
            at = self.source.text.index(word, at)
            variables.append(self.name(word[1:], Span(self.source, at + 1, at + len(word))))
            at += len(word)
        if region is None:
            return ast.Integral(tuple(variables), None, body, span=span)
        names, where = region
        if names != tuple(variables):
            bound = " ".join(f"d{name.shown}" for name in names)
            message = f"the region binds {', '.join(n.shown for n in names)}, but the integral closes with `{measure}`"
            raise mistake("PDE013", self.token_span(measure), message, f"close it with `{bound}`")
        return ast.Integral(names, where, body, span=span)

    def region(self, span: Span, c: list[Any]) -> tuple[tuple[Name, ...], Expr]:
        return pattern(c[0], "the variable of an integral"), c[1]

    def integral_of(self, span: Span, c: list[Any]) -> Expr:
        variables = tuple(name for item in c[0] for name in pattern(item, "the variable of an integral"))
        return ast.Integral(variables, None, c[1], span=span)

    def integral_in(self, span: Span, c: list[Any]) -> Expr:
        return ast.Integral(pattern(c[0], "the variable of an integral"), c[1], c[2], span=span)

    # ── binders ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def binder(self, span: Span, c: list[Any]) -> Expr:
        return ast.Binder(_BINDER[c[0]], c[1], c[2], span=span)

    def bindings(self, span: Span, c: list[Any]) -> tuple[ast.Binding, ...]:
        return tuple(c)

    indices = bindings

    def bind_in(self, span: Span, c: list[Any]) -> ast.Binding:
        return ast.Binding(pattern(c[0], "what is bound"), "in", c[1], span=span)

    def bind_law(self, span: Span, c: list[Any]) -> ast.Binding:
        return ast.Binding(pattern(c[0], "what is bound"), "~", c[2], span=span)

    def bind_bare(self, span: Span, c: list[Any]) -> ast.Binding:
        return ast.Binding(pattern(c[0], "what is bound"), "", None, span=span)

    def bind_pair(self, span: Span, c: list[Any]) -> ast.Binding:
        op = _RELATION[c[1]]
        if op not in ("<", "!=") or not (isinstance(c[0], Name) and isinstance(c[2], Name)):
            raise mistake("PDE011", span, "a pair of indices is `i < j` or `i != j`", "a single index is `i in 1..N`")
        return ast.Binding((c[0], c[2]), "<" if op == "<" else "!=", None, span=span)

    def stretch(self, span: Span, c: list[Any]) -> Expr:
        return ast.Range(c[0], None, c[1], span=span)

    def arrow(self, span: Span, c: list[Any]) -> Expr:
        return ast.Arrow(c[0], c[1], span=span)


# ── words with a meaning of their own ───────────────────────────────────────────────────────────────────────────────


def _usage(call: ast.Call, usage: str) -> Mistake:
    return mistake("PDE014", call.span, f"`{_word(call)}` is written {usage}")


def _word(call: ast.Call) -> str:
    assert isinstance(call.function, Name)
    return call.function.id


def _operator_word(builder: ExpressionBuilder, call: ast.Call) -> Expr:
    word = _word(call)
    if len(call.arguments) < 2 or call.options:
        raise _usage(call, f"`{word}(A, B)`")
    result = call.arguments[0]
    for argument in call.arguments[1:]:
        result = ast.Binary(_WORD_OPERATORS[word], result, argument, span=call.span)
    return result


def _differential_word(builder: ExpressionBuilder, call: ast.Call) -> Expr:
    word = _word(call)
    if len(call.arguments) == 1 and not call.options:
        return ast.Differential(_WORD_DIFFERENTIALS[word], call.arguments[0], span=call.span)
    if word == "grad" and call.arguments:
        return call
    raise _usage(call, f"`{word}(u)`")


def _diff_word(builder: ExpressionBuilder, call: ast.Call) -> Expr:
    names = [argument for argument in call.arguments[1:] if isinstance(argument, Name)]
    if not names or len(names) + 1 != len(call.arguments) or call.options:
        raise _usage(call, "`diff(u, x)`, or `diff(u, x, x)` for a second derivative")
    if [n.id for n in names] == ["n"] and "n" not in builder.coordinates:
        return ast.NormalDerivative(call.arguments[0], span=call.span)
    return ast.Partial(tuple(n.id for n in names), call.arguments[0], span=call.span)


def _single_word(builder: ExpressionBuilder, call: ast.Call) -> Expr:
    word = _word(call)
    if len(call.arguments) != 1 or (call.options and word != "norm"):
        raise _usage(call, {"abs": "`|x|`", "norm": "`‖f‖` or `norm(f)`"}.get(word, f"`{word}(S)`"))
    if word == "norm":
        return ast.Norm(call.arguments[0], call.options, span=call.span)
    node = ast.Abs if word == "abs" else ast.Boundary
    return node(call.arguments[0], span=call.span)


def _rows_word(builder: ExpressionBuilder, call: ast.Call) -> Expr:
    if not call.arguments or call.options:
        raise _usage(call, "`rows((a, b), (c, d))`")
    return ast.Rows(call.arguments, span=call.span)


def _variation_word(builder: ExpressionBuilder, call: ast.Call) -> Expr:
    if len(call.arguments) != 2 or call.options or not isinstance(call.arguments[1], Name):
        raise _usage(call, "`variation(E, p)`, with a name p")
    return ast.Variation(call.arguments[0], call.arguments[1], span=call.span)


def _braket_word(builder: ExpressionBuilder, call: ast.Call) -> Expr:
    if len(call.arguments) not in (2, 3) or call.options:
        raise _usage(call, "`braket(bra, ket)` or `braket(bra, operator, ket)`")
    middle = call.arguments[1] if len(call.arguments) == 3 else None
    return ast.Braket(call.arguments[0], middle, call.arguments[-1], span=call.span)


_WORDS: dict[str, Callable[[ExpressionBuilder, ast.Call], Expr]] = {
    **dict.fromkeys(_WORD_OPERATORS, _operator_word),
    **dict.fromkeys(_WORD_DIFFERENTIALS, _differential_word),
    **dict.fromkeys(("abs", "norm", "boundary"), _single_word),
    "diff": _diff_word,
    "rows": _rows_word,
    "variation": _variation_word,
    "braket": _braket_word,
}
