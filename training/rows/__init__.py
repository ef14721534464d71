"""Training rows and past decisions as rows: what is known, what came of it."""
