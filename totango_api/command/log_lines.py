"""Keeps lines that tell nobody anything out of the log."""

from __future__ import annotations

import logging


def hide_lines(text: str, *loggers: str) -> None:
    """Keep lines with a text out of the log.

    Args:
        text: Part of the lines.
        loggers: Names of the loggers that write them.
    """
    for name in loggers:
        logging.getLogger(name).addFilter(lambda record: text not in str(record.msg))
