"""Dealers: whose contact it is, who may see and act, and who should take a lead."""
