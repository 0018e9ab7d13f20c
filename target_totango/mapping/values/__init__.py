"""Converts values to the texts that Totango takes: numbers, dates, lists, choices."""
