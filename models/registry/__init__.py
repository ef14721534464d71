"""MLflow: runs, versions and aliases; nobody else speaks to it."""
