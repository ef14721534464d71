"""A points table suggested from the data."""
