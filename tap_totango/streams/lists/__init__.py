"""Streams that a few calls answer whole, with plain objects."""
