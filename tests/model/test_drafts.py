"""Every draft: what is still to come is one finding at its place, and there is no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdespec.model.check import check
from pdespec.source import Source
from pdespec.syntax.parse import parse

ROOT = Path(__file__).parents[2]
DRAFTS = ROOT / "tests" / "drafts"

TO_COME = {
    "01_ground_state": ["4:25 antisymmetric", "10:17 jastrow", "10:42 slater", "11:33 vmc"],
    "02_committor": ["19:67 tempered", "20:74 tempered", "21:41 semigroup"],
    "03_hjb": ["5:47 Move", "11:20 max", "13:20 max", "15:51 bsde", "16:32 policy_iteration", "17:78 saddle",
               "17:103 extragradient"],
    "04_impedance": ["4:13 fields", "4:47 fields", "6:18 inclusions", "7:1 state", "8:1 drive", "9:21 solution",
                     "10:14 kernel", "12:6 pairs", "13:13 bcr", "14:13 unrolled", "15:64 regression", "16:64 regression"],
    "05_closure": ["5:15 fields", "5:39 R^(3 + k)", "6:13 R^(3 + k)", "6:41 R^(3 + k)", "9:38 maxwellian", "10:1 begin",
                   "11:17 solution", "12:6 runs", "15:1 init", "17:75 regression", "18:59 solution", "18:96 rollout",
                   "19:48 solution"],
    "06_architectures": ["3:13 fields", "4:6 pairs", "6:13 switch", "6:40 bcr", "6:64 resnet", "6:82 attention",
                         "6:103 conv", "7:55 regression", "8:8 parameters"],
    "07_mean_field": [],
    "08_sgd": [],
    "09_potential_flow": ["4:9 q", "7:10 flow_map", "8:10 pushforward", "10:57 pushforward", "11:57 pushforward"],
    "10_game": ["9:13 max", "10:13 argmax", "11:15 max", "11:40 min", "12:15 max", "12:40 min", "24:60 inner"],
    "11_deep_q": ["4:13 S", "4:31 S", "4:45 S", "7:15 clip", "8:52 max", "9:1 feasible", "11:39 outputs", "12:29 fitted_q",
                  "13:61 linear_programme", "14:13 max"],
    "12_traveltime": ["3:25 fields", "5:17 bumps", "6:1 eik", "7:1 src", "8:19 solution", "10:6 pairs", "11:13 cnn",
                      "11:63 bcr", "12:68 regression"],
    "13_farfield": ["4:18 C", "4:25 fields", "6:13 bumps", "7:1 wave", "8:1 send", "9:17 farfield", "11:6 pairs",
                    "12:13 cnn", "12:29 switch", "13:64 regression"],
    "14_optical": ["3:29 fields", "5:19 bumps", "6:1 transport", "7:1 inflow", "8:49 solution", "10:6 pairs", "11:13 cnn",
                   "11:29 bcr", "12:64 regression"],
    "15_gan": ["4:9 q", "8:40 saddle", "8:63 extragradient", "9:12 mmd"],
    "burgers": ['12:17 "burgers_reference.npz"'],
    "metrics": [],
    "poisson": [],
}  # fmt: skip


@pytest.mark.parametrize("name", TO_COME)
def test_a_draft_names_only_what_is_to_come(name: str) -> None:
    text = (DRAFTS / f"{name}.pde").read_text(encoding="utf-8")
    spec, found = parse(Source(f"{name}.pde", text))
    model, more = check(spec, name=name, folder=DRAFTS)
    places = [f"{d.span.line}:{d.span.column} {d.span.text}" for d in (*found, *more) if d.span]
    assert all(d.code.startswith("PDE96") for d in (*found, *more))
    assert len(places) == len(TO_COME[name]), places
    for place, expected in zip(places, TO_COME[name], strict=True):
        assert place.startswith(expected), place
    assert (model is None) == bool(TO_COME[name])


def test_every_draft_is_here() -> None:
    assert {p.stem for p in DRAFTS.glob("*.pde")} == set(TO_COME)


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.pde")), ids=lambda p: p.stem)
def test_a_shipped_spec_has_a_model_and_no_finding(path: Path) -> None:
    spec, found = parse(Source(path.name, path.read_text(encoding="utf-8")))
    model, more = check(spec, name=path.stem, folder=path.parent)
    assert model is not None, more
    assert (*found, *more) == ()


def test_the_committor_in_two_dimensions_by_plain_monte_carlo() -> None:
    text = (DRAFTS / "02_committor.pde").read_text(encoding="utf-8")
    text = text.replace("β = 5, d = 10", "β = 2, d = 2").replace(", sampler=tempered(ρ; factors=(1, 1/4))", "")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("semi:"))
    model, found = check(parse(Source("committor.pde", text))[0], name="committor")
    assert found == ()
    assert model is not None and [s.label for s in model.solves] == ["ritz", "pinn"]
