"""Learning: rows, fits, reports, gates and promotion."""
