"""Describes queries and reads one page; knows nothing of completeness."""
