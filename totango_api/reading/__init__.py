"""Reads every row of a query once and says whether any is missing."""
