"""The trees of several models laid out for one row at a time."""
