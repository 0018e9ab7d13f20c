"""Reads back what was written and compares."""
