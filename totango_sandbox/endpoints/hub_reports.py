"""Reports of the Integration Hub about a batch, in every form that a switch selects.

Only the receipt of a good batch was ever shown (clients of int-hub). What tells of bad rows is
unknown, hence many forms.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from totango_sandbox import dates

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_sandbox.switches import Switches

Errors = dict[int, str]


def receipt() -> dict[str, Any]:
    """Return the answer to a batch without bad rows."""
    return {
        "status": "success",
        "time_received": dates.time_text(dates.now()),
        "batch_id": secrets.token_hex(12),
    }


def report_errors(batch: list[Any], errors: Errors, switches: Switches, *, is_refused: bool) -> Any:
    """Return the answer to a batch with bad rows: JSON, or a text that is none.

    Args:
        batch: all rows.
        errors: what is wrong with the bad ones, by position.
        switches: ``hub_report`` and ``hub_error_detail``.
        is_refused: whether the good rows were refused with the bad ones.
    """
    status = "failed" if is_refused else "partial"
    accepted = 0 if is_refused else len(batch) - len(errors)
    detail = switches.text("hub_error_detail")
    is_silent = detail == "none" and not is_refused
    named = [] if is_silent else _named(batch, errors, detail)
    head = {"status": "failed"} if is_refused else receipt()
    forms: dict[str, Callable[[], Any]] = {
        "errors": lambda: {**head, "errors": named} if named else head,
        "results": lambda: {"status": status, "results": _results(batch, errors, is_refused)},
        "failed": lambda: {"status": status, "failed": named},
        "rejected": lambda: {"rejected": named},
        "invalid_rows": lambda: {"invalid_rows": list(errors)},
        "counts": lambda: {"accepted": accepted, "failed": len(batch) - accepted},
        "status": lambda: {"status": status},
        "success": lambda: {"success": False},
        "code": lambda: {"statusCode": 400},
        "message": lambda: {"message": "Invalid rows"},
        "nested": lambda: {"response": {"status": status, "errors": named}},
        "capitals": lambda: {"Status": status.capitalize(), "Errors": list(map(_capital, named))},
        "text": lambda: f"{len(errors)} of {len(batch)} rows are invalid",
        "null": lambda: None,
    }
    return forms[switches.text("hub_report")]()


def _named(batch: list[Any], errors: Errors, detail: str) -> list[dict[str, Any]]:
    if detail == "none":
        return [{"message": "invalid batch"}]
    if detail == "id":
        return [{"id": _id(batch[index]), "message": text} for index, text in errors.items()]
    return [{"index": index, "message": text} for index, text in errors.items()]


def _results(batch: list[Any], errors: Errors, is_refused: bool) -> list[dict[str, Any]]:
    good = {"status": "skipped" if is_refused else "success"}
    return [
        {"id": _id(row), "status": "failed", "message": errors[index]}
        if index in errors
        else {"id": _id(row), **good}
        for index, row in enumerate(batch)
    ]


def _id(row: Any) -> Any:
    return row.get("id", row.get("account_id")) if isinstance(row, dict) else None


def _capital(row: dict[str, Any]) -> dict[str, Any]:
    return {name.capitalize(): value for name, value in row.items()}
