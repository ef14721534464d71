"""The door of every command: the only place that reads the environment and the clock."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path

from features.errors import UsageError, UserError
from features.times import parse_time
from nba.output import Output
from nba.settings import Settings, load_settings


def settings_at(args: argparse.Namespace, out: Output) -> Settings:
    """Read the settings a command was given, with what was published over them, and warn once of what is in vain.

    Raises
    ------
    SettingsError
        Every fault of the file at once.
    """
    settings = settings_in_force(load_settings(args.config, os.environ))
    for sentence in settings.source.left_aside:
        out.say(f"note: what was published does not fit the file any more and is left aside: {sentence}")
    for key in settings.not_built_yet:
        out.say(f"note: {key} is understood but not built yet; it has no effect")
    return settings


def settings_in_force(settings: Settings) -> Settings:
    """Return the settings of a file with what was published over them in their store, where there is one to be read."""
    from features.store.published import newest_at
    from nba.published import in_force

    return in_force(settings, newest_at(settings.store.url))


def now_us() -> int:
    """Return the present moment, in microseconds."""
    return time.time_ns() // 1000


def moment(text: str | None, option: str = "--as-of") -> int:
    """Microseconds of a time that an option names; the present where none was given.

    Raises
    ------
    UsageError
        For text that is no time.
    """
    if text is None:
        return now_us()
    try:
        return parse_time(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def check_names(option: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Let names pass that are known.

    Raises
    ------
    UsageError
        A sentence for every other one, with the likely one, else all that are known.

    Examples
    --------
    >>> check_names("--goal", ["churm"], ["conversion", "churn"])
    Traceback (most recent call last):
    features.errors.UsageError: --goal: 'churm' is not known here; did you mean 'churn'?
    """
    here = list(known)
    complaints = []
    for name in names:
        if name not in here:
            near = get_close_matches(name, here, n=1)
            listed = f"there are {', '.join(here)}" if here else "nba.toml defines none"
            way = f"did you mean {near[0]!r}?" if near else listed
            complaints.append(f"{option}: {name!r} is not known here; {way}")
    if complaints:
        raise UsageError(complaints)


def file_in(path: Path, suffixes: Collection[str]) -> Path:
    """Return the path of a file to be written, where it can be; found out before any work is done.

    Raises
    ------
    UsageError
        For another suffix.
    UserError
        For a folder that is not there or may not be written.
    """
    if path.suffix not in suffixes:
        raise UsageError(f"{path} has no suffix that is known here; name a file that ends in {', '.join(suffixes)}")
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise UserError(f"{path} cannot be written; name a file in a folder that exists and may be written")
    return path
