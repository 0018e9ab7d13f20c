"""Recognises what confirms a batch of the Integration Hub: a receipt, and nothing else.

Public clients show an object with `status` ("success"), `time_received` and a batch id, of which no
source shows the key. Whatever else a response says must agree with that: as many rows taken as were
sent, none failed. A response with anything that is not known here is no receipt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_api.writing.named_rows import FAULTS, SUCCESSES, is_whole, is_word, plain, results_in

if TYPE_CHECKING:
    from totango_api.writing.named_rows import BatchRows

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


def is_receipt(decoded: Any, rows: BatchRows) -> bool:
    """Return whether a decoded response says that every row was taken, and nothing else."""
    status = decoded.get("status") if isinstance(decoded, dict) else None
    if not isinstance(status, str) or status.lower() != "success":
        return False
    others = plain({key: value for key, value in decoded.items() if key != "status"})
    are_told_apart = len(others) == len(decoded) - 1
    return are_told_apart and all(_agrees(name, value, rows) for name, value in others.items())


def taken_in(decoded: Any, rows: BatchRows) -> set[int]:
    """Return the places of the rows that a response names as taken.

    Only where it says so in a list of results, and nothing else that casts doubt on that.
    """
    if isinstance(decoded, list):
        decoded = {"results": decoded}
    if not isinstance(decoded, dict):
        return set()
    parts = plain(decoded)
    lists = [value for name, value in parts.items() if name in _RESULTS and _is_list(value)]
    if len(lists) != 1 or len(parts) != len(decoded):
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
