"""Files of rows, read in chunks of columns."""
