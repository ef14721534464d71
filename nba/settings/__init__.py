"""The owner's file ``nba.toml`` as one frozen tree; every key is parsed and checked here, once."""

from nba.settings.settings import FILE, Settings, load_settings, parse_settings
from nba.settings.table import SettingsError

__all__ = ["FILE", "Settings", "SettingsError", "load_settings", "parse_settings"]
