"""What each action changes, and how sure that is."""
