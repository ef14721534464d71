"""Subcommands of ``nba`` that serve."""
