"""Claims about what the report says of the stages: the promised keys, sizes that add up, words and a picture."""

import json

import pytest

from tests.training.stage_worlds import features_of, past_of, settings_of
from training.plots.stages import stage_plots
from training.stages.fit import fit_stages
from training.stages.report import stage_lines, stage_report
from training.world.world import world


@pytest.fixture(scope="module")
def told():
    w = world(300, seed=1, days=200)
    settings, past = settings_of(w), past_of(w, w.end)
    features = features_of(past, settings)
    stages = fit_stages(past, settings, features, past.end, 0, clusters=6)
    return past, settings, features, stages, stage_report(stages, past, settings, features)


def test_the_promised_keys_are_there_and_it_is_plain_json(told):
    _, _, _, stages, report = told
    assert report["count"] == len(report["names"]) == 6
    assert report["stability"] == stages.stability
    assert 0.5 < report["agreement_with_rules"] == stages.agreement < 1
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_everybody_is_in_one_stage(told):
    past, _, _, _, report = told
    assert sum(report["sizes"].values()) == len(past.touchpoints.contacts)
    assert sum(p["share"] for p in report["profiles"].values()) == pytest.approx(1.0)
    for name, profile in report["profiles"].items():
        assert profile["contacts"] == report["sizes"][name]
        assert sum(profile["by_rule"].values()) == pytest.approx(1.0)


def test_profiles_tell_what_the_world_does_in_its_stages(told):
    profiles = told[-1]["profiles"]
    for kind, stage in (
        ("contract_view", "renew"),
        ("support_ticket", "use"),
        ("quote_request", "purchase"),
        ("download", "evaluate"),
        ("search", "need"),
    ):
        assert max(profiles, key=lambda name: profiles[name]["kinds"][kind]) == stage
    active = {name: profile["means"]["n_inbound_30d"] for name, profile in profiles.items()}
    assert min(active, key=active.__getitem__) == "unaware"
    assert "service_search" in profiles["use"]["words"] and "% of the contacts" in profiles["use"]["words"]


def test_without_stages_the_report_has_the_same_keys_and_says_so(told):
    past, settings, features, _, report = told
    none = stage_report(None, past, settings, features)
    assert none.keys() == report.keys()
    assert none["count"] == 0 and none["stability"] is None and none["sizes"] == {}
    assert stage_lines(none) == ["stages: too few contacts to learn any; the rules alone tell them"]


def test_a_person_reads_a_line_for_each_stage_also_in_reports_of_before_there_were_profiles(told):
    report = told[-1]
    lines = stage_lines(report)
    assert lines[0].startswith("stages: 6 (stability 0.")
    assert [line.split(":")[0].strip() for line in lines[1:7]] == report["names"]
    assert len(lines) == 14
    old = {key: report[key] for key in ("count", "names", "sizes", "stability", "agreement_with_rules")}
    assert len(stage_lines(old)) == 7


def test_the_picture_is_a_png_the_same_for_the_same_stages_and_none_without(told):
    profiles = told[-1]["profiles"]
    drawn = stage_plots(profiles)
    assert drawn["stages.png"].startswith(b"\x89PNG")
    assert drawn == stage_plots(profiles)
    assert stage_plots({}) == {}
    quiet = {name: {**profile, "kinds": dict.fromkeys(profile["kinds"])} for name, profile in profiles.items()}
    assert stage_plots(quiet)["stages.png"].startswith(b"\x89PNG")
