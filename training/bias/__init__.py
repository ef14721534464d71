"""What models and decisions do to people who differ in a protected trait."""
