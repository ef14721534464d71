"""The report as text says nothing that is not so."""

import pytest

from training.report import readable


@pytest.mark.parametrize(("promote", "said"), [(True, "constant:mens serves - "), (False, "would serve once promoted")])
def test_a_policy_serves_only_with_a_version_that_was_promoted(promote: bool, said: str) -> None:
    report = {
        "data": {"touchpoints": 1, "contacts": 1, "from": "2026-01-01", "to": "2026-02-01", "quarantined": 0},
        "goals": {},
        "stages": {"count": 0, "names": [], "sizes": {}, "stability": None, "agreement_with_rules": None},
        "policies": {"serves": "constant:mens", "why": "always mens is served", "evidence": "randomised"},
        "verdict": {"promote": promote, "reasons": ["a reason"]},
    }
    assert said in readable(report)
