"""Makes one touchpoint and one task on the account of a probe, and changes them.

Each call carries a new mark in the subject or title. It was carried out if an event shows the mark.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from target_totango.probe.account import polls
from totango_api.errors import ApiError
from totango_api.http import Request, decode
from totango_api.probe import is_refusal
from totango_api.reading import first_engagement_events
from totango_api.search import read_references
from totango_api.writing import TASK_ENDPOINT, TOUCHPOINT_ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_totango.probe.account import ProbedAccount
    from totango_api.http import Response
    from totango_api.reading import EngagementEvent
    from totango_api.writing import EngagementEndpoint

TEXT: Final = "Made by target-totango probe. It may be deleted."
_EARLIER_MILLISECONDS: Final = 60_000
"""How far the service's clock may be behind what is known of it."""


@dataclass(frozen=True)
class Kind:
    """A kind of engagement that the probe makes.

    Attributes:
        name: For people.
        endpoint: Where.
        marked: The field that carries the mark.
        text: The field that says who made it.
        reference: The field that holds an id of a reference list.
        list_name: That list.
    """

    name: str
    endpoint: EngagementEndpoint
    marked: str
    text: str
    reference: str
    list_name: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the ids that the body of a change may repeat."""
        return ("account_id", *self.endpoint.ids("", ""))


TOUCHPOINT: Final = Kind(
    "touchpoint",
    TOUCHPOINT_ENDPOINT,
    "subject",
    "content",
    "touchpointType",
    "touchpoint_types",
)
TASK: Final = Kind(
    "task",
    TASK_ENDPOINT,
    "title",
    "description",
    "activity_type_id",
    "activity_types",
)


class MadeEngagement:
    """A touchpoint or task that the probe made.

    Args:
        account: Its account.
        kind: What it is.
        listed: The ids that it may refer to; the first of them is used.

    Attributes:
        listed: The ids that it may refer to.
        response: What answered the call that made it.
        event: The last event that was seen of it; None if none was.
    """

    def __init__(self, account: ProbedAccount, kind: Kind, listed: list[str]) -> None:
        self.listed = listed
        self.event: EngagementEvent | None = None
        self._account = account
        self._kind = kind
        self._caller = account.caller
        self._start = int((time.time() - self._caller.client.clock.ahead) * 1000)
        self._seconds = 0.0
        self._mark = account.mark()
        self.response = self._make()

    def _make(self) -> Response:
        kind, account, mark = self._kind, self._account, self._mark
        reference = {kind.reference: self.listed[0]} if self.listed else {}
        fields = {kind.marked: mark, kind.text: TEXT, **reference}
        body = kind.endpoint.body(account.id, fields)
        account.left_behind.append(f"a {kind.name}")
        try:
            return self._send("POST", kind.endpoint.path, body, idempotent=False)
        except ApiError as error:
            if not error.may_have_succeeded:
                account.left_behind.pop()
            raise

    def first_event(self) -> EngagementEvent | None:
        """Return the event of its making, once that is seen; None if it is not in time.

        Raises:
            ApiError: If events cannot be read.
        """
        return self._wait_for(self._mark, self._account.wait_seconds)

    def change(
        self,
        fields: Mapping[str, str] | None = None,
        *,
        without: Collection[str] = (),
        is_expected: bool = False,
    ) -> EngagementEvent | None:
        """Change it; return the event that shows the change, None if it was not carried out.

        Args:
            fields: What is changed beside the mark.
            without: Names of ids that are not sent.
            is_expected: Whether it is waited for as long as any write, and a refusal is an error.

        Raises:
            ApiError: If the service does not answer, or refuses what is expected.
        """
        if self.event is None:
            return None
        kind, mark, engagement_id = self._kind, self._account.mark(), self.event.engagement_id
        body = kind.endpoint.body(self._account.id, {kind.marked: mark, **(fields or {})})
        body |= kind.endpoint.ids(engagement_id, self.event.event_id)
        sent = {name: value for name, value in body.items() if name not in without}
        path = f"{kind.endpoint.path.rstrip('/')}/{quote(engagement_id, safe='')}"
        try:
            self._send("PUT", path, sent, idempotent=True)
        except ApiError as error:
            if is_refusal(error) and not is_expected:
                return None
            raise
        account = self._account
        seconds = account.wait_seconds if is_expected else account.patience(self._seconds)
        return self._wait_for(mark, seconds)

    def _wait_for(self, mark: str, seconds: float) -> EngagementEvent | None:
        """Read events until one shows a mark, and keep it; None if none does in time."""
        started = time.monotonic()
        for _ in polls(seconds, self._seconds):
            for event in self._caller.call(self._events):
                if event.properties.get("subject") == mark:
                    self.event = event
                    # What was made long before it is looked for seems to be seen at once.
                    self._seconds = max(self._seconds, time.monotonic() - started)
                    return event
        return None

    def _events(self) -> list[EngagementEvent]:
        return first_engagement_events(
            self._caller.client,
            self._kind.endpoint.event_type,
            account_id=self._account.id,
            start=self._start - _EARLIER_MILLISECONDS,
        )

    def _send(
        self, method: str, path: str, body: Mapping[str, Any], *, idempotent: bool
    ) -> Response:
        client = self._caller.client
        connection = client.connection
        headers = {"app-token": connection.require_token(), "Content-Type": "application/json"}
        sent = json.dumps(body).encode()
        request = Request("api", method, f"{connection.hosts.api}{path}", sent, headers)

        def send() -> Response:
            response = client.send_once(request)
            if (error := client.error_for(request, response)) is not None:
                raise error
            return response

        return self._caller.call(send, idempotent=idempotent)


def made_engagement(account: ProbedAccount, kind: Kind) -> MadeEngagement:
    """Return the one touchpoint or task; made when it is asked for first.

    Raises:
        ApiError: If it was not made.
    """
    return account.caller.once(
        kind.name, lambda: MadeEngagement(account, kind, _listed(account, kind))
    )


def decoded(response: Response) -> Any:
    """Return a response as JSON; None if it is none."""
    try:
        return decode(response)
    except ValueError:
        return None


def _listed(account: ProbedAccount, kind: Kind) -> list[str]:
    client = account.caller.client
    try:
        found = account.caller.call(lambda: read_references(client, kind.list_name))
    except ApiError as error:
        if is_refusal(error):
            return []
        raise
    return [each.id for each in found]
