"""The matrix: one row of features per (contact, as_of), the same for one contact in a request and for millions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.accounts import Groups
from features.catalogue import OWN
from features.encode import ANSWER_WITHIN, encode, topic_codes
from features.feature_set import FeatureSet
from features.kernel.own import fill_own
from features.kernel.windows import fill_history
from features.sorting import gather, in_parts, sort_order, take_columns
from features.touchpoints.touchpoints import NONE, Touchpoints
from features.traits import Traits

__all__ = ["ANSWER_WITHIN", "History", "Own"]

_MOST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Own:
    """What rows are about themselves: an action that may be taken, or the touchpoint a row was made after.

    ``type`` and ``channel`` are names per row, ``topics`` a tuple of names per row, ``numbers`` the numeric
    properties per row by name.
    """

    type: Sequence[str]
    channel: Sequence[str | None]
    topics: Sequence[tuple[str, ...]]
    numbers: Sequence[Mapping[str, float]]


class History:
    """Touchpoints made ready for the kernel: encoded once, then asked for any rows."""

    def __init__(self, touchpoints: Touchpoints, features: FeatureSet) -> None:
        self.touchpoints = touchpoints
        self.features = features
        self.events = encode(touchpoints, features)
        self._type_of: dict[str, int] = {}
        self._type_codes: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None
        self._topic_of: dict[str, int] | None = None
        self._contact_of: dict[str, int] | None = None

    def contact(self, name: str) -> int:
        """Code of a contact, -1 for one without a touchpoint."""
        if self._contact_of is None:
            self._contact_of = {name: i for i, name in enumerate(self.touchpoints.contacts)}
        return self._contact_of.get(name, NONE)

    def matrix(
        self,
        contact: NDArray[np.int64],
        as_of: NDArray[np.int64],
        *,
        traits: Traits | None = None,
        own: Own | None = None,
        account: Groups | None = None,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """Features of each row, strictly before its ``as_of``.

        Parameters
        ----------
        contact
            Codes of contacts, shape (n,); -1 has no history.
        as_of
            Microseconds, shape (n,).
        traits
            What is known of the contacts, and since when.
        own
            What each row is about; needed where the feature set has ``own``.
        account
            Whose contacts belong together; of the contacts of these touchpoints.
        threads
            How many share the rows, all processors when left out; the result is the same for any number.

        Returns
        -------
        ndarray of float32, shape (n, len(features.columns)); NaN is "not known".
        """
        features = self.features
        out = np.empty((len(as_of), len(features.columns)), dtype=np.float32)
        self.fill_history(contact, as_of, out, threads)
        at = len(features.history)
        if features.traits:
            at += len(features.traits)
            values = traits.values(self, contact, as_of, features.traits) if traits else np.nan
            out[:, len(features.history) : at] = values
        if features.stage:
            out[:, at] = np.nan
            at += 1
        if features.account:
            columns = out[:, at : at + len(features.account_features)]
            self.fill_account(account, contact, as_of, columns, threads)
            at += len(features.account_features)
        if features.own:
            if own is None:
                raise ValueError("this feature set has columns about a row's own action; give `own`")
            self._fill_own(contact, as_of, own, at, out)
        return out

    def columns(
        self,
        contact: NDArray[np.int64],
        as_of: NDArray[np.int64],
        columns: Sequence[int],
        *,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """Compute some of the history columns of each row, without memory for the others; see ``matrix``.

        Parameters
        ----------
        columns
            Their numbers among ``features.columns``, all of them about the history.

        Returns
        -------
        ndarray of float32, shape (n, len(columns)), equal to those columns of ``matrix``.

        Raises
        ------
        ValueError
            Where a column is not about the history.
        """
        wide, chosen = len(self.features.history), np.asarray(columns, dtype=np.int64)
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < wide:
            raise ValueError(f"columns {chosen.min()} to {chosen.max()}: the history has 0 to {wide - 1}")
        order, contact, as_of = self._in_order(contact, as_of)
        out = np.empty((len(as_of), len(chosen)), dtype=np.float32)

        def fill(low: int, high: int) -> None:
            few = np.empty((min(_FEW_ROWS, high - low), wide), dtype=np.float32)
            for begin in range(low, high, _FEW_ROWS):
                part = slice(begin, min(high, begin + _FEW_ROWS))
                rows = few[: part.stop - begin]
                self._fill(_FIRST_ROWS[: len(rows)], contact[part], as_of[part], rows)
                take_columns(rows, chosen, order[part], out)

        in_parts(fill, len(as_of), threads=threads)
        return out

    def fill_account(
        self,
        account: Groups | None,
        contact: NDArray[np.int64],
        as_of: NDArray[np.int64],
        out: NDArray[np.float32],
        threads: int | None = None,
    ) -> None:
        """Fill the columns about the account of each row's contact, shape (n, len(features.account_features))."""
        if account is None:
            out[:] = np.nan
            return
        account.fill(self.events, _int64(contact), _int64(as_of), self.features.rates[0], out, threads)

    def with_own(self, features: FeatureSet) -> History:
        """Look at the same encoded touchpoints under a feature set that adds columns about rows themselves."""
        other = copy(self)
        other.features = features
        return other

    def actions(self, row: NDArray[np.float32], contact: int, as_of: int, own: Own) -> NDArray[np.float32]:
        """One contact's row, repeated for each action in ``own`` with that action's own columns.

        ``row`` has the history and trait columns filled, shape (columns,) or (1, columns).
        """
        n = len(own.type)
        out = np.repeat(np.atleast_2d(row), n, axis=0)
        self.fill_own(out, np.full(n, contact, dtype=np.int64), np.full(n, as_of, dtype=np.int64), own)
        return out

    def fill_own(
        self, rows: NDArray[np.float32], contact: NDArray[np.int64], as_of: NDArray[np.int64], own: Own
    ) -> None:
        """Fill the columns about what each row is about, in place; ``rows`` has the shape of ``matrix``."""
        at = len(self.features.columns) - len(self.features.own_features)
        self._fill_own(contact, as_of, own, at, rows)

    def fill_history(
        self, contact: NDArray[np.int64], as_of: NDArray[np.int64], out: NDArray[np.float32], threads: int | None
    ) -> None:
        """Fill the history columns of ``out``, the first of each row; see ``matrix``."""
        if len(as_of) == 1:
            self._fill(_FIRST_ROWS[:1], _int64(contact), _int64(as_of), out)
            return
        order, contact, as_of = self._in_order(contact, as_of)

        def fill(low: int, high: int) -> None:
            part = slice(low, high)
            self._fill(order[part], contact[part], as_of[part], out)

        in_parts(fill, len(as_of), threads=threads)

    def _fill(
        self, order: NDArray[np.int32], contact: NDArray[np.int64], as_of: NDArray[np.int64], out: NDArray[np.float32]
    ) -> None:
        features = self.features
        fill_history(
            self.events.deck, order, contact, as_of, *features.sizes, *features.rates, features.rules.margin, out
        )

    def _in_order(
        self, contact: NDArray[np.int64], as_of: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """Rows by contact and moment, those of nobody last, and both in that order."""
        contact, as_of = _int64(contact), _int64(as_of)
        n_contacts = len(self.touchpoints.contacts)
        codes = np.where(contact < 0, n_contacts, contact).astype(np.int32)
        order = sort_order(codes, as_of, n_contacts + 1)[0]
        return order, gather(contact, order), gather(as_of, order)

    def _fill_own(
        self,
        contact: NDArray[np.int64],
        as_of: NDArray[np.int64],
        own: Own,
        at: int,
        out: NDArray[np.float32],
    ) -> None:
        features = self.features
        own_start, own_topic = self._own_topics(own.topics)
        action_type, kind_type = self._types()
        fill_own(
            self.events.deck,
            _int64(contact),
            _int64(as_of),
            action_type,
            kind_type,
            np.array([self._type_of.get(name, NONE) for name in own.type], dtype=np.int32),
            own_start,
            own_topic,
            features.rates[0],
            out[:, at : at + len(OWN)],
        )
        at += len(OWN)
        out[:, at] = _known_codes(own.type, features.types)
        out[:, at + 1] = _known_codes(own.channel, features.own_channels)
        for i, name in enumerate(features.numbers):
            given = np.array([numbers.get(name, np.nan) for numbers in own.numbers], dtype=np.float64)
            out[:, at + 2 + i] = np.clip(given, -_MOST, _MOST)

    def _own_topics(self, topics: Sequence[tuple[str, ...]]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        if self._topic_of is None:
            known_topics = topic_codes(self.touchpoints.topics, self.features).names
            self._topic_of = {name: i for i, name in enumerate(known_topics)}
        known = self._topic_of
        beyond = np.iinfo(np.int32).max
        coded: dict[tuple[str, ...], list[int]] = {}
        codes: list[int] = []
        start = np.zeros(len(topics) + 1, dtype=np.int64)
        for i, names in enumerate(topics):
            if names not in coded:
                coded[names] = [known.get(name, beyond) for name in dict.fromkeys(names)]
            codes.extend(coded[names])
            start[i + 1] = len(codes)
        return start, np.array(codes, dtype=np.int32)

    def _types(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Types of the actions and of the kinds: an outbound touchpoint is its action, where known, else its kind."""
        if self._type_codes is None:
            t, type_of = self.touchpoints, self._type_of
            for name in (*t.actions, *t.kinds):
                type_of.setdefault(name, len(type_of))
            self._type_codes = (
                np.array([type_of[name] for name in t.actions], dtype=np.int32),
                np.array([type_of[name] for name in t.kinds], dtype=np.int32),
            )
        return self._type_codes


_FEW_ROWS = 2048
"""Rows whose every column is in memory at once: so few that a processor keeps them near."""
_FIRST_ROWS = np.arange(_FEW_ROWS, dtype=np.int32)


def _int64(column: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.ascontiguousarray(column, dtype=np.int64)


def _known_codes(names: Sequence[str | None], known: Sequence[str]) -> list[float]:
    of: dict[str | None, float] = {name: float(i) for i, name in enumerate(known)}
    return [of.get(name, float("nan")) for name in names]
