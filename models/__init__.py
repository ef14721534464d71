"""Belief: numbers from the matrix - points, stage, propensity."""
