"""What to load, send and type, step by step, ready to copy."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """One step of setting the system up.

    Attributes
    ----------
    name
        Of its words: ``step_NAME`` and ``about_NAME``.
    snippets
        (word of what it is, text); ``{base}``, ``{auth}`` and ``{at}`` stand for this service's address, a key
        and a moment of yesterday.
    lights
        Pages that it fills, by their paths.
    """

    name: str
    snippets: tuple[tuple[str, str], ...]
    lights: tuple[str, ...]


_RECOMMEND = """\
curl -s {base}/v1/recommend{auth} \\
  -d '{{"contact": "crm:4711", "decision_id": "first-1"}}'"""
_FEEDBACK = """\
curl -s {base}/v1/feedback{auth} \\
  -d '{{"decision_id": "first-1", "outcome": "accepted"}}'"""
_TOUCHPOINT = """\
curl -s {base}/v1/touchpoints{auth} \\
  -d '{{"identity": "crm:4711", "occurred_at": "{at}",
       "kind": "visit", "channel": "web", "topic": "pumps", "touchpoint_id": "web-1"}}'"""
_TRACK = """\
curl -s {base}/v1/track{auth} \\
  -d '{{"userId": "crm:4711", "event": "Product Viewed", "messageId": "web-2",
       "properties": {{"url": "https://shop.example/pumps/ax-7"}}}}'"""
_TOUCHPOINTS_CSV = """\
identity,occurred_at,kind,channel,topic,value
crm:4711,{at},visit,web,pumps,
crm:4711,{at},order,shop,pumps,1200"""
_CONTACTS_CSV = """\
identity,name,account,owner,email,phone,industry
crm:4711,Ann Lee,acme,jane,ann@acme.example,+41 44 123 45 67,machines"""
_DECISIONS_CSV = """\
decision_id,identity,decided_at,action,probability
mail-1,crm:4711,{at},newsletter,0.5"""
_SETTINGS = """\
[goals.conversion]
kinds = ["order"]
horizon = "30d"

[actions.sales_call]
channel = "phone"
cost = 18.0"""

STEPS = (
    Step("settings", (("command", "nba init shop"), ("in_settings", _SETTINGS)), ("/rules",)),
    Step(
        "touchpoints",
        (
            ("file_touchpoints", _TOUCHPOINTS_CSV),
            ("command", "nba load touchpoints touchpoints.csv"),
            ("or_send", _TOUCHPOINT),
            ("or_track", _TRACK),
        ),
        ("/contacts", "/pipeline"),
    ),
    Step(
        "contacts",
        (("file_contacts", _CONTACTS_CSV), ("command", "nba load contacts contacts.csv")),
        ("/contacts", "/accounts", "/partners"),
    ),
    Step(
        "decisions",
        (("file_decisions", _DECISIONS_CSV), ("command", "nba load decisions decisions.csv")),
        ("/actions", "/model"),
    ),
    Step("champion", (("command", "nba train run"),), ("/model", "/rules")),
    Step("scores", (("command", "nba score --out scores.parquet"),), ("/today", "/pipeline", "/forecast")),
    Step(
        "keys",
        (
            ("command", "nba keys add anna --scopes read,recommend,feedback,ingest"),
            ("for_partner", "nba keys add north --scopes read,feedback,ingest --partner north"),
        ),
        ("/today", "/note"),
    ),
    Step(
        "asked",
        (("send", _RECOMMEND), ("command", "nba recommend crm:4711 --explain")),
        ("/actions",),
    ),
    Step("feedback", (("send", _FEEDBACK),), ("/actions", "/partners")),
)


def written(text: str, base: str, at: str, has_keys: bool) -> str:
    """Fill in an address, a moment, and a place for a key where one is asked for.

    Examples
    --------
    >>> written("curl {base}/v1/track -d '{{}}'", "http://127.0.0.1:8000", "2026-11-21T10:00:00Z", False)
    "curl http://127.0.0.1:8000/v1/track -d '{}'"
    """
    return text.format(base=base, at=at, auth=' -H "Authorization: Bearer $NBA_KEY"' if has_keys else "")
