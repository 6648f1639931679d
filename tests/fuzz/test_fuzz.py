"""Two thousand specs of the campaign in every run of the tests; `make fuzz` runs all and keeps summary.json."""

from __future__ import annotations

from tests.fuzz.campaign import BOUND, batch


def test_two_thousand_specs_give_findings_and_no_exception() -> None:
    result = batch(0, 2000, seed=20)
    assert result.count == 2000
    assert not result.failures
    assert result.slowest <= BOUND
    assert min(result.stages[stage] for stage in ("parse", "check", "derive", "built")) >= 20, result.stages
    assert len(result.codes) >= 60
