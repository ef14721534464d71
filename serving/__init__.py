"""The HTTP service: translates requests to decisions and back."""
