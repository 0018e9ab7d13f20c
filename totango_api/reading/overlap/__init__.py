"""Reads a query page by page, each repeating the end of the one before."""
