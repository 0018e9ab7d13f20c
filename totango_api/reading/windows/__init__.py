"""Reads a query in windows of a date: where each ends, and whether it was complete."""
