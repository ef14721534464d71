"""A learning loop: choose, wait, learn every night."""
