"""Rules about people, sellers and readers; ``[privacy]``, ``[accounts]``, ``[partners]``, ``[content]``."""

from __future__ import annotations

from dataclasses import dataclass

from features.times import DAY
from nba.settings import values
from nba.settings.table import Table


@dataclass(frozen=True)
class Retention:
    """How long things are kept."""

    touchpoints_us: int = 1095 * DAY
    decisions_us: int = 1095 * DAY
    quarantine_us: int = 90 * DAY


@dataclass(frozen=True)
class Privacy:
    """Traits that are never a feature, a segment, a need or a reason; and how long things are kept."""

    protected: tuple[str, ...] = ("nationality", "gender")
    retention: Retention = Retention()


@dataclass(frozen=True)
class Accounts:
    """The buying group, and whether mail domains join contacts to accounts."""

    roles: tuple[str, ...] = ("decision_maker", "user", "purchasing")
    email_domains: bool = False


MODES = ("partner_only", "partner_first", "inform", "direct")
"""Who may act for a partner's contacts, from the one that protects it most."""

LONGEST_VETO_US = 90 * DAY
"""The longest time that a partner has to act before the owner may."""


@dataclass(frozen=True)
class Partners:
    """Who acts first where a dealer owns the relation, and what the maker sees."""

    mode: str = "partner_first"
    visible_to_owner: str = "aggregate"


@dataclass(frozen=True)
class Content:
    """What the infocenter mixes in."""

    fresh_share: float = 0.2
    plain_share: float = 0.6
    pause_us: int = 90 * DAY
    """How long something that was read or shown is not shown again."""


def read_privacy(table: Table) -> Privacy:
    """Read ``[privacy]``."""
    protected = table.take("protected", values.texts, Privacy.protected)
    kept = table.child("retention")
    retention = Retention(
        touchpoints_us=kept.take("touchpoints", values.positive_duration, Retention.touchpoints_us),
        decisions_us=kept.take("decisions", values.positive_duration, Retention.decisions_us),
        quarantine_us=kept.take("quarantine", values.positive_duration, Retention.quarantine_us),
    )
    kept.close()
    table.close()
    return Privacy(protected, retention)


def read_accounts(table: Table) -> Accounts:
    """Read ``[accounts]``."""
    accounts = Accounts(
        roles=table.take("roles", values.texts, Accounts.roles),
        email_domains=table.take("email_domains", values.flag, Accounts.email_domains),
    )
    table.close()
    return accounts


def read_partners(table: Table) -> Partners:
    """Read ``[partners]``."""
    partners = Partners(
        mode=table.take("mode", values.choice(*MODES), Partners.mode),
        visible_to_owner=table.take(
            "visible_to_owner", values.choice("aggregate", "contact"), Partners.visible_to_owner
        ),
    )
    table.close()
    return partners


def read_content(table: Table) -> Content:
    """Read ``[content]``."""
    share = values.number(at_least=0, at_most=1)
    content = Content(
        fresh_share=table.take("fresh_share", share, Content.fresh_share),
        plain_share=table.take("plain_share", share, Content.plain_share),
        pause_us=table.take("pause", values.positive_duration, Content.pause_us),
    )
    table.close()
    return content
