"""What a mapping does with a stream, for the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_totango.mapping.compiler import StreamMapping

logger = logging.getLogger("target-totango")


def log_mapping(mapping: StreamMapping) -> None:
    """Log what becomes of a stream."""
    names = [column.api_name for column in mapping.columns]
    logger.info(
        "Stream %r goes to %s by %s: %s.",
        mapping.stream,
        mapping.object,
        mapping.delivery,
        ", ".join(names) or "ids only",
    )
    if mapping.left_out:
        logger.info("Stream %r: not written: %s.", mapping.stream, ", ".join(mapping.left_out))
    if mapping.nested:
        logger.warning(
            "Stream %r: nested, so written as JSON text: %s. Map a dotted path, or set "
            "flattening_enabled.",
            mapping.stream,
            ", ".join(mapping.nested),
        )
    if mapping.blank_ends:
        logger.warning(
            "Stream %r: attribute names that begin or end with a blank are sent as they are: %s.",
            mapping.stream,
            ", ".join(map(repr, mapping.blank_ends)),
        )
    if mapping.new:
        logger.warning(
            "Stream %r: attributes that Totango does not know yet: %s.",
            mapping.stream,
            ", ".join(mapping.new),
        )
