"""Deletion of users: exactly the one that is meant, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sandboxes

from totango_api.config import Connection
from totango_api.errors import ApiError, AuthenticationError, RefusedError, ResponseError
from totango_api.http.client import ApiClient
from totango_api.writing.user_deletion import delete_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandboxes import Sandbox

USERS = [("acme", "joe@acme.com"), ("acme", "j.d_o-e"), ("acme", "JOE@acme.com"), ("beta", "joe")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    with sandboxes.sandbox(tmp_path_factory.mktemp("deletion"), commands=commands) as started:
        yield started


@pytest.fixture
def service(running: Sandbox) -> Iterator[Sandbox]:
    running.reset()
    running.load(
        accounts=[{"account_id": "acme"}, {"account_id": "beta"}],
        users=[{"account_id": account, "user_id": user} for account, user in USERS],
    )
    yield running
    running.chaos()


@pytest.fixture
def transport(service: Sandbox) -> Iterator[ApiClient]:
    with ApiClient(Connection.from_config(service.config(), user_agent="test")) as opened:
        yield opened


def keys(service: Sandbox) -> set[tuple[str, str]]:
    return {(user["account_id"], user["user_id"]) for user in service.dump("users")}


@pytest.mark.parametrize("key", USERS)
def test_the_named_user_is_deleted_and_no_other(
    service: Sandbox, transport: ApiClient, key: tuple[str, str]
) -> None:
    assert delete_user(transport, *key).claim == "deleted"
    assert keys(service) == set(USERS) - {key}


@pytest.mark.parametrize(
    "key",
    [("acme", "nobody"), ("Acme", "joe@acme.com"), ("acme", "ümlaut/..%2e"), ("a/cme", "joe")],
)
def test_a_user_that_is_not_there_is_told(
    service: Sandbox, transport: ApiClient, key: tuple[str, str]
) -> None:
    assert delete_user(transport, *key).claim == "not there"
    assert keys(service) == set(USERS)


@pytest.mark.parametrize("bad", ["", ".", ".."])
def test_what_is_no_id_in_a_path_is_never_sent(
    service: Sandbox, transport: ApiClient, bad: str
) -> None:
    for account, user in ((bad, "joe"), ("acme", bad)):
        with pytest.raises(RefusedError, match="cannot be the id"):
            delete_user(transport, account, user)
    assert transport.usage["api"].calls == 0


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("html", ResponseError),
        ("failed200", RefusedError),
        ("error200", ApiError),
        ("401", AuthenticationError),
        ("redirect@delete:to=http://127.0.0.1:9/", ResponseError),
    ],
)
def test_nothing_but_success_counts(
    service: Sandbox, transport: ApiClient, fault: str, kind: type[ApiError]
) -> None:
    service.chaos(fault if "@" in fault else f"{fault}@delete")
    with pytest.raises(kind):
        delete_user(transport, *USERS[0])
    assert keys(service) == set(USERS)


def test_a_lost_answer_is_asked_for_again(service: Sandbox, transport: ApiClient) -> None:
    service.chaos("drop@delete:1")
    assert delete_user(transport, *USERS[0]).claim == "not there"
    assert keys(service) == set(USERS[1:])


def test_an_error_names_no_person(service: Sandbox, transport: ApiClient) -> None:
    service.chaos("400@delete")
    with pytest.raises(RefusedError) as raised:
        delete_user(transport, *USERS[0])
    assert "joe@" not in str(raised.value)
    assert "joe%40" not in str(raised.value)


def test_other_answers_of_a_missing_user_are_taken(
    service: Sandbox, transport: ApiClient, request: Any
) -> None:
    request.addfinalizer(lambda: service.set(delete_missing=404))
    service.set(delete_missing=200)
    assert delete_user(transport, "acme", "nobody").claim == "deleted"


@pytest.mark.parametrize(
    "answer",
    [
        'say={"success": false}',
        'say={"deleted": 0}',
        'say={"status": "denied"}',
        'say={"STATUS": "success", "Deleted": 0}',
        'say={"message": "Forbidden"}',
        "say={}",
        "say=[]",
        "say=null",
        "say=Not permitted",
        "status=404:say=<html>not found</html>",
        "status=404:say=",
        'status=404:say={"message": "no Route matched"}',
    ],
)
def test_what_acknowledges_nothing_is_unclear(
    service: Sandbox, transport: ApiClient, answer: str
) -> None:
    service.chaos(f"answer@delete:{answer}")
    said = delete_user(transport, *USERS[0])
    assert said.claim == "unclear"
    assert keys(service) == set(USERS)


@pytest.mark.parametrize(
    "say", ["", '{"status": "success"}', '{"success": true}', '{"deleted": 1}']
)
def test_what_says_that_it_was_done_acknowledges(
    service: Sandbox, transport: ApiClient, say: str
) -> None:
    service.chaos(f"answer@delete:say={say}")
    assert delete_user(transport, *USERS[0]).claim == "deleted"
