"""Makes and changes engagements: touchpoints and tasks, each with an id that Totango gives it.

Making one twice makes two: Totango keeps no id of the caller's. Only a response that holds the id
or says "Success" tells that it was done: 200 alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from totango_api.errors import ApiError, RefusedError, ResponseError
from totango_api.http import Request, json_of
from totango_api.redaction import excerpt
from totango_api.writing.named_rows import verdict_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from totango_api.http import ApiClient, Response
    from totango_api.writing.engagement_endpoints import EngagementEndpoint

R = TypeVar("R")

JSON: Final = "application/json"

SUCCESS: Final = "success"
"""What the article on tasks shows as the response to a new one."""

TRIES: Final = 4
"""How often a change is sent before a response that is no receipt is believed."""


class EngagementClient:
    """Makes and changes engagements. Safe to share between threads.

    Args:
        client: Makes the calls.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def create(
        self, endpoint: EngagementEndpoint, account_id: str, fields: Mapping[str, str]
    ) -> str | None:
        """Make an engagement, and return its id; None where the response holds none.

        It is sent again only where it certainly was not carried out.

        Raises:
            ApiError: If it was not made, or if that is not known (`may_have_succeeded`).
        """
        body = endpoint.body(account_id, fields)

        def read(url: str, response: Response) -> str | None:
            decoded = self._read(url, response, idempotent=False)
            if (engagement_id := _id_text(endpoint.id_in(decoded))) is None:
                _check_success(url, response, decoded, idempotent=False)
            return engagement_id

        return self._send("POST", endpoint.path, body, read, idempotent=False)

    def update(
        self,
        endpoint: EngagementEndpoint,
        engagement_id: str,
        account_id: str,
        fields: Mapping[str, str],
        *,
        event_id: str | None = None,
    ) -> None:
        """Change an engagement: the fields that are given, and no others.

        Args:
            endpoint: Its kind.
            engagement_id: Its id.
            account_id: Its account.
            fields: Texts by Totango's names.
            event_id: The id of the event by which it is read, where the kind asks for it.

        Raises:
            ApiError: If it was not changed.
        """
        path = f"{endpoint.path.rstrip('/')}/{quote(engagement_id, safe='')}"
        if engagement_id in {"", ".", ".."}:
            url = f"PUT {path}"
            raise RefusedError(url, status=400, reason=f"{engagement_id!r} is no id")
        body = endpoint.body(account_id, fields) | endpoint.ids(engagement_id, event_id)

        def read(url: str, response: Response) -> None:
            decoded = self._read(url, response, idempotent=True)
            # No source shows the response to a change: none at all is a usual one.
            if decoded != "" and _id_text(endpoint.id_in(decoded)) != engagement_id:
                _check_success(url, response, decoded, idempotent=True)

        self._send("PUT", path, body, read, idempotent=True)

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        read: Callable[[str, Response], R],
        *,
        idempotent: bool,
    ) -> R:
        connection = self._client.connection
        headers = {
            "app-token": connection.require_token(),
            "Accept": JSON,
            "Content-Type": JSON,
        }
        url = f"{connection.hosts.api}{path}"
        sent = msgspec.json.encode(body)
        request = Request("api", method, url, sent, headers, idempotent=idempotent)
        return self._client.send(request, read)

    def _read(self, url: str, response: Response, *, idempotent: bool) -> Any:
        """Return a decoded response; a text such as "Success" as it is.

        Raises:
            ApiError: If the response says that it was not done.
        """
        body = response.body.strip()
        if not body.startswith((b"{", b"[", b"<")):
            return body.decode("utf-8", "replace").strip('"')
        try:
            decoded = json_of(url, response, region=self._client.connection.region)
        except ApiError as error:
            # A page of a proxy, half a response, "internal error": who knows what came of the call.
            if not idempotent and error.retriable:
                error.retriable, error.may_have_succeeded = False, True
            raise
        if verdict_in(decoded) is False:
            raise _no_receipt(url, response, idempotent=idempotent)
        return decoded


def _check_success(url: str, response: Response, decoded: Any, *, idempotent: bool) -> None:
    """Check that a response without an id says that the call was carried out.

    Raises:
        ResponseError: If it does not.
    """
    said = decoded
    if isinstance(decoded, dict) and len(decoded) == 1:
        said = SUCCESS if verdict_in(decoded) else next(iter(decoded.values()))
    if not (isinstance(said, str) and said.rstrip(".!").lower() == SUCCESS):
        raise _no_receipt(url, response, idempotent=idempotent)


def _no_receipt(url: str, response: Response, *, idempotent: bool) -> ResponseError:
    quoted = excerpt(response.body)
    return ResponseError(
        url,
        status=response.status,
        reason=f"no receipt, but {quoted}" if quoted else "an empty body",
        retriable=idempotent,
        may_have_succeeded=True,
        max_tries=TRIES,
    )


def _id_text(value: Any) -> str | None:
    """Return an id as text; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    return str(value) or None
