"""A sentence before it is put into a language: which one, and what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from features.frozen import Frozen


class Said(NamedTuple):
    """The key of a sentence in every language's catalogue, and its parts by name.

    Parts are plain values, which each language writes in its own way, and sentences. It is made by the hundred and
    seldom read, so it is put into words only where somebody looks at it: ``models.saying.tongues.say``.
    """

    key: str
    parts: Mapping[str, Any] = Frozen()
