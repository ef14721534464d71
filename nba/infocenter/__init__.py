"""What a contact should read next."""
