"""What the Integration Hub says to a batch, and what that means for each of its rows.

Known of the answer: a status 200, 201 or 202 and JSON with `status`, `time_received` and a batch
id whose key no source shows (public clients). Errors are JSON under unknown keys. So the likely
spellings are read, and whatever an answer does not say stays unsaid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from totango_api.errors import RefusedError
from totango_api.http import json_of
from totango_api.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from totango_api.errors import ApiError
    from totango_api.http import Response

_BATCH_IDS: Final = ("batch_id", "batchId", "transaction_id", "transactionId", "request_id", "id")
_RECEIVED: Final = ("time_received", "timeReceived", "received_at")
_FAULTS: Final = ("errors", "failed", "rejected", "failures", "invalid", "details")
_INDEXES: Final = ("index", "row_index", "rowIndex", "row", "position")
_REASONS: Final = ("reason", "message", "error", "errors", "description")
_FAILURES: Final = frozenset({"failed", "failure", "error", "rejected", "refused", "invalid"})
_INDEX_IN_TEXT = re.compile(rf'"(?:{"|".join(_INDEXES)})" ?: ?"?(\d+)')
_REASON_IN_TEXT = re.compile(rf'"(?:{"|".join(_REASONS)})" ?: ?\[?"((?:[^"\\]|\\.)*)')


@dataclass(frozen=True)
class Accepted:
    """The row was taken.

    Attributes:
        batch_id: The hub's name for the batch, where it gave one.
        received_at: When the hub says it received the batch, as it wrote it.
    """

    batch_id: str | None = None
    received_at: str | None = None


@dataclass(frozen=True)
class Refused:
    """The row was not taken.

    Attributes:
        reason: The server's, scrubbed and cut, or ours.
        status: HTTP status; None when no call was answered.
    """

    reason: str
    status: int | None = None


@dataclass(frozen=True)
class Uncertain:
    """Nobody can tell whether the row was taken: the call may have been carried out."""

    reason: str


Outcome = Accepted | Refused | Uncertain


@dataclass(frozen=True)
class Reply:
    """What one call said.

    Attributes:
        faults: Reasons by position of the row in the batch, counted from 0.
        refused: Whether the batch was refused as a whole. Faults without this: the other rows
            were taken.
        certain: Whether a refusal says that nothing was stored (a 4xx or a failed status).
        unknown: Whether the call may have been carried out without an answer to tell.
        status: HTTP status.
        reason: The server's words, scrubbed and cut.
    """

    receipt: Accepted = Accepted()
    faults: Mapping[int, str] = field(default_factory=dict)
    refused: bool = False
    certain: bool = True
    unknown: bool = False
    status: int | None = None
    reason: str = ""

    @property
    def clean(self) -> bool:
        """Whether every row was taken."""
        return not (self.refused or self.unknown or self.faults)


def reply_in(endpoint: str, answer: Response, *, region: str = "") -> Reply:
    """Read a 2xx answer.

    Raises:
        AnswerError: If it is not JSON; retriable, since proxies and overload answer so.
        AuthenticationError: If it reports that the token was not accepted.
    """
    if not answer.body.strip():
        return Reply(status=answer.status)
    try:
        # Decodes and looks for the failures that every surface reports alike.
        body, reason = json_of(endpoint, answer, region=region), ""
    except RefusedError as error:
        body, reason = msgspec.json.decode(answer.body), error.reason
    failed = _says_failed(body)
    faults = faults_in(body)
    return Reply(
        receipt=_receipt(body),
        faults=faults,
        refused=failed or (bool(reason) and not faults),
        certain=failed,
        status=answer.status,
        reason=reason or ("the batch was reported as failed" if failed else ""),
    )


def refusal_in(error: ApiError) -> Reply:
    """Return what a call that did not succeed says of its batch.

    The error holds the first 200 characters of the body: where they are a list of errors, the
    rows that it names are found even if it is cut in the middle.
    """
    if error.may_have_succeeded:
        return Reply(unknown=True, status=error.status, reason=_words(error))
    return Reply(
        faults=_faults_in_text(error.reason),
        refused=True,
        status=error.status,
        reason=_words(error),
    )


def faults_in(body: Any) -> dict[int, str]:
    """Return the reasons that a decoded body gives for single rows, by their position."""
    return {
        index: reason for entries in _fault_lists(body) for index, reason in _named_rows(entries)
    }


def _fault_lists(body: Any) -> Iterator[Any]:
    if not isinstance(body, dict):
        return
    for holder in (body, body.get("response"), body.get("data"), body.get("error")):
        if isinstance(holder, dict):
            yield from (holder[key] for key in _FAULTS if holder.get(key))


def _named_rows(entries: Any) -> Iterator[tuple[int, str]]:
    if isinstance(entries, dict):
        yield from ((int(key), _said(said)) for key, said in entries.items() if key.isdecimal())
    if not isinstance(entries, list):
        return
    for entry in entries:
        index = _first(entry, _INDEXES) if isinstance(entry, dict) else None
        if isinstance(index, int) and not isinstance(index, bool) and index >= 0:
            yield index, _said(_first(entry, _REASONS))


def _faults_in_text(text: str) -> dict[int, str]:
    faults = {}
    for entry in text.split("}"):
        if named := _INDEX_IN_TEXT.search(entry):
            said = _REASON_IN_TEXT.search(entry)
            faults[int(named.group(1))] = said.group(1) if said else "no reason given"
    return faults


def _receipt(body: Any) -> Accepted:
    holders = [body, body.get("response"), body.get("data")] if isinstance(body, dict) else []
    found = [
        next((value for holder in holders if (value := _first(holder, keys)) is not None), None)
        for keys in (_BATCH_IDS, _RECEIVED)
    ]
    return Accepted(*(None if value is None else str(value) for value in found))


def _says_failed(body: Any) -> bool:
    return isinstance(body, dict) and str(body.get("status", "")).lower() in _FAILURES


def _first(holder: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(holder, dict):
        return None
    return next((holder[key] for key in keys if holder.get(key) is not None), None)


def _said(reason: Any) -> str:
    if reason is None:
        return "no reason given"
    return excerpt(reason if isinstance(reason, str) else msgspec.json.encode(reason).decode())


def _words(error: ApiError) -> str:
    answered = f"status {error.status}" if error.status is not None else ""
    return ": ".join(part for part in (answered, error.reason) if part) or "no reason given"
