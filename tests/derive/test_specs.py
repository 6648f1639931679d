"""Specs as text through parse, check and derive: what is proved, refuted and derived."""

from __future__ import annotations

from pathlib import Path

import pytest
from sympy import Integer

from pdespec.derive.derivation import Derivation
from pdespec.derive.derive import derive
from pdespec.diagnostics import Diagnostic, Severity
from pdespec.model.check import check
from pdespec.model.vectors import Component, Dot
from pdespec.source import Source
from pdespec.syntax.parse import parse

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.pde"))


def derived(text: str) -> tuple[Derivation, tuple[Diagnostic, ...]]:
    spec, found = parse(Source("test.pde", text))
    model, more = check(spec, settings={}, folder=None, name="test")
    errors = [d for d in (*found, *more) if d.severity is Severity.ERROR]
    assert model is not None and not errors, errors
    return derive(model)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_every_shipped_spec_derives_and_its_checks_are_proved(path: Path) -> None:
    spec, found = parse(Source(path.name, path.read_text(encoding="utf-8")))
    model, more = check(spec, settings={}, folder=path.parent, name=path.stem)
    assert model is not None and not found and not more
    derivation, diagnostics = derive(model)
    assert not diagnostics
    assert all(i.verdict == "proved" for i in derivation.identities)
    assert len(derivation.residuals) == len(model.equations)


def test_robin_on_an_annulus_with_a_declared_solution() -> None:
    derivation, found = derived(
        """
        domain Ω(x, y) = disk((0, 0), 2) \\ disk((0, 0), 1)
        unknown u : Ω -> R
        bulk: Δu = 4                   on Ω
        wall: ∂n u + u = 8             on ∂(disk((0, 0), 2))
        hole: ∂n u = -2                on ∂(Ω)
        rim:  u = 1                    on ∂(disk((0, 0), 1))
        check u = x² + y²
        solve bulk, wall, rim
        """
    )
    assert [i.verdict for i in derivation.identities] == ["proved"]
    assert not found


def test_normals_of_single_sides() -> None:
    text = """
        param k = 3
        domain Ω(x, y) = [0, 1]^2
        unknown u : Ω -> R
        bulk:   Δu = ∂xx (sin(k*x)*y²) + ∂yy (sin(k*x)*y²) on Ω
        left:   u = 0                                      on {0} × [0, 1]
        bottom: ∂n u = 0                                   on [0, 1] × {0}
        right:  ∂x u = k*cos(k)*y²                         on {1} × [0, 1]
        top:    ∂n u = SIGN*2*sin(k*x)                     on [0, 1] × {1}
        check u = sin(k*x)*y²
        solve bulk, left, bottom, right, top
        """
    assert derived(text.replace("SIGN*", ""))[0].identities[0].verdict == "proved"
    assert derived(text.replace("SIGN*", "(-1)*"))[0].identities[0].verdict == "refuted"


def test_a_free_boundary_and_a_boundary_energy() -> None:
    derivation, found = derived(
        """
        param a = 2
        domain Ω(x) = ball((0, 0, 0), 1)
        unknown u : Ω -> R
        E(u) := ∫ 1/2*|∇u|² + u^4/4 - u dx + a/2 * ∫[x in ∂Ω] u² dx
        weak:   δE/δu = 0      on Ω
        strong: -Δu + u³ = 1   on Ω
        check weak = strong
        solve min[u] E(u) using ritz(points=100)
        """
    )
    assert not found
    assert derivation.identities[0].verdict == "proved"
    (natural,) = derivation.objectives[0].natural
    assert natural.term.has(Dot) and str(natural.region) == "∂(Ω)"


def test_a_beam_clamped_at_one_end() -> None:
    derivation, _ = derived(
        """
        domain X(x) = [0, 1]
        unknown u : X -> R
        E(u) := ∫ 1/2*(∂xx u)² - u dx
        left: u = 0    on {0}
        tilt: ∂x u = 0 on {0}
        solve min[u] E(u), left, tilt using ritz(points=64)
        """
    )
    shear, moment = derivation.objectives[0].natural
    assert len(shear.term.atoms(Component)) == 1
    assert moment.region.of != shear.region if hasattr(moment.region, "of") else True


def test_minimal_graph_is_equivalent_to_a_straight_line() -> None:
    """(u′/√(1 + u′²))′ = u″/(1 + u′²)^{3/2}: the factor is nowhere zero."""
    derivation, found = derived(
        """
        domain X(x) = [0, 1]
        unknown u : X -> R
        E(u) := ∫ sqrt(1 + (∂x u)²) dx
        weak: δE/δu = 0 on X
        flat: ∂xx u = 0 on X
        ends: u = 0     on ∂X
        check weak = flat
        solve min[u] E(u), ends using ritz(points=64)
        """
    )
    assert not found
    assert derivation.identities[0].verdict == "proved"
    assert derivation.identities[0].factor.could_extract_minus_sign()


def test_two_forms_of_a_fokker_planck_equation() -> None:
    derivation, found = derived(
        """
        domain X(x) = R^2, I(t) = [0, 1]
        unknown p : P(X) over I
        V := |x|²/2
        one: ∂t p = ∇·(p*∇V) + Δp                on X × I
        two: ∂t p = ∇·(exp(-V)*∇(p*exp(V)))      on X × I
        check one = two
        start: p = gauss(0, 1) on X × {0}
        solve one, start using particles(n=10) with euler(dt=0.1)
        solve two, start using particles(n=10) with euler(dt=0.1)
        """
    )
    assert not found
    one, two = derivation.flows
    assert (one.velocity, one.diffusion, one.potential) == (two.velocity, two.diffusion, two.potential)
    assert two.diffusion == Integer(1) and two.stationary == one.stationary


def test_a_coupled_system_of_declared_solutions() -> None:
    derivation, _ = derived(
        """
        domain X(x) = torus(1), I(t) = [0, 1]
        unknown u : X × I -> R, v : X × I -> R
        one: ∂t u = ∂x v on X × I
        two: ∂t v = ∂x u on X × I
        s1:  u = sin(2*π*x) on X × {0}
        s2:  v = 0          on X × {0}
        check u = sin(2*π*x)*cos(2*π*t)
        check v = cos(2*π*x)*sin(2*π*t)
        solve one, two, s1, s2
        """
    )
    assert [i.verdict for i in derivation.identities] == ["proved", "proved"]
    assert len(derivation.exact) == 2


def test_a_function_of_an_interval_uses_its_sign() -> None:
    """|x| = x holds on [0, 1], and not on [−1, 1]."""
    text = """
        domain X(x) = [LO, 1]
        unknown u : X -> R
        bulk: ∂xx u = 0 on X
        ends: u = 1     on ∂X
        check |x| = x
        solve bulk, ends
        """
    assert derived(text.replace("LO", "0"))[0].identities[0].verdict == "proved"
    assert derived(text.replace("LO", "-1"))[0].identities[0].verdict == "refuted"


def test_diagnostics_of_a_wrong_solution_name_the_equation_and_the_witness() -> None:
    _, found = derived(
        """
        domain X(x) = [0, 1]
        unknown u : X -> R
        bulk: -∂xx u = sin(π*x) on X
        ends: u = 0             on ∂X
        check u = sin(π*x)
        solve bulk, ends
        """
    )
    (refused,) = found
    assert refused.code == "PDE401" and "bulk" in refused.message and "ends" not in refused.message
    assert any("witness: x = " in n for n in refused.notes)
    assert refused.related and refused.span is not None
