"""Reads a list of which only the request is known."""
