"""Puts counts into sentences: `1 row was`, `2 rows were`."""

from __future__ import annotations


def rows(count: int) -> str:
    """Return a number of rows in words."""
    return f"{count} row" if count == 1 else f"{count} rows"


def rows_were(count: int) -> str:
    """Return a number of rows with the verb that follows it."""
    return f"{rows(count)} {'was' if count == 1 else 'were'}"


def calls(count: int) -> str:
    """Return a number of calls in words."""
    return f"{count} call" if count == 1 else f"{count} calls"
