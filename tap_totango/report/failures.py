"""Collects the streams that failed, while the others are still read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from totango_api.errors import TotangoError
from totango_api.redaction import sentence_of

if TYPE_CHECKING:
    from tap_totango.report.counts import Report

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
