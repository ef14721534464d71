"""Who may be approached on which channel; ``[contact_policy.consent]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache

from features.frozen import Frozen
from nba.settings import values
from nba.settings.table import Table

_EVERYBODY = ("opt_in", "double_opt_in", "opt_out")
_BETWEEN = re.compile(r"[\s_\-\u00ad\u2010-\u2015]+")


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return a name as it is compared where it is about consent: small letters without blanks, hyphens and _.

    Examples
    --------
    >>> folded("E-Mail"), folded(" Consent_Given ")
    ('email', 'consentgiven')
    """
    return _BETWEEN.sub("", name).casefold()


@dataclass(frozen=True)
class ConsentRule:
    """What a channel asks of business contacts, and of all others.

    Each is ``opt_in``, ``double_opt_in`` or ``opt_out``; ``business`` may be ``presumed``: allowed with a
    recorded ground.
    """

    business: str = "opt_out"
    consumer: str = "opt_out"


@dataclass(frozen=True)
class Consent:
    """The rule of every channel; a channel without one is ``opt_out``."""

    channels: Mapping[str, ConsentRule] = Frozen()
    profiling: str = "opt_out"

    def asks(self, channel: str, person_type: str | None) -> str:
        """Rule for a contact on a channel; who is not known to be a business contact is a consumer."""
        rule = self.channels.get(channel) or self._by_key.get(folded(channel), _OPT_OUT)
        return rule.business if person_type == "business" else rule.consumer

    def knows(self, key: str) -> bool:
        """Whether a channel, by its folded name, has a rule."""
        return key in self._by_key

    @cached_property
    def _by_key(self) -> Mapping[str, ConsentRule]:
        return {folded(name): rule for name, rule in self.channels.items()}


_OPT_OUT = ConsentRule()


def read_consent(table: Table, channels: tuple[str, ...]) -> Consent:
    """Read ``[contact_policy.consent]``; ``channels`` are those of the actions."""
    profiling = table.take("profiling", values.choice(*_EVERYBODY), Consent.profiling)
    rules = {}
    for name in table.others():
        _refuse_misspelt(table, name, channels)
        rules[name] = _read_rule(table, name)
    return Consent(Frozen(rules), profiling)


def _refuse_misspelt(table: Table, name: str, channels: tuple[str, ...]) -> None:
    """Complain of a name close to a channel that has no rule: that channel would silently be opt_out."""
    without_rule = [channel for channel in channels if channel not in table]
    near = get_close_matches(name, without_rule, n=1, cutoff=0.75)
    if near and name not in channels:
        table.complain(name, f"is not a channel of any action; did you mean {values.show(near[0])}?")


def _read_rule(table: Table, name: str) -> ConsentRule:
    if not table.holds_table(name):
        mode = table.take(name, values.choice(*_EVERYBODY, "presumed"), "opt_in")
        return ConsentRule(mode, "opt_in" if mode == "presumed" else mode)
    each = table.child(name)
    hint = 'both are needed, such as { business = "presumed", consumer = "opt_in" }'
    rule = ConsentRule(
        each.require("business", values.choice(*_EVERYBODY, "presumed"), "opt_in", hint),
        each.require("consumer", values.choice(*_EVERYBODY), "opt_in", hint),
    )
    each.close()
    return rule
