"""Looking rows up by id: right on every server, cheap on most, and never the whole tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sandboxes
from stub_totango import Asked, Reply, hits, ok, serving

from totango_api.config import Connection
from totango_api.errors import ApiError, IncompleteReadError, RefusedError, ResponseError
from totango_api.http.client import ApiClient
from totango_api.search.attributes import DATE, NUMBER, Attribute
from totango_api.search.key_lookup import LookupResult
from totango_api.search.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sandboxes import Sandbox

    from totango_api.search.endpoint import Key

SHARED = [(f"a{at}", "admin") for at in range(2300)]
NOON = 1_719_835_200_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    with sandboxes.sandbox(tmp_path_factory.mktemp("lookup"), commands=commands) as started:
        started.load(
            accounts=[
                {"account_id": f"a{at}", "account_name": f"Same {at % 5}", "attributes": {}}
                for at in range(2300)
            ],
            users=[
                *({"account_id": account, "user_id": user} for account, user in SHARED),
                *({"account_id": f"a{at}", "user_id": f"u{at}@x.com"} for at in range(1500)),
            ],
        )
        yield started


@pytest.fixture
def service(running: Sandbox) -> Iterator[Sandbox]:
    yield running
    running.chaos()
    running.set(
        **{
            "page_max": 1000,
            "total_hits": "true",
            "unsupported_term": "error",
            "op.string.in_list": "on",
            "op.string.eq": "on",
            "term.parent_account": "on",
            "unknown_field_attribute": "null",
        }
    )


@pytest.fixture
def lookup(service: Sandbox) -> Iterator[Callable[..., Lookup]]:
    transports: list[ApiClient] = []

    def make() -> Lookup:
        config = service.config(max_retry_seconds=5)
        transports.append(ApiClient(Connection.from_config(config, user_agent="test")))
        made = Lookup(transports[-1])
        made.calls = lambda: transports[-1].usage["api"].calls  # type: ignore[attr-defined]
        return made

    yield make
    for transport in transports:
        transport.close()


def accounts(lookup: Lookup, ids: Iterable[str], attributes: Any = ()) -> dict[str, LookupResult]:
    """Return the accounts that exist, by id."""
    found = lookup.find("accounts", ((account_id,) for account_id in ids), attributes)
    return {account_id: row for (account_id,), row in found.items()}


def users(lookup: Lookup, keys: Iterable[tuple[str, str]]) -> dict[Key, LookupResult]:
    """Return the users that exist, by account id and user id."""
    return lookup.find("users", keys)


ODD_SERVERS: dict[str, dict[str, str]] = {
    "as documented": {},
    "small pages": {"page_max": "70"},
    "no count": {"total_hits": "missing"},
    "no count, small pages": {"total_hits": "missing", "page_max": "70"},
    "counts too many": {"total_hits": "off_by:7"},
    "refuses lists": {"op.string.in_list": "off"},
    "ignores lists": {"op.string.in_list": "off", "unsupported_term": "ignore"},
    "does not filter by account": {"term.parent_account": "off"},
    "ignores the account": {"term.parent_account": "off", "unsupported_term": "ignore"},
}


@pytest.mark.parametrize("server", ODD_SERVERS)
def test_accounts_are_found_on_every_server(
    service: Sandbox, lookup: Callable[..., Lookup], server: str
) -> None:
    service.set(**ODD_SERVERS[server])
    reader = lookup()
    ids = [f"a{at}" for at in range(0, 2300, 2)] + ["A0", "nobody", "a0 "]
    assert set(accounts(reader, ids)) == set(ids[:-3])
    if not ODD_SERVERS[server]:
        assert reader.calls() == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("server", ODD_SERVERS)
def test_users_are_found_on_every_server(
    service: Sandbox, lookup: Callable[..., Lookup], server: str
) -> None:
    service.set(**ODD_SERVERS[server])
    reader = lookup()
    there = [(f"a{at}", f"u{at}@x.com") for at in range(0, 1500, 3)]
    absent = [("a1", "u0@x.com"), ("a0", "U0@x.com"), ("none", "admin"), ("a0", "nobody")]
    assert set(users(reader, [*there, *absent, *SHARED[:20]])) == {*there, *SHARED[:20]}
    assert reader.calls() <= 160  # type: ignore[attr-defined]


@pytest.mark.parametrize("narrows", ["on", "off"])
def test_one_user_id_in_every_account_is_found(
    service: Sandbox, lookup: Callable[..., Lookup], narrows: str
) -> None:
    service.set(**{"term.parent_account": narrows})
    reader = lookup()
    assert set(users(reader, [*SHARED[:1200], ("none", "admin")])) == set(SHARED[:1200])
    assert reader.calls() <= (10 if narrows == "on" else 100)  # type: ignore[attr-defined]


def test_few_calls_are_needed_for_many_keys(lookup: Callable[..., Lookup]) -> None:
    reader = lookup()
    keys = [(f"a{at}", f"u{at}@x.com") for at in range(1500)]
    assert set(users(reader, keys)) == set(keys)
    assert reader.calls() == 3  # type: ignore[attr-defined]


def test_nothing_asked_costs_nothing(lookup: Callable[..., Lookup]) -> None:
    reader = lookup()
    assert accounts(reader, []) == {}
    assert users(reader, []) == {}
    assert reader.calls() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", ["true", "missing"])
def test_a_server_that_filters_nothing_is_not_read_whole(
    service: Sandbox, lookup: Callable[..., Lookup], count: str
) -> None:
    off = {"op.string.in_list": "off", "op.string.eq": "off", "unsupported_term": "ignore"}
    service.set(total_hits=count, **off)
    reader = lookup()
    with pytest.raises(ResponseError, match="rows came back for 3 ids"):
        accounts(reader, ["x", "y", "z"])
    assert reader.calls() <= 4  # type: ignore[attr-defined]


def test_a_server_that_refuses_every_filter_says_so(
    service: Sandbox, lookup: Callable[..., Lookup]
) -> None:
    service.set(**{"op.string.in_list": "off", "op.string.eq": "off"})
    with pytest.raises(RefusedError, match="in_list"):
        accounts(lookup(), ["a1"])


def test_more_hits_than_can_be_reached_are_an_error(
    service: Sandbox, lookup: Callable[..., Lookup]
) -> None:
    service.set(**{"term.parent_account": "off", "window_rows": "10000", "page_max": "70"})
    service.set(total_hits="off_by:30000")
    with pytest.raises(IncompleteReadError) as raised:
        users(lookup(), [("none", "admin")])
    assert "admin" not in str(raised.value)


# Values ------------------------------------------------------------------------------------


@pytest.fixture
def valued(service: Sandbox) -> Sandbox:
    service.load(
        accounts=[
            {
                "account_id": "acme",
                "account_name": "Acme",
                "attributes": {
                    "Plan": "Größe 100% + a&b",
                    "Contract Value": 49000.5,
                    "Create Date": NOON,
                },
            }
        ],
        users=[{"account_id": "acme", "user_id": "joe+x%@acme.com", "user_name": "Joe"}],
    )
    return service


def test_values_come_in_the_types_of_their_attributes(
    valued: Sandbox, lookup: Callable[..., Lookup]
) -> None:
    attributes = ["Contract Value", "Plan", Attribute("accounts", "Create Date", DATE), "Unknown"]
    found = accounts(lookup(), ["acme"], attributes)
    assert found["acme"].name == "Acme"
    values = {"Contract Value": 49000.5, "Plan": "Größe 100% + a&b", "Create Date": NOON}
    assert found["acme"].values == {**values, "Unknown": None}


def test_ids_with_any_sign_are_found(valued: Sandbox, lookup: Callable[..., Lookup]) -> None:
    found = users(lookup(), [("acme", "joe+x%@acme.com")])
    assert found == {("acme", "joe+x%@acme.com"): LookupResult("Joe", {})}


def test_a_column_that_is_refused_costs_its_value_alone(
    valued: Sandbox, lookup: Callable[..., Lookup]
) -> None:
    valued.set(unknown_field_attribute="error")
    unknown = Attribute("accounts", "Not there", NUMBER)
    found = accounts(lookup(), ["acme", "a1"], ["Plan", unknown, "Contract Value"])
    assert found["acme"].values == {"Plan": "Größe 100% + a&b", "Contract Value": 49000.5}
    assert set(found) == {"acme", "a1"}


@pytest.mark.usefixtures("short_waits")
def test_a_fault_is_not_taken_for_absence(service: Sandbox, lookup: Callable[..., Lookup]) -> None:
    service.chaos("failed200@accounts")
    with pytest.raises(ApiError):
        accounts(lookup(), ["a1"])


@pytest.mark.parametrize("stream", ["accounts", "users"])
def test_a_row_that_is_counted_and_does_not_come_is_not_absent(stream: str) -> None:
    def answer(call: Asked) -> Reply:
        counted = 1 if "wanted" in call.form["query"] else 0
        return ok(hits(stream, [], counted))

    with serving(answer) as stub:
        connection = Connection.from_config(stub.config(), user_agent="test")
        with ApiClient(connection) as client:
            reader = Lookup(client)
            key = ("wanted",) if stream == "accounts" else ("a", "wanted")
            absent = ("other",) if stream == "accounts" else ("a", "other")
            with pytest.raises(ResponseError, match="1 row counted for these ids"):
                reader.find(stream, [key])
            calls = len(stub.asked)
            with pytest.raises(ResponseError, match="1 row counted for these ids"):
                reader.find(stream, [key])
            # What is counted for nobody is asked once.
            assert len(stub.asked) == 2 * calls - 1
            assert reader.find(stream, [absent]) == {}


@pytest.mark.parametrize("shown", [[], [{"name": "acme-1", "display_name": "A 1"}]])
def test_a_server_that_always_holds_a_row_back_knows_nobody_absent(shown: list[Any]) -> None:
    """The same answer to every query: one row more is counted than comes."""
    document = ok(hits("accounts", shown, len(shown) + 1))

    def answer(call: Asked) -> Reply:
        is_next_page = call.query["offset"] > 0
        is_about_nobody = "identifier" in call.form["query"] and "acme-1" not in call.form["query"]
        if shown and is_about_nobody:
            return ok(hits("accounts", [], 0))
        return ok(hits("accounts", [], len(shown) + 1)) if is_next_page else document

    with serving(answer) as stub:
        connection = Connection.from_config(stub.config(), user_agent="test")
        with (
            ApiClient(connection) as client,
            pytest.raises(ResponseError, match="1 row counted for these ids"),
        ):
            accounts(Lookup(client), ["acme-1", "acme-2"])
