"""Claims about what the report says of effects, and the pictures of it."""

import json

import pytest

from tests.models.effect_worlds import decided
from training.effect_fit import MEANS, effect_report
from training.plots.effects import effect_plots

PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def world():
    return decided(0, 6000, average=(0.1, 0.0), differs=0.12)


def test_the_report_says_how_well_effects_order_contacts_and_keep_their_word(world):
    report = effect_report(world.fit())
    assert report == json.loads(json.dumps(report, allow_nan=False))
    call, mail = report["actions"]["call"], report["actions"]["mail"]
    assert call["qini"] > 0.05 > abs(mail["qini"])
    assert call["interval"][0] > 0 and mail["interval"][0] < 0 < mail["interval"][1]
    measured = [group["measured"] for group in call["groups"]]
    assert measured[-1] - measured[0] > 0.1
    assert call["calibration_error"] <= 0.05
    assert call["means"] == MEANS["randomised"] and not report["warnings"]


def test_estimated_chances_are_a_warning_that_says_what_it_means(world):
    report = effect_report(world.fit(known=False))
    assert any(MEANS["observational"] in warning for warning in report["warnings"])


def test_there_is_a_picture_of_each_goal_and_the_same_bytes_again(world):
    effects = world.fit()
    report = {"conversion": effect_report(effects)}
    drawn = effect_plots({"conversion": effects}, report)
    assert set(drawn) == {"conversion-qini.png", "conversion-effects.png"}
    assert all(content.startswith(PNG) for content in drawn.values())
    assert drawn == effect_plots({"conversion": effects}, report)
