"""Changes of records: which ids their bodies repeat, by the kind of record."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from totango_api.config import Connection
from totango_api.errors import RefusedError
from totango_api.http import ApiClient, Response
from totango_api.writing import TASK_ENDPOINT, TOUCHPOINT_ENDPOINT, EngagementClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_api.http import Request
    from totango_api.writing import EngagementEndpoint


class Sent:
    """Takes requests in the place of a client."""

    connection = Connection.from_config(
        {"app_token": "token-1", "service_id": "SP-1-1"}, user_agent="test"
    )

    def send(self, request: Request, read: Callable[[str, Response], Any]) -> Any:
        self.body = json.loads(request.body or b"")
        return read(request.url, Response(200, {}, b""))


@pytest.mark.parametrize(
    ("endpoint", "repeated"),
    [
        (TOUCHPOINT_ENDPOINT, {"note_id": "7", "event_id": "e"}),
        (TASK_ENDPOINT, {}),
        (dataclasses.replace(TASK_ENDPOINT, id_field="task_id"), {"task_id": "7"}),
    ],
)
def test_the_body_of_a_change_repeats_the_ids_that_its_endpoint_names(
    endpoint: EngagementEndpoint, repeated: dict[str, str]
) -> None:
    sent = Sent()
    client = EngagementClient(cast("ApiClient", sent))
    client.update(endpoint, "7", "a", {"subject": "Hello"}, event_id="e")
    own = {"account_id": "a", "subject": "Hello", **endpoint.fixed}
    assert sent.body == own | repeated


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_an_id_that_would_lead_to_another_place_is_never_sent(text: str) -> None:
    sent = Sent()
    with pytest.raises(RefusedError, match="is no id"):
        EngagementClient(cast("ApiClient", sent)).update(TASK_ENDPOINT, text, "a", {})
    assert not hasattr(sent, "body")
