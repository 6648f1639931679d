"""Wrong mathematics is refused when a spec is built, with what is left over and a point where it is not zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdespec import compiler
from pdespec.diagnostics import Diagnostic
from pdespec.source import Source

SPECS = Path(__file__).resolve().parents[2] / "specs"

PLANTED = {
    "the sign of a source": ("poisson", "f := 2*π²", "f := -2*π²"),
    "the amplitude of an exact solution": ("poisson", "check u = sin(π*x)", "check u = 2*sin(π*x)"),
    "the rate of an exact solution": ("heat", "check u = exp(-κ*π²*t)", "check u = exp(κ*π²*t)"),
    "the frequency of an exact solution": ("wave", "cos(2*π*t)", "cos(π*t)"),
    "the sign of a force": ("stokes", "f := (-2*π³", "f := (2*π³"),
    "the sign of a pressure": ("stokes", "check p = q", "check p = -q"),
    "the sign in an energy": ("poisson_ritz", "1/2*|∇u|² - f*u", "1/2*|∇u|² + f*u"),
    "the factor in an equivalent form": ("sgd", "∇·(p * ∇L) + 1/β * Δp", "∇·(p * ∇L) + 2/β * Δp"),
    "the factor of a variation": ("mean_field", "check δL/δp = 𝔼", "check δL/δp = 2*𝔼"),
    "a rotation in the drift": ("committor", "diffusion(-∇V,", "diffusion(-∇V + (x[2], -x[1]),"),
}


def findings(name: str, old: str, new: str) -> tuple[Diagnostic, ...]:
    text = (SPECS / f"{name}.pde").read_text(encoding="utf-8")
    assert old in text
    result = compiler.compile(Source(f"{name}.pde", text.replace(old, new)), folder=SPECS)
    assert result.source is None
    return result.diagnostics


@pytest.mark.parametrize("what", PLANTED, ids=lambda what: what.replace(" ", "_"))
def test_a_planted_error_is_refused_with_its_residual(what: str) -> None:
    refuted = [d for d in findings(*PLANTED[what]) if d.code == "PDE401"]
    assert refuted, "not refuted"
    notes = "\n".join(refuted[0].notes)
    assert "residual:" in notes and "its value" in notes


def test_the_true_specs_are_not_refused() -> None:
    for name in sorted({name for name, _, _ in PLANTED.values()}):
        text = (SPECS / f"{name}.pde").read_text(encoding="utf-8")
        assert compiler.compile(Source(f"{name}.pde", text), folder=SPECS, upto="derivation").ok


def test_with_a_rotation_the_strong_form_alone_still_builds() -> None:
    """The variational form is what a rotation makes wrong; the committor of the process is still its generator's."""
    text = (SPECS / "committor.pde").read_text(encoding="utf-8")
    text = text.replace("diffusion(-∇V,", "diffusion(-∇V + (x[2], -x[1]),")
    kept = [
        line for line in text.split("\n") if "weak" not in line and not line.startswith("ritz:") and "ritz(" not in line
    ]
    assert compiler.compile(Source("committor.pde", "\n".join(kept)), folder=SPECS).require().source


ON_PARTS = {
    "a corner left of zero": ("[-2, -1]^2", "ln(x*y) = ln(-x) + ln(-y)"),
    "a square with a hole": (r"[0, 1]^2 \ disk((0, 0), 1/2)", "|x² + y² - 1/4| = x² + y² - 1/4"),
    "a disk away from the axes": ("disk((3, 3), 1)", "ln(x*y) = ln(x) + ln(y)"),
    "two squares": ("[0, 1]^2 ∪ [1, 2]^2", "sqrt(x*y) = sqrt(x)*sqrt(y)"),
}


@pytest.mark.parametrize("what", ON_PARTS, ids=lambda what: what.replace(" ", "_"))
def test_what_holds_on_the_domain_is_not_refuted_by_a_point_outside(what: str) -> None:
    region, identity = ON_PARTS[what]
    for domain, refused in ((region, False), ("[-2, 2]^2", True)):
        text = f"domain Ω(x, y) = {domain}\nunknown u : Ω -> R\ncheck {identity}\n"
        codes = [d.code for d in compiler.compile(text, upto="derivation").diagnostics]
        assert ("PDE401" in codes) is refused, (domain, codes)


NATURAL = "domain X(x) = [0, 1]\nunknown u : X -> R\nleft: u = 0 on {0}\n"
CLAMPED = "flat: ∂x u = 0 on {0}\n"


@pytest.mark.parametrize(
    ("rest", "codes"),
    [
        ("check u = x² - 2*x\nsolve min[u] ∫ 1/2*|∇u|² + 2*u dx, left\n", []),
        ("check u = x²\nsolve min[u] ∫ 1/2*|∇u|² + 2*u dx, left\n", ["PDE401"]),
        ("check u = x\nsolve min[u] ∫ 1/2*|∇u|² dx + ∫[x in ∂X] 1/2*u² - 2*u dx, left\n", []),
        ("check u = 2*x\nsolve min[u] ∫ 1/2*|∇u|² dx + ∫[x in ∂X] 1/2*u² - 2*u dx, left\n", ["PDE401"]),
        ("check u = x²*(x² - 4*x + 6)/24\nsolve min[u] ∫ 1/2*(∂xx u)² - u dx, left, flat\n", []),
        ("check u = x²*(1 - x)²/24\nsolve min[u] ∫ 1/2*(∂xx u)² - u dx, left, flat\n", ["PDE401"]),
        ("check u = x²*(x² - 2*x)/24\nsolve min[u] ∫ 1/2*(∂xx u)² - u dx, left, flat\n", ["PDE401"]),
        ("check u = x²*(x² - 4*x)/24\nsolve min[u] ∫ 1/2*(∂xx u)² - u dx, left, flat\n", ["PDE401"]),
    ],
    ids=["free end", "wrong there", "energy of the boundary", "wrong with it", "beam", "both", "moment", "shear alone"],
)
def test_a_declared_minimiser_meets_the_natural_conditions(rest: str, codes: list[str]) -> None:
    assert [
        d.code for d in compiler.compile(NATURAL + CLAMPED * ("flat" in rest) + rest, upto="derivation").diagnostics
    ] == codes


def test_a_constraint_proves_no_minimiser() -> None:
    """Both satisfy what is listed; 6x(1 − x) alone is stationary, with a multiplier that is not looked for."""
    for declared in ("6*x*(1 - x)", "30*x²*(1 - x)²"):
        text = "domain X(x) = [0, 1]\nunknown u : X -> R\nends: u = 0 on ∂X\nmass: ∫ u dx = 1\n"
        text += f"check u = {declared}\nsolve min[u] ∫ (∂x u)² dx, ends, mass\n"
        assert [d.code for d in compiler.compile(text, upto="derivation").diagnostics] == ["PDE402"]


INTERVAL = "domain X(x) = [0, 1], I(t) = [0, 1]\nunknown p : P(X) over I\nf(x) := |x|\n"
SQUARE = "domain X(x, y) = [0, 1]^2, I(t) = [0, 1]\nunknown p : P(X) over I\n"
CIRCLES = "domain X(x, y) = torus(2*π, 1)\nunknown u : X -> R\n"
SCOPES = {
    "half of the mass": (INTERVAL, "∫[x in [0, 1/2]] p dx = 1", "PDE401"),
    "mass over a half-plane": (
        "domain X(x) = R^2, I(t) = [0, 1]\ndomain A = {x in X : x[1] <= 0}\nunknown p : P(X) over I\n",
        "∫[x in A] p dx = 1",
        "PDE402",
    ),
    "mass over a square": (SQUARE, "∬ p dx dy = 1", ""),
    "mass after a reflection": (INTERVAL, "∫ p(1 - x) dx = 1", "PDE402"),
    "a bound point that is negative": (INTERVAL, "∫[x in [-1, 1]] |x| dx = 0", "PDE401"),
    "a bound point under a root": (INTERVAL, "∫[x in [-1, 1]] sqrt(x²) dx = ∫[x in [-1, 1]] x dx", "PDE401"),
    "an expectation of a modulus": (INTERVAL, "𝔼[x ~ gauss(0, 1)] |x| = 𝔼[x ~ gauss(0, 1)] x", "PDE402"),
    "a function at a negative point": (INTERVAL, "f(-x) = -x", "PDE401"),
    "a bound point that is positive": (CIRCLES, "∫[s in [0, 1]] sqrt(s²) ds = 1/2", ""),
    "waves on a torus": (CIRCLES, "∬ 3 + cos(x)*sin(2*π*y) + cos(x)² dx dy = 7*π", ""),
    "the ends of an interval": (INTERVAL, "∫[x in ∂X] x*p dx = p(1)", ""),
}


@pytest.mark.parametrize("what", SCOPES, ids=lambda what: what.replace(" ", "_"))
def test_what_is_known_of_a_coordinate_stays_in_its_scope(what: str) -> None:
    spec, identity, code = SCOPES[what]
    result = compiler.compile(f"{spec}check {identity}\n", upto="derivation")
    assert [d.code for d in result.diagnostics] == [code] * bool(code)
