"""Verification: equal in any lossless form, different in every other, and patient."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes
from deliveries import deliver_call
from hypothesis import assume, given
from hypothesis import strategies as st

from target_totango.mapping.values.convert import to_number, to_text, to_yes_no
from target_totango.mapping.values.dates import to_date
from target_totango.verify.compare import Difference, compare, milliseconds
from target_totango.verify.polling import Sent, Verdict
from target_totango.verify.rows import RowVerifier
from totango_api.config import Connection
from totango_api.http.client import ApiClient
from totango_api.search.attributes import discover
from totango_api.search.lookup import Lookup
from totango_api.writing.tracking import TrackingClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandboxes import Sandbox
    from skipped_waits import Clock

# Comparison: what was sent, in every form in which it may come back ----------------------------

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)


def is_plain(text: str) -> bool:
    """Whether a text cannot be meant as anything but text."""
    words = {"yes", "no", "true", "false"}
    return bool(text) and text.lower() not in words and milliseconds(text) is None


moments = st.datetimes(
    min_value=dt.datetime(1975, 1, 1),
    max_value=dt.datetime(2200, 1, 1),
    timezones=st.timezones() | st.just(dt.UTC),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, fold=0))
option = st.text(min_size=1, max_size=8).filter(
    lambda text: "," not in text and text == text.strip()
)

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=30).filter(is_plain),
    "whole": st.integers(-(10**20), 10**20),
    "fraction": st.decimals(-(10**9), 10**9, places=4),
    "float": st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15),
    "moment": moments,
    "date": st.dates(min_value=dt.date(1900, 1, 1)),
    "truth": st.booleans(),
    "options": st.lists(option, min_size=1, max_size=4, unique=True).map(frozenset),
    "owner": st.text(min_size=1, max_size=20),
}

SENDS: dict[str, Callable[[Any], set[str]]] = {
    "text": lambda value: {to_text(value)},
    "whole": lambda value: {to_number(value)},
    "fraction": lambda value: {to_number(value)},
    "float": lambda value: {to_number(value)},
    "moment": lambda value: {to_date(value), value.isoformat()},
    "date": lambda value: {to_date(value)},
    "truth": lambda value: {to_text(value), to_yes_no(value)},
    "options": lambda value: {to_text(sorted(value)), ", ".join(sorted(value, reverse=True))},
    "owner": lambda value: {value},
}


def ticks(moment: dt.datetime) -> int:
    return (moment - EPOCH) // MILLISECOND


def iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


RETURNS: dict[str, Callable[[Any], list[Any]]] = {
    "text": lambda value: [value],
    "whole": lambda value: [value, Decimal(value), f"{value}"],
    "fraction": lambda value: [value, float(value)],
    "float": lambda value: [value, int(value) if value == int(value) else value],
    "moment": lambda value: [ticks(value), float(ticks(value)), iso(value), value.isoformat()],
    "date": lambda value: [ticks(midnight(value)), value.isoformat(), iso(midnight(value))],
    "truth": lambda value: [value, str(value).lower(), str(value), "yes" if value else "no"],
    "options": lambda value: [sorted(value), sorted(value, reverse=True)],
    "owner": lambda value: [
        value,
        {"owner_value": value, "owner_tid_value": "someone@x.com"},
        {"owner_value": None, "owner_tid_value": value},
    ],
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_value_equals_whatever_totango_makes_of_it(kind: str, data: st.DataObject) -> None:
    value = data.draw(KINDS[kind])
    for sent in SENDS[kind](value):
        for found in RETURNS[kind](value):
            assert compare({"A": sent}, {"A": found}) == []


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_value_differs_from_every_other_of_its_kind(kind: str, data: st.DataObject) -> None:
    value, other = data.draw(KINDS[kind]), data.draw(KINDS[kind])
    assume(value != other)
    if kind == "fraction":
        assume(float(value) != float(other))
    for sent in SENDS[kind](value):
        for found in RETURNS[kind](other):
            assert compare({"A": sent}, {"A": found}) == [Difference("A", sent, found)]


@given(
    sent=st.text(min_size=1, max_size=10).filter(is_plain),
    found=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    ),
)
def test_a_shape_that_nobody_knows_is_not_equal(sent: str, found: Any) -> None:
    assume(
        found != sent and not (isinstance(found, list) and all(isinstance(x, str) for x in found))
    )
    assume(not isinstance(found, (int, float)))
    assert compare({"A": sent}, {"A": found})


@pytest.mark.parametrize(
    ("sent", "found", "equal"),
    [
        ("49000", 49000.0, True),
        ("49000.0", 49000, True),
        ("49000", "49,000.00", True),
        ("49000", "4,9000.00", False),
        ("-1234567.5", "-1,234,567.50", True),
        ("1.10", "1.1", False),
        ("007", 7, False),
        ("0042", "42", False),
        ("9007199254740993", 9007199254740992.0, False),
        ("9007199254740993", 9007199254740993, True),
        ("3.3333333333333333", 3.3333333333333335, True),
        ("1", True, False),
        ("0", None, False),
        ("", None, True),
        ("", "", True),
        ("", "x", False),
        ("x", "", False),
        ("2024-07-01", 1719792000000, True),
        ("2024-07-01", 1719792000001, False),
        ("2024-07-01", "2024-07-01T00:00:00.000Z", True),
        ("2024-07-01T02:00:00+02:00", "2024-07-01", True),
        ("2024-07-01T12:34:56", "2024-07-01", False),
        ("2024-07-01T12:34:56.123456Z", 1719837296123, True),
        ("2024-07-01T12:34:56.123456789Z", 1719837296123, True),
        ("20240701", "2024-07-01", False),
        ("1719792000000", "2024-07-01", False),
        ("2024-13-01", "2024-13-01T00:00:00Z", False),
        ("a,b", ["b", "a"], True),
        ("a, b", ["a", "b"], True),
        ("a,b", ["a", "b", "b"], False),
        ("a,b", "a, b", False),
        ("1,2", [1, 2], False),
        ("Dana Reed", {"owner_value": "Dana Reed", "owner_tid_value": "dana@x.com"}, True),
        ("dana@x.com", {"owner_value": "Dana Reed", "owner_tid_value": "dana@x.com"}, True),
        ("Dana Reed", {"health": "Dana Reed"}, False),
        ("nan", float("nan"), False),
        ("Acme", "acme", False),
    ],
)
def test_forms_of_a_value(sent: str, found: Any, equal: bool) -> None:
    assert (compare({"A": sent}, {"A": found}) == []) is equal


def test_a_foreign_key_is_stored_in_lower_case() -> None:
    assert compare({"ofid": "001AbC"}, {"ofid": "001abc"}) == []
    assert compare({"ofid": "001AbC"}, {"ofid": "001abd"})


def test_only_what_was_sent_is_compared() -> None:
    found = {"Plan": "Gold", "Status": "Paying"}
    assert compare({"Plan": "Gold"}, found) == []
    assert compare({"Plan": "Gold", "Seats": "3"}, found) == [Difference("Seats", "3", None)]


# Reading back ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    with sandboxes.sandbox(tmp_path_factory.mktemp("verification"), commands=commands) as started:
        yield started


@pytest.fixture
def service(running: Sandbox) -> Iterator[Sandbox]:
    running.reset()
    yield running
    running.set(visible_after=0, unknown_attributes="create", multi_list="text")


@pytest.fixture
def transport(service: Sandbox) -> Iterator[ApiClient]:
    with ApiClient(Connection.from_config(service.config(), user_agent="test")) as opened:
        yield opened


ACCOUNT = {
    "account_name": "Größe & Co",
    "Plan": "Gold,Silver",
    "Contract Value": "49000.50",
    "Create Date": "2024-07-01",
    "Next Call": "2024-07-01T12:34:56.789Z",
    "Success Manager": "Dana Reed",
    "Seats": "12",
    "Beta": "true",
    "ofid": "001AbC",
    "parent_id": "group",
    "product_id": "suite",
    "Notes": " 100% + a&b\n€🎈",
}
USER = {"name": "Joe Doe", "Title": "Chief+1", "Contact": "yes", "Joined": "2024-07-01"}


def track(transport: ApiClient, accounts: int = 3) -> list[Sent]:
    tracker, sent = TrackingClient(transport), []
    for number in range(accounts):
        account_id = f"acme-{number}"
        deliver_call(tracker, account_id, user_id="joe@acme.com", account=ACCOUNT, user=USER)
        sent.append(Sent(("accounts", account_id), ACCOUNT))
        sent.append(Sent(("users", account_id, "joe@acme.com"), USER))
    return sent


@pytest.mark.parametrize("defined", [True, False])
def test_what_was_sent_is_confirmed_in_two_calls(transport: ApiClient, defined: bool) -> None:
    sent = track(transport)
    definitions = discover(transport) if defined else []
    before = transport.usage["api"].calls
    verifier = RowVerifier(Lookup(transport), timeout=0, definitions=definitions)
    verdicts = list(verifier.verify(iter(sent)))
    assert verdicts == [Verdict(each.key, "confirmed") for each in sent]
    assert transport.usage["api"].calls - before == 2


def test_what_was_guessed_wrongly_is_read_as_text(service: Sandbox, transport: ApiClient) -> None:
    service.set(unknown_attributes="text")
    texts = {"Version": "1.10", "Noted": "2024-07-01T12:34:56.789Z", "Count": "12"}
    deliver_call(TrackingClient(transport), "acme", account=texts)
    sent = [Sent(("accounts", "acme"), {**texts, "Count": "13"})]
    [verdict] = RowVerifier(Lookup(transport), timeout=0).verify(sent)
    assert [each.attribute for each in verdict.differences] == ["Count"]


def test_what_is_not_there_or_not_the_same_is_told(transport: ApiClient) -> None:
    sent = track(transport)
    changed = Sent(sent[0].key, {**ACCOUNT, "Plan": "Bronze", "account_name": "Other"})
    absent = [Sent(("accounts", "nobody"), {}), Sent(("users", "acme-0", "Joe@acme.com"), USER)]
    verdicts = list(RowVerifier(Lookup(transport), timeout=0).verify([changed, *absent, *sent[1:]]))
    by_key = {verdict.key: verdict for verdict in verdicts}
    assert len(verdicts) == len(by_key) == 8
    assert by_key[changed.key].result == "different"
    assert set(by_key[changed.key].differences) == {
        Difference("Plan", "Bronze", "Gold,Silver"),
        Difference("account_name", "Other", "Größe & Co"),
    }
    assert [by_key[each.key].result for each in absent] == ["missing", "missing"]
    assert [verdict.result for verdict in verdicts[-3:]].count("confirmed") == 0


def test_only_what_is_not_yet_visible_is_read_again(transport: ApiClient) -> None:
    early = track(transport, 2)
    late = Sent(("accounts", "late"), {"Plan": "Gold"})
    before = transport.usage["api"].calls
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        assert len(pauses) <= 3
        if len(pauses) == 3:
            deliver_call(TrackingClient(transport), "late", account={"Plan": "Gold"})

    verifier = RowVerifier(Lookup(transport), timeout=60)
    verdicts = list(verifier.verify([late, *early], wait))
    assert {verdict.result for verdict in verdicts} == {"confirmed"}
    assert verdicts[-1].key == late.key
    assert pauses == [0, 1, 2]
    # Accounts and users once, then accounts alone.
    assert transport.usage["api"].calls - before == 4


def test_the_time_to_wait_is_kept(transport: ApiClient, clock: Clock) -> None:
    waited: list[float] = []
    clock.on_wait = waited.append
    [verdict] = RowVerifier(Lookup(transport), timeout=300).verify(
        [Sent(("accounts", "nobody"), {"Plan": "Gold"})], clock.sleep
    )
    assert verdict.result == "missing"
    assert 200 < waited[-1] <= 300  # the calls take some of it


def test_many_rows_cost_a_call_for_five_hundred(service: Sandbox, transport: ApiClient) -> None:
    service.load(
        accounts=[
            {"account_id": f"a{at}", "account_name": f"Name {at}", "attributes": {"Seats": at}}
            for at in range(2000)
        ]
    )
    sent = [
        Sent(("accounts", f"a{at}"), {"account_name": f"Name {at}", "Seats": str(at)})
        for at in range(2000)
    ]
    verdicts = list(RowVerifier(Lookup(transport), timeout=0).verify(iter(sent)))
    assert {verdict.result for verdict in verdicts} == {"confirmed"}
    assert transport.usage["api"].calls == 4


@pytest.mark.slow
def test_a_row_that_was_not_found_as_sent_goes_out_again(
    service: Any, run_here: Any, config_file: Any, tmp_path: Path
) -> None:
    service.set(unknown_attributes="drop")
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    config = config_file(service.config(verify="all", verify_timeout=0, canary=False, **ledger))
    row = {"account_id": "acme", "account_name": "Acme", "Mood": "good"}
    rows = "".join(json.dumps(message) + "\n" for message in singer("accounts", row))
    first = run_here("target-totango", "--config", config, stdin=rows)
    assert first.returncode == 1
    assert "1 row was" in first.stderr
    service.set(unknown_attributes="create")
    run_here("target-totango", "--config", config, stdin=rows).ok()
    [held] = service.dump("accounts")
    assert held["attributes"] == {"Mood": "good"}
    calls = service.stats()["calls"]["tracking"]
    run_here("target-totango", "--config", config, stdin=rows).ok()
    assert service.stats()["calls"]["tracking"] == calls, "it was confirmed, and is unchanged"


def singer(stream: str, *rows: dict[str, str]) -> Iterator[dict[str, Any]]:
    properties = {name: {"type": ["null", "string"]} for row in rows for name in row}
    schema = {"type": "object", "properties": properties}
    yield {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["account_id"]}
    for row in rows:
        yield {"type": "RECORD", "stream": stream, "record": row}
