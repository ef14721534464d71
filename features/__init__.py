"""The past: who did what when, as a matrix at ``as_of``."""
