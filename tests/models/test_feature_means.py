"""What features mean is told in every language, for every feature of the catalogue."""

import re
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import CATALOGUE, OVERALL, PER_KIND, PER_TOPIC, TRAIT_DATE, Feature
from features.feature_set import REST
from models.saying.feature_means import said_of
from models.saying.features_de import MEANS
from models.saying.said import Said
from models.saying.tongues import TONGUES, say
from tests.german import english_in


def test_german_tells_the_features_of_the_catalogue_and_no_others():
    assert list(dict.fromkeys(each.name for each in CATALOGUE)) == [each.name for each in CATALOGUE]
    assert MEANS.keys() == {each.name for each in CATALOGUE}


@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda each: each.name)
def test_every_language_has_a_sentence_of_its_own_about_the_same(feature):
    told = {language: say(said_of(feature.named("Xy")), language) for language in TONGUES}
    assert told["en"] == feature.named("Xy").means
    assert len(set(told.values())) == len(told)
    for text in told.values():
        assert text.endswith(".") and ("Xy" in text) is ("{}" in feature.name)
    assert not english_in(told["de"])
    digits = [sorted(re.findall(r"\d+", text)) for text in told.values()]
    assert digits[0] == digits[1]
    parts = {name for _, name, _, _ in Formatter().parse(MEANS[feature.name]) if name}
    assert parts == ({"of"} if "{}" in feature.name else set())


@given(st.sampled_from([each for each in CATALOGUE if "{}" in each.name]), st.text())
def test_whatever_a_kind_a_topic_or_a_trait_is_called_its_feature_is_told(feature, name):
    named = feature.named(name)
    assert said_of(named) == Said(f"feature.{feature.name}", {"of": name}) and say(said_of(named)) == named.means


def test_names_are_written_as_people_there_do_and_what_the_catalogue_does_not_know_stays():
    for feature, name, german in (
        (PER_KIND[1], "service_call", "Kontaktpunkte der Art „Anruf beim Service“ in den letzten 7 Tagen."),
        (PER_KIND[0], REST, "Tage seit dem letzten Kontaktpunkt der Art „andere“."),
        (PER_TOPIC[4], "heat_pumps", "Tage seit dem letzten Kontaktpunkt des Kontakts zum Thema „heat pumps“."),
        (TRAIT_DATE, "ends", "Tage von diesem Zeitpunkt bis zum Datum „ends“ (vergangen: negativ)."),
        (OVERALL[0], "", "Tage seit dem ersten Kontaktpunkt."),
    ):
        assert say(said_of(feature.named(name)), "de") == german
    assert say(said_of(Feature("an older one", "count", "ever", "Something else.")), "de") == "Something else."
