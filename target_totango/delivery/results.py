"""What became of a write, and when to stop trying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_totango.models import TRACKING
from totango_api.errors import ApiError, AuthenticationError, RefusedError, TotangoError

if TYPE_CHECKING:
    from target_totango.models import Row

OUTAGE_CALLS: Final = 20
"""So many failed calls in a row, with no success in between, are an outage, not the rows' fault."""

_ABOUT_THE_ROW: Final = frozenset({400, 409, 413, 414, 422})


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Totango took it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Totango refused this row, and would refuse it again."""

    reason: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not delivered, for a reason that may lie outside the row."""

    error: TotangoError
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may or may not have been carried out, and repeating it would do harm."""

    error: TotangoError


WriteResult = Confirmed | Refused | Failed | Uncertain


def outcome_of(error: ApiError, *, idempotent: bool) -> WriteResult:
    """Return what an error says about the write."""
    if error.may_have_succeeded and not idempotent:
        return Uncertain(error)
    if isinstance(error, RefusedError) and error.status in _ABOUT_THE_ROW:
        return Refused(error.reason or str(error), error.status)
    return Failed(error, error.status)


_NOT_ACCEPTED: Final = (
    "Check sdr_token (Settings, SDR tokens) and service_id, and whether the region is right."
)


class OutageError(TotangoError):
    """Nothing gets through any more: the run ends instead of rejecting row after row."""


class CircuitBreaker:
    """Holds failed rows back until it is clear whether the rows or the server are to blame."""

    def __init__(self) -> None:
        self._held: list[tuple[Row, Failed]] = []
        self._any_success = False
        self._in_a_row = 0
        self._last_error: TotangoError | None = None

    def succeeded(self) -> list[tuple[Row, Failed]]:
        """Note a success, and return the rows that failed before it: those are to blame."""
        self._any_success = True
        self._in_a_row = 0
        self._last_error = None
        return self.release()

    def failed(self, row: Row, outcome: Failed) -> None:
        """Hold a failed row.

        Raises:
            OutageError: If so many failed one after the other that it is an outage, or if the
                very first ones say that no call is accepted.
        """
        if isinstance(outcome.error, AuthenticationError) and not self._any_success:
            remedy = _NOT_ACCEPTED if row.delivery == TRACKING else outcome.error.remedy
            raise OutageError(outcome.error.message, remedy=remedy)
        self._held.append((row, outcome))
        self.count(outcome.error)

    def count(self, error: TotangoError) -> None:
        """Count a failure whose row needs no holding.

        The rows of a batch that share a failure count once: they went out in one call.

        Raises:
            OutageError: As above.
        """
        if error is self._last_error:
            return
        self._last_error = error
        self._in_a_row += 1
        if self._in_a_row >= OUTAGE_CALLS:
            msg = f"Rows could not be delivered {self._in_a_row} calls in a row: {error.message}"
            raise OutageError(msg, remedy=error.remedy or "Run again when the service is back.")

    def release(self) -> list[tuple[Row, Failed]]:
        """Return the rows held, and hold them no longer."""
        held, self._held = self._held, []
        return held
