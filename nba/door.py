"""The door of every command: the only place that reads the environment and the clock."""

from __future__ import annotations

import argparse
import os
import time

from features.errors import UserError
from features.times import parse_time
from nba.output import Output
from nba.settings import Settings, load_settings


def settings_at(args: argparse.Namespace, out: Output) -> Settings:
    """Read the settings a command was given, and warn once of what they ask for in vain.

    Raises
    ------
    SettingsError
        Every fault of the file at once.
    """
    settings = load_settings(args.config, os.environ)
    for key in settings.not_built_yet:
        out.say(f"note: {key} is understood but not built yet; it has no effect")
    return settings


def now_us() -> int:
    """Return the present moment, in microseconds."""
    return time.time_ns() // 1000


def moment(text: str | None) -> int:
    """Microseconds of an ``--as-of``; the present where none was given.

    Raises
    ------
    UserError
        For text that is no time.
    """
    if text is None:
        return now_us()
    try:
        return parse_time(text)
    except ValueError as error:
        raise UserError(f"--as-of: {error}") from None
