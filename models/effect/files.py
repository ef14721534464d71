"""Effects as files of a bundle: a text for what trees say, and one JSON file for the rest of all goals."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from models.effect.effect import Effects
from models.trees import TREES

EFFECTS = "effects.json"


def file_name(goal: str) -> str:
    """Return the goal where every file system and artifact store takes it as a name, else a hash of it."""
    plain = re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,60}", goal)
    return goal if plain else f"goal-{hashlib.sha256(goal.encode()).hexdigest()[:16]}"


def effect_files(effects: Mapping[str, Effects]) -> dict[str, bytes]:
    """Contents by file name; none where no effect was learnt."""
    files: dict[str, bytes] = {}
    described = {}
    for goal, learnt in effects.items():
        names = {part: f"effect/{file_name(goal)}-{part}{TREES}" for part in learnt.texts}
        files |= {names[part]: text.encode() for part, text in learnt.texts.items()}
        described[goal] = {"files": names, **learnt.to_json()}
    if described:
        files[EFFECTS] = json.dumps(described, allow_nan=False, indent=1, sort_keys=True).encode()
    return files


def read_effects(contents: Mapping[str, bytes]) -> dict[str, Effects]:
    """Read what ``effect_files`` wrote, from the contents of all files of a bundle; older ones have none.

    Raises
    ------
    KeyError, TypeError, ValueError
        Where they are not what was written.
    """
    if EFFECTS not in contents:
        return {}
    found = {}
    for goal, plain in json.loads(contents[EFFECTS]).items():
        texts = {part: contents[name].decode() for part, name in plain["files"].items()}
        learnt = Effects.from_json(plain, texts)
        _ = learnt.boosters  # made now, so that no request waits for it
        found[goal] = learnt
    return found
