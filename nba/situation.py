"""One contact at one moment, asked about in one placement: what the gates look at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from features.frozen import Frozen
from features.touchpoints import NONE
from nba.actions import Catalogue
from nba.consent import Ledger
from nba.past import Past
from nba.quiet import is_quiet, quiet_until
from nba.request import Request
from nba.settings.contact_policy import Cap
from nba.stops import Stops

if TYPE_CHECKING:
    from features.row_types import DecisionRow

OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class Full:
    """A cap without room: how many approaches it counts, and from when on there is room again."""

    cap: Cap
    count: int
    until: int | None


@dataclass(frozen=True)
class Situation:
    """Facts about a contact, each worked out when first asked for.

    ``past`` is what consent, caps, pauses and prohibitions look at; ``known`` is what may be used to choose:
    nothing of a contact who objects to profiling. ``rule_stage`` is the stage by rule where it is none that was learnt,
    and then counts as well as ``stage``. ``held`` is an earlier decision that would be given again
    and therefore does not count against itself.
    """

    catalogue: Catalogue
    request: Request
    past: Past
    known: Past
    as_of: int
    ledger: Ledger
    points: float = 0.0
    stage: str | None = None
    rule_stage: str | None = None
    propensities: Mapping[str, float] = field(default_factory=Frozen)
    held: DecisionRow | None = None

    @property
    def goes_out(self) -> bool:
        """Whether we would approach the contact, instead of answering where it comes by itself."""
        return self.request.placement == OUTBOUND

    @cached_property
    def zone(self) -> ZoneInfo:
        """The contact's own time zone, else that of the settings."""
        usual = self.catalogue.settings.contact_policy.timezone
        named = self.past.traits.get("timezone")
        try:
            return ZoneInfo(named if isinstance(named, str) and named else usual)
        except (KeyError, ValueError, OSError):
            return ZoneInfo(usual)

    @cached_property
    def withheld(self) -> Mapping[str, str | None]:
        """Per channel why consent does not allow it; None where it does."""
        asked = self.catalogue.settings.contact_policy.consent
        channels = self.catalogue.channels
        return {name: self.ledger.refusal(asked, name, self.person_type) for name in channels}

    @cached_property
    def quiet(self) -> Mapping[str, int]:
        """Until when each channel is quiet; channels that may be used now are left out."""
        quiet = self.catalogue.settings.contact_policy.quiet
        if quiet is None or not self.goes_out:
            return {}
        return {
            channel: quiet_until(quiet, channel, self.as_of, self.zone)
            for channel in quiet.channels or self.catalogue.channels
            if is_quiet(quiet, channel, self.as_of, self.zone)
        }

    @cached_property
    def stops(self) -> Stops:
        """Actions that were snoozed and channels that were found wrong."""
        return Stops.of(self.past, self.catalogue.channel_of, self.as_of, self.zone)

    @cached_property
    def full(self) -> Sequence[Full]:
        """The caps that leave no room."""
        # Caps over an account need the histories of all its contacts, which are not read here yet.
        caps = self.catalogue.settings.contact_policy.caps if self.goes_out else ()
        found = (_filled(cap, self.approaches, self.as_of) for cap in caps if not cap.account)
        return [each for each in found if each is not None]

    @cached_property
    def person_type(self) -> str | None:
        """``business`` or ``consumer``; None where it is not known."""
        found = self.past.traits.get("person_type")
        return found if isinstance(found, str) else None

    @cached_property
    def revenue_year(self) -> float:
        """Revenue less returns in the 365 days before."""
        return self.known.revenue(self.catalogue.settings.touchpoints, self.as_of)

    @cached_property
    def approaches(self) -> tuple[tuple[int, str | None], ...]:
        """Time and channel of everything outbound that counts in the caps, by rising time.

        Any sender's outbound touchpoints, and our decisions that were carried out as far as we know: at once,
        or where they were deferred when they were activated. One with a touchpoint of its own counts as that.
        """
        found = [*self._sent(), *self._decided()]
        return tuple(sorted(found, key=lambda approach: approach[0]))

    def _sent(self) -> list[tuple[int, str | None]]:
        t, uncounted = self.past.touchpoints, self.catalogue.transactional
        found: list[tuple[int, str | None]] = []
        rows = t.outbound.nonzero()[0]
        columns = (t.occurred_at[rows].tolist(), t.channel[rows].tolist(), t.action[rows].tolist())
        for at, channel, action in zip(*columns, strict=True):
            if action == NONE or t.actions[action] not in uncounted:
                name = t.channels[channel] if channel != NONE else self._channel_of(action)
                found.append((at, name))
        return found

    def _channel_of(self, action: int) -> str | None:
        column = 0 if action == NONE else self.catalogue.column.get(self.past.touchpoints.actions[action], 0)
        return self.catalogue.action(column).channel if column else None

    def _decided(self) -> list[tuple[int, str | None]]:
        t = self.past.touchpoints
        carried_out = {t.decisions[code] for code in t.decision[t.outbound].tolist() if code != NONE}
        found: list[tuple[int, str | None]] = []
        for row in self.past.decisions:
            column = self.catalogue.column.get(row.action, 0)
            at = row.activated_at if row.deferred else row.decided_at
            # Rows without chances were loaded from elsewhere: what they sent is among the touchpoints.
            if row.chances is None or not column or row is self.held or row.decision_id in carried_out:
                continue
            if at is None or at >= self.as_of or (row.placement or OUTBOUND) != OUTBOUND:
                continue
            if row.action not in self.catalogue.transactional:
                found.append((at, self.catalogue.action(column).channel))
        return found


def _filled(cap: Cap, approaches: Sequence[tuple[int, str | None]], as_of: int) -> Full | None:
    times = [time for time, channel in approaches if cap.channel is None or channel == cap.channel]
    inside = times[bisect_left(times, as_of - cap.per_us) :]
    if len(inside) < cap.count:
        return None
    # The window is half-open: what happened exactly `per` ago still counts.
    free = inside[len(inside) - cap.count] + cap.per_us + 1 if cap.count else None
    return Full(cap, len(inside), free)
