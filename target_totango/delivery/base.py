"""Defines destinations, which take rows, and the results that they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from totango_api.errors import ApiError, AuthenticationError, RefusedError
from totango_api.writing import NoReceiptError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.models import Row
    from totango_api.errors import TotangoError

FORBIDDEN: Final = 403
_ABOUT_THE_ROW: Final = frozenset({400, 409, 413, 414, 422})
_NEVER_ABOUT_A_ROW: Final = frozenset({401, 407, 408, 425, 429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Totango took it.

    Attributes:
        is_seen: Whether it was read back as it was sent.
    """

    is_seen: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Totango refused this row, and would refuse it again.

    Attributes:
        is_about_row: Whether that is certain, so that it need not be feared that Totango refuses
            every row.
        code: What kind of refusal it is, where the status does not say.
    """

    reason: str
    status: int | None = None
    is_about_row: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not delivered, for a reason outside the row."""

    error: TotangoError
    status: int | None = None

    @property
    def may_be_about_row(self) -> bool:
        """Whether the values of the row may be the cause.

        Not if no response came, if it may be a receipt, or if its status is about the token or the
        service's own moment.
        """
        if self.status is None or self.status in _NEVER_ABOUT_A_ROW:
            return False
        if isinstance(self.error, NoReceiptError) and self.error.may_be_receipt:
            return False
        return self.status == FORBIDDEN or not isinstance(self.error, AuthenticationError)


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may or may not have been carried out, and repeating it would do harm."""

    error: TotangoError


@dataclass(frozen=True, slots=True)
class Planned:
    """A dry run looked at the row instead of sending it."""


WriteResult = Confirmed | Refused | Failed | Uncertain


class Destination(Protocol):
    """Takes rows, and returns their results later. Used by one thread."""

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or a result was not collected yet."""

    def put(self, row: Row) -> bool:
        """Take a row; waits while too many are under way. Return whether results are to collect."""

    def collect(self) -> Sequence[tuple[Row, WriteResult | Planned]]:
        """Return the results that are known, without waiting."""

    def drain(self, *, until: float) -> bool:
        """Wait for every row; return False if results came first, or `until`. Then collect."""

    def cancel(self) -> None:
        """Start nothing new."""

    def close(self) -> None:
        """End the threads and connections."""


def result_of(error: ApiError, *, idempotent: bool) -> WriteResult:
    """Return the result of a write that ended in an error."""
    if error.may_have_succeeded and not idempotent:
        return Uncertain(error)
    if isinstance(error, RefusedError) and error.status in _ABOUT_THE_ROW:
        return Refused(error.reason or str(error), error.status)
    return Failed(error, error.status)
