"""Text into trees, and that two spellings of one thing give one tree."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pdespec.source import Source
from pdespec.syntax import ast
from pdespec.syntax.ast import Binary, Binder, Binding, Call, Expr, Index, Name, Num, Unary, walk
from pdespec.syntax.parse import parse

DRAFTS = sorted((Path(__file__).parents[1] / "drafts").glob("*.pde"))
PREAMBLE = "domain X(x, y, t, θ, xy1, r2) = R\n"


def statements(text: str) -> tuple[ast.Statement, ...]:
    spec, diagnostics = parse(Source("test.pde", text))
    assert diagnostics == ()
    return spec.statements


def expression(text: str) -> Expr:
    definition = statements(f"{PREAMBLE}value := {text}")[-1]
    assert isinstance(definition, ast.Definition)
    return definition.body


def num(value: int | str) -> Num:
    return Num(Fraction(value))


a, b, c, f, g, u, v, x = (Name(letter) for letter in "abcfguvx")


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_every_fixture_parses_without_a_finding(path: Path) -> None:
    source = Source(path.name, path.read_text(encoding="utf-8"))
    spec, diagnostics = parse(source)
    assert diagnostics == ()
    lines = {line for line in range(1, source.lines + 1) if source.line(line).partition("#")[0].strip()}
    assert {statement.span.line for statement in spec.statements} == lines
    assert len(spec.comments) == source.text.count("#")


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_spans_lie_in_the_text_and_inside_each_other(path: Path) -> None:
    spec, _ = parse(Source(path.name, path.read_text(encoding="utf-8")))
    for node in walk(spec):
        for child in ast.children(node):
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end
        if isinstance(node, Name):
            assert node.shown == node.span.text


SPELLINGS = [
    ("Δu", "lap(u)"), ("∇u", "grad(u)"), ("∇·v", "div(v)"), ("∇ · v", "div(v)"), ("∇×v", "curl(v)"),
    ("∂x u", "diff(u, x)"), ("∂xx u", "diff(u, x, x)"), ("∂xyt u", "diff(u, x, y, t)"), ("∂xy1 u", "diff(u, xy1)"),
    ("∂θ u", "diff(u, theta)"), ("∂θθ u", "diff(u, theta, theta)"), ("∂r2 u", "diff(u, r2)"), ("∂n u", "diff(u, n)"),
    ("a · b", "dot(a, b)"), ("A × B × C", "cross(A, B, C)"), ("A ∪ B", "union(A, B)"), ("A \\ B", "minus(A, B)"),
    ("A ∩ B", "intersection(A, B)"), ("f ∘ g ∘ h", "compose(f, g, h)"), ("‖f‖", "norm(f)"), ("|x|", "abs(x)"),
    ("∫ f dx", "integral[x](f)"), ("∫[x in S] f dx", "integral[x in S](f)"), ("∬ f dx dy", "integral[x, y](f)"),
    ("∫ f dx dy", "∬ f dx  dy"), ("∬[(x, y) in ∂Ω] f dx dy", "integral[(x, y) in boundary(Omega)](f)"),
    ("∑[i in 1..N] x[i]", "sum[i in 1..N] x[i]"), ("∑[i < j] i*j", "sum[i < j] i*j"), ("∏[i in A] i", "prod[i in A] i"),
    ("𝔼[x ~ μ] x", "mean[x ~ mu] x"), ("δE/δp", "variation(E, p)"), ("δE(p, q)/δp", "variation(E(p, q), p)"),
    ("⟨ψ|H|ψ⟩", "braket(psi, H, psi)"), ("⟨ψ|ψ⟩", "braket(psi, psi)"), ("∂Ω", "boundary(Omega)"),
    ("∂(A ∪ B)", "boundary(union(A, B))"), ("x²", "x^2"), ("x⁻¹²", "x^-12"), ("β + ℓ", "beta + ell"),
    ("{x in X : x ≤ 1}", "{x in X : x <= 1}"), ("max[a ∈ A] a", "max[a in A] a"), ("a − b", "a - b"),
    ("f(a; k)", "f(a; k=k)"), ("2_000", "2000"), (".5", "0.5"), ("1e3", "1000"), ("u′", "u'"), ("∆u", "Δu"),
    ("a ⋅ b", "a · b"), ("∑[i != j] i", "∑[i ≠ j] i"), ("{1 .. 3}", "{1..3}"),
]  # fmt: skip


@pytest.mark.parametrize(("unicode", "ascii"), SPELLINGS)
def test_two_spellings_are_one_tree(unicode: str, ascii: str) -> None:
    assert expression(unicode) == expression(ascii)


def test_products_bind_before_sums_and_signs_cover_products() -> None:
    assert expression("-a*b + c") == Binary("+", Unary("-", Binary("*", a, b)), c)
    assert expression("a - b - c") == Binary("-", Binary("-", a, b), c)
    assert expression("a/b*c") == Binary("*", Binary("/", a, b), c)
    assert expression("a * -b") == Binary("*", a, Unary("-", b))


def test_powers_bind_to_the_right_and_before_signs() -> None:
    assert expression("a^b^c") == Binary("^", a, Binary("^", b, c))
    assert expression("-a²") == Unary("-", Binary("^", a, num(2)))
    assert expression("a^-2") == Binary("^", a, Unary("-", num(2)))
    assert expression("x[1]²") == Binary("^", Index(x, (num(1),)), num(2))


def test_a_derivative_is_a_tight_prefix() -> None:
    assert expression("∂x f + g") == Binary("+", ast.Partial(("x",), f), g)
    assert expression("∂x f * g") == Binary("*", ast.Partial(("x",), f), g)
    assert expression("∂x q(u)") == ast.Partial(("x",), Call(Name("q"), (u,)))
    assert expression("-∂t u") == Unary("-", ast.Partial(("t",), u))
    assert expression("(∇f)(y)") == Call(ast.Differential("grad", f), (Name("y"),))
    assert expression("a · ∇f + Δf") == Binary(
        "+", Binary("dot", a, ast.Differential("grad", f)), ast.Differential("lap", f)
    )
    divergence = ast.Differential("div", Binary("*", Name("p"), ast.Differential("grad", Name("L"))))
    assert expression("∇·(p * ∇L)") == divergence
    called = Call(Index(Name("solution"), (u,)), (a, b))
    assert expression("a * ∂n solution[u](a, b)") == Binary("*", a, ast.NormalDerivative(called))


def test_a_binder_takes_one_product() -> None:
    binder = Binder("max", (Binding((a,), "in", Name("A")),), b)
    assert expression("max[a in A] b + c") == Binary("+", binder, c)
    product = Binder("max", (Binding((a,), "in", Name("A")),), Binary("*", b, c))
    assert expression("f * max[a in A] b*c - g") == Binary("-", Binary("*", f, product), g)
    nested = Binder("sum", (Binding((Name("i"), Name("j")), "<", None),), Binder("mean", (Binding((x,), "~", f),), x))
    assert expression("∑[i < j] 𝔼[x ~ f] x") == nested


def test_an_integral_ends_with_its_measure_and_goes_on_as_a_factor() -> None:
    inner = ast.Integral((x,), None, Binary("+", f, g))
    assert expression("a * ∫ f + g dx / b") == Binary("/", Binary("*", a, inner), b)
    assert expression("∫ d dx") == ast.Integral((x,), None, Name("d"))
    assert expression("∫ dtn(m) dx") == ast.Integral((x,), None, Call(Name("dtn"), (Name("m"),)))


def test_bars_nest() -> None:
    assert expression("|a|*|b|") == Binary("*", ast.Abs(a), ast.Abs(b))
    assert expression("|a - |b||") == ast.Abs(Binary("-", a, ast.Abs(b)))
    assert expression("⟨a||x||b⟩") == ast.Braket(a, ast.Abs(x), b)


def test_words_of_statements_do_not_clip_names() -> None:
    assert expression("onset + inner*within_x") == Binary(
        "+", Name("onset"), Binary("*", Name("inner"), Name("within_x"))
    )
    assert expression("max(a, b)") == Call(Name("max"), (a, b))
    assert expression("mean(a)") == Call(Name("mean"), (a,))


def test_sets() -> None:
    assert expression("{-1, -0.96 .. 1}") == ast.Range(Unary("-", num(1)), Unary("-", num("0.96")), num(1))
    assert expression("(R^3)^N") == Binary("^", Binary("^", Name("R"), num(3)), Name("N"))
    zero = num(0)
    pair = ast.Comprehension((x, Name("s")), Binary("cross", a, b), (ast.Compare("<", x, zero),))
    assert expression("{(x, s) in a × b : x < 0}") == pair
    chain = expression("{x in a : 0 < x < b}")
    assert isinstance(chain, ast.Comprehension)
    assert chain.conditions == (ast.Compare("<", zero, x), ast.Compare("<", x, b))
    assert expression("∂X × Y") == Binary("cross", ast.Boundary(Name("X")), Name("Y"))


def test_a_functional_derivative_is_not_a_quotient_and_a_delta_is_a_letter() -> None:
    assert expression("δ/a") == Binary("/", Name("delta"), a)
    assert expression("δx * a") == Binary("*", Name("deltax"), a)
    assert expression("1/δE/δp") == Binary("/", num(1), ast.Variation(Name("E"), Name("p")))


def test_a_run_of_letters_is_split_with_the_declared_coordinates() -> None:
    def coordinates(domain: str) -> object:
        definition = statements(f"value := ∂xy u\ndomain {domain} = R")[0]
        assert isinstance(definition, ast.Definition) and isinstance(definition.body, ast.Partial)
        return definition.body.coordinates

    assert coordinates("X(x, y)") == ("x", "y")
    assert coordinates("X(xy)") == ("xy",)
    assert coordinates("X(x, y, xy)") == ("xy",)
    assert coordinates("X(x)") == ("xy",)  # the model will refuse it
    declared = statements("domain X(n) = R\nvalue := ∂n u")[1]
    assert isinstance(declared, ast.Definition) and declared.body == ast.Partial(("n",), u)


def test_comma_lists_give_several_declarations() -> None:
    params = statements("param a = 1, b in {1, 2}")
    assert params == (ast.Param(a, num(1)), ast.Param(b, ast.SetLiteral((num(1), num(2))), sweep=True))
    arrow = ast.Arrow(Name("X"), Name("R"))
    unknowns = statements("unknown u, v : X -> R, w : P(X) over I with odd()")
    assert unknowns[:2] == (ast.UnknownDecl(u, arrow), ast.UnknownDecl(v, arrow))
    last = ast.UnknownDecl(Name("w"), Call(Name("P"), (Name("X"),)), Name("I"), (Call(Name("odd")),))
    assert unknowns[2] == last


def test_equations() -> None:
    assert statements("Δu = f on X") == (ast.Equation(None, (), "=", ast.Differential("lap", u), f, Name("X")),)
    assert statements("m(a): u >= f") == (ast.Equation(Name("m"), (a,), ">=", u, f),)
    held = statements("send(a): radiating(u; k) on ∂Ω")[0]
    assert isinstance(held, ast.Equation)
    assert (held.relation, held.right, held.region) == ("holds", None, ast.Boundary(Name("Omega")))


def test_a_solve() -> None:
    text = "gan: solve min[g] max[u, v] a + b, c on X using m(k=1) with f, g then a"
    assert statements(text) == (
        ast.Solve(
            Name("gan"),
            (ast.Optimum("min", (g,)), ast.Optimum("max", (u, v))),
            Binary("+", a, b),
            (c,),
            Name("X"),
            Call(Name("m"), (), (ast.Option(Name("k"), num(1)),)),
            ((f, g), (a,)),
        ),
    )
    inner = statements("solve min[g] max[a in A] a")[0]
    assert isinstance(inner, ast.Solve) and len(inner.optima) == 1 and isinstance(inner.objective, Binder)


def test_report_bounds() -> None:
    report = statements("report a, b < 1e-3, c ~ 2 within 5%, f ~ 2 within 3*stderr, g ~ 0 within 1e-2")[0]
    assert isinstance(report, ast.Report)
    assert [(i.relation, i.tolerance.kind if i.tolerance else None) for i in report.items] == [
        ("", None), ("<", None), ("~", "percent"), ("~", "stderr"), ("~", "absolute"),
    ]  # fmt: skip
    assert report.items[3].tolerance == ast.Tolerance("stderr", num(3))


def test_other_statements() -> None:
    assert statements('import "more.pde"') == (ast.Import(ast.Str("more.pde")),)
    assert statements("check a = b, f = g") == (ast.Check(a, b), ast.Check(f, g))
    assert statements("ansatz u := f(x)") == (ast.Ansatz(u, (), Call(f, (x,))),)
    assert statements("f(u)(x, a) := b") == (ast.Definition(f, ((u,), (x, a)), b),)
    assert statements('data v : P(X) from "q.npz"') == (ast.Data(v, Call(Name("P"), (Name("X"),)), ast.Str("q.npz")),)


def test_where_a_line_goes_on() -> None:
    assert expression("(a\n + b)") == expression("a +\n  b") == expression("a + # why\n b") == Binary("+", a, b)
    assert len(statements("f := a\ng := b")) == 2
    assert len(statements("f := g(\n a,\n\n b\n)\nc := a")) == 2
    assert len(statements("solve a,\n  b using\n  m(k=1)")) == 1
    assert len(statements("f := a\r\ng := b\r\n")) == 2


def test_numbers_are_exact() -> None:
    assert expression("2.740962e-3") == Num(Fraction(2740962, 10**9))
    assert expression("1e-300") == Num(Fraction(1, 10**300))


def test_equality_ignores_places_and_spellings() -> None:
    first, second = expression("β + 0.50"), expression("beta   + .5")
    assert first == second and hash(first) == hash(second)
    assert repr(first) == repr(second)
