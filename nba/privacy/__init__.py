"""A person's rights: to see, to correct, to restrict, to be erased; and how long things are kept."""
