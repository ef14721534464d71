"""Public holidays of a country or a part of it: the package ``holidays``, loaded only where a calendar asks."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=512)
def holidays_in(place: str, year: int) -> frozenset[int]:
    """Return the public holidays of a year, each as the ordinal of its day.

    Parameters
    ----------
    place
        A country or a part of one, as ``known_place`` lets it pass.

    Examples
    --------
    >>> from datetime import date
    >>> date(2026, 8, 1).toordinal() in holidays_in("CH-ZH", 2026)
    True
    """
    import holidays

    country, _, part = place.partition("-")
    return frozenset(day.toordinal() for day in holidays.country_holidays(country, subdiv=part or None, years=year))


def known_place(place: str) -> str:
    """Return a place whose holidays are known.

    Raises
    ------
    ValueError
        A sentence that says what would be allowed.
    """
    import holidays
    from holidays.registry import EntityLoader

    country, _, part = place.partition("-")
    if country not in EntityLoader.get_country_codes():
        raise ValueError(f'{country!r} is not a country with known holidays; write a code of ISO 3166 such as "CH"')
    parts = getattr(holidays, country).subdivisions
    if part and part not in parts:
        allowed = f"write {', '.join(parts)}" if parts else f'it has none with holidays of its own; write "{country}"'
        raise ValueError(f"{part!r} is not a part of {country}; {allowed}")
    return place
