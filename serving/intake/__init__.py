"""Intake: bytes of a request become touchpoints, or go to the quarantine with their reason."""
