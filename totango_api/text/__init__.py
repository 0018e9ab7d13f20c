"""Reads and writes texts of every kind: dates, names of columns, counts in a sentence, HTML."""

from totango_api.text.dates import EPOCH, epoch_milliseconds, is_exact, parse_iso, parse_moment
from totango_api.text.html import condensed_text, plain_text
from totango_api.text.words import calls, counted, rows, rows_were, snake

__all__ = [
    "EPOCH",
    "calls",
    "condensed_text",
    "counted",
    "epoch_milliseconds",
    "is_exact",
    "parse_iso",
    "parse_moment",
    "plain_text",
    "rows",
    "rows_were",
    "snake",
]
