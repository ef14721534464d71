"""Whom past decisions were about: contacts as they stood then, those without touchpoints too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.past import Past

I64 = NDArray[np.int64]


def contacts_at(past: Past, identities: Sequence[str], decided_at: I64) -> tuple[tuple[str, ...], I64]:
    """Names and codes of the contacts as they stood when it was decided, those without touchpoints last."""
    names = list(past.touchpoints.contacts)
    recorded = {name: code for code, name in enumerate(past.recorded.contacts)}
    found = np.array([recorded.get(name, -1) for name in identities], dtype=np.int64)
    if past.versions is not None:
        seen = found >= 0
        found[seen] = past.versions.at(found[seen], decided_at[seen])
        silent: dict[str, list[int]] = {}
        for version, members in past.versions.linked.items():
            for member in members:
                if member not in recorded:
                    silent.setdefault(member, []).append(version)
        for row in np.flatnonzero(~seen).tolist():
            for version in silent.get(identities[row], ()):
                if past.versions.begin[version] < decided_at[row] <= past.versions.end[version]:
                    found[row] = version
    beyond: dict[str, int] = {}
    for row in np.flatnonzero(found < 0).tolist():
        found[row] = beyond.setdefault(identities[row], len(names) + len(beyond))
    return (*names, *beyond), found


def clusters_of(past: Past, contact: I64) -> I64:
    """Codes that are the same for everything that was ever one contact; ``contact`` is from ``contacts_at``."""
    if past.versions is None:
        return contact
    group, n = past.versions.group, len(past.versions)
    beyond = int(group.max(initial=-1)) + 1
    found: I64 = np.where(contact < n, group[np.minimum(contact, n - 1)], beyond + contact - n)
    return found
