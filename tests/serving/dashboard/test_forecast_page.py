"""Forecast: what was foreseen is shown as it was kept, with what came of earlier ones."""

import re

from features.times import DAY, iso
from models.forecast_log import ForecastLog
from models.line_log import add_lines
from tests.serving.conftest import NOW
from tests.serving.dashboard.test_actions_page import entered, read

SMALL = {"expected": 8.25, "interval": [4.5, 12.75]}
GROUP = {"contacts": 7, "conversions": SMALL, "revenue": SMALL}
EVIL = "<script>alert(1)</script>"


def sum_of(expected, low, high):
    interval = [low, high]
    return {
        "expected": expected,
        "interval": interval,
        "with_new_contacts": {"expected": expected, "interval": interval},
    }


def report(as_of, *, earlier=()):
    tried = {"as_of": iso(as_of - 60 * DAY), "contacts": 300}
    tried |= {"conversions": {"expected": 33.5, "interval": [22.25, 44.75], "actual": 47.5, "held": False}}
    tried |= {
        "revenue": {"expected": 3333.0, "interval": [2222.0, 4444.0], "actual": 3030.0, "held": True, "naive": 1.0}
    }
    part = {
        "horizon_us": 30 * DAY, "until": iso(as_of + 30 * DAY), "counts": "won", "contacts": 321,
        "conversions": sum_of(55.5, 44.25, 66.75),
        "revenue": sum_of(5678.0, 4567.0, 6789.0),
        "abc": [{"name": "A", **GROUP, "last_year": 901.0, "naive": 345.0}],
        "by": {"owner": [{"name": name, **GROUP} for name in (EVIL, "tom")]},
        "backtests": {"rows": [tried]}, "notes": ["the records are young"],
    }  # fmt: skip
    told = {"as_of_us": as_of, "model_version": "7", "currency": "EUR", "goals": {"conversion": part}}
    return told | {"earlier": list(earlier)}


def came(as_of):
    row = {"goal": "conversion", "made_at": iso(as_of), "model_version": "6", "horizon_us": 30 * DAY}
    row |= {"as_of": iso(as_of), "until": iso(as_of + 30 * DAY)}
    return row | {"conversions": {"expected": 77.5, "interval": [71.25, 81.75], "actual": 72.5, "held": True}}


def test_forecasts_are_shown_as_they_were_kept(local_with):
    local = entered(local_with, "")
    log = ForecastLog.of(local.settings.folder)
    assert log.add(report(NOW - 9 * DAY), NOW - 9 * DAY)
    assert log.add(report(NOW - DAY, earlier=[came(NOW - 40 * DAY)]), NOW - DAY)
    # One that is of after the moment of the page is not there yet.
    assert log.add(report(NOW + 9 * DAY), NOW + 9 * DAY)

    async def journey(client):
        return [(await read(client, "/forecast", language)).text for language in ("en", "de")]

    english, german = local.run(journey)
    assert english.count("<section") == 1
    assert '<p class="figure">55.5</p>' in english and "between 44.2 and 66.8" in english
    assert '<p class="figure">5,678 EUR</p>' in english and "between 4,567 and 6,789" in english
    assert '<p class="figure">5.678 EUR</p>' in german
    assert "ABC classes would expect 345 EUR" in english
    assert "Counts: 1 of 2 lay in their interval." in english and "Revenue: 1 of 1." in english
    rows = re.findall(
        r'<tr><th scope="row">[^<]*</th><td>[^<]*</td><td>(then|afterwards)[^<]*</td><td class="n">([^<]*)', english
    )
    assert rows == [("then", "77.5"), ("afterwards", "33.5")]
    assert "the records are young" in english and "321 contacts; model version 7" in english
    for page in (english, german):
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_each_horizon_has_its_own_newest(tmp_path):
    log = ForecastLog.of(tmp_path)
    one = report(NOW)
    other = report(NOW - DAY)
    other["goals"]["conversion"] = {**other["goals"]["conversion"], "horizon_us": 90 * DAY}
    log.add(one, NOW)
    log.add(other, NOW)
    assert [(each["horizon_us"], each["as_of_us"]) for each in log.newest(NOW)] == [
        (30 * DAY, NOW), (90 * DAY, NOW - DAY),
    ]  # fmt: skip
    assert [each["as_of_us"] for each in log.newest(NOW - 1)] == [NOW - DAY]


def test_forecasts_of_before_there_was_more_in_them_can_be_read(local_with):
    local = entered(local_with, "")
    old = {"made_at": iso(NOW - DAY), "as_of_us": NOW - DAY, "goal": "conversion", "horizon_us": 30 * DAY}
    old |= {"model_version": "3", "conversions": {"expected": 12.5, "interval": None}}
    add_lines(ForecastLog.of(local.settings.folder).path, [old])

    async def journey(client):
        return await read(client, "/forecast")

    answer = local.run(journey)
    assert answer.status_code == 200 and "12.5" in answer.text and "No interval yet" in answer.text


def test_without_a_forecast_the_commands_are_named(local_with):
    async def journey(client):
        return [(await read(client, "/forecast", language)).text for language in ("en", "de")]

    for page in entered(local_with, "").run(journey):
        assert "<code>nba forecast --by topic,owner,partner</code>" in page and "<code>nba train run</code>" in page
