"""What a run says while it goes on, and in the end."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from pathlib import Path

    from target_totango.mapping.compiler import StreamMapping
    from target_totango.report import Report
    from target_totango.storage.dead_letter import DeadLetterFile

logger = logging.getLogger("target-totango")

PROGRESS_SECONDS: Final = 5.0
BAR_SECONDS: Final = 0.5

HISTORY: Final = ".jsonl"
"""A report in a file of this kind is a line beside those of earlier runs."""


class Progress:
    """Says every few seconds how far a run is; on a terminal, a line that changes.

    Args:
        report: The counts.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._terminal = sys.stderr.isatty()
        self._told_at = time.monotonic()
        self._width = 0

    def pulse(self, under_way: int) -> None:
        """Say something, if it is time.

        Args:
            under_way: Rows neither confirmed nor rejected.
        """
        now = time.monotonic()
        if now - self._told_at < (BAR_SECONDS if self._terminal else PROGRESS_SECONDS):
            return
        self._told_at = now
        text = self._text(under_way)
        if not self._terminal:
            logger.info("%s", text)
            return
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def end(self) -> None:
        """Clear the line."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            self._width = 0

    def _text(self, under_way: int) -> str:
        report = self._report
        received = report.total("received")
        return (
            f"{received} rows read, {report.total('sent')} sent, "
            f"{report.total('rejected')} rejected, {under_way} under way, "
            f"{received / max(report.seconds, 1e-9):.0f} rows/s"
        )


def tell_mapping(mapping: StreamMapping) -> None:
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


def tell_end(report: Report, rejects: DeadLetterFile) -> None:
    """Log the table of the run and where its rejects are."""
    for line in report.table():
        logger.info("%s", line)
    for stream, rows in report.ignored_streams.items():
        logger.info("Stream %r was ignored: %d rows.", stream, rows)
    if rejects.rows:
        logger.info("%d rows are in %s.", rejects.rows, rejects.path)
    if superseded := report.total("superseded"):
        logger.info(
            "%d of them are outdated, since later rows of the same key were confirmed: "
            "a replay skips them.",
            superseded,
        )
    if rejects.moved_to is not None:
        logger.info("Older rejects were moved to %s.", rejects.moved_to)


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write the report as JSON, all of it or nothing; add it to the history in a `.jsonl` file.

    Raises:
        TotangoError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == HISTORY:
            line = json.dumps(report, ensure_ascii=False) + "\n"
            with path.open("ab") as history:
                history.write(line.encode())
            return
        beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        beside.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        msg = f"The report {path} cannot be written: {error.strerror or error}."
        raise TotangoError(msg, remedy="Set report_path to a place that can be.") from error
