"""Choice: one allowed action with a known chance, and the judging of choices."""
