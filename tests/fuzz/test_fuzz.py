"""Two thousand specs of the campaign in every run of the tests, and what the whole campaign gave."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fuzz.campaign import BOUND, batch

SUMMARY = Path(__file__).with_name("summary.json")


def test_two_thousand_specs_give_findings_and_no_exception() -> None:
    result = batch(0, 2000, seed=20)
    assert result.count == 2000
    assert not result.failures
    assert result.slowest <= BOUND
    assert min(result.stages[stage] for stage in ("parse", "check", "derive", "built")) >= 20, result.stages
    assert len(result.codes) >= 60


def test_the_whole_campaign_gave_none_either() -> None:
    told = json.loads(SUMMARY.read_text(encoding="utf-8"))
    assert told["specs"] == 100_000 == sum(told["reached"].values())
    assert told["failures"] == []
    assert told["slowest"]["seconds"] <= BOUND
