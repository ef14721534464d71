"""What calls for an action for a while, once."""
