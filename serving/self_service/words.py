"""What the page says, in English and in German."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "de")

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Your data and your wishes",
        "intro": "What we know about you, why we approach you, and what you want.",
        "saved": "Your wish is noted and holds from now on.",
        "restricted": "The use of your data is restricted at the moment: they are kept, and nothing else.",
        "channels": "How we may approach you",
        "allowed": "we may",
        "not_allowed": "we may not",
        "no": "No more",
        "yes": "I agree",
        "pending": "waits for its confirmation",
        "everything": "Everything",
        "all_no": "Unsubscribe from everything",
        "profiling": "Suggestions made from my past",
        "rhythm": "How often",
        "rhythm_intro": "At most, on all channels together:",
        "often_any": "As it is useful",
        "often_week": "Once a week",
        "often_month": "Once a month",
        "often_quarter": "Once in three months",
        "save": "Save",
        "topics": "Topics",
        "topics_intro": "What we think interests you, from what you looked at.",
        "never": "Not this topic",
        "again": "This topic again",
        "left_out": "left out as you wished",
        "known": "What we know about you",
        "since": "since",
        "always": "from the beginning",
        "identities": "Keys under which our systems know you",
        "done": "What happened lately",
        "why": "What we decided last, and why",
        "nothing": "Nothing.",
        "about": "about",
        "true": "yes",
        "none": "nothing",
        "false": "no",
        "channel_email": "E-mail",
        "channel_letter": "Letter",
        "channel_phone": "Phone",
        "channel_shop": "Shop",
        "channel_sms": "Text message",
        "channel_web": "Website",
        "trait_account": "Company",
        "trait_country": "Country",
        "trait_email": "E-mail address",
        "trait_language": "Language",
        "trait_name": "Name",
        "trait_person_type": "Customer",
        "trait_phone": "Phone number",
        "trait_timezone": "Time zone",
        "value_person_type_business": "business",
        "value_person_type_consumer": "private",
        "gone": "This link is not valid, or is over. Ask for a new one.",
    },
    "de": {
        "title": "Ihre Daten und Ihre Wünsche",
        "intro": "Was wir über Sie wissen, warum wir Sie ansprechen, und was Sie wünschen.",
        "saved": "Ihr Wunsch ist vermerkt und gilt ab sofort.",
        "restricted": "Die Verwendung Ihrer Daten ist zurzeit eingeschränkt: Sie werden nur aufbewahrt.",
        "channels": "Wie wir Sie ansprechen dürfen",
        "allowed": "wir dürfen",
        "not_allowed": "wir dürfen nicht",
        "no": "Nicht mehr",
        "yes": "Ich bin einverstanden",
        "pending": "wartet auf die Bestätigung",
        "everything": "Alles",
        "all_no": "Von allem abmelden",
        "profiling": "Vorschläge aus meiner Vergangenheit",
        "rhythm": "Wie oft",
        "rhythm_intro": "Höchstens, auf allen Wegen zusammen:",
        "often_any": "Wie es nützlich ist",
        "often_week": "Einmal in der Woche",
        "often_month": "Einmal im Monat",
        "often_quarter": "Einmal im Vierteljahr",
        "save": "Speichern",
        "topics": "Themen",
        "topics_intro": "Was Sie nach unserer Meinung interessiert, nach dem, was Sie sich angesehen haben.",
        "never": "Dieses Thema nicht",
        "again": "Dieses Thema wieder",
        "left_out": "wie gewünscht weggelassen",
        "known": "Was wir über Sie wissen",
        "since": "seit",
        "always": "von Anfang an",
        "identities": "Schlüssel, unter denen unsere Systeme Sie kennen",
        "done": "Was zuletzt geschah",
        "why": "Was wir zuletzt entschieden haben, und warum",
        "nothing": "Nichts.",
        "about": "zu",
        "true": "ja",
        "none": "nichts",
        "false": "nein",
        "channel_email": "E-Mail",
        "channel_letter": "Brief",
        "channel_phone": "Telefon",
        "channel_shop": "Laden",
        "channel_sms": "SMS",
        "channel_web": "Website",
        "trait_account": "Firma",
        "trait_country": "Land",
        "trait_email": "E-Mail-Adresse",
        "trait_language": "Sprache",
        "trait_name": "Name",
        "trait_person_type": "Kunde",
        "trait_phone": "Telefonnummer",
        "trait_timezone": "Zeitzone",
        "value_person_type_business": "geschäftlich",
        "value_person_type_consumer": "privat",
        "gone": "Dieser Link gilt nicht oder nicht mehr. Bitte fordern Sie einen neuen an.",
    },
}


def language_of(accepted: str, usual: str) -> str:
    """Return the language that a browser likes best of those there are.

    Parameters
    ----------
    accepted
        The header Accept-Language.
    usual
        Where it asks for none of ours.

    Examples
    --------
    >>> language_of("de-CH,de;q=0.9,en;q=0.8", "en"), language_of("fr, de;q=0.2, en;q=0.5", "de"), language_of("", "de")
    ('de', 'en', 'de')
    """
    found: dict[str, float] = {}
    for part in accepted[:200].split(","):
        name, _, quality = part.partition(";")
        tongue = name.strip().partition("-")[0].lower()
        if tongue in LANGUAGES:
            found.setdefault(tongue, _weight(quality))
    best = max(found, key=lambda each: found[each], default=usual)
    return best if found.get(best, 1.0) > 0 else usual


def _weight(quality: str) -> float:
    name, _, value = quality.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0
