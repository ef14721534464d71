"""Sentences for people, in every language that we speak, made only for what is shown."""
