"""Who may be approached on which channel, read from touchpoints; what came later wins.

===================== =====================================================================================
kind                  says
===================== =====================================================================================
``consent_given``     the contact agreed to a channel (the first of the two steps of a double opt-in)
``consent_confirmed`` the contact confirmed it (the second step)
``consent_presumed``  we have a ground to presume it; counts only with the ground as text in the property
                      ``ground``
``consent_withdrawn`` the contact agrees no more
``unsubscribed``      the same, also as an outcome of a decision
``objection``         the same, and without a channel also objects to profiling
``restricted``        processing is restricted: the data are kept, and nothing is worked out or recommended
``unrestricted``      the restriction is over
===================== =====================================================================================

The channel is the touchpoint's property ``channel``, else its column ``channel``, else that of its
decision's action; ``profiling`` is a channel too. Consent without a channel gives nothing, a withdrawal
without one takes everything but profiling, and so does one from a channel that no action and no rule of consent
knows. Kinds and channels count however they are spelt: ``E-Mail`` is ``email``. At the same instant a withdrawal
wins, and a restriction its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import orjson

from features.touchpoints.touchpoints import NONE, Touchpoints
from models.saying.said import Said
from nba.settings.consent import Consent, folded

GIVEN, CONFIRMED, PRESUMED = "consent_given", "consent_confirmed", "consent_presumed"
OBJECTION = "objection"
WITHDRAWALS = ("consent_withdrawn", "unsubscribed", OBJECTION)
RESTRICTED, UNRESTRICTED = "restricted", "unrestricted"
KINDS = frozenset({GIVEN, CONFIRMED, PRESUMED, *WITHDRAWALS, RESTRICTED, UNRESTRICTED})
PROFILING = "profiling"
STITCHING = "stitching"

_BY_KEY = {folded(kind): kind for kind in KINDS}
_NEVER = -(2**63)


@lru_cache(maxsize=4096)
def word_of(kind: str) -> str | None:
    """Return the word of consent that a kind is, however it is spelt; None where it is none.

    Examples
    --------
    >>> word_of("Unsubscribed"), word_of("Consent Given"), word_of("visit")
    ('unsubscribed', 'consent_given', None)
    """
    return _BY_KEY.get(folded(kind))


@dataclass
class Word:
    """What a contact last said about a channel: microseconds of the last of each."""

    given: int = _NEVER
    confirmed: int = _NEVER
    presumed: int = _NEVER
    withdrawn: int = _NEVER

    def meets(self, asked: str) -> bool:
        """Whether a rule (``opt_in``, ``double_opt_in``, ``opt_out``, ``presumed``) is met."""
        if asked == "opt_out":
            # Who agrees anew after a withdrawal is back, even where the confirmation is not in yet.
            return self.withdrawn == _NEVER or max(self.given, self.confirmed) > self.withdrawn
        if asked == "double_opt_in":
            return self.confirmed > self.withdrawn
        if max(self.given, self.confirmed) > self.withdrawn:
            return True
        # No ground of ours outweighs what the contact said itself, however long ago.
        return asked == "presumed" and self.presumed > self.withdrawn == _NEVER

    def why_not(self, asked: str) -> Said:
        """Say why a rule is not met."""
        if self.withdrawn > max(self.given, self.confirmed, self.presumed):
            return Said("consent.withdrawn")
        if asked == "double_opt_in" and self.given > self.withdrawn:
            return Said("consent.unconfirmed")
        if asked == "presumed":
            return Said("consent.no_ground")
        return Said("consent.none")


_NOTHING_SAID = Word()


class Ledger:
    """All that a contact said about being approached, strictly before ``as_of``.

    Parameters
    ----------
    touchpoints
        Of one contact.
    channel_of
        The channel of each action, for touchpoints that name a decision's action and no channel.
    """

    def __init__(self, touchpoints: Touchpoints, as_of: int, channel_of: Mapping[str, str]) -> None:
        self._of: dict[str, Word] = {}
        self._known: Mapping[str, str] = {}
        self._spelt: dict[str, str] = {}
        self._withdrawn_everywhere = _NEVER
        self._withdrawn_elsewhere: dict[str, int] = {}
        self._restricted = self._unrestricted = _NEVER
        words = [word_of(kind) for kind in touchpoints.kinds]
        if any(words):
            self._known = {folded(name): name for name in {*channel_of.values(), PROFILING, STITCHING}}
            for row in np.array([word is not None for word in words])[touchpoints.kind].nonzero()[0].tolist():
                at, kind = int(touchpoints.occurred_at[row]), words[touchpoints.kind[row]]
                if at < as_of and kind is not None:
                    self._note(kind, touchpoints, row, at, channel_of)

    def word(self, channel: str, consent: Consent | None = None) -> Word:
        """Return what holds for a channel; ``consent`` tells which channels have a rule, without an action, too."""
        key = folded(channel)
        word, withdrawn = self._of.get(key, _NOTHING_SAID), self._withdrawn_everywhere
        for other, at in self._withdrawn_elsewhere.items():
            # Nobody can say what it was meant to close, so that it closes whatever is open.
            if at > withdrawn and (consent is None or not consent.knows(other)):
                withdrawn = at
        if key == PROFILING or withdrawn <= word.withdrawn:
            return word
        return Word(word.given, word.confirmed, word.presumed, withdrawn)

    @property
    def channels(self) -> tuple[str, ...]:
        """What anything was ever said about, in order of name; ``profiling`` is one of them."""
        return tuple(sorted(self._known.get(key, self._spelt[key]) for key in self._of))

    @property
    def is_restricted(self) -> bool:
        """Whether the data may only be kept."""
        return self._restricted > _NEVER and self._restricted >= self._unrestricted

    def refusal(self, consent: Consent, channel: str, person_type: str | None) -> Said | None:
        """Say why a channel may not be used; None where it may."""
        if self.is_restricted:
            return Said("consent.restricted")
        asked = consent.asks(channel, person_type)
        word = self.word(channel, consent)
        if word.meets(asked):
            return None
        return Said("gate.consent", {"channel": channel, "asked": asked, "why": word.why_not(asked)})

    def may_profile(self, consent: Consent) -> bool:
        """Whether features and scores may be computed at all."""
        return not self.is_restricted and self.word(PROFILING).meets(consent.profiling)

    def _note(self, kind: str, touchpoints: Touchpoints, row: int, at: int, channel_of: Mapping[str, str]) -> None:
        properties = _properties(touchpoints.properties[row])
        named = _channel(touchpoints, row, properties, channel_of)
        channel = (folded(named) or None) if named is not None else None
        if kind == RESTRICTED:
            self._restricted = at
        elif kind == UNRESTRICTED:
            self._unrestricted = at
        elif kind in WITHDRAWALS:
            if channel is None:
                self._withdrawn_everywhere = at
            elif channel not in self._known:
                self._withdrawn_elsewhere[channel] = at
            if channel is not None or kind == OBJECTION:
                self._word(channel or PROFILING, named).withdrawn = at
        elif channel is not None:
            word = self._word(channel, named)
            if kind == GIVEN:
                word.given = at
            elif kind == CONFIRMED:
                word.confirmed = at
            elif isinstance(ground := properties.get("ground"), str) and ground.strip():
                word.presumed = at

    def _word(self, channel: str, named: str | None) -> Word:
        self._spelt.setdefault(channel, named or channel)
        return self._of.setdefault(channel, Word())


def _properties(text: str | None) -> Mapping[str, object]:
    found = orjson.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _channel(
    touchpoints: Touchpoints, row: int, properties: Mapping[str, object], channel_of: Mapping[str, str]
) -> str | None:
    # Where both are there, the column is how the word came in (a web form) and the property what it is about.
    named = properties.get("channel")
    if isinstance(named, str) and named.strip():
        return named.strip()
    channel = int(touchpoints.channel[row])
    if channel != NONE:
        return touchpoints.channels[channel]
    action = int(touchpoints.action[row])
    return channel_of.get(touchpoints.actions[action]) if action != NONE else None
