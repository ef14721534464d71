"""German: how numbers, times and names are written."""

from __future__ import annotations

from datetime import date

from features.times import to_datetime
from models.saying.feature_means import sentences
from models.saying.features_de import MEANS
from models.saying.sentences_de import SENTENCES
from models.saying.tongue import Tongue
from models.saying.units import WEEKDAYS, in_units

_NOUNS = {
    # Kinds of touchpoints that settings begin with, and channels.
    "bounce": ("Besuch einer einzigen Seite", "Besuche einer einzigen Seite"),
    "call_made": ("Anruf von uns", "Anrufe von uns"),
    "complaint": ("Reklamation", "Reklamationen"),
    "contract_view": ("Blick in den Vertrag", "Blicke in den Vertrag"),
    "coupon": ("eingereichter Gutschein", "eingereichte Gutscheine"),
    "demo_request": ("Anfrage nach einer Vorführung", "Anfragen nach einer Vorführung"),
    "done": ("erledigte Aufgabe", "erledigte Aufgaben"),
    "download": ("Download", "Downloads"),
    "email_sent": ("E-Mail von uns", "E-Mails von uns"),
    "fair_visit": ("Messebesuch", "Messebesuche"),
    "invitation_sent": ("Einladung von uns", "Einladungen von uns"),
    "letter_sent": ("Brief von uns", "Briefe von uns"),
    "newsletter_open": ("geöffneter Newsletter", "geöffnete Newsletter"),
    "newsletter_signup": ("Anmeldung zum Newsletter", "Anmeldungen zum Newsletter"),
    "order": ("Bestellung", "Bestellungen"),
    "page_view": ("Seitenaufruf", "Seitenaufrufe"),
    "price_list": ("Abruf der Preisliste", "Abrufe der Preisliste"),
    "purchase": ("Kauf", "Käufe"),
    "quote_request": ("Angebotsanfrage", "Angebotsanfragen"),
    "redemption": ("eingelöster Gutschein", "eingelöste Gutscheine"),
    "rejected": ("Ablehnung", "Ablehnungen"),
    "return": ("Rücksendung", "Rücksendungen"),
    "search": ("Suche", "Suchen"),
    "service_call": ("Anruf beim Service", "Anrufe beim Service"),
    "service_search": ("Suche auf den Serviceseiten", "Suchen auf den Serviceseiten"),
    "support_ticket": ("Support-Anfrage", "Support-Anfragen"),
    "visit": ("Besuch", "Besuche"),
    "visit_made": ("Besuch von uns", "Besuche von uns"),
    "email": ("E-Mail", "E-Mails"),
    "letter": ("Brief", "Briefe"),
    "phone": ("Telefon", "Telefone"),
    "web": ("Web", "Web"),
    # What sentences count.
    "touchpoint": ("Kontaktpunkt", "Kontaktpunkte"),
    "other touchpoint": ("anderer Kontaktpunkt", "andere Kontaktpunkte"),
    "(other)": ("andere", "andere"),
    "other channels": ("anderen Kanälen", "anderen Kanälen"),
    "other topics": ("anderen Themen", "anderen Themen"),
    "approach": ("Ansprache", "Ansprachen"),
    "channel": ("Kanal", "Kanäle"),
    "colleague": ("Kollege oder Kollegin", "Kolleginnen und Kollegen"),
    "contact": ("Kontakt", "Kontakte"),
    "day": ("Tag", "Tage"),
    "week": ("Woche", "Wochen"),
    "month": ("Monat", "Monate"),
    "year": ("Jahr", "Jahre"),
    "different kind": ("Art", "Arten"),
    "earlier action": ("frühere Aktion", "frühere Aktionen"),
    "minute": ("Minute", "Minuten"),
    "second": ("Sekunde", "Sekunden"),
    "role": ("Rolle", "Rollen"),
    "topic": ("Thema", "Themen"),
}
"""Singular and plural; other names are names, and stand in quotes where they are counted."""

_AFTER_PREPOSITIONS = {"Tage": "Tagen", "Monate": "Monaten", "Jahre": "Jahren"}
_EVERY_ONE = {"day": "jeden Tag", "week": "jede Woche", "month": "jeden Monat", "year": "jedes Jahr"}
_WEEKDAYS = dict(zip(WEEKDAYS, ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"), strict=True))
_TURNED = str.maketrans(",.", ".,")


def _one(name: str) -> str:
    return _NOUNS[name][0] if name in _NOUNS else name.replace("_", " ")


def _many(name: str) -> str:
    return _NOUNS[name][1] if name in _NOUNS else f"„{name.replace('_', ' ')}“"


def _counted(value: tuple[float, str]) -> str:
    n, name = value
    said = _count(n)
    if name not in _NOUNS:
        return f"{said}-mal {_many(name)}" if n else f"kein einziges {_many(name)}"
    return f"{said} {_NOUNS[name][round(n) != 1]}" if n else f"keine {_many(name)}"


def _span(days: float) -> str:
    """Write it as it stands after "seit" and "vor"."""
    found = in_units(days)
    if found is None:
        return "weniger als einem Tag"
    n, unit = found
    word = _NOUNS[unit][n != 1]
    return f"{n} {_AFTER_PREPOSITIONS.get(word, word)}"


def _every(days: float) -> str:
    found = in_units(days)
    if found is None:
        return "mehrmals am Tag"
    n, unit = found
    return _EVERY_ONE[unit] if n == 1 else f"alle {n} {_NOUNS[unit][1]}"


def _ago(days: float) -> str:
    return "in den letzten 24 Stunden" if days < 1.0 else f"vor {_span(days)}"


def _days_ago(days: int) -> str:
    return f"vor {_whole_days(days)}" if days else "in den letzten 24 Stunden"


def _whole_days(days: int) -> str:
    """Write them as they stand after "vor" and "in"."""
    return "1 Tag" if days == 1 else f"{_count(days)} Tagen"


def _lately(days: int | None) -> str:
    return "bisher" if days is None else "in den letzten 24 Stunden" if days == 1 else f"in den letzten {days} Tagen"


def _count(n: float) -> str:
    return f"{n:,.0f}".translate(_TURNED)


def _money(value: tuple[float, str]) -> str:
    amount, currency = value
    digits = 0 if abs(amount) >= 10.0 or amount == 0.0 else 2
    return f"{amount:,.{digits}f}".translate(_TURNED) + f" {currency}"


def _percent(share: float) -> str:
    return f"{100 * share:.{int(0.0 < abs(share) < 0.095)}f}".translate(_TURNED) + " %"


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return _count(value)
    return (f"{value:.3g}" if abs(value) >= 1 else f"{value:.2g}").translate(_TURNED)


def _moment(us: int) -> str:
    return f"{to_datetime(us):%d.%m.%Y, %H:%M} Uhr UTC"


def _day(day: date) -> str:
    return f"{day:%d.%m.}{day.year}"


GERMAN = Tongue(
    SENTENCES | sentences(MEANS),
    {
        "g": lambda value: f"{value:g}".replace(".", ","),
        "exact": lambda value: f"{value:.10g}".replace(".", ","),
        "number": _number,
        "count": _count,
        "percent": _percent,
        "money": _money,
        "moment": _moment,
        "date": lambda us: _day(to_datetime(us).date()),
        "day": _day,
        "weekday": lambda day: f"{_WEEKDAYS[WEEKDAYS[day.weekday()]]} {_day(day)}",
        "weekdays": lambda names: ", ".join(_WEEKDAYS.get(name, name) for name in names),
        "one": _one,
        "many": _many,
        "did": _one,
        "counted": _counted,
        "n_of": lambda value: _count(value[0]),
        "times": lambda n: "einmal" if n == 1 else f"{_count(n)}-mal",
        "span": _span,
        "every": _every,
        "ago": _ago,
        "days_ago": _days_ago,
        "whole_days": _whole_days,
        "last": lambda days: "zuletzt " if days >= 1.0 else "",
        "lately": _lately,
    },
    "oder",
)
