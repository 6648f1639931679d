"""A stranger's spec: numbers, sizes, depths, settings and imports are bounded, and nothing but a finding comes out."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Codes = Callable[..., list[str]]

HEAD = "domain Ω(x, y) = [0, 1]^2\nunknown u : Ω -> R\n"
TAIL = "bulk: -Δu = f on Ω\nwall: u = 0 on ∂Ω\nsolve bulk, wall\n"


def doubled(n: int, first: str) -> str:
    return f"f0 := {first}\n" + "".join(f"f{k + 1} := f{k}*f{k} + f{k}\n" for k in range(n)) + f"f := f{n}\n"


@pytest.mark.parametrize(
    ("f", "code"),
    [
        ("f := 9^9^9^9", "PDE206"),
        ("f := ((x*9^99)^99)^99", "PDE206"),
        ("f := (2*x)^(10^9)", "PDE206"),
        ("f := x^(-10^9)", "PDE206"),
        ("f := exp(exp(exp(10)))", "PDE206"),
        ("f := sinh(-10^9)", "PDE206"),
        ("f := (10^40)^(10^40)", "PDE206"),
        ("f := (x - y)^(1/2)", "PDE205"),
        ("f := (x - y)^x", "PDE205"),
        ("f := ln(0)", "PDE205"),
        ("f := sqrt(-2)", "PDE205"),
        ("f := " + "∑[i in {1, 2, 3}] (" * 12 + "x" + ")" * 12, "PDE215"),
        ("f := max(" + ", ".join(f"sin({k}*x)" for k in range(50)) + ")", "PDE215"),
        (doubled(40, "x*y"), "PDE215"),
        (doubled(40, "u*x"), "PDE215"),
        ("".join(f"g{k + 1}(a) := g{k}(a + 1)\n" for k in range(80)) + "g0(a) := a\nf := g80(x)", "PDE215"),
    ],
)  # fmt: skip
def test_growth_is_refused_in_time(codes: Codes, f: str, code: str) -> None:
    start = time.perf_counter()
    found = codes(HEAD + f + "\n" + TAIL)
    assert code in found
    assert set(found) == {code}
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    "f",
    [
        "(" * 150 + "x" + ")" * 150,
        "sin(" * 120 + "x" + ")" * 120,
        " + ".join(f"sin({k}*x)" for k in range(150)),
        "1e300*1e300",
        "(12345678901234567890^(1/3))^(1/7)",
        "exp(exp(exp(x)))",
        "∫[z in [0, 1]] (" * 30 + "x" + ") dz" * 30,
    ],
    ids=range(7),
)
def test_what_is_large_but_bounded_is_taken(codes: Codes, f: str) -> None:
    assert codes(HEAD + f"f := {f}\n" + TAIL) == []


@pytest.mark.parametrize(
    ("base", "allowed"),
    [("x", True), ("|x - y|", True), ("exp(x - y)", True), ("x² + 1", True), ("1 + |∇u|²", True), ("2", True), ("u", False),
     ("x - 1", False), ("sin(x)", False)],
)  # fmt: skip
def test_a_real_exponent_needs_a_base_that_is_never_negative(codes: Codes, base: str, allowed: bool) -> None:
    found = codes(HEAD + f"f := 1\ng: -Δu = ({base})^1.5 on Ω\nwall: u = 0 on ∂Ω\nsolve g, wall\n")
    assert found == ([] if allowed else ["PDE205"])


def test_a_density_is_never_negative(codes: Codes) -> None:
    head = "domain X(x) = R^2, I(t) = [0, 1]\nunknown p : P(X) over I\nE(p) := ∫ p^1.5 dx\n"
    tail = "flow: ∂t p = -grad(E, p; metric=W2) on X × I\nstart: p = gauss(0, 1) on X × {0}\nsolve flow, start\n"
    assert codes(head + tail) == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"kapa": "1"}, "PDE108"),
        ({"κ": "1; import os"}, "PDE108"),
        ({"κ": "1\nparam μ = 2"}, "PDE108"),
        ({"κ": "__import__"}, "PDE108"),
        ({"κ": "9^9^9^9"}, "PDE206"),
        ({"κ": "x"}, "PDE101"),
        ({"κ": "[0, 1]"}, "PDE203"),
        ({"κ": ""}, "PDE108"),
    ],
)
def test_settings_are_read_as_the_language(codes: Codes, settings: Mapping[str, str], code: str) -> None:
    text = "param κ = 1\n" + HEAD + "f := κ\n" + TAIL
    assert codes(text, {"κ": "2*π"}) == []
    assert code in codes(text, settings)


def test_an_import_stays_below_its_folder(codes: Codes, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    (inside / "lib").mkdir(parents=True)
    (inside / "lib" / "bump.pde").write_text("bump(r) := exp(-r²)\nring(r) := bump(r - 1)\n")
    (tmp_path / "secret.pde").write_text("bump(r) := r\n")
    (inside / "link.pde").symlink_to(tmp_path / "secret.pde")
    (inside / "open.pde").write_text("bump(r) := r*κ\n")
    (inside / "big.pde").write_text("#" + " " * (1 << 20))
    text = "param κ = 1\n" + HEAD + "f := ring(x)\n" + TAIL
    assert codes(f'import "lib/bump.pde"\n{text}', folder=inside) == []
    for path in (
        "../secret.pde",
        str(tmp_path / "secret.pde"),
        "link.pde",
        "lib",
        "none.pde",
        "big.pde",
        "lib/../../secret.pde",
    ):
        assert "PDE109" in codes(f'import "{path}"\n{text}', folder=inside), path
    assert "PDE109" in codes(f'import "lib/bump.pde"\n{text}', folder=None)
    assert "PDE101" in codes(f'import "open.pde"\n{text}', folder=inside)


def test_imports_may_go_in_circles(codes: Codes, tmp_path: Path) -> None:
    (tmp_path / "a.pde").write_text('import "b.pde"\nf1(r) := f2(r)\n')
    (tmp_path / "b.pde").write_text('import "a.pde"\nf2(r) := r²\n')
    text = HEAD + "f := f1(x)\n" + TAIL
    assert codes(f'import "a.pde"\n{text}', folder=tmp_path) == []
    (tmp_path / "b.pde").write_text('import "a.pde"\nf2(r) := f1(r)\n')
    assert codes(f'import "a.pde"\n{text}', folder=tmp_path) == ["PDE112"]


def test_the_check_does_not_import_torch() -> None:
    program = "import sys, pdespec.model.check; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
