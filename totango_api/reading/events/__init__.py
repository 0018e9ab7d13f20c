"""Reads the events that a query matches: by their times, by their places, or by offsets."""
