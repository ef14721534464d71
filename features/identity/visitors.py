"""Visitors and where they were seen so far: habits, spots and the company met there, as a pass over time finds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from features.identity.known_names import is_passing
from features.identity.sightings import Sightings
from features.identity.succession import EARLY_DAYS, Company, Habit
from features.times import DAY

_PRIOR_NAMES = 50
_HOUSEHOLD_NAMES_A_DAY = 0.5


@dataclass(slots=True)
class Visitor:
    """One identity; ``first`` and ``last`` sighting in microseconds.

    ``days_at`` has the days on which each spot was the first of the day or new, ``candidates`` who may have been
    before with the spots shared, ``followers`` (codes) whose candidate this one is.
    """

    name: str
    first: int
    last: int
    may_be_stitched: bool
    days: int = 0
    days_at: dict[int, int] = field(default_factory=dict)
    candidates: dict[int, list[int]] = field(default_factory=dict)
    followers: list[int] = field(default_factory=list)

    def habit(self, spots: Iterable[int]) -> Habit:
        """Return how often it was seen, and what part of that at some spots."""
        shared = sum(self.days_at[spot] for spot in spots)
        return Habit(self.days, (self.last - self.first) / DAY, min(1.0, shared / self.days))


@dataclass(slots=True)
class Spot:
    """A network, place and device. ``others`` came while somebody else's visits went on: who, and whether early."""

    first: int
    members: list[int] = field(default_factory=list)
    others: dict[int, bool] = field(default_factory=dict)
    is_crowded: bool = False


@dataclass(slots=True)
class _Network:
    first: int
    names: int = 0
    devices: set[str] = field(default_factory=set)
    late_devices: int = 0


class Visitors:
    """Grows with every sighting, in the order of time.

    Parameters
    ----------
    limit
        A spot where more were seen is crowded.
    window_us
        How long after a visitor's last sighting another may take over.
    """

    def __init__(self, sightings: Sightings, limit: int, window_us: int) -> None:
        self.spots: dict[int, Spot] = {}
        self._of: dict[int, Visitor] = {}
        self._names = sightings.identities
        self._places = sightings.spots
        self._limit = limit
        self._window = window_us
        self._networks: dict[tuple[str, str], _Network] = {}
        self._device_names: dict[str, int] = {}

    def __getitem__(self, code: int) -> Visitor:
        return self._of[code]

    def get(self, code: int | None) -> Visitor | None:
        """Return a visitor, if seen before."""
        return None if code is None else self._of.get(code)

    def see(self, code: int, number: int, at: int) -> bool:
        """Note a sighting; return whether it tells something new: another day, or another spot."""
        visitor = self._of.get(code)
        if visitor is None:
            name, device = self._names[code], self._places[number].device
            visitor = self._of[code] = Visitor(name, at, at, is_passing(name))
            self._device_names[device] = self._device_names.get(device, 0) + 1
        is_new_day = visitor.days == 0 or visitor.last // DAY != at // DAY
        visitor.days += is_new_day
        visitor.last = at
        if number not in visitor.days_at:
            visitor.days_at[number] = 1
            self._enter(code, visitor, number, at)
            return True
        visitor.days_at[number] += is_new_day
        self._see_again(code, self.spots[number])
        return is_new_day

    def company(self, number: int, newer: Visitor, is_explained: Iterable[int]) -> Company:
        """Return who else turns up at a spot, but for those who took over from somebody themselves."""
        spot, place = self.spots[number], self._places[number]
        network = self._networks[place[:2]]
        days = max((newer.first - network.first) / DAY, EARLY_DAYS)
        explained = set(is_explained)
        left = [is_early for code, is_early in spot.others.items() if code not in explained]
        return Company(
            age=max(0.0, (newer.first - spot.first) / DAY),
            early=sum(left),
            late=len(left) - sum(left),
            crowd=max(network.late_devices, network.names - _HOUSEHOLD_NAMES_A_DAY * days) / days,
            common=(self._device_names.get(place.device, 0) + 1) / (len(self._of) + _PRIOR_NAMES),
        )

    def _enter(self, code: int, visitor: Visitor, number: int, at: int) -> None:
        """Note a visitor's first time at a spot, and who may have been there in its stead before."""
        network = self._networks.setdefault(self._places[number][:2], _Network(at))
        network.names += 1
        device = self._places[number].device
        if device not in network.devices:
            network.devices.add(device)
            network.late_devices += at - network.first >= EARLY_DAYS * DAY
        spot = self.spots.setdefault(number, Spot(at))
        if spot.is_crowded:
            return
        if visitor.may_be_stitched:
            self._note_candidates(code, visitor, number, spot)
        spot.members.append(code)
        if len(spot.members) > self._limit:
            spot.is_crowded = True
            spot.members.clear()

    def _note_candidates(self, code: int, visitor: Visitor, number: int, spot: Spot) -> None:
        for other in spot.members:
            before = self._of[other]
            if before.may_be_stitched and 0 < visitor.first - before.last <= self._window:
                spots = visitor.candidates.setdefault(other, [])
                if not spots:
                    before.followers.append(code)
                spots.append(number)

    def _see_again(self, code: int, spot: Spot) -> None:
        """Note that whoever came since a member did is somebody else."""
        for other in reversed(spot.members):
            if other == code:
                break
            if other not in spot.others:
                spot.others[other] = self._of[other].first - spot.first < EARLY_DAYS * DAY
