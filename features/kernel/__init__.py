"""The kernel: one compiled pass over (contact, time) that makes every feature."""
