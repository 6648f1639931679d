"""Numbers, depths and sizes: a finding within seconds, whatever a spec asks for."""

from __future__ import annotations

import time

import pytest

from pdespec.cli import main
from tests.hostile.scripts import codes, small

NUMBERS = {
    "9^9^9^9": "PDE206",
    "9^(9^9)": "PDE206",
    "x^(9^9^9)": "PDE206",
    "(((10^300)^300)^300)": "PDE206",
    "2^(10^6)": "PDE206",
    "1.0000001^(10^12)": "PDE206",
    "exp(exp(exp(exp(5))))": "PDE206",
    "cosh(10^6)": "PDE206",
    "1/0": "PDE206",
    "0^(-1)": "PDE206",
    "1e999": "PDE008",
    "1e-999": "PDE008",
    "1" * 41: "PDE008",
    "0." + "0" * 500 + "1": "PDE008",
    "1e300*1e300*x": "PDE482",
    "1/(1e-300*1e-300)": "PDE482",
    "10^(-400)": "PDE482",
    "1e-200*1e-200*x": "PDE482",
    "(-1)^0.5": "PDE205",
    "ln(0)": "PDE205",
    "ln(-1)": "PDE205",
    "sqrt(-2)": "PDE205",
}


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:24])
def test_a_number_that_cannot_be_computed_with_is_refused(number: str) -> None:
    assert codes(small(number)) == {NUMBERS[number]}


@pytest.mark.parametrize(
    "number", ["sin(1e300)", "sin(10^300*π)", "2^(1/10^30)", "9" * 40, "1e300*x", "1e-300*x", "0.1^30", "(1/3)^100"]
)
def test_a_number_that_is_only_large_or_small_is_taken(number: str) -> None:
    assert codes(small(number)) == set()


def doubling(n: int) -> str:
    return "".join(f"g{k + 1}(a) := g{k}(a)*g{k}(a + 1)\n" for k in range(n)) + "g0(a) := a + x\n"


SIZES = {
    "brackets": (small("(" * 250 + "x" + ")" * 250), {"PDE007"}),
    "functions": (small("sin(" * 250 + "x" + ")" * 250), {"PDE007"}),
    "derivatives": (small("1", "q := " + "∂x " * 250 + "u\n"), {"PDE007"}),
    "powers": (small("x^" * 250 + "x"), {"PDE007"}),
    "signs": (small("-(" * 250 + "x" + ")" * 250), {"PDE007"}),
    "moduli": (small("|" * 500), {"PDE001", "PDE002", "PDE007"}),
    "a wide sum": (small(" + ".join(f"x^{k}" for k in range(1, 700))), {"PDE007"}),
    "a long statement": (small(" + ".join(f"sin({k}*x)" for k in range(1000))), {"PDE009"}),
    "many statements": (small("1", "a := x\n" * 2500), {"PDE006"}),
    "many params": (small("1", "".join(f"param a{k} = {k}\n" for k in range(2500))), {"PDE006"}),
    "doubling definitions": (small("g60(x)", doubling(60)), {"PDE215"}),
    "nested sums": (small("∑[i in 1..100] ∑[j in 1..100] ∑[k in 1..100] i*j*k*x"), {"PDE215"}),
    "a long range": (small("∑[i in 1..10^9] i*x"), {"PDE215", "PDE206", "PDE207"}),
    "many dimensions": (
        "domain X(x) = R^100000\nunknown u : X -> R\nb: -Δu = 1 on X\nsolve b\n",
        {"PDE215", "PDE207", "PDE527", "PDE946", "PDE214"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("text, expected", SIZES.values(), ids=SIZES)
def test_depth_and_size_are_bounded_in_time(text: str, expected: set[str]) -> None:
    start = time.perf_counter()
    found = codes(text)
    assert found and found <= expected
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "text",
    [
        small("(" + " + ".join(f"a{k}" for k in range(9)) + ")^900", "".join(f"param a{k} = 2\n" for k in range(9))),
        small("1", "q := (" + ", ".join("x" for _ in range(3000)) + ")\n"),
    ],
    ids=("a power of a sum", "many entries"),
)
def test_what_is_only_long_is_not_expanded(text: str) -> None:
    start = time.perf_counter()
    assert codes(text) == set()
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("text", ["#" + "a" * (1 << 20), "x" * (1 << 21), "\n" * ((1 << 20) + 1)], ids=range(3))
def test_a_file_is_at_most_a_mebibyte(text: str, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "large.pde"
    path.write_text(text)
    assert main(["check", str(path)]) == 1
    assert "error[PDE006]" in capsys.readouterr().err


def test_a_derivation_ends_when_its_time_does() -> None:
    from pdespec.compiler import compile

    terms = " + ".join(f"sin({k}*u)*exp(u²/{k})" for k in range(1, 60))
    text = (
        f"domain X(x, y, z) = [0, 1]^3\nunknown u : X -> R\nE(u) := ∫ ({terms})*|∇u|² + |∇(Δu)|² * ({terms}) dx dy dz\n"
    )
    text += "w: u = 0 on ∂X\nsolve min[u] E(u), w\n"
    start = time.perf_counter()
    found = compile(text, upto="derivation", seconds=0.2).diagnostics
    assert time.perf_counter() - start < 3
    assert {d.code for d in found if d.severity.value == "error"} <= {"PDE403", "PDE215"}


SETTINGS = {
    "κ=__import__('os').system('touch pwned')": "PDE108",
    "κ=1; import os": "PDE108",
    "κ=1\nparam c = 2": "PDE108",
    "κ=1 # nothing\nx := 2": "PDE108",
    "κ='1'": "PDE108",
    "κ=\u202e1": "PDE108",
    "κ=𝟏": "PDE108",
    "κ=1e999": "PDE108",
    "κ=lambda": "PDE101",
    "κ=nan": "PDE101",
    "κ=9^9^9^9": "PDE206",
    "κ=10^(-400)": "PDE482",
    "κ=1/0": "PDE206",
    "κ=(1, 2)": "PDE201",
    "κ=[0, 1]": "PDE203",
    "κ=x": "PDE218",
    "__class__=1": "PDE108",
    "../κ=1": "PDE108",
    "f=1": "PDE108",
    "u=1": "PDE108",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_a_number_of_the_language(
    setting: str, tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.pde").write_text(small(), encoding="utf-8")
    assert main(["build", "small.pde", "--set", setting]) == 1
    assert f"error[{SETTINGS[setting]}]" in capsys.readouterr().err
    assert {p.name for p in tmp_path.iterdir()} == {"small.pde"}
