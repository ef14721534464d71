"""The store: append, and read before a moment, in SQLite and PostgreSQL; beside it the audit log."""
