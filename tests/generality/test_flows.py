"""Ten gradient flows drawn by seed: mean and covariance by particles against those on a grid, from one spec.

The standard errors are the script's own, as if particles were independent, which under an interaction they are not quite.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.generality.flows import VALUES, FlowProblem, draw_flows
from tests.generality.running import reports

SEED, COUNT, SECONDS = 2, 10, 60
QUICK = 9
"""A quartic well with attraction and entropy, in one dimension."""

PROBLEMS = draw_flows(SEED, COUNT)


def apart(problem: FlowProblem, folder: Path, text: str = "") -> list[float]:
    """|particles − grid| in standard errors, for each mean and covariance."""
    found = reports(text or problem.text, folder, SECONDS)
    assert len(found) == 2 * len(problem.moments)
    assert all(r["stderr"] > 0 for r in found[::2])
    return [abs(a["value"] - b["value"]) / a["stderr"] for a, b in zip(found[::2], found[1::2], strict=True)]


def test_the_draws_cover_every_value_and_depend_on_the_seed_alone() -> None:
    seen = Counter(v for p in PROBLEMS for v in p.traits.values())
    assert all(seen[name, value] for name, values in VALUES.items() for value in values), seen
    assert not any(p.traits.entropy and p.traits.metric == "WFR" for p in PROBLEMS)
    assert draw_flows(SEED, COUNT) == PROBLEMS
    assert not {p.text for p in draw_flows(SEED + 1, COUNT)} & {p.text for p in PROBLEMS}


def test_a_quick_flow_agrees(tmp_path: Path) -> None:
    assert max(apart(PROBLEMS[QUICK], tmp_path)) <= 3


@pytest.mark.slow
def test_another_noise_is_noticed(tmp_path: Path) -> None:
    """The grid at β = 2 and particles at β = 2/1.1², whose noise is 1.1 times as strong, lie apart."""
    problem = PROBLEMS[QUICK]
    assert max(apart(problem, tmp_path, planted(problem.text, "1/β", "121/100/β"))) > 3


@pytest.mark.slow
def test_an_interaction_of_the_wrong_sign_is_noticed(tmp_path: Path) -> None:
    problem = PROBLEMS[QUICK]
    assert max(apart(problem, tmp_path, planted(problem.text, "+ κ/2", "- κ/2"))) > 3


def planted(text: str, old: str, new: str) -> str:
    """The spec whose particles follow another energy: F with `new` in place of `old`."""
    energy = next(line for line in text.splitlines() if line.startswith("E(p) := "))
    flow = next(line for line in text.splitlines() if line.startswith("flow:"))
    assert old in energy
    text = text.replace(energy, f"{energy}\n{energy.replace('E(p)', 'F(p)').replace(old, new)}")
    text = text.replace(flow, f"{flow}\n{flow.replace('flow:', 'other:').replace('grad(E', 'grad(F')}")
    return text.replace("a: solve flow", "a: solve other")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(COUNT))
def test_all_flows_agree(number: int, tmp_path: Path) -> None:
    distances = apart(PROBLEMS[number], tmp_path)
    print(f"{number:2d}  {max(distances):.2f}  {PROBLEMS[number].traits}")
    assert max(distances) <= 3
