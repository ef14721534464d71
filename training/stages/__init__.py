"""The journey's stages learnt, told and followed."""
