"""Reads what the Integration Hub says to a batch, and what that means for each of its rows.

A receipt confirms every row. A response that names rows settles those. Whatever else comes with a
200, 201 or 202 is an unknown response: it is quoted, and confirms nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import RefusedError, ResponseError
from totango_api.http import decode, json_of
from totango_api.redaction import excerpt
from totango_api.writing.hub_receipt import is_receipt, taken_in
from totango_api.writing.named_rows import NO_REASON, faults_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from totango_api.errors import ApiError
    from totango_api.http import Response
    from totango_api.writing.named_rows import BatchRows

RECEIVED: Final = (200, 201, 202)

_INDEXES: Final = ("index", "row_index", "rowIndex", "row", "position")
_REASONS: Final = ("reason", "message", "error", "errors", "description")
_FAILURES: Final = frozenset({"failed", "failure", "error", "rejected", "refused", "invalid"})
_INDEX_IN_TEXT = re.compile(rf'"(?:{"|".join(_INDEXES)})" ?: ?"?(\d+)')
_PASSING: Final = re.compile(
    r"(?i)too many|throttl|rate.?limit|temporar|again|unavailable|time.?out|timed|busy|overload|"
    r"internal|\b(?:429|5\d\d)\b"
)
"""What responses say of the server's own moment, rather than of the rows."""

FORBIDDEN: Final = 403

TRIES: Final = 4
"""How often a batch is sent before a response that may pass, or that is no JSON, is believed."""

_REASON_IN_TEXT = re.compile(rf'"(?:{"|".join(_REASONS)})" ?: ?\[?"((?:[^"\\]|\\.)*)')


@dataclass(frozen=True)
class RowAccepted:
    """The row was taken."""


@dataclass(frozen=True)
class RowRefused:
    """The row was not taken.

    Attributes:
        reason: The server's, scrubbed and cut, or ours.
        status: HTTP status; None when no call was answered.
    """

    reason: str
    status: int | None = None


@dataclass(frozen=True)
class RowUncertain:
    """Nobody can tell whether the row was taken: the call may have been carried out.

    Attributes:
        reason: The server's words, scrubbed and cut.
        is_answered: Whether there was a response, though no receipt.
        is_about_row: Whether only this row was answered so: others like it were taken.
        status: HTTP status of the response; None when there was none.
    """

    reason: str
    is_answered: bool = False
    is_about_row: bool = False
    status: int | None = None


HubRowResult = RowAccepted | RowRefused | RowUncertain


@dataclass(frozen=True)
class HubResponse:
    """What one call said.

    Attributes:
        faults: Reasons by position of the row in the batch, counted from 0.
        taken: Positions of rows that a response without a receipt names as taken.
        is_refused: Whether there is a response that is no receipt.
        is_certain: Whether a refusal says that nothing was stored (a 4xx or a failed status).
        is_unknown: Whether the call may have been carried out without a response to tell.
        may_pass: Whether it says that another time all may be well.
        status: HTTP status.
        reason: The server's words, scrubbed and cut.
    """

    faults: Mapping[int, str] = field(default_factory=dict)
    taken: frozenset[int] = frozenset()
    is_refused: bool = False
    is_certain: bool = True
    is_unknown: bool = False
    may_pass: bool = False
    status: int | None = None
    reason: str = ""

    @property
    def all_taken(self) -> bool:
        """Whether every row was taken."""
        return not (self.is_refused or self.is_unknown or self.faults)


def response_in(
    endpoint: str, response: Response, rows: BatchRows, *, region: str = ""
) -> HubResponse:
    """Read a 2xx response.

    Args:
        endpoint: Method and URL.
        response: The response.
        rows: The batch that it answers.
        region: `us` or `eu`.

    Raises:
        ResponseError: If it is not JSON; retriable, since proxies and overload answer so.
        AuthenticationError: If it reports that the token was not accepted.
    """
    if not response.body.strip():
        return HubResponse(
            is_refused=True, is_certain=False, status=response.status, reason="an empty body"
        )
    body, reason = _decoded(endpoint, response, region)
    if response.status in RECEIVED and is_receipt(body, rows):
        return HubResponse(status=response.status)
    said_failed = _says_failed(body)
    faults = faults_in(body, rows)
    taken = frozenset(taken_in(body, rows) - faults.keys())
    text = excerpt(response.body)
    return HubResponse(
        faults=faults,
        taken=taken,
        is_refused=True,
        is_certain=said_failed and not taken,
        may_pass=not faults and bool(_PASSING.search(text)),
        status=response.status,
        reason=reason or f"no receipt, but {text}",
    )


def _decoded(endpoint: str, response: Response, region: str) -> tuple[Any, str]:
    """Return the decoded body, and the reason of a failure that every surface reports alike."""
    try:
        return json_of(endpoint, response, region=region), ""
    except RefusedError as error:
        return decode(response.body), error.reason
    except ResponseError as error:
        if not response.body.lstrip().startswith(b"<"):
            error.max_tries = TRIES
        raise


class UnclearResponseError(ResponseError):
    """A batch was answered in a way that tells nothing of its rows, and may pass.

    Attributes:
        response: What the hub said.
    """

    def __init__(self, endpoint: str, hub_response: HubResponse) -> None:
        super().__init__(
            endpoint,
            status=hub_response.status,
            reason=hub_response.reason,
            retriable=True,
            may_have_succeeded=True,
            max_tries=TRIES,
        )
        self.response = hub_response


def response_without_json(error: ResponseError) -> HubResponse:
    """Return what a response says that is no JSON."""
    return HubResponse(
        is_refused=True,
        is_certain=False,
        may_pass=error.max_tries is None or bool(_PASSING.search(error.reason)),
        status=error.status,
        reason=error.reason,
    )


def refusal_in(error: ApiError) -> HubResponse:
    """Return what a call that did not succeed says of its batch.

    The error holds the first 200 characters of the body: where they are a list of errors, the
    rows that it names are found even if it is cut in the middle.
    """
    if error.may_have_succeeded:
        return HubResponse(is_unknown=True, status=error.status, reason=_words(error))
    if error.status == FORBIDDEN:
        # The token's rights, or a firewall's word on one of the rows.
        return HubResponse(is_refused=True, may_pass=True, status=FORBIDDEN, reason=_words(error))
    return HubResponse(
        faults=_faults_in_text(error.reason),
        is_refused=True,
        status=error.status,
        reason=_words(error),
    )


def _faults_in_text(text: str) -> dict[int, str]:
    faults = {}
    for entry in text.split("}"):
        if named := _INDEX_IN_TEXT.search(entry):
            said = _REASON_IN_TEXT.search(entry)
            faults[int(named.group(1))] = said.group(1) if said else NO_REASON
    return faults


def _says_failed(body: Any) -> bool:
    return isinstance(body, dict) and str(body.get("status", "")).lower() in _FAILURES


def _words(error: ApiError) -> str:
    answered = f"status {error.status}" if error.status is not None else ""
    return ": ".join(part for part in (answered, error.reason) if part) or NO_REASON
