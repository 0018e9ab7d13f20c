"""Deletion of one user: the only thing that Totango lets an API delete ("User Delete API").

A deletion cannot be undone and takes a few minutes. Accounts can be archived by people only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from totango_api.errors import RefusedError, ResponseError
from totango_api.http import Request, json_of

if TYPE_CHECKING:
    from totango_api.http import ApiClient, Response

PATH: Final = "/api/v2/users/account-user"
_NOT_THERE: Final = 404


def delete_user(transport: ApiClient, account_id: str, user_id: str) -> bool:
    """Delete a user of an account.

    Args:
        transport: The way out.
        account_id: As Totango has it, case included.
        user_id: As Totango has it, case included.

    Returns:
        True if it was deleted; False if it was not there, which is also what a deletion says
        that was repeated because its first answer got lost.

    Raises:
        ApiError: If it was not deleted.
    """
    endpoint = f"DELETE {PATH}"
    connection = transport.connection
    for what, value in (("account", account_id), ("user", user_id)):
        # An empty segment, or one that means "this" or "the one above", names something else.
        if value in {"", ".", ".."}:
            raise RefusedError(endpoint, reason=f"{value!r} cannot be the id of the {what}")
    url = f"{connection.hosts.api}{PATH}/{quote(account_id, safe='')}/{quote(user_id, safe='')}"
    headers = {"app-token": connection.require_token(), "Accept": "application/json"}

    def read(endpoint: str, answer: Response) -> None:
        _check(endpoint, answer, connection.region)

    try:
        transport.send(Request("api", "DELETE", url, headers=headers), read)
    except RefusedError as error:
        if error.status == _NOT_THERE:
            return False
        raise
    return True


def _check(endpoint: str, answer: Response, region: str) -> None:
    """Look for a failure inside a 2xx; the documentation shows no body, so it may be anything.

    Raises:
        ApiError: If there is one, or if the answer is a web page, which is not Totango's.
    """
    body = answer.body.strip()
    if body.startswith(b"<"):
        raise ResponseError(
            endpoint,
            status=answer.status,
            reason="the answer is a web page",
            remedy="Check api_url: is it really Totango's API?",
        )
    if body.startswith((b"{", b"[")):
        json_of(endpoint, answer, region=region)
