"""Reads the Integration Hub's response to a batch, and what it means for each row.

A receipt confirms every row. A response that names rows settles those. Whatever else comes with a
200, 201 or 202 is an unknown response: it is quoted, and confirms nothing.

Public clients show as a receipt an object with `status` ("success"), `time_received` and a batch
id, of which no source shows the key. Whatever else it says must agree with that: as many rows taken
as were sent, none failed. A response with anything that is not known here is no receipt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import RefusedError, ResponseError
from totango_api.http import decode, json_of
from totango_api.redaction import excerpt
from totango_api.writing.named_rows import (
    FAULTS,
    NO_REASON,
    SUCCESSES,
    faults_in,
    is_whole,
    is_word,
    plain,
    results_in,
)

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
_REASON_IN_TEXT = re.compile(rf'"(?:{"|".join(_REASONS)})" ?: ?\[?"((?:[^"\\]|\\.)*)')
_PASSING: Final = re.compile(
    r"(?i)too many|throttl|rate.?limit|temporar|again|unavailable|time.?out|timed|busy|overload|"
    r"internal|\b(?:429|5\d\d)\b"
)
"""What responses say of the server's own moment, rather than of the rows."""

FORBIDDEN: Final = 403

TRIES: Final = 4
"""How often a batch is sent before a response that may pass, or that is no JSON, is believed."""

# What a receipt may hold beside `status`, keys in one spelling.

_IDS: Final = frozenset(
    {f"{what}id" for what in ("", "batch", "transaction", "request", "job", "upload", "import")}
    | {"uuid", "guid", "batch", "correlationid", "trackingid", "executionid"}
)
_TIMES: Final = frozenset({"timereceived", "receivedat", "receivedtime", "timestamp", "time"})
_SENT: Final = frozenset({"count", "total", "rows", "records", "size", "received", "processed"})
_TAKEN: Final = frozenset(
    {"accepted", "succeeded", "successful", "imported", "valid"}
    | _SENT
    | {f"{word}{what}" for word in ("accepted", "received", "processed", "success", "valid")
       for what in ("count", "rows", "records")}
)  # fmt: skip
_FAILED: Final = frozenset(
    {"failed", "rejected", "invalid", "errors", "failures", "skipped", "ignored", "dropped"}
    | {f"{word}{what}" for word in ("failed", "rejected", "invalid", "error", "failure")
       for what in ("count", "rows", "records")}
)  # fmt: skip

_RESULTS: Final = frozenset(
    {"results", "rows", "records", "items", "statuses", "accounts", "users", "usages"}
    | {"collections", "responses"}
)


@dataclass(frozen=True)
class HubResponse:
    """The response to one batch.

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
        return decode(response), error.reason
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
    """Return the response to a batch whose body is no JSON."""
    return HubResponse(
        is_refused=True,
        is_certain=False,
        may_pass=error.max_tries is None or bool(_PASSING.search(error.reason)),
        status=error.status,
        reason=error.reason,
    )


def refusal_in(error: ApiError) -> HubResponse:
    """Return the response of a call that failed.

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


# Receipts --------------------------------------------------------------------------------------


def is_receipt(decoded: Any, rows: BatchRows) -> bool:
    """Return whether a decoded response is a receipt: every row taken, and nothing else."""
    status = decoded.get("status") if isinstance(decoded, dict) else None
    if not isinstance(status, str) or status.lower() != "success":
        return False
    others = plain({key: value for key, value in decoded.items() if key != "status"})
    are_told_apart = len(others) == len(decoded) - 1
    return are_told_apart and all(_agrees(name, value, rows) for name, value in others.items())


def taken_in(decoded: Any, rows: BatchRows) -> set[int]:
    """Return the places of the rows that a response names as taken.

    Only where it says so in a list of results that are objects, and nothing else that casts doubt
    on that: words alone name nobody.
    """
    if isinstance(decoded, list):
        decoded = {"results": decoded}
    if not isinstance(decoded, dict):
        return set()
    parts = plain(decoded)
    lists = [value for name, value in parts.items() if name in _RESULTS and _is_list(value)]
    if len(lists) != 1 or len(parts) != len(decoded):
        return set()
    if not all(isinstance(result, dict) for result in lists[0]):
        return set()
    try:
        results = list(results_in(lists[0], rows))
    except IndexError:
        return set()
    taken = {place for place, is_taken, _ in results if is_taken}
    refused = {place for place, is_taken, _ in results if not is_taken}
    said = [pair for pair in parts.items() if not (pair[0] in _RESULTS and _is_list(pair[1]))]
    if not all(_fits(name, value, rows, len(taken), len(refused)) for name, value in said):
        return set()
    return taken - refused


def _fits(name: str, value: Any, rows: BatchRows, taken: int, refused: int) -> bool:
    """Return whether a part of a response fits its list of results."""
    if name == "status":
        return isinstance(value, str) and value.lower() in {*SUCCESSES, "partial"}
    if name in _FAILED and is_whole(value):
        return bool(value == refused)
    if name in _TAKEN and is_whole(value):
        return value == taken or (name in _SENT and value == rows.size)
    return _agrees(name, value, rows) or (name in FAULTS and _is_list(value))


def _agrees(name: str, value: Any, rows: BatchRows) -> bool:
    """Return whether a part of a response says nothing but that every row was taken."""
    if name in _IDS:
        is_id = isinstance(value, str) and any(map(str.isalnum, value)) and not is_word(value)
        return (is_id or is_whole(value)) and not rows.has_id(value)
    if name in _TIMES:
        is_time = isinstance(value, str) and any(map(str.isdecimal, value))
        return (is_time and not rows.has_id(value)) or is_whole(value)
    if name in _FAILED | FAULTS:
        return value is None or value in ([], {}) or (is_whole(value) and value == 0)
    return name in _TAKEN and is_whole(value) and bool(value == rows.size)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)
