"""Deletes users: the only thing that Totango lets an API delete ("User Delete API").

A deletion cannot be undone and takes a few minutes. Accounts can be archived by people only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from totango_api.errors import RefusedError, ResponseError
from totango_api.http import Request, json_of
from totango_api.redaction import excerpt

if TYPE_CHECKING:
    from totango_api.config import Connection
    from totango_api.http import ApiClient, Response

_PATH: Final = "/api/v2/users/account-user"
_NOT_FOUND: Final = 404
_SUCCESS: Final = frozenset({"success", "ok", "deleted"})
_ABSENCE: Final = re.compile(r"(?i)\bnot (?:found|exist\w*)\b|\b(?:no such|unknown) user\b")


@dataclass(frozen=True)
class Deletion:
    """The result of a deletion, as the response reports it.

    Attributes:
        claim: `unclear` when it is neither an acknowledgement nor the API's word that there is no
            such user: a page of a gateway, `{"success": false}`, a text.
        response: What was answered, scrubbed and cut, where it is unclear.
    """

    claim: Literal["deleted", "not there", "unclear"]
    response: str = ""


def deletion_request(connection: Connection, account_id: str, user_id: str) -> Request:
    """Return the call that deletes a user.

    Raises:
        SettingsError: If the token is not set.
    """
    url = f"{connection.hosts.api}{_PATH}/{quote(account_id, safe='')}/{quote(user_id, safe='')}"
    headers = {"app-token": connection.require_token(), "Accept": "application/json"}
    return Request("api", "DELETE", url, headers=headers)


def delete_user(client: ApiClient, account_id: str, user_id: str) -> Deletion:
    """Delete a user of an account.

    Args:
        client: Makes the call.
        account_id: As Totango has it, case included.
        user_id: As Totango has it, case included.

    Returns:
        What Totango says of it. That the user was not there is also what a deletion says that was
        repeated because its first response got lost.

    Raises:
        ApiError: If it was not deleted.
    """
    endpoint = f"DELETE {_PATH}"
    connection = client.connection
    for what, value in (("account", account_id), ("user", user_id)):
        # An empty segment, or one that means "this" or "the one above", names something else.
        if value in {"", ".", ".."}:
            raise RefusedError(endpoint, reason=f"{value!r} cannot be the id of the {what}")

    def read(endpoint: str, response: Response) -> Deletion:
        return _claim(endpoint, response, connection.region)

    try:
        return client.send(deletion_request(connection, account_id, user_id), read)
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        if _ABSENCE.search(error.reason) and not error.reason.startswith("<"):
            return Deletion("not there")
        return Deletion("unclear", f"status {error.status}: {error.reason}")


def _claim(endpoint: str, response: Response, region: str) -> Deletion:
    """Read a 2xx; the documentation shows no body.

    Raises:
        ApiError: If it reports a failure, or is a web page, which is not Totango's.
    """
    body = response.body.strip()
    if not body:
        return Deletion("deleted")
    if body.startswith(b"<"):
        raise ResponseError(
            endpoint,
            status=response.status,
            reason="the response is a web page",
            remedy="Check api_url: is it really Totango's API?",
        )
    decoded = None
    if body.startswith((b"{", b"[")):
        decoded = json_of(endpoint, response, region=region)
    if isinstance(decoded, dict) and _acknowledges(decoded):
        return Deletion("deleted")
    return Deletion("unclear", excerpt(body))


def _acknowledges(decoded: dict[str, Any]) -> bool:
    """Return whether a response confirms the deletion, and contradicts that nowhere."""
    said = {str(key).lower(): value for key, value in decoded.items()}
    if any(value is False or value == 0 for value in said.values()):
        return False
    status = said.get("status")
    if status is not None:
        return isinstance(status, str) and status.lower() in _SUCCESS
    return said.get("success") is True or said.get("deleted") in (True, 1)
