"""The catalogues that recommendations are about, and what lies around a contact."""
