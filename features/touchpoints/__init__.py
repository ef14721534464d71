"""Touchpoints as columns, and how sources told them."""
