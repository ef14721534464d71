"""Where visitors were seen: network, place and device of touchpoints, as far as their properties tell."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any, NamedTuple

import orjson

NETWORK = ("network", "ip")
PLACE = ("place", "city")
DEVICE = ("device", "device_model", "user_agent")
"""Names of the properties that are looked at; the first that a touchpoint has counts."""

_PROPERTIES, _DIRECTION = 13, 5
_VERSION = re.compile(r"(?<=[/ ])v?\d+(?:[._]\d+)+")


class Spot(NamedTuple):
    """One device at one network and place, as a touchpoint tells of them."""

    network: str
    place: str
    device: str


@dataclass(frozen=True)
class Sightings:
    """Sightings in the order of their arrival, as codes of ``identities`` and ``spots``; ``at`` in microseconds."""

    identities: list[str] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    identity: array[int] = field(default_factory=lambda: array("q"))
    spot: array[int] = field(default_factory=lambda: array("q"))
    at: array[int] = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def of(cls, rows: Iterable[tuple[Any, ...]]) -> Sightings:
        """Read touchpoints as the store gives them; those that lack one of the three say nothing.

        Parameters
        ----------
        rows
            In any order, each once; what is not to be known yet is left out by whoever reads them.
        """
        found = cls()
        identities: dict[str, int] = {}
        spots: dict[tuple[object, object, object], int] = {}
        for identity, at, told in _told(rows):
            code = spots.get(told)
            if code is None:
                spot = Spot(_network(str(told[0])), _plain(str(told[1])), _device(str(told[2])))
                code = spots[told] = spots.setdefault(spot, len(found.spots))
                if code == len(found.spots):
                    found.spots.append(spot)
            if identity not in identities:
                identities[identity] = len(identities)
                found.identities.append(identity)
            found.identity.append(identities[identity])
            found.spot.append(code)
            found.at.append(at)
        return found


def _told(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, int, tuple[object, object, object]]]:
    for row in rows:
        text = row[_PROPERTIES]
        # Most touchpoints of most stores tell nothing of a device; parsing is what costs.
        if text is None or row[_DIRECTION] == "outbound" or ("device" not in text and "user_agent" not in text):
            continue
        properties = orjson.loads(text)
        if isinstance(properties, dict):
            network, place, device = (_first(properties, names) for names in (NETWORK, PLACE, DEVICE))
            if network is not None and place is not None and device is not None:
                yield row[0], row[1], (network, place, device)


def _first(properties: Mapping[str, object], names: tuple[str, ...]) -> str | int | float | None:
    for name in names:
        value = properties.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return value
    return None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _network(text: str) -> str:
    """Return a network's name: of an IPv6 address the half that names the network, as the other half changes.

    Examples
    --------
    >>> _network("2001:db8:1:2:3:4:5:6"), _network("192.0.2.7")
    ('2001:db8:1:2::/64', '192.0.2.7')
    """
    if text.count(":") > 1:
        try:
            number = int(IPv6Address(text.strip())) >> 64 << 64
        except ValueError:
            return _plain(text)
        return f"{IPv6Address(number)}/64"
    return _plain(text)


def _device(text: str) -> str:
    """Return a device's name without the versions of its software, which rise while it stays the same.

    Examples
    --------
    >>> _device("Pixel 8 Chrome/119.0.1") == _device("pixel 8  Chrome/120.0")
    True
    """
    return _plain(_VERSION.sub("", text))
