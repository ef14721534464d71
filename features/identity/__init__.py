"""Which identities are one contact, and since when that was known."""
