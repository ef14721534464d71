"""Sentences: every language has the same ones with the same parts, and writes numbers and times as people there do."""

from datetime import date
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.times import parse_time
from models.saying import sentences_de, sentences_en
from models.saying.said import Said
from models.saying.tongue import WRITERS, Tongue
from models.saying.tongues import TONGUES, say

CATALOGUES = {"en": sentences_en.SENTENCES, "de": sentences_de.SENTENCES}


def parts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_language_has_the_same_sentences():
    assert TONGUES.keys() == CATALOGUES.keys()
    assert sentences_de.SENTENCES.keys() == sentences_en.SENTENCES.keys()


@pytest.mark.parametrize("key", list(sentences_en.SENTENCES))
def test_every_sentence_has_the_same_parts_in_every_language(key):
    assert parts(sentences_de.SENTENCES[key]) == parts(sentences_en.SENTENCES[key])


@pytest.mark.parametrize("tongue", TONGUES.values(), ids=TONGUES)
def test_every_language_writes_everything_that_is_to_be_written(tongue):
    assert tongue.writers.keys() == {*WRITERS, "", "either"}


WRITTEN = [
    ("g", 1234.5, "1234.5", "1234,5"),
    ("exact", 12345.67, "12345.67", "12345,67"),
    ("number", 1234567.0, "1,234,567", "1.234.567"),
    ("number", 0.12345, "0.12", "0,12"),
    ("number", 12.345, "12.3", "12,3"),
    ("count", 12345, "12,345", "12.345"),
    ("percent", 0.4, "40%", "40 %"),
    ("percent", 0.0041, "0.4%", "0,4 %"),
    ("percent", 0.0, "0%", "0 %"),
    ("money", (1234.5, "EUR"), "1,234 EUR", "1.234 EUR"),
    ("money", (9.5, "CHF"), "9.50 CHF", "9,50 CHF"),
    ("money", (-20.0, "EUR"), "-20 EUR", "-20 EUR"),
    ("moment", parse_time("2026-11-03T07:05:00Z"), "2026-11-03 07:05 UTC", "03.11.2026, 07:05 Uhr UTC"),
    ("day", date(2026, 2, 8), "2026-02-08", "08.02.2026"),
    ("one", "service_call", "service call", "Anruf beim Service"),
    ("one", "demo_tour", "demo tour", "demo tour"),
    ("many", "visit to category", "visit to categories", "„visit to category“"),
    ("many", "search", "searches", "Suchen"),
    ("did", "order", "ordered", "Bestellung"),
    ("counted", (1, "download"), "1 download", "1 Download"),
    ("counted", (12345, "order"), "12,345 orders", "12.345 Bestellungen"),
    ("counted", (0, "visit"), "no visits", "keine Besuche"),
    ("counted", (3, "demo_tour"), "3 demo tours", "3-mal „demo tour“"),
    ("n_of", (3, "demo_tour"), "3", "3"),
    ("times", 1, "once", "einmal"),
    ("times", 4.0, "4 times", "4-mal"),
    ("span", 0.4, "less than a day", "weniger als einem Tag"),
    ("span", 1.2, "1 day", "1 Tag"),
    ("span", 13, "13 days", "13 Tagen"),
    ("span", 45, "6 weeks", "6 Wochen"),
    ("span", 200, "7 months", "7 Monaten"),
    ("span", 1000, "3 years", "3 Jahren"),
    ("every", 1.0, "1 day", "jeden Tag"),
    ("every", 9, "9 days", "alle 9 Tage"),
    ("every", 45, "6 weeks", "alle 6 Wochen"),
    ("ago", 0.4, "in the last 24 hours", "in den letzten 24 Stunden"),
    ("ago", 5.5, "5 days ago", "vor 5 Tagen"),
    ("ago", 28, "4 weeks ago", "vor 4 Wochen"),
    ("days_ago", 0, "in the last 24 hours", "in den letzten 24 Stunden"),
    ("days_ago", 1, "1 day ago", "vor 1 Tag"),
    ("days_ago", 75, "75 days ago", "vor 75 Tagen"),
    ("whole_days", 41, "41 days", "41 Tagen"),
    ("last", 5.0, "last ", "zuletzt "),
    ("last", 0.5, "", ""),
    ("lately", None, "so far", "bisher"),
    ("lately", 1, "in the last 24 hours", "in den letzten 24 Stunden"),
    ("lately", 30, "in the last 30 days", "in den letzten 30 Tagen"),
    ("either", ("a", Said("points.any")), "a or at any number of", "a oder bei beliebig vielen"),
    ("", ("a", "b"), "a, b", "a, b"),
]


@pytest.mark.parametrize(("writer", "value", "english", "german"), WRITTEN)
def test_numbers_times_and_names_are_written_as_people_there_do(writer, value, english, german):
    assert [TONGUES[language].writers[writer](value) for language in ("en", "de")] == [english, german]


@given(st.floats(-1e12, 1e12), st.integers(0, 10**9))
def test_whatever_the_number_a_german_never_reads_an_english_one(value, n):
    write = TONGUES["de"].writers
    for text in (write["money"]((value, "EUR")).removesuffix(" EUR"), write["count"](n), write["number"](value)):
        whole, _, cents = text.removeprefix("-").partition(",")
        assert "." not in cents and all(len(part) == 3 for part in whole.split(".")[1:])


def test_a_sentence_in_a_sentence_is_in_the_same_language_and_what_is_told_already_stays():
    inner = Said("points.from", {"from": 1.5})
    said = Said("over.called", {"when": (inner, "x"), "points": 2})
    assert say(said) == "the points table calls for it from 1.5 or x points; the contact has 2"
    assert say(said, "de") == "die Punktetabelle sieht sie ab 1,5 oder x Punkten vor; der Kontakt hat 2"
    assert say("as it is", "de") == "as it is"


def test_a_sentence_that_is_not_there_or_lacks_a_part_is_an_error():
    for said in (Said("no.such"), Said("stage")):
        with pytest.raises(KeyError):
            say(said, "de")
    with pytest.raises(KeyError):
        Tongue({"a": "{n:furlongs}"}, {}, "or")
