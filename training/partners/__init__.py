"""What makes a good lead, and who should take it."""
