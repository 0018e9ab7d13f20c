"""The Integration Hub: batches, answers, and the bad rows of a refused batch."""

from __future__ import annotations

import dataclasses
import itertools
import string
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes
from deliveries import deliver_rows
from hypothesis import example, given
from hypothesis import strategies as st

from totango_api.config import Connection
from totango_api.errors import (
    ApiError,
    AuthenticationError,
    RateLimitError,
    RefusedError,
    SettingsError,
    UnavailableError,
)
from totango_api.http.client import ApiClient
from totango_api.writing import (
    HubBatch,
    HubClient,
    HubRow,
    RowAccepted,
    RowRefused,
    RowUncertain,
)
from totango_api.writing.batch_bisection import UNTRIED, BatchBisection
from totango_api.writing.hub_responses import HubResponse, refusal_in
from totango_api.writing.hub_rows import batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from sandboxes import Sandbox


# Batches -----------------------------------------------------------------------------------


@given(
    texts=st.lists(st.text(max_size=40)),
    max_rows=st.integers(1, 7),
    max_bytes=st.integers(60, 200),
)
def test_batches_conserve_rows_and_keep_to_both_limits(
    texts: list[str], max_rows: int, max_bytes: int
) -> None:
    rows = [HubRow("a", attributes={"Plan": text}).encoded() for text in texts]
    cut = list(batches(rows, max_rows=max_rows, max_bytes=max_bytes))
    assert [row for batch in cut for row in batch] == rows
    for batch in cut:
        size = len(b'{"collections":[%s]}' % b",".join(batch))
        assert 1 <= len(batch) <= max_rows
        assert size <= max_bytes or len(batch) == 1


def test_batches_are_not_cut_earlier_than_needed() -> None:
    rows = [HubRow(f"a{number}", attributes={}).encoded() for number in range(10)]
    assert [len(batch) for batch in batches(rows, max_rows=4, max_bytes=10_000)] == [4, 4, 2]


# Answers -----------------------------------------------------------------------------------


def test_rows_named_in_a_refusal_are_found_even_where_it_is_cut() -> None:
    reason = '[{"index":3,"message":"bad id"},{"index":17,"message":"bad da'
    response = refusal_in(RefusedError("POST /", status=400, reason=reason))
    assert response.is_refused
    assert response.faults == {3: "bad id", 17: "bad da"}


def test_an_answer_that_may_have_been_lost_is_unknown() -> None:
    assert refusal_in(UnavailableError("POST /", status=503)).is_unknown


# Splitting ---------------------------------------------------------------------------------


class ModelHub:
    """A hub that takes a batch whole, or takes its good rows, and answers in one of many ways."""

    def __init__(self, bad: set[int], *, atomic: bool, naming: str) -> None:
        self.bad, self.atomic, self.naming = bad, atomic, naming
        self.stored: Counter[int] = Counter()
        self.calls = 0

    def __call__(self, rows: Sequence[int]) -> HubResponse:
        assert rows, "an empty batch was sent"
        self.calls += 1
        at = [position for position, row in enumerate(rows) if row in self.bad]
        if at and self.atomic:
            return HubResponse(
                faults=self.named(at), is_refused=True, status=400, reason="invalid batch"
            )
        self.stored.update(row for row in rows if row not in self.bad)
        faults = self.named(at) or ({0: "row"} if at and len(rows) == 1 else {})
        if self.naming in {"taken", "some taken"}:
            good = [position for position in range(len(rows)) if position not in at]
            taken = good if self.naming == "taken" else good[:2]
            return HubResponse(faults=faults, taken=frozenset(taken), is_refused=True, status=202)
        return HubResponse(
            faults=faults, is_refused=bool(at) and not faults, status=202, reason="some bad"
        )

    def named(self, at: list[int]) -> dict[int, str]:
        shown = {
            "all": at,
            "first": at[:1],
            "three": at[:3],
            "from one": [position + 1 for position in at],
            "good one": [at[0] + 1] if at else [],
            "none": [],
            "taken": at,
            "some taken": at[:1],
        }[self.naming]
        return dict.fromkeys(shown, "bad row")


NAMINGS = ("all", "first", "three", "from one", "good one", "none", "taken", "some taken")


def each(groups: Iterable[tuple[Sequence[int], Any]]) -> list[tuple[int, Any]]:
    return [(row, result) for rows, result in groups for row in rows]


def settled(hub: ModelHub, count: int, **options: Any) -> dict[int, Any]:
    bisection = BatchBisection(hub, idempotent=options.pop("idempotent", True), **options)
    pairs = each(bisection.results(range(count)))
    assert len(pairs) == count, "a row was settled twice, or never"
    return dict(pairs)


def is_untried(result: object) -> bool:
    return isinstance(result, RowRefused) and UNTRIED in result.reason


@given(
    bad=st.sets(st.integers(0, 49)),
    count=st.integers(1, 50),
    atomic=st.booleans(),
    naming=st.sampled_from(NAMINGS),
)
@example(bad={0, 1}, count=5, atomic=False, naming="some taken")
def test_good_rows_land_and_bad_ones_are_refused(
    bad: set[int], count: int, atomic: bool, naming: str
) -> None:
    hub = ModelHub(bad, atomic=atomic, naming=naming)
    results = settled(hub, count)
    for row, result in results.items():
        if row in bad:
            assert isinstance(result, RowRefused)
        else:
            assert is_untried(result) or (isinstance(result, RowAccepted) and hub.stored[row])
    if any(map(is_untried, results.values())):
        assert len(bad) >= 6, "a batch was given up too early"


@given(
    bad=st.sets(st.integers(0, 49)),
    atomic=st.booleans(),
    naming=st.sampled_from(["all", "first", "three", "none", "taken", "some taken"]),
)
# So many refusals that the batch looks hopeless, and then a response that names a few as taken.
@example(bad={0, 1, 2, 3}, atomic=True, naming="some taken")
def test_no_activity_is_ever_sent_again_once_it_may_be_stored(
    bad: set[int], atomic: bool, naming: str
) -> None:
    if not atomic and naming in {"first", "three"}:
        naming = "all"  # A hub that hides bad rows among taken ones cannot be found out.
    hub = ModelHub(bad, atomic=atomic, naming=naming)

    def send(rows: Sequence[int]) -> HubResponse:
        response = hub(rows)
        return dataclasses.replace(response, is_certain=atomic and not response.taken)

    results = dict(each(BatchBisection(send, idempotent=False).results(range(50))))
    assert max(hub.stored.values(), default=0) <= 1
    for row, result in results.items():
        assert not isinstance(result, RowAccepted) or hub.stored[row] == 1
        assert not isinstance(result, RowRefused) or hub.stored[row] == 0


@pytest.mark.parametrize("kind", [None, "bad row"])
def test_activities_whose_call_got_no_answer_after_many_refusals_are_uncertain(
    kind: str | None,
) -> None:
    hub = ModelHub({0, 1, 2, 3} if kind is None else {0}, atomic=True, naming="first")

    def send(rows: Sequence[int]) -> HubResponse:
        response = hub(rows)
        return response if response.is_refused else HubResponse(is_unknown=True, status=504)

    bisection = BatchBisection(send, idempotent=False, hopeless_kind=kind)
    results = dict(each(bisection.results(range(50))))
    assert set(hub.stored.values()) == {1}
    assert {row for row, result in results.items() if isinstance(result, RowRefused)} == hub.bad
    assert {row for row, result in results.items() if isinstance(result, RowUncertain)} == set(
        hub.stored
    )


@pytest.mark.parametrize(
    ("naming", "bad", "most"),
    [
        ("all", {42}, 2),
        ("all", {3, 40, 41, 99}, 2),
        ("three", {1, 5, 9, 40, 60, 61, 80}, 8),
        ("none", {42}, 14),
        ("from one", {42}, 18),
        ("none", {3, 50, 97}, 40),
    ],
)
def test_the_bad_rows_of_a_hundred_cost_few_calls(naming: str, bad: set[int], most: int) -> None:
    hub = ModelHub(bad, atomic=True, naming=naming)
    results = settled(hub, 100)
    assert {row for row, result in results.items() if isinstance(result, RowRefused)} == bad
    assert hub.calls <= most


@pytest.mark.parametrize("naming", ["none", "first"])
def test_a_hopeless_batch_is_given_up_and_the_next_one_sooner(naming: str) -> None:
    hub = ModelHub(set(range(1000)), atomic=True, naming=naming)
    bisection = BatchBisection(hub, idempotent=True)
    results = [result for _, result in each(bisection.results(range(1000)))]
    assert len(results) == 1000
    assert all(isinstance(result, RowRefused) for result in results)
    assert sum(map(is_untried, results)) > 900
    assert hub.calls <= 20
    assert bisection.hopeless_kind is not None

    hub.calls = 0
    again = BatchBisection(hub, idempotent=True, hopeless_kind=bisection.hopeless_kind)
    assert len(each(again.results(range(1000)))) == 1000
    assert again.hopeless_kind is not None
    assert hub.calls <= 4


@pytest.mark.parametrize("naming", NAMINGS)
def test_no_row_is_refused_untried_where_others_were_taken(naming: str) -> None:
    hub = ModelHub(set(range(50)) - {7, 8}, atomic=True, naming=naming)
    kind = "an earlier one"
    results = settled(hub, 50, hopeless_kind=kind, is_taking=True)
    assert not any(map(is_untried, results.values()))
    assert set(hub.stored) == {7, 8}


def test_an_outage_is_given_up_where_others_were_taken() -> None:
    calls = []

    def send(rows: Sequence[int]) -> HubResponse:
        calls.append(rows)
        return HubResponse(is_unknown=True, status=500, reason="status 500")

    bisection = BatchBisection(send, idempotent=True, is_taking=True)
    results = [result for _, result in each(bisection.results(range(100)))]
    assert [type(result) for result in results] == [RowUncertain] * 100
    assert len(calls) <= 20


def test_bad_rows_at_the_front_do_not_give_the_good_ones_up() -> None:
    hub = ModelHub(set(range(10)), atomic=True, naming="none")
    results = settled(hub, 100)
    assert not any(map(is_untried, results.values()))
    assert sum(hub.stored.values()) >= 90


# Against the sandbox -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    with sandboxes.sandbox(tmp_path_factory.mktemp("hub"), commands=commands) as started:
        yield started


@pytest.fixture
def service(running: Sandbox) -> Iterator[Sandbox]:
    running.reset()
    yield running
    running.chaos()
    running.set(hub_errors="refuse_batch", hub_error_detail="index", hub_status=202)
    running.set(hub_max_rows=1000, hub_users="on", hub_max_bytes=5_000_000)


@pytest.fixture
def hub(service: Sandbox) -> Iterator[Callable[..., HubClient]]:
    transports: list[ApiClient] = []

    def make(*, max_rows: int = 100, max_bytes: int = 1_000_000, **settings: Any) -> HubClient:
        config = service.config(**{"max_retry_seconds": 20, **settings})
        transports.append(ApiClient(Connection.from_config(config, user_agent="test")))
        return HubClient(transports[-1], max_rows=max_rows, max_bytes=max_bytes)

    yield make
    for transport in transports:
        transport.close()


def hub_calls(service: Sandbox) -> list[dict[str, Any]]:
    return [call for call in service.dump("calls") if call.get("surface") == "hub"]


def accounts(count: int, *bad: int) -> list[HubRow]:
    return [
        HubRow(f"acme {at}" if at in bad else f"acme-{at}", attributes={"Plan": f"Größe+{at}%"})
        for at in range(count)
    ]


def test_every_object_lands_with_its_values(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    writer = hub()
    text = string.punctuation + " äöü€🎈\n"
    account = HubRow("acme", attributes={"account_name": "Acme", "Plan": text})
    user = HubRow("joe@acme.com", "acme", {"name": "Joe", "Title": text})
    activity = HubRow(None, "acme", None, "joe@acme.com", "Billing", "Pay")
    ticket = HubRow("T-1", "acme", {"Subject": text})
    results = [
        *deliver_rows(writer, "accounts", [account]),
        *deliver_rows(writer, "users", [user]),
        *deliver_rows(writer, "usage", [activity]),
        *deliver_rows(writer, "collections", [ticket], collection_type="Support tickets/ä"),
    ]
    assert all(isinstance(result, RowAccepted) for result in results)
    [stored] = service.dump("accounts")
    assert stored["attributes"]["Plan"] == text
    [person] = service.dump("users")
    assert person["attributes"]["Title"] == text
    assert len(service.dump("activities")) == 1
    [item] = service.dump("collections")
    assert item["attributes"] == {"Subject": text}
    assert item["collection_type"] == "Support tickets/ä"


@pytest.mark.parametrize("errors", ["refuse_batch", "accept_good"])
@pytest.mark.parametrize("status", [200, 201, 202])
def test_only_the_bad_rows_are_refused(
    service: Sandbox, hub: Callable[..., HubClient], errors: str, status: int
) -> None:
    service.set(hub_errors=errors, hub_status=status)
    results = deliver_rows(hub(max_rows=40), "accounts", accounts(100, 3, 55, 56))
    refused = {at: what for at, what in enumerate(results) if isinstance(what, RowRefused)}
    assert set(refused) == {3, 55, 56}
    assert "characters other than" in refused[3].reason
    assert len(service.dump("accounts")) == 97
    assert len(hub_calls(service)) <= 7


def test_bad_rows_are_found_where_nobody_names_them(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    service.set(hub_error_detail="none")
    results = deliver_rows(hub(), "accounts", accounts(100, 0, 99))
    assert [at for at, what in enumerate(results) if isinstance(what, RowRefused)] == [0, 99]
    assert len(service.dump("accounts")) == 98


def test_a_batch_that_is_too_large_is_split_and_the_next_ones_are_smaller(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    service.set(hub_max_rows=30)
    results = deliver_rows(hub(max_rows=200), "accounts", accounts(800))
    assert all(isinstance(result, RowAccepted) for result in results)
    assert len(service.dump("accounts")) == 800
    too_large = [call for call in hub_calls(service) if call["status"] == 413]
    assert len(too_large) <= 8


def test_a_row_that_no_batch_can_hold_is_refused_by_itself(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    rows = [*accounts(2), HubRow("big", attributes={"Plan": "x" * 2000}), *accounts(3)[2:]]
    results = deliver_rows(hub(max_bytes=1000), "accounts", rows)
    assert results[2] == RowRefused("the row has 2,055 bytes; a batch may have 1,000")
    assert [type(result) for result in results] == [
        RowAccepted,
        RowAccepted,
        RowRefused,
        RowAccepted,
    ]


def test_a_row_that_is_no_text_is_refused_by_itself(hub: Callable[..., HubClient]) -> None:
    results = deliver_rows(
        hub(), "accounts", [HubRow("a", attributes={"Plan": "\ud800"}), *accounts(1)]
    )
    assert isinstance(results[0], RowRefused)
    assert "cannot be written as JSON" in results[0].reason
    assert isinstance(results[1], RowAccepted)


def test_a_missing_endpoint_is_no_matter_of_rows(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    service.set(hub_users="off")
    rows = [HubRow(f"u{at}", "acme", {}) for at in range(500)]
    with pytest.raises(RefusedError, match="delivery: tracking"):
        deliver_rows(hub(), "users", rows)
    assert len(hub_calls(service)) == 1


def test_a_row_that_makes_the_hub_fail_takes_no_neighbour_down(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    service.chaos("500@hub:match=acme-42")
    results = deliver_rows(hub(max_retry_seconds=0), "accounts", accounts(100))
    assert [at for at, what in enumerate(results) if not isinstance(what, RowAccepted)] == [42]
    assert isinstance(results[42], RowUncertain)
    assert not results[42].is_about_row
    assert len(hub_calls(service)) <= 15


def test_an_outage_is_not_asked_about_every_row(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    service.chaos("500@hub")
    writer = hub(max_retry_seconds=0)
    results = deliver_rows(writer, "accounts", accounts(100))
    assert all(isinstance(what, RowUncertain) for what in results)
    first = len(hub_calls(service))
    assert first <= 20
    deliver_rows(writer, "accounts", accounts(100))
    assert len(hub_calls(service)) - first <= 4


def test_a_token_that_is_not_accepted_is_no_matter_of_rows(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    with pytest.raises(AuthenticationError):
        deliver_rows(hub(app_token="wrong"), "accounts", accounts(10))
    assert len(hub_calls(service)) == 1


def test_a_fault_of_the_server_is_waited_out(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    service.chaos("503@hub:1")
    results = deliver_rows(hub(), "accounts", accounts(10))
    assert all(isinstance(result, RowAccepted) for result in results)


@pytest.mark.parametrize(
    ("fault", "settings", "kind"),
    [
        ("429@hub", {}, RateLimitError),
        ("405@hub", {}, RefusedError),
        ("407@hub", {}, RefusedError),
        ("431@hub", {}, RefusedError),
        ("429@hub", {"hub_url": "http://127.0.0.1:9"}, UnavailableError),
    ],
    ids=["too many calls", "no such method", "no proxy password", "headers", "no connection"],
)
def test_a_hub_that_takes_no_call_at_all_is_not_asked_for_every_row(
    service: Sandbox,
    hub: Callable[..., HubClient],
    fault: str,
    settings: dict[str, str],
    kind: type[ApiError],
) -> None:
    service.chaos(fault)
    writer = hub(max_retry_seconds=1.5, **settings)
    with pytest.raises(kind):
        deliver_rows(writer, "accounts", accounts(100))
    # Sent again after half a second and after one at the least, if at all.
    assert writer._client.usage["hub"].calls <= 4


def test_activities_are_not_repeated_when_nobody_knows(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    service.chaos("503@hub:1")
    rows = [HubRow(None, "acme", None, "joe", "Billing", f"Pay {at}") for at in range(20)]
    results = deliver_rows(hub(max_rows=10), "usage", rows)
    assert [type(result) for result in results] == [RowUncertain] * 10 + [RowAccepted] * 10
    assert len(hub_calls(service)) == 2


def test_outcomes_known_before_a_failure_are_not_lost(
    service: Sandbox, hub: Callable[..., HubClient]
) -> None:
    service.chaos("401@hub:2")
    results = hub(max_rows=10).results(HubBatch("accounts", accounts(20)))
    assert [(list(places), type(result)) for places, result in itertools.islice(results, 1)] == [
        (list(range(10)), RowAccepted)
    ]
    with pytest.raises(AuthenticationError):
        next(results)


def test_what_the_hub_needs_is_asked_for(service: Sandbox) -> None:
    connection = Connection.from_config(service.config(service_id=None), user_agent="test")
    with ApiClient(connection) as transport, pytest.raises(SettingsError, match="service_id"):
        HubClient(transport)


def test_a_collection_needs_its_type(hub: Callable[..., HubClient]) -> None:
    with pytest.raises(SettingsError, match="type"):
        deliver_rows(hub(), "collections", [HubRow("1", "acme", {})])
