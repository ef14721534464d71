"""How often, when and to whom; ``[contact_policy]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nba.public_holidays import known_place
from nba.settings import values
from nba.settings.actions import Action
from nba.settings.consent import Consent, read_consent
from nba.settings.table import Table

OUTCOMES = (
    "shown", "delivered", "opened", "clicked", "done", "accepted", "converted", "rejected", "snoozed",
    "not_reached", "wrong_person", "wrong_number", "not_responsible", "no_need", "unsubscribed",
)  # fmt: skip
"""What may come of a decision."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOLIDAYS = re.compile(r"[A-Z]{2}(-\w[\w ]*)?")


@dataclass(frozen=True)
class Cap:
    """At most ``count`` outbound touchpoints in any ``per_us`` before ``as_of``."""

    count: int
    per_us: int
    per: str
    """The duration as the file spells it."""
    channel: str | None = None
    """None: all channels together."""
    account: bool = False
    """Whether all contacts of one account are counted together."""

    @property
    def rule(self) -> str:
        """Name of the rule in answers, such as ``cap:email/7d``."""
        whose = ":account" if self.account else ""
        return f"cap{whose}:{self.channel or 'all'}/{self.per}"


@dataclass(frozen=True)
class QuietHours:
    """Hours of the contact's own day, ``[from_us, to_us)`` since midnight, or over it."""

    from_us: int
    to_us: int
    channels: tuple[str, ...] = ()
    """Empty: all."""

    def holds(self, channel: str, since_midnight_us: int) -> bool:
        """Whether a channel is quiet at a local time of day."""
        if self.channels and channel not in self.channels:
            return False
        if self.from_us <= self.to_us:
            return self.from_us <= since_midnight_us < self.to_us
        return since_midnight_us >= self.from_us or since_midnight_us < self.to_us


@dataclass(frozen=True)
class Calendar:
    """Days on which outbound may go at all."""

    holidays: str | None = None
    days: tuple[str, ...] = WEEKDAYS
    freeze: tuple[tuple[int, int], ...] = ()
    """Stretches without outbound: half-open microseconds of UTC days, standing for the contact's own."""


@dataclass(frozen=True)
class Pause:
    """After ``count`` such outcomes within a time, nothing for ``pause_us``."""

    outcome: str
    pause_us: int
    count: int = 1
    within_us: int | None = None
    """None: however long ago."""
    scope: str = "action"


@dataclass(frozen=True)
class Hold:
    """Nothing else from the touchpoint ``open`` on, until ``until``; for ever where that is None."""

    open: str
    until: str | None = None
    except_: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContactPolicy:
    """What is allowed; the default allows everything that nobody has opted out of."""

    caps: tuple[Cap, ...] = ()
    quiet: QuietHours | None = None
    calendar: Calendar | None = None
    timezone: str = "Europe/Zurich"
    """Of contacts without their own."""
    pauses: tuple[Pause, ...] = ()
    holds: tuple[Hold, ...] = ()
    consent: Consent = field(default_factory=Consent)


def read_contact_policy(table: Table, actions: Mapping[str, Action]) -> ContactPolicy:
    """Read ``[contact_policy]``; channels and exceptions must be those of actions."""
    channels = tuple(dict.fromkeys(action.channel for action in actions.values() if action.channel))
    # A file without actions (scores only) may name channels that its touchpoints will have.
    channel = values.among("action's channel", channels) if channels else values.text
    policy = ContactPolicy(
        caps=tuple(cap for row in table.rows("caps") if (cap := _read_cap(row, channel))),
        quiet=_read_quiet(table.child("quiet"), channel) if "quiet" in table else None,
        calendar=_read_calendar(table.child("calendar")) if "calendar" in table else None,
        timezone=table.take("timezone", values.zone, ContactPolicy.timezone),
        pauses=tuple(_read_pause(row) for row in table.rows("pauses")),
        holds=tuple(_read_hold(row, actions) for row in table.rows("holds")),
        consent=read_consent(table.child("consent"), channels),
    )
    table.knows("quiet", "calendar")
    table.close()
    return policy


def _read_cap(table: Table, channel: values.Parse[str]) -> Cap | None:
    count = table.require("count", values.whole(0, 1_000_000), 0, "write a whole number")
    per = table.require("per", _spelt_duration, ("", 0), 'write a duration such as "7d"')
    cap = Cap(
        count=count,
        per_us=per[1],
        per=per[0],
        channel=table.take("channel", channel, None),
        account=table.take("account", values.flag, False),
    )
    table.close()
    return cap if table.is_sound else None


def _spelt_duration(value: object) -> tuple[str, int]:
    return str(value), values.positive_duration(value)


def _read_quiet(table: Table, channel: values.Parse[str]) -> QuietHours:
    hint = 'write hours and minutes, such as "20:00"'
    quiet = QuietHours(
        table.require("from", values.day_time, -1, hint),
        table.require("to", values.day_time, -2, hint),
        table.take("channels", lambda value: tuple(channel(name) for name in values.some_texts(value)), ()),
    )
    table.close()
    if quiet.from_us == quiet.to_us:
        table.complain("to", "is the same as `from`; write a later or an earlier hour")
    return quiet


def _read_calendar(table: Table) -> Calendar:
    calendar = Calendar(
        holidays=table.take("holidays", _holidays, None),
        days=table.take("days", values.some_of("weekday", WEEKDAYS), WEEKDAYS),
        freeze=table.take("freeze", values.listed(values.days), ()),
    )
    table.close()
    return calendar


def _holidays(value: object) -> str:
    if not isinstance(value, str) or not _HOLIDAYS.fullmatch(value):
        raise ValueError(f'{values.show(value)} is not a country or a part of one; write "CH" or "CH-ZH"')
    return known_place(value)


def _read_pause(table: Table) -> Pause:
    pause = Pause(
        outcome=table.require("outcome", values.choice(*OUTCOMES), "", 'name an outcome, such as "rejected"'),
        pause_us=table.require("pause", values.positive_duration, 0, 'write a duration such as "60d"'),
        count=table.take("count", values.whole(1, 1_000_000), Pause.count),
        within_us=table.take("within", values.positive_duration, None),
        scope=table.take("scope", values.choice("action", "channel", "topic"), Pause.scope),
    )
    table.close()
    return pause


def _read_hold(table: Table, actions: Mapping[str, Action]) -> Hold:
    opens = table.take("open", values.text, "")
    until = table.take("until", values.text, None)
    kind = table.take("kind", values.text, "")
    except_ = table.take("except", values.some_of("action", tuple(actions)), ())
    table.close()
    if table.is_sound and ("open" in table) == ("kind" in table):
        table.complain("", "needs either `open` with `until`, or `kind`, which holds for ever")
    elif table.is_sound and ("open" in table) != ("until" in table):
        table.complain("until", "and `open` stand together: a hold begins with one kind and ends with the other")
    return Hold(opens or kind, until, except_)
