"""Elementary functions, comparisons and cases as PyTorch calls, or as calls of `math` where every argument is a number.

The convention at a jump is kept: sign(0) = 0, Heaviside(0) is what the expression says (½ by default).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Basic, Expr, S
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from pdespec.emit.code import Code, Precedence
from pdespec.plan.plan import Sigmoid

if TYPE_CHECKING:
    from pdespec.emit.expression import Printer

Rule = Callable[[Any, "Printer"], Code]

# Names that torch and math share.
_COMMON = (
    "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp log erf erfc floor".split()  # noqa: SIM905
)


def _call(torch_name: str, math_name: str) -> Rule:
    def rule(expr: Expr, printer: Printer) -> Code:
        (argument,) = (printer.code(a) for a in expr.args)
        prefix = f"torch.{torch_name}" if argument.tensor else f"math.{math_name}"
        return Code(f"{prefix}({argument.text})", tensor=argument.tensor)

    return rule


def _reciprocal(of: type) -> Rule:
    def rule(expr: Expr, printer: Printer) -> Code:
        return printer.code(1 / of(expr.args[0]))

    return rule


def _absolute(expr: Expr, printer: Printer) -> Code:
    a = printer.code(expr.args[0])
    return Code(f"{a.operand}.abs()", tensor=True) if a.tensor else Code(f"abs({a.text})")


def _sign(expr: Expr, printer: Printer) -> Code:
    a = printer.code(expr.args[0])
    if a.tensor:
        return Code(f"torch.sign({a.text})", tensor=True)
    side = a.within(Precedence.BIT_OR)
    return Code(f"(({side} > 0) - ({side} < 0))")


def _heaviside(expr: Expr, printer: Printer) -> Code:
    a, at_zero = expr.args
    jump = printer.code(a)
    if at_zero == S.Half:
        return printer.code((1 + sympy.sign(a)) / 2)
    side = jump.within(Precedence.BIT_OR)
    if at_zero not in (S.Zero, S.One):
        raise printer.unknown(expr, "its value at the jump must be 0, 1/2 or 1")
    condition = f"{side} {'>' if at_zero == 0 else '>='} 0"
    # 0 and 1 are exact in every floating type, so the default type of `where` loses nothing.
    return Code(f"torch.where({condition}, 1.0, 0.0)", tensor=True) if jump.tensor else Code(f"float({condition})")


def _extremum(scalar: str, torch_name: str, clamp: str) -> Rule:
    """max and min: numbers among themselves first, then tensors pairwise, then one clamp."""

    def rule(expr: Expr, printer: Printer) -> Code:
        codes = sorted((printer.code(a) for a in expr.args), key=lambda c: c.text)
        numbers = [c for c in codes if not c.tensor]
        tensors = [c for c in codes if c.tensor]
        bound = numbers[0].text if len(numbers) == 1 else f"{scalar}({', '.join(c.text for c in numbers)})"
        if not tensors:
            return Code(bound)
        result, *others = tensors
        for other in others:
            result = Code(f"torch.{torch_name}({result.text}, {other.text})", tensor=True)
        return Code(f"{result.operand}.clamp({clamp}={bound})", tensor=True) if numbers else result

    return rule


def _atan2(expr: Expr, printer: Printer) -> Code:
    y, x = (printer.code(a) for a in expr.args)
    if not (y.tensor or x.tensor):
        return Code(f"math.atan2({y.text}, {x.text})")
    upper = y.text if y.tensor else f"torch.full_like({x.text}, {y.text})"
    lower = x.text if x.tensor else f"torch.full_like({y.text}, {x.text})"
    return Code(f"torch.atan2({upper}, {lower})", tensor=True)


def _sinc(expr: Expr, printer: Printer) -> Code:
    a = expr.args[0]
    if printer.code(a).tensor:
        return Code(f"torch.sinc({printer(a / S.Pi)})", tensor=True)  # torch.sinc(x) is sin(πx)/(πx)
    return printer.code(sympy.Piecewise((sympy.sin(a) / a, sympy.Ne(a, 0)), (S.One, True)))


def _sigmoid(expr: Expr, printer: Printer) -> Code:
    a = printer.code(expr.args[0])
    return (
        Code(f"torch.sigmoid({a.text})", tensor=True) if a.tensor else printer.code(1 / (1 + sympy.exp(-expr.args[0])))
    )


def _remainder(expr: Expr, printer: Printer) -> Code:
    a, b = (printer.code(arg) for arg in expr.args)
    text = f"{a.within(Precedence.PRODUCT)} % {b.within(Precedence.SIGN)}"
    return Code(f"({text})", tensor=a.tensor or b.tensor)


# ── conditions and cases ──────────────────────────────────────────────────────────────────────────────────────────────


def _relation(operator: str) -> Rule:
    def rule(expr: Basic, printer: Printer) -> Code:
        a, b = (printer.code(arg) for arg in expr.args)
        text = f"{a.within(Precedence.BIT_OR)} {operator} {b.within(Precedence.BIT_OR)}"
        return Code(text, Precedence.COMPARE, a.tensor or b.tensor)

    return rule


def _connective(word: str, symbol: str, level: Precedence, tensor_level: Precedence) -> Rule:
    def rule(expr: Basic, printer: Printer) -> Code:
        codes = sorted((printer.code(arg) for arg in expr.args), key=lambda c: c.text)
        if any(c.tensor for c in codes):
            # Comparisons bind more loosely than & and |, so they stand in parentheses.
            text = f" {symbol} ".join(c.within(Precedence(tensor_level + 1)) for c in codes)
            return Code(text, tensor_level, True)
        return Code(f" {word} ".join(c.within(Precedence(level + 1)) for c in codes), level)

    return rule


def _not(expr: Basic, printer: Printer) -> Code:
    a = printer.code(expr.args[0])
    if a.tensor:
        return Code(f"~{a.operand}", Precedence.SIGN, True)
    return Code(f"not {a.within(Precedence.NOT)}", Precedence.NOT)


def _choice(expr: Basic, printer: Printer) -> Code:
    """SymPy's ITE(a, b, c), which it makes of nested cases: b where a holds, else c."""
    a, b, c = expr.args
    return printer.code(sympy.Or(sympy.And(a, b), sympy.And(sympy.Not(a), c)))


def _truth(expr: Basic, printer: Printer) -> Code:
    return Code("True" if isinstance(expr, BooleanTrue) else "False")


def _cases(expr: Expr, printer: Printer) -> Code:
    """Nested `torch.where`, the last case innermost; a condition on numbers alone is decided in Python."""
    *cases, last = expr.args
    if not isinstance(last.cond, BooleanTrue):
        raise printer.unknown(expr, "the cases do not cover every point")
    result = printer.code(last.expr)
    for case in reversed(cases):
        result = _case(case, result, printer)
    return result


def _case(case: ExprCondPair, otherwise: Code, printer: Printer) -> Code:
    value, condition = printer.code(case.expr), printer.code(case.cond)
    if not condition.tensor:
        text = f"{value.within(Precedence.OR)} if {condition.within(Precedence.OR)} else {otherwise.text}"
        return Code(text, Precedence.CONDITIONAL, value.tensor or otherwise.tensor)
    text = value.text
    if not (value.tensor or otherwise.tensor):
        # Two Python numbers would take torch's default type; the number takes the type of a tensor in the condition.
        text = f"{_tensor_of(case.cond, printer)}.new_tensor({text})"
    return Code(f"torch.where({condition.text}, {text}, {otherwise.text})", tensor=True)


def _tensor_of(condition: Basic, printer: Printer) -> str:
    """The first named tensor of a condition, in the printer's order."""
    found = [node for node in sympy.preorder_traversal(condition) if printer.names.get(node) in printer.tensors]
    if not found:
        raise printer.unknown(condition, "a condition without a named tensor")
    return printer.code(min(found, key=printer.prominence)).operand


RULES: Mapping[type, Rule] = {
    **{getattr(sympy, name): _call(name, name) for name in _COMMON},
    sympy.ceiling: _call("ceil", "ceil"),
    sympy.loggamma: _call("lgamma", "lgamma"),
    sympy.sec: _reciprocal(sympy.cos),
    sympy.csc: _reciprocal(sympy.sin),
    sympy.cot: _reciprocal(sympy.tan),
    sympy.sech: _reciprocal(sympy.cosh),
    sympy.csch: _reciprocal(sympy.sinh),
    sympy.coth: _reciprocal(sympy.tanh),
    sympy.Abs: _absolute,
    sympy.sign: _sign,
    sympy.Heaviside: _heaviside,
    sympy.Max: _extremum("max", "maximum", "min"),
    sympy.Min: _extremum("min", "minimum", "max"),
    sympy.atan2: _atan2,
    sympy.sinc: _sinc,
    Sigmoid: _sigmoid,
    sympy.Mod: _remainder,
    sympy.StrictLessThan: _relation("<"),
    sympy.LessThan: _relation("<="),
    sympy.StrictGreaterThan: _relation(">"),
    sympy.GreaterThan: _relation(">="),
    sympy.Equality: _relation("=="),
    sympy.Unequality: _relation("!="),
    sympy.And: _connective("and", "&", Precedence.AND, Precedence.BIT_AND),
    sympy.Or: _connective("or", "|", Precedence.OR, Precedence.BIT_OR),
    sympy.Not: _not,
    sympy.ITE: _choice,
    BooleanTrue: _truth,
    BooleanFalse: _truth,
    sympy.Piecewise: _cases,
}
