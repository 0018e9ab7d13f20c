"""Describes what a mapping does with a stream, for the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from target_totango.mapping.compiler.stream_mapping import StreamMapping

logger = logging.getLogger("target-totango")


_CHANGES: Final = {
    "controls": "texts hold NUL or other control characters (see control_characters)",
    "blanks": "texts are nothing but blanks (see blank_texts)",
    "unknown_options": "values of lists are none of their options (see unknown_options)",
    "incomplete": "parts of templates are missing (see incomplete_templates)",
}
"""What is logged of what the policy does to values, by the report's name for it."""


def log_change(stream: str, name: str) -> None:
    """Log that values of a stream were changed, and which setting controls that."""
    if name in _CHANGES:
        logger.warning("Stream %r: %s.", stream, _CHANGES[name])


_WARNINGS: Final = {
    "nested": "Stream %r: nested, so written as JSON text: %s. Map a dotted path, or set "
    "flattening_enabled.",
    "blank_ends": "Stream %r: attribute names that begin or end with a blank are sent as they are: "
    "%s.",
    "new": "Stream %r: attributes that Totango does not know yet: %s.",
    "guessed": "Stream %r: which attributes the service has is not known, so these names are taken "
    "as they are, and Totango may make new attributes beside those that were meant: %s. Set "
    "app_token or attributes_path, or map them.",
}
"""What is logged of names that a mapping lists, by the list."""


def describe(mapping: StreamMapping) -> list[str]:
    """Return what a mapping does, as sentences for the report."""
    columns = [(column.name, column.source) for column in mapping.ids]
    columns += [(column.api_name, column.source) for column in mapping.columns]
    lines = [f"To {mapping.object} by {mapping.delivery}, written as {mapping.options.sync_mode}."]
    lines.append(", ".join(f"{name} ← {source.label}" for name, source in columns) + ".")
    if mapping.left_out:
        lines.append(f"Not written: {', '.join(mapping.left_out)}.")
    for listed, label in _LISTED.items():
        if names := getattr(mapping, listed):
            lines.append(f"{label}: {', '.join(names)}.")
    return lines


_LISTED: Final = {
    "nested": "Written as JSON text",
    "new": "New to Totango",
    "guessed": "Names taken as they are, since the service's attributes are not known",
}


def log_mapping(mapping: StreamMapping) -> None:
    """Log what a mapping does, and warn of what looks wrong."""
    names = [column.api_name for column in mapping.columns]
    logger.info(
        "Stream %r goes to %s by %s: %s.",
        mapping.stream,
        mapping.object,
        mapping.delivery,
        ", ".join(names) or "ids only",
    )
    if mapping.note:
        logger.info("Stream %r: note: %s", mapping.stream, mapping.note)
    if mapping.left_out:
        logger.info("Stream %r: not written: %s.", mapping.stream, ", ".join(mapping.left_out))
    for listed, warning in _WARNINGS.items():
        if names := list(getattr(mapping, listed)):
            shown = map(repr, names) if listed == "blank_ends" else names
            logger.warning(warning, mapping.stream, ", ".join(shown))
    if mapping.activity_time is not None:
        logger.warning(
            "Stream %r: Totango counts an activity when it arrives, whatever %s says. "
            "max_activity_age_days refuses old ones.",
            mapping.stream,
            mapping.activity_time.source.label,
        )
