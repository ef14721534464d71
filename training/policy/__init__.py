"""Which policy serves, judged on logged decisions."""
