"""Contacts by stage over time: who moves, who is stuck, who leaves, and where visits break off."""
