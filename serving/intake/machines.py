"""Mails that were opened or clicked by machines: proxies that fetch pictures, scanners that try links.

Such an event is kept as a touchpoint of the kind ``by_machine``, so that it answers nothing: it is none of the
contact's doing, is no approach either, and names neither channel nor decision. What it was stands in its properties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from features.rows.row_types import TouchpointRow
from features.store.reading import Reading
from features.times import SECOND
from features.touchpoints.touchpoints import BY_MACHINE, TouchpointRules

AT_ONCE = SECOND
"""Who opens a mail sooner after its sending, in microseconds, is no person."""

_OF_MAIL = re.compile(r"(?:email|mail|newsletter|message)s?_(?:(?:link_)?click(?:ed)?|open(?:ed)?)")
_FLAGS = (
    "machine", "machine_open", "machine_opened", "machineOpen", "sg_machine_open", "prefetched", "is_bot", "isBot",
    "bot", "filteredEvent",
)  # fmt: skip
_APPLE = "Mozilla/5.0"
_AGENTS = {
    "google proxy": ("googleimageproxy", "ggpht.com"),
    "yahoo proxy": ("yahoomailproxy", "yahoocachesystem"),
    "security scanner": (
        "barracuda", "proofpoint", "mimecast", "safelinks", "symantec", "messagelabs", "trendmicro", "fireeye",
        "sophos", "forcepoint", "cloudmark", "avanan", "ironport", "vadesecure", "microsoft office protocol discovery",
    ),
    "bot": ("bot/", "bot;", "crawler", "spider", "headlesschrome", "python-requests", "go-http-client", "curl/"),
}  # fmt: skip


def is_of_mail(kind: str) -> bool:
    """Whether a kind says that a mail was opened or clicked.

    Examples
    --------
    >>> [is_of_mail(kind) for kind in ("email_opened", "newsletter_open", "email_link_clicked", "email_sent")]
    [True, True, True, False]
    """
    return _OF_MAIL.fullmatch(kind) is not None


def machine_behind(properties: Mapping[str, Any], user_agent: object) -> str | None:
    """Say which machine opened a mail, by what the sender says or by its user agent; None where nothing shows one.

    Examples
    --------
    >>> machine_behind({}, "Mozilla/5.0"), machine_behind({}, "Mozilla/5.0 (via ggpht.com GoogleImageProxy)")
    ('apple mail privacy protection', 'google proxy')
    >>> machine_behind({"sg_machine_open": True}, None), machine_behind({}, "Mozilla/5.0 (iPhone) Mobile/15E148")
    ('told by the sender', None)
    """
    if any(properties.get(name) is True for name in _FLAGS):
        return "told by the sender"
    if not isinstance(user_agent, str):
        return None
    # Apple's proxy says nothing of itself, and no browser says as little.
    if user_agent.strip() == _APPLE:
        return "apple mail privacy protection"
    said = user_agent.casefold()
    return next((name for name, marks in _AGENTS.items() if any(mark in said for mark in marks)), None)


def by_machine(row: TouchpointRow, machine: str) -> TouchpointRow:
    """Return a touchpoint as one that a machine made."""
    told: dict[str, Any] = orjson.loads(row.properties) if row.properties else {}
    told |= {"machine": machine, "kind": row.kind}
    told |= {name: value for name in ("channel", "decision_id") if (value := getattr(row, name)) is not None}
    return row._replace(
        kind=BY_MACHINE,
        direction="outbound",
        channel=None,
        decision_id=None,
        action=None,
        topics=None,
        value=None,
        currency=None,
        margin=None,
        duration=None,
        properties=orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode(),
    )


def was_just_sent(store: Reading, row: TouchpointRow, rules: TouchpointRules) -> bool:
    """Whether a mail went out to the same identity less than ``AT_ONCE`` before, as far as the store knows."""
    for sent in reversed(store.history(row.identity, row.occurred_at + 1)):
        if sent[1] <= row.occurred_at - AT_ONCE:
            return False
        if sent[3] != BY_MACHINE and sent[4] in (None, "email") and rules.is_outbound(sent[3], sent[5]):
            return True
    return False
