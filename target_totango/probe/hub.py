"""Questions about the Integration Hub and the user API: batches with a row, and with a bad one.

A bad row has no id, so that it cannot make an account wherever it is taken.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from target_totango.probe.account import NUMBER_ATTRIBUTE
from target_totango.probe.tracking import first
from totango_api.errors import ApiError
from totango_api.http import decode
from totango_api.limits import HUB_BATCH_ROWS
from totango_api.probe import FAILED, Answer, Question, does_not_arise
from totango_api.text import counted
from totango_api.writing import deletion_request

if TYPE_CHECKING:
    from target_totango.probe.account import ProbedAccount
    from totango_api.http import Response

_OK: Final = range(200, 300)
_MISSING: Final = 404
_KEY: Final = re.compile(r"[A-Za-z]+(_[A-Za-z]+)*")
_REFUSED_TOKEN: Final = frozenset({401, 403})


def _one_row(account: ProbedAccount) -> tuple[Response, bool]:
    """Return the answer to a good row, and whether it was seen."""

    def fetch() -> tuple[Response, bool]:
        mark = account.mark()
        response = account.post("accounts", [account.row(mark)])
        is_taken = response.status in _OK
        return response, is_taken and account.wait_for(mark) is not None

    return account.caller.once("hub row", fetch)


def hub_accounts(account: ProbedAccount) -> Answer:
    """Send a batch of one account."""
    response, is_seen = _one_row(account)
    if response.status not in _OK:
        what = "the token is not accepted" if response.status in _REFUSED_TOKEN else "not taken"
        return Answer("refused", f"status {response.status}: {what}", "delivery: tracking")
    seen = "and was seen" if is_seen else "and was not seen in time"
    return Answer(str(response.status), f"a row was answered {response.status}, {seen}")


def hub_users(account: ProbedAccount) -> Answer:
    """Send an empty batch of users, which makes none."""
    response = account.post("users", [])
    if response.status == _MISSING:
        return Answer("not there", "status 404", "delivery: tracking for users")
    if response.status in _REFUSED_TOKEN:
        return Answer("refused", f"status {response.status}")
    return Answer("there", f"an empty batch was answered {response.status}")


def hub_values(account: ProbedAccount) -> Answer:
    """Send a number as a number."""
    if not _is_usable(account):
        return does_not_arise("the hub takes no row: see hub_accounts")
    response = account.post("accounts", [account.row(account.mark(), **{NUMBER_ATTRIBUTE: 13})])
    if response.status not in _OK:
        return Answer("text only", f"a number was answered {response.status}")
    if _says_no(_decoded(response)):
        return Answer("text only", f"a number was answered {response.status}, with a failure")
    return Answer("numbers too", f"a number was answered {response.status}")


def hub_batch(account: ProbedAccount) -> Answer:
    """Send as many rows as a batch has by default, all alike; where that is refused, half of it."""
    if not _is_usable(account):
        return does_not_arise("the hub takes no row: see hub_accounts")
    rows, refusals = HUB_BATCH_ROWS, []
    while rows > 1:
        response = account.post("accounts", [account.row(account.mark())] * rows)
        if response.status in _OK and not _says_no(_decoded(response)):
            break
        refusals.append(f"{rows} rows: status {response.status}")
        rows //= 2
    if not refusals:
        return Answer(f"{rows} rows", "the default of hub_batch_size was taken")
    settings = {"hub_batch_size": rows}
    return Answer(
        counted(rows, "row"), "; ".join(refusals), f"hub_batch_size: {rows}", settings=settings
    )


def _is_usable(account: ProbedAccount) -> bool:
    response, is_seen = _one_row(account)
    return response.status in _OK and is_seen


def _bad_row(account: ProbedAccount) -> tuple[Response, bool]:
    """Return the answer to a good row and a bad one, and whether the good one was seen."""

    def fetch() -> tuple[Response, bool]:
        mark = account.mark()
        bad = {"attributes": {"account_name": mark}}
        response = account.post("accounts", [account.row(mark), bad])
        return response, account.is_taken(mark, first(account))

    return account.caller.once("hub bad row", fetch)


def hub_bad_row(account: ProbedAccount) -> Answer:
    """Send a good row with a bad one."""
    if not _is_usable(account):
        return does_not_arise("the hub takes no row: see hub_accounts")
    response, is_seen = _bad_row(account)
    value = "good rows taken" if is_seen else "batch refused"
    seen = "seen" if is_seen else "not seen"
    return Answer(value, f"status {response.status}; the good row was {seen}")


def hub_refusal_status(account: ProbedAccount) -> Answer:
    """Look at the status of a batch with a bad row."""
    if not _is_usable(account):
        return does_not_arise("the hub takes no row: see hub_accounts")
    response, _ = _bad_row(account)
    return Answer(str(response.status), counted(len(response.body), "byte"))


def hub_report(account: ProbedAccount) -> Answer:
    """Look how the response tells of a bad row: the keys that it has."""
    if not _is_usable(account):
        return does_not_arise("the hub takes no row: see hub_accounts")
    response, _ = _bad_row(account)
    return Answer(_form(_decoded(response), account.id), f"status {response.status}")


def _decoded(response: Response) -> Any:
    try:
        return decode(response)
    except ValueError:
        return "text"


def _form(response: Any, account_id: str) -> str:
    """Return the keys of a response, and those of the entries of its lists; no key of a row."""
    if not isinstance(response, dict):
        return "null" if response is None else "text" if isinstance(response, str) else "a list"
    parts = []
    for key, value in sorted(response.items()):
        entries = value if isinstance(value, list) else [value]
        inner = {one for entry in entries if isinstance(entry, dict) for one in entry}
        named = ", ".join(sorted(_plain(one, account_id) for one in inner))
        parts.append(f"{_plain(key, account_id)} ({named})" if inner else _plain(key, account_id))
    return ", ".join(parts) or "an empty object"


def _plain(key: str, account_id: str) -> str:
    return key if _KEY.fullmatch(key) and key != account_id else "…"


def _says_no(response: Any) -> bool:
    if not isinstance(response, dict):
        return False
    status = str(response.get("status", "")).lower()
    return status in {"failed", "error"} or bool(response.get("errors"))


def missing_user(account: ProbedAccount) -> Answer:
    """Delete a user of the account that never was."""
    client = account.caller.client
    nobody = f"singer-probe-{secrets.token_hex(8)}"
    request = deletion_request(client.connection, account.id, nobody)
    try:
        response = account.caller.call(lambda: client.send_once(request))
    except ApiError as error:
        return Answer("?", f"could not be asked: status {error.status}", state=FAILED)
    return Answer(str(response.status), f"a user that never was: status {response.status}")


QUESTIONS: Final = (
    Question("hub_accounts", "Does the hub take an account?", 2, hub_accounts),
    Question("hub_users", "Has the hub an endpoint for users?", 1, hub_users),
    Question("hub_values", "Does it take numbers as numbers?", 1, hub_values),
    Question("hub_batch", "How many rows does a batch take?", 1, hub_batch),
    Question("hub_bad_row", "What becomes of a batch with a bad row?", 4, hub_bad_row),
    Question("hub_refusal_status", "Which status has it?", 0, hub_refusal_status),
    Question("hub_report", "How does it tell of bad rows?", 0, hub_report),
    Question("missing_user", "What answers a deletion of nobody?", 1, missing_user),
)
