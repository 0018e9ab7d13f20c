"""Ends a run in which nothing gets through any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.delivery import FORBIDDEN
from target_totango.models import TRACKING
from totango_api.errors import AuthenticationError, TotangoError

if TYPE_CHECKING:
    from target_totango.models import Row

OUTAGE_CALLS: Final = 20
"""Failed calls in a row, with no success in between, that are an outage."""

_NOT_ACCEPTED: Final = (
    "Check sdr_token (Settings, SDR tokens) and service_id, and whether the region is right."
)


class OutageError(TotangoError):
    """Nothing gets through any more: the run ends, and its STATE is held."""


def with_remedy(error: TotangoError, row: Row) -> TotangoError:
    """Return an error with what to do about it: tracking calls do not carry the app token."""
    is_tracking = row.delivery == TRACKING and not row.is_deleted
    if isinstance(error, AuthenticationError) and is_tracking:
        return TotangoError(error.message, remedy=_NOT_ACCEPTED)
    return error


class CircuitBreaker:
    """Counts failed calls, and says when nothing gets through any more.

    Attributes:
        any_success: Whether Totango took anything in this run.
    """

    def __init__(self) -> None:
        self.any_success = False
        self._in_a_row = 0
        self._last_error: TotangoError | None = None
        self._outage: OutageError | None = None

    def succeeded(self) -> None:
        """Note a success."""
        self.any_success = True
        self._in_a_row = 0
        self._last_error = None

    def failed(self, row: Row, error: TotangoError) -> None:
        """Count a failed call. The rows of a batch share their error, and count once."""
        if error is self._last_error:
            return
        self._last_error = error
        self._in_a_row += 1
        told = with_remedy(error, row)
        # 403 may be what a firewall answers to a single row: others are tried.
        is_token = isinstance(error, AuthenticationError) and error.status != FORBIDDEN
        if is_token and not self.any_success:
            self._outage = OutageError(told.message, remedy=told.remedy)
        elif self._in_a_row == OUTAGE_CALLS:
            msg = f"Rows could not be delivered {self._in_a_row} calls in a row: {told.message}"
            remedy = told.remedy or "Run again when the service is back."
            self._outage = OutageError(msg, remedy=remedy)

    def all_refused(self, rows: int, reason: str) -> None:
        """Note that many rows were refused and none was taken: that is no row's fault."""
        msg = f"{rows} rows were refused, and none was taken: {reason}"
        remedy = "Check the service, the region and the URL settings."
        self._outage = OutageError(msg, remedy=remedy)

    def check(self) -> None:
        """Check whether anything gets through.

        Raises:
            OutageError: If many calls failed in a row, or if the first ones say that no call is
                accepted.
        """
        if self._outage is not None:
            outage, self._outage = self._outage, None
            raise outage
