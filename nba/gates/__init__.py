"""Gates of the contact policy: each removes actions by one rule, and says why."""
