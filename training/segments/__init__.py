"""Groups of contacts, counted whenever everybody is scored: segments of the settings, and classes by revenue."""
