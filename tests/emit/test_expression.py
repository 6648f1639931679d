"""Printed expressions: they read well, and they have the value that SymPy gives them."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import pytest
import sympy as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pdespec.diagnostics import SpecError
from pdespec.emit.code import Code
from pdespec.emit.expression import Printer
from pdespec.emit.temporaries import share


class Value(sp.Expr):  # type: ignore[misc]
    """An atom that is no symbol, as field values are."""


def field(name: str) -> sp.Expr:
    return Value(sp.Symbol(name))


u_t, u_x, u_xx, u = (field(name) for name in ("u_t", "u_x", "u_xx", "u"))
x, y, nu = (sp.Symbol(name, real=True) for name in ("x", "y", "nu"))
NAMES = {u_t: "u_t", u_x: "u_x", u_xx: "u_xx", u: "u", x: "x", y: "y", nu: "nu"}
TENSORS = {"u_t", "u_x", "u_xx", "u", "x", "y"}
write = Printer(NAMES, TENSORS)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (u_t + u * u_x - nu * u_xx, "u_t + u * u_x - nu * u_xx"),
        (u_t - nu**2 * u_xx + u**3 - u, "u_t - nu**2 * u_xx + u**3 - u"),
        (-u_xx - 2 * sp.pi**2 * sp.sin(sp.pi * x), "-u_xx - 2 * math.pi**2 * torch.sin(math.pi * x)"),
        (1 - x**2, "1 - x.square()"),
        (x**2 - 1, "x.square() - 1"),
        (x**3 - x, "x**3 - x"),
        ((1 - x**2) * u, "(1 - x.square()) * u"),
        (x / 2, "0.5 * x"),
        (2 * x / 3, "2 * x / 3"),
        (x / (2 * nu), "x / (2 * nu)"),
        (1 / (1 + x), "1 / (x + 1)"),
        (sp.sqrt(x), "x.sqrt()"),
        (sp.sqrt(nu) * x, "math.sqrt(nu) * x"),
        (x ** sp.Rational(3, 2), "x**1.5"),
        (x ** sp.Rational(1, 3), "x**(1 / 3)"),
        (sp.exp(-x) * sp.sin(nu), "math.sin(nu) * torch.exp(-x)"),
        (-sp.exp(-x) / 2, "-0.5 * torch.exp(-x)"),
        (x * (1 - x) * y * (1 - y), "x * y * (1 - x) * (1 - y)"),
        (sp.Abs(x - y), "(x - y).abs()"),
        (sp.Max(x, 0), "x.clamp(min=0)"),
        (sp.Min(x, y), "torch.minimum(x, y)"),
        (sp.Piecewise((1, x < 0), (sp.Rational(1, 10), True)), "torch.where(x < 0, x.new_tensor(1), 0.1)"),
        (sp.Heaviside(x, 0), "torch.where(x > 0, 1.0, 0.0)"),
        (10**20 * x, "1e+20 * x"),
        (
            sp.Piecewise((1, sp.ITE(x < 0, y < 1, y < 2)), (x, True)),
            "torch.where((x < 0) & (y < 1) | (x >= 0) & (y < 2), 1, x)",
        ),
        (-(nu**-2), "-1 / nu**2"),
    ],
)
def test_readable(expression: sp.Expr, text: str) -> None:
    assert write(expression) == text


def test_names_may_be_other_primaries() -> None:
    printer = Printer({x: "z[:, 0]", y: "z[:, 1]"}, {"z[:, 0]", "z[:, 1]"})
    assert printer((x - y) ** 2 * sp.sin(x)) == "(z[:, 0] - z[:, 1]).square() * torch.sin(z[:, 0])"


def test_hooks_print_what_the_printer_does_not_know() -> None:
    def rule(node: sp.Expr, printer: Printer) -> Code:
        return Code(f"norm({printer(node.args[0])})", tensor=True)

    assert Printer(NAMES, TENSORS, hooks={Value: rule})(1 + Value(x) ** 2) == "norm(x).square() + 1"


@pytest.mark.parametrize(
    "expression",
    [sp.Symbol("unknown"), sp.besselj(0, x), sp.I * x, sp.oo, sp.zoo, sp.nan, sp.Function("f")(x), Value(x, y),
     sp.Piecewise((1, x < 0)), sp.Integral(x, x), x**2 + sp.Symbol("lost"), sp.Heaviside(x, sp.Rational(1, 3))],
)  # fmt: skip
def test_what_has_no_form_is_an_error(expression: sp.Expr) -> None:
    with pytest.raises(SpecError) as refused:
        write(expression)
    assert [d.code for d in refused.value.diagnostics] == ["PDE480"]


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────────

a, b = sp.Symbol("a", positive=True), sp.Symbol("b", real=True)  # numbers
p, q = sp.Symbol("p", positive=True), sp.Symbol("q", real=True)  # tensors
# Values without short relations among them, so that no comparison hangs on the last bit.
POINTS = {p: [0.3183, 1.0472, 2.7183], q: [-1.2214, 0.4142, 0.9051]}
NUMBERS = {a: 0.7321, b: -1.3033}

numbers = [sp.pi, sp.Integer(2), sp.Integer(-1), sp.Rational(1, 2), sp.Rational(-2, 3), sp.Float(0.1)]
atoms = st.sampled_from([a, b, p, q, *numbers])
smooth = [sp.sin, sp.cos, sp.tanh, sp.atan, sp.erf, sp.asinh, sp.sign, sp.Abs, sp.Heaviside]


def grow(inner: st.SearchStrategy[sp.Expr]) -> st.SearchStrategy[sp.Expr]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda xs: sp.Add(*xs)),
        st.lists(inner, min_size=2, max_size=3).map(lambda xs: sp.Mul(*xs)),
        pairs.map(lambda t: t[0] / (2 + t[1] ** 2)),
        pairs.map(lambda t: sp.Max(*t)),
        pairs.map(lambda t: sp.Min(t[0], t[1], 1)),
        st.tuples(st.sampled_from(smooth), inner).map(lambda t: t[0](t[1])),
        inner.map(lambda e: sp.sqrt(1 + e**2)),
        inner.map(lambda e: sp.log(1 + e**2) ** 3),
        inner.map(lambda e: (1 + e**2) ** sp.Rational(-1, 3)),
        inner.map(lambda e: sp.exp(-(e**2))),
        st.tuples(inner, inner, inner).map(lambda t: sp.Piecewise((t[0], sp.And(q > t[2], p < 2)), (t[1], True))),
        inner.map(lambda e: a**e if not e.has(sp.sign) else -e),
    )


expressions = st.recursive(atoms, grow, max_leaves=12)


def evaluate(text: str, k: int | None = None) -> torch.Tensor:
    scope = {"torch": torch, "math": math, "a": NUMBERS[a], "b": NUMBERS[b]}
    scope |= {s.name: torch.tensor(v, dtype=torch.float64) for s, v in POINTS.items()}
    return torch.as_tensor(eval(text, scope), dtype=torch.float64).expand(3)


@settings(max_examples=150, deadline=None)
@given(expressions)
def test_the_code_has_the_value_of_the_expression(expression: sp.Expr) -> None:
    printer = Printer({p: "p", q: "q", a: "a", b: "b"}, {"p", "q"})
    try:
        found = evaluate(printer(expression)).tolist()
    except SpecError:
        # SymPy may have folded a condition on numbers into something that is no real number.
        assert expression.has(sp.zoo, sp.nan, sp.oo, sp.I)
        return
    for k in range(3):
        values = {s: sp.Float(v[k], 40) for s, v in POINTS.items()} | {s: sp.Float(v, 40) for s, v in NUMBERS.items()}
        exact = sp.N(expression.subs(values), 30)
        if not exact.is_finite or abs(exact) > 1e200:
            continue
        scale = magnitude(expression, values)
        assert abs(found[k] - float(exact)) <= 1e-12 * scale, printer(expression)


def magnitude(expression: sp.Expr, values: dict[sp.Symbol, sp.Expr]) -> float:
    """1 plus the sum of the sizes of all subexpressions: cancellation is the expression's doing, not the printer's."""
    sizes = [abs(sp.N(e.subs(values))) for e in sp.preorder_traversal(expression) if isinstance(e, sp.Expr)]
    total = float(sum(s for s in sizes if s.is_finite and s < 1e300))
    return 1 + total * (1 + total)


def test_temporaries_are_computed_once_and_change_nothing() -> None:
    first = sp.sin(sp.pi * p) * sp.exp(-q) + sp.sin(sp.pi * p) ** 2
    second = sp.cos(sp.pi * p) * sp.exp(-q)
    used: list[str] = []

    def fresh(hint: str) -> str:
        used.append(hint)
        return hint

    printer = Printer({p: "p", q: "q"}, {"p", "q"})
    lines, shared = share([first, second], printer, fresh)
    assert lines == [("sin_p", "torch.sin(math.pi * p)"), ("exp_q", "torch.exp(-q)")] and used == ["sin_p", "exp_q"]
    assert shared(first) == "sin_p.square() + sin_p * exp_q"
    scope = {"torch": torch, "math": math, **{s.name: torch.tensor(v, dtype=torch.float64) for s, v in POINTS.items()}}
    for name, code in lines:
        scope[name] = eval(code, scope)
    for e in (first, second):
        torch.testing.assert_close(eval(shared(e), scope), evaluate(printer(e)), rtol=1e-14, atol=0)


def test_text_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "import sympy as sp\n"
        "from pdespec.emit.expression import Printer\n"
        "from pdespec.emit.temporaries import share\n"
        "s = sp.symbols('a b c d e', real=True)\n"
        "f = sum(sp.sin(x) * sp.exp(-y) * sp.Max(x, y, 1) for x in s for y in s)\n"
        "f += sp.Piecewise((f, sp.Or(s[0] > 1, sp.And(s[1] < 2, s[2] > s[3]))), (1, True))\n"
        "p = Printer({x: x.name for x in s}, {x.name for x in s})\n"
        "lines, q = share([f, f**2], p, lambda h: h)\n"
        "print(p(f), lines, q(f), q(f**2))\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
