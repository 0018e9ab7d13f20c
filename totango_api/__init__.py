"""Totango's API: hosts, limits, searches and writes. Knows nothing of Singer."""
