"""What was acknowledged while the store could not take it: files of framed records beside the settings."""
