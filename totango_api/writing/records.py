"""Objects that are made and changed one by one, each with an id of Totango's own.

Making one twice makes two: Totango keeps no id of the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from totango_api.errors import ApiError, RefusedError
from totango_api.http import Request, json_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from totango_api.http import ApiClient, Response
    from totango_api.reading import RecordEvent

JSON: Final = "application/json"


@dataclass(frozen=True)
class RecordEndpoint:
    """Where the objects of one kind are made and changed.

    Attributes:
        path: Of the REST API, with the slash at its end that the article shows.
        id_in: Returns the id that an answer holds.
        event_type: The type of the events by which they are read.
        shown: Returns what of the fields an event shows, by the names under which they are sent.
        told_by: The fields by which one is told from others of its account.
        moment: That one of them which may be long before it is made; empty where none is.
        typed: How the texts of fields become JSON, for those that are not texts there.
        fixed: Fields that are sent where nothing else is given.
        ids_in_body: Names of the ids that the body of a change repeats.
    """

    path: str
    id_in: Callable[[Any], Any]
    event_type: str
    shown: Callable[[RecordEvent], Mapping[str, Any]]
    told_by: tuple[str, ...]
    moment: str = ""
    typed: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    ids_in_body: tuple[str, ...] = ()

    def body(self, account_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """Return what is sent for fields given as text, by Totango's names."""
        read = {name: self.typed.get(name, str)(text) for name, text in fields.items()}
        return {"account_id": account_id, **self.fixed, **read}


class RecordClient:
    """Makes and changes objects. Safe to share between threads.

    Args:
        client: Makes the calls.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def create(
        self, endpoint: RecordEndpoint, account_id: str, fields: Mapping[str, str]
    ) -> str | None:
        """Make an object, and return its id; None where the answer holds none.

        It is sent again only where it certainly was not carried out.

        Raises:
            ApiError: If it was not made, or if that is not known (`may_have_succeeded`).
        """
        body = endpoint.body(account_id, fields)
        answer = self._send("POST", endpoint.path, body, idempotent=False)
        return _id_text(endpoint.id_in(answer))

    def update(
        self,
        endpoint: RecordEndpoint,
        record_id: str,
        account_id: str,
        fields: Mapping[str, str],
        *,
        event_id: str | None = None,
    ) -> None:
        """Change an object: the fields that are given, and no others.

        Args:
            endpoint: Its kind.
            record_id: Its id.
            account_id: Its account.
            fields: Texts by Totango's names.
            event_id: The id of the event by which it is read, where the kind asks for it.

        Raises:
            ApiError: If it was not changed.
        """
        path = f"{endpoint.path.rstrip('/')}/{quote(record_id, safe='')}"
        if record_id in {"", ".", ".."}:
            url = f"PUT {path}"
            raise RefusedError(url, status=400, reason=f"{record_id!r} is no id")
        ids = {"note_id": record_id, "event_id": event_id}
        repeated = {name: ids[name] for name in endpoint.ids_in_body if ids[name] is not None}
        body = endpoint.body(account_id, fields) | repeated
        self._send("PUT", path, body, idempotent=True)

    def _send(self, method: str, path: str, body: Mapping[str, Any], *, idempotent: bool) -> Any:
        connection = self._client.connection
        headers = {
            "app-token": connection.require_token(),
            "Accept": JSON,
            "Content-Type": JSON,
        }
        url = f"{connection.hosts.api}{path}"
        sent = msgspec.json.encode(body)
        request = Request("api", method, url, sent, headers, idempotent=idempotent)

        def read(endpoint: str, answer: Response) -> Any:
            return _read(endpoint, answer, connection.region, idempotent=idempotent)

        return self._client.send(request, read)


def _read(endpoint: str, answer: Response, region: str, *, idempotent: bool) -> Any:
    """Return a decoded answer; a text such as "Success" as it is.

    Raises:
        ApiError: If the answer says that it was not done, or does not say that it was.
    """
    body = answer.body.strip()
    if not body.startswith((b"{", b"[", b"<")):
        return body.decode("utf-8", "replace")
    try:
        return json_of(endpoint, answer, region=region)
    except ApiError as error:
        # A page of a proxy, half an answer, "internal error": who knows what came of the call.
        if not idempotent and error.retriable:
            error.retriable, error.may_have_succeeded = False, True
        raise


def _id_text(value: Any) -> str | None:
    """Return an id as text; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    return str(value) or None
