"""Subcommands of ``nba`` that learn and score."""
