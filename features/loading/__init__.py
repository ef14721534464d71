"""Rows and files taken into the store; what was refused is kept."""
