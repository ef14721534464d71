"""The page that a person's signed link opens: what is known and why, and what may be done with it."""
