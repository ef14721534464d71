"""The stages of the journey: clusters, ordered and named, and rules beside them."""
