"""A day planned for everybody: gathered, solved, written."""
