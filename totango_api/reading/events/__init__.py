"""Reads the events that a query matches: by their times, or else by offsets."""
