"""Streams made of events, all of which one read serves."""
