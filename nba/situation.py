"""One contact at one moment, asked about in one placement: what the gates look at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from features.frozen import Frozen
from models.saying.said import Said
from nba.actions import Catalogue
from nba.approach_rule import OUTBOUND, Approach
from nba.calendar import closes_at, local_day, opens_at, why_closed
from nba.consent import Ledger
from nba.occurrence import Calls
from nba.once import once
from nba.open_cases import OpenCase, open_cases
from nba.partners.leads import Turn, turn
from nba.partners.partners import Agreement, agreement
from nba.past import YEAR, Past
from nba.possession import Possessions, achieved
from nba.quiet import is_quiet
from nba.request import Request
from nba.segments import segments_of
from nba.settings.contact_policy import Cap, Pause
from nba.stops import Stops
from nba.wishes import Wish, wishes

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow


@dataclass(frozen=True, slots=True)
class Full:
    """A cap without room: how many approaches it counts, and from when on there is room again."""

    cap: Cap
    count: int
    until: int | None


# Not frozen: made for every request, and field by field that takes longer than most of what it is asked for.
@dataclass(eq=False)
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
    model_version: str | None = None
    """Of the model that told the stage; None where none answered."""
    goes_out: bool = field(init=False, repr=False)
    """Whether we would approach the contact, instead of answering where it comes by itself."""
    calls: dict[str, Calls] = field(default_factory=dict, init=False, repr=False)
    """What calls for each action with an occasion, as far as it was asked for by ``nba.occasions.occasions``."""
    rests: dict[tuple[str, str], tuple[Said, int | None]] = field(default_factory=dict, init=False, repr=False)
    """Why a channel rests by a rule and until when, as far as it was asked for by ``nba.gates.timing``."""
    _openings: dict[tuple[str, int], int | None] = field(default_factory=dict, init=False, repr=False)
    _closings: dict[tuple[str, int, int], int | None] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.goes_out = self.request.placement == OUTBOUND

    @once
    def agreement(self) -> Agreement | None:
        """The partner whose contact it is, by its terms; None: it is the owner's."""
        if not self.past.traits.get("partner"):
            return None
        partners = self.past.around.tables().partners
        return agreement(self.past.traits, partners, self.catalogue.settings.partners, self.as_of)

    @once
    def turn(self) -> Turn:
        """Since when the owner may act for a contact whose partner acts first."""
        found = self.agreement
        return Turn(None) if found is None else turn(self.past, found.name, found.veto_us, self.catalogue.by_partners)

    @property
    def language(self) -> str:
        """The language of what is told."""
        return self.request.language or self.catalogue.settings.serving.language

    @once
    def zone(self) -> ZoneInfo:
        """The contact's own time zone, else that of the settings."""
        usual = self.catalogue.settings.contact_policy.timezone
        named = self.past.traits.get("timezone")
        try:
            return ZoneInfo(named if isinstance(named, str) and named else usual)
        except (KeyError, ValueError, OSError):
            return ZoneInfo(usual)

    @once
    def withheld(self) -> Mapping[str, Said | None]:
        """Per channel why consent does not allow it; None where it does."""
        asked = self.catalogue.settings.contact_policy.consent
        channels = self.catalogue.channels
        return {name: self.ledger.refusal(asked, name, self.person_type) for name in channels}

    @once
    def quiet(self) -> Sequence[str]:
        """The channels that are quiet."""
        quiet = self.catalogue.settings.contact_policy.quiet
        if quiet is None or not self.goes_out:
            return ()
        channels = quiet.channels or self.catalogue.channels
        # The hours are the same for all of them.
        return channels if channels and is_quiet(quiet, channels[0], self.as_of, self.zone) else ()

    @once
    def closed(self) -> Said | None:
        """Why nothing goes out on this day; None where it may."""
        calendar = self.catalogue.settings.contact_policy.calendar
        if calendar is None or not self.goes_out:
            return None
        return why_closed(calendar, local_day(self.as_of, self.zone))

    def opens_at(self, channel: str, moment: int | None = None) -> int | None:
        """Return the first moment from now or from ``moment`` on at which a channel is neither quiet nor closed."""
        moment = self.as_of if moment is None else moment
        if not self.goes_out:
            return moment
        asked = channel, moment
        if asked not in self._openings:
            self._openings[asked] = opens_at(self.catalogue.settings.contact_policy, channel, moment, self.zone)
        return self._openings[asked]

    def closes_at(self, channel: str, before: int | None, after: int | None = None) -> int | None:
        """Return the first moment after now (or ``after``) from which a channel is quiet or closed, if ``before``."""
        policy = self.catalogue.settings.contact_policy
        if not self.goes_out or (policy.quiet is None and policy.calendar is None):
            return None
        after = self.as_of if after is None else after
        asked = channel, after + YEAR if before is None else before, after
        if asked not in self._closings:
            self._closings[asked] = closes_at(policy, channel, after, self.zone, asked[1])
        return self._closings[asked]

    @once
    def wishes(self) -> Sequence[Wish]:
        """What the contact itself wishes."""
        return wishes(self.past, self.catalogue.channels)

    @once
    def open_cases(self) -> Sequence[OpenCase]:
        """What holds everything else back."""
        return open_cases(self.past, self.catalogue.settings.contact_policy.holds)

    @once
    def possessions(self) -> Possessions:
        """What the contact has."""
        return Possessions(self.past, self.catalogue.settings.touchpoints)

    @once
    def achieved(self) -> Mapping[str, int]:
        """When actions were done already, of those that nothing new has called for since."""
        # As a sticky choice, what was done exactly that long ago counts no more.
        return achieved(self.past, self.as_of - self.catalogue.settings.ranking.sticky_us + 1)

    @once
    def stops(self) -> Stops:
        """Actions that were snoozed and channels that were found wrong."""
        return Stops.of(self.past, self.catalogue.channel_of, self.as_of, self.zone)

    @once
    def pauses(self) -> Sequence[Pause]:
        """The pauses that may have begun: what sets them off came often enough."""
        pauses, rows = self.catalogue.settings.contact_policy.pauses, self.past.rows
        return [each for each in pauses if len(rows.get(each.outcome, ())) >= each.count]

    @once
    def full(self) -> Sequence[Full]:
        """The caps that leave no room."""
        found: list[Full] = []
        has_account = bool(self.past.traits.get("account"))
        for cap in self.catalogue.settings.contact_policy.caps if self.goes_out else ():
            if (has_account or not cap.account) and self._may_fill(cap):
                full = _filled(cap, self.account_approaches if cap.account else self.approaches, self.as_of)
                found += [] if full is None else [full]
        return found

    def _may_fill(self, cap: Cap) -> bool:
        """Whether there may be as many approaches as a cap allows, by the number of all that may be one."""
        sent = len(self._sent) - bisect_left(self._sent, self.as_of - cap.per_us) + len(self.past.decisions)
        return sent + (len(self._to_others) if cap.account else 0) >= cap.count

    @once
    def _sent(self) -> list[int]:
        """Times of everything outbound, rising."""
        t = self.past.touchpoints
        found: list[int] = t.occurred_at[t.outbound].tolist()
        return found

    @once
    def account_approaches(self) -> Sequence[tuple[Any, ...]]:
        """What went out to anybody of the account, as far back as its caps look, by rising time."""
        return sorted([*self.approaches, *self._to_others], key=itemgetter(0))

    @once
    def _to_others(self) -> Sequence[tuple[int, str | None]]:
        """What went out to the others of the account, as far back as its caps look."""
        longest = max([cap.per_us for cap in self.catalogue.settings.contact_policy.caps if cap.account], default=0)
        return self.past.around.account_approaches(self.as_of - longest)

    @once
    def segments(self) -> tuple[str, ...]:
        """Names of the segments that the contact is in."""
        return segments_of(self)

    @once
    def person_type(self) -> str | None:
        """``business`` or ``consumer``; None where it is not known."""
        found = self.past.traits.get("person_type")
        return found if isinstance(found, str) else None

    @once
    def revenue_year(self) -> float:
        """Revenue less returns in the 365 days before."""
        return self.known.revenue(self.catalogue.settings.touchpoints, self.as_of)

    @once
    def margin_year(self) -> float:
        """Contribution margin of revenue less returns in the 365 days before."""
        return self.known.margin(self.catalogue.settings.touchpoints, self.as_of)

    @once
    def approaches(self) -> tuple[Approach, ...]:
        """Everything outbound that counts, as far back as caps and the contact's wishes look, by rising time."""
        past, caps = self.past, self.catalogue.settings.contact_policy.caps
        longest = max((*(cap.per_us for cap in caps), *(wish.per_us or 0 for wish in self.wishes)), default=0)
        return self.catalogue.approach_rule.approaches(
            past.touchpoints, past.decisions, self.as_of, since=self.as_of - longest, held=self.held
        )


def _filled(cap: Cap, approaches: Sequence[tuple[Any, ...]], as_of: int) -> Full | None:
    times = [each[0] for each in approaches if cap.channel is None or each[1] == cap.channel]
    inside = times[bisect_left(times, as_of - cap.per_us) :]
    if len(inside) < cap.count:
        return None
    # The window is half-open: what happened exactly `per` ago still counts.
    free = inside[len(inside) - cap.count] + cap.per_us + 1 if cap.count else None
    return Full(cap, len(inside), free)
