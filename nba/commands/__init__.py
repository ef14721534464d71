"""Subcommands of ``nba`` that need neither training nor serving."""
