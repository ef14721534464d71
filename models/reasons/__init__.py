"""Reasons for a prediction, in words."""
