"""The day's worklist under capacities."""
