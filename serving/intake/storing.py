"""Storing what a call brought, in one transaction: the same for every way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from features.identity.link_rules import EVER
from features.rows.row_types import LinkRow, TouchpointRow
from features.rows.schema import ACCOUNTS
from features.store.store import Writing
from features.store.tombstones import REFUSED
from features.touchpoints.touchpoints import TouchpointRules
from serving.feedback import already_done
from serving.intake.admission import joins_two_known
from serving.intake.delivery import Delivery, Message, Refusal, quarantine_rows
from serving.intake.machines import by_machine, is_of_mail, was_just_sent

PUBLIC_LINK = "is left out: it would make one contact of two known ones, which a public key may not"


@dataclass(frozen=True)
class Stored:
    """What became of a delivery; ``errors`` are (index, sentence) of what was refused or left out while storing."""

    stored: int
    duplicate: int
    quarantined: int
    errors: list[tuple[int, str]] = field(default_factory=list)


def store(
    writing: Writing, delivery: Delivery, rules: TouchpointRules, *, now_us: int, place: str, is_public: bool
) -> Stored:
    """Write everything good of a delivery, and keep the rest aside.

    Parameters
    ----------
    now_us
        When it came.
    place
        The operation it came by, as the quarantine names it.
    is_public
        Whether it came with a key that everybody can read.
    """
    messages, erased = _without_erased(writing, delivery.messages)
    writing.contacts(delivery.belongings)
    rows = [_judged(writing, each.touchpoint, rules) for each in messages if each.touchpoint is not None]
    stored = writing.touchpoints([row for row in rows if row is not None])
    told = [each for each in messages if each.touchpoint is None]
    new = [each for each in told if writing.is_new_message(each.source, each.message_id)]
    writing.contacts([row for each in new for row in each.contacts])
    accounts = [row for each in new for row in each.accounts]
    if accounts:
        writing.records(ACCOUNTS.name, accounts)
    left_out = _link(writing, [each for each in messages if each.links], rules, is_public=is_public)
    left_out += [(each, reason) for each in messages for reason in each.left_out]
    errors = [(each.index, reason) for each, reason in left_out] + [(each.index, REFUSED) for each in erased]
    errors += [(refusal.index, refusal.reason) for refusal in delivery.refused]
    aside = [Refusal(each.index, each.raw, reason, reason, True) for each, reason in left_out if each.raw]
    writing.quarantine(quarantine_rows([*delivery.refused, *aside], now_us, place))
    kept = stored + len(new)
    return Stored(kept, len(messages) - kept, len(delivery.refused) + len(erased), sorted(errors))


def _without_erased(writing: Writing, messages: Sequence[Message]) -> tuple[Sequence[Message], list[Message]]:
    if not messages or writing.erased.key is None:
        return messages, []
    gone = writing.erased.among(name for each in messages for name in _names(each))
    if not gone:
        return messages, []
    erased = [each for each in messages if not gone.isdisjoint(_names(each))]
    return [each for each in messages if gone.isdisjoint(_names(each))], erased


def _names(message: Message) -> list[str]:
    names = [row[0] for row in message.contacts]
    names += [name for link in message.links for name in link[:2]]
    names += [] if message.touchpoint is None else [message.touchpoint.identity]
    return names


def _judged(writing: Writing, row: TouchpointRow, rules: TouchpointRules) -> TouchpointRow | None:
    if already_done(writing.seen, row, rules):
        return None
    if is_of_mail(row.kind) and not rules.is_outbound(row.kind, row.direction):
        return by_machine(row, "opened at once") if was_just_sent(writing.seen, row, rules) else row
    return row


def _link(
    writing: Writing, messages: Sequence[Message], rules: TouchpointRules, *, is_public: bool
) -> list[tuple[Message, str]]:
    left_out = []
    for message in messages:
        for link in message.links:
            if _is_said(writing, link):
                continue
            if is_public and joins_two_known(writing.seen, link, rules):
                left_out.append((message, f"the link of {link.identity_a!r} and {link.identity_b!r} {PUBLIC_LINK}"))
            else:
                writing.links([link])
    return left_out


def _is_said(writing: Writing, link: LinkRow) -> bool:
    """Whether the same was said of an earlier moment; every event of a browser says it again."""
    earlier = writing.seen.links_between(link.identity_a, link.identity_b, EVER)
    return any(each.how == link.how and each.seen_at <= link.seen_at for each in earlier)
