"""How far the world has moved since the training."""
