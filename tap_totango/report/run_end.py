"""What a run could not do, and its end: the report is written and people told in any case."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tap_totango.records import UNREAD, Stopped, UnreadError
from totango_api.command import checked_paths
from totango_api.errors import TotangoError
from totango_api.notifications import Notifier, publish
from totango_api.redaction import sentence_of
from totango_api.report import ReportFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_totango.report.counts import Report
    from totango_api.http import ApiClient

logger = logging.getLogger("tap-totango")


class StreamFailures:
    """Keeps why streams failed, to be said at the end of the run.

    Args:
        report: Says so of the stream as well.
        are_raised: Whether the first one ends the run, as in a test.
    """

    def __init__(self, report: Report, *, are_raised: bool) -> None:
        self._report = report
        self._are_raised = are_raised
        self._errors: dict[str, TotangoError] = {}

    def __bool__(self) -> bool:
        return bool(self._errors)

    def note(self, stream: str, error: TotangoError) -> None:
        """Note that a stream failed.

        Raises:
            TotangoError: If that ends the run.
        """
        if self._are_raised:
            raise error
        self._errors[stream] = error
        self._report.stream(stream).failure = sentence_of(error)
        logger.error("%s failed; why is said at the end of the run.", stream)

    def check(self) -> None:
        """Check that none failed.

        Raises:
            TotangoError: If any did: what went wrong in all of them.
        """
        if self._errors:
            raise TotangoError(str(self))

    def __str__(self) -> str:
        said = " ".join(f"{stream}: {error}" for stream, error in self._errors.items())
        return f"{len(self._errors)} of the streams failed. {said}"


class RunEnd:
    """Writes the report of a run, and tells people.

    Args:
        config: The tap's settings.

    Raises:
        SettingsError: If the report cannot be where they say, or no notification can be sent so.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._files = ReportFiles.of(checked_paths(ReportFiles.paths(config)))
        self._notifier = Notifier.from_config(config)
        self._calls_per_minute = config.get("rate_limit_per_minute")

    def finish(self, report: Report, client: ApiClient | None, error: BaseException | None) -> None:
        """Write the report, and send notifications.

        Args:
            report: What was counted.
            client: Whose calls it names.
            error: Why not everything was done.

        Raises:
            TotangoError: If it cannot be written, and everything else was done.
        """
        calls = {} if client is None else client.usage_report()
        document = report.as_dict(failure="" if error is None else _said(error), calls=calls)
        document["calls_per_minute"] = self._calls_per_minute
        unwritten = publish(document, self._files, self._notifier)
        if unwritten is not None:
            if error is None:
                raise unwritten
            logger.error("%s", unwritten)


def _said(error: BaseException) -> str:
    """Return why a run ended early, as a sentence."""
    if isinstance(error, Stopped):
        return f"Stopped by {error}; a later run goes on from the last state."
    if isinstance(error, (UnreadError, BrokenPipeError)):
        return UNREAD
    return sentence_of(error)
