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
