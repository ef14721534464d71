"""Everybody's actions weighed at one moment, and what other settings would change."""
