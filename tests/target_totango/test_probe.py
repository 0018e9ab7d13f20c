"""`target-totango probe`: each switch of the sandbox in each position, and one account only."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from target_runs import ACCOUNTS, PROBED, record

from target_totango.probe import ALWAYS_ASKED, account
from target_totango.verify import polling
from totango_api.config import Connection
from totango_api.http import ApiClient
from totango_api.probe import Caller, asked
from totango_api.redaction import scrub

TESTED, OTHER = PROBED, "other"
SDR = "an-sdr-token"

# Question, answer with every switch at its default, and others by the switches that bring them.
POSITIONS: list[tuple[str, str, dict[str, dict[str, str]]]] = [
    ("write_visibility", "at once", {}),
    ("escaped_characters", "kept", {}),
    (
        "unknown_attributes",
        "created by value",
        {
            "created as text": {"unknown_attributes": "text"},
            "dropped": {"unknown_attributes": "drop"},
        },
    ),
    ("long_values", "dropped", {"cut": {"over_limit": "truncate"}, "kept": {"over_limit": "keep"}}),
    ("empty_values", "ignored", {"cleared": {"empty_value": "clear"}}),
    ("sdr_token", "not asked for", {"required": {"sdr_token": SDR}}),
    (
        "sdr_refusal",
        "",
        {
            "200": {"sdr_token": SDR},
            "401": {"sdr_token": SDR, "sdr_token_status": "401"},
        },
    ),
    ("hub_accounts", "202", {"200": {"hub_status": "200"}}),
    ("hub_users", "there", {"not there": {"hub_users": "off"}}),
    ("hub_values", "text only", {"numbers too": {"hub_values": "any"}}),
    (
        "hub_batch",
        "100 rows",
        {"50 rows": {"hub_max_rows": "60"}, "12 rows": {"hub_max_bytes": "2000"}},
    ),
    ("hub_bad_row", "batch refused", {"good rows taken": {"hub_errors": "accept_good"}}),
    ("hub_refusal_status", "400", {"200": {"hub_refusal_status": "200"}}),
    (
        "hub_report",
        "errors (index, message), status",
        {
            "errors (id, message), status": {"hub_error_detail": "id"},
            "results (id, message, status), status": {"hub_report": "results"},
            "accepted, failed": {"hub_report": "counts"},
            "text": {"hub_report": "text"},
            "null": {"hub_report": "null"},
        },
    ),
    ("missing_user", "404", {"200": {"delete_missing": "200"}}),
    # The account has nothing of which they could be asked: see test_probe_replaced_values.py.
    ("unknown_option", "", {}),
    ("sfid_writes", "", {}),
    ("owner_values", "", {}),
]

pytestmark = pytest.mark.usefixtures("probe_clock")


@pytest.fixture
def filled(service):
    service.load(
        accounts=[
            {"account_id": TESTED, "account_name": "Tested", "attributes": {"Plan": "Gold"}},
            {"account_id": OTHER, "account_name": "Other", "attributes": {"Plan": "Tin"}},
        ],
        attributes=[{"key_name": "Plan", "type": "text", "object": "accounts"}],
        users=[{"account_id": TESTED, "user_id": "u", "user_name": "Somebody"}],
    )
    return service


@pytest.fixture
def waited(monkeypatch) -> list[float]:
    """The waits of a probe, on whose clock nothing else takes time."""
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=lambda: sum(waits))
    for module in (account, polling):
        monkeypatch.setattr(module, "time", clock)
    return waits


def test_every_position_at_its_default(filled, probe, waited) -> None:
    ran, answers = probe("--yes")
    assert ran.code == 0, ran.stdout + ran.stderr
    assert answers["answers"] == {name: answer for name, answer, _ in POSITIONS if answer}
    assert {name for name, _, _ in POSITIONS} == {question.name for question in ALWAYS_ASKED}


@pytest.mark.parametrize(
    ("name", "answer", "switches"),
    [
        pytest.param(name, answer, switches, id=f"{name}={answer}")
        for name, _, others in POSITIONS
        for answer, switches in others.items()
    ],
)
def test_every_position_of_a_switch_is_told(filled, probe, name, answer, switches) -> None:
    filled.set(**switches)
    ran, answers = probe("--yes", "--wait", "8", sdr_token=switches.get("sdr_token"))
    assert answers["answers"][name] == answer, ran.stdout
    assert ran.code == 0, ran.stdout


def test_a_write_that_is_seen_late(filled, waited, monkeypatch) -> None:
    filled.set(visible_after="300")
    search = Caller.search

    def seen_when_it_is_time(self, *about):
        if sum(waited) >= 1.2:
            filled.settle()
        return search(self, *about)

    monkeypatch.setattr(Caller, "search", seen_when_it_is_time)
    connection = Connection.from_config(filled.config(), user_agent="test")
    with ApiClient(connection) as client:
        tested = account.ProbedAccount(Caller(client, 50), TESTED, sdr_token=None, wait_seconds=9)
        assert asked(ALWAYS_ASKED[0], tested).value == "after 2 s"


def test_without_yes_nothing_is_written(filled, probe) -> None:
    ran, answers = probe()
    assert ran.code == 1
    assert f"Account {TESTED}, and no other" in ran.stdout
    assert "--yes" in ran.stdout
    assert answers is None
    assert {call["surface"] for call in filled.dump("calls")} == {"accounts"}
    assert filled.writable("accounts")[(TESTED,)] == {"account_name": "Tested", "Plan": "Gold"}


def test_no_other_account_and_nothing_else_is_touched(filled, probe) -> None:
    users = filled.writable("users")
    ran, _ = probe("--yes")
    accounts = filled.writable("accounts")
    assert set(accounts) == {(TESTED,), (OTHER,)}
    assert accounts[(OTHER,)] == {"account_name": "Other", "Plan": "Tin"}
    left = {account.TEXT_ATTRIBUTE: "something", account.NUMBER_ATTRIBUTE: 12}
    assert accounts[(TESTED,)] == {"account_name": "Tested", "Plan": "Gold", **left}
    assert filled.writable("users") == users
    assert filled.stats()["rows"]["activities"] == 0
    assert f"Left there: a value of the attribute {account.TEXT_ATTRIBUTE!r}" in ran.stdout


def test_where_empty_values_clear_nothing_is_left(filled, probe) -> None:
    filled.set(empty_value="clear")
    ran, _ = probe("--yes")
    assert "Left there: nothing but the definitions" in ran.stdout
    written = filled.writable("accounts")[(TESTED,)]
    assert {name for name, value in written.items() if value is not None} == {
        "account_name",
        "Plan",
    }


def test_what_an_earlier_probe_left_is_put_back(filled, probe) -> None:
    probe("--yes")
    before = filled.writable("accounts")
    ran, answers = probe("--yes")
    assert filled.writable("accounts") == before
    assert "Left there: nothing but" in ran.stdout
    assert answers["answers"]["unknown_attributes"] == "created by value"


def test_an_account_that_is_not_there_is_said_to_be_made(filled, probe) -> None:
    ran, _ = probe(account_id="new-one")
    assert "only people can archive it" in ran.stdout
    assert ("new-one",) not in filled.writable("accounts")
    ran, _ = probe("--yes", account_id="new-one")
    assert "the account itself" in ran.stdout


@pytest.mark.parametrize("switches", [{"sdr_token": SDR}, {"blocked_accounts": TESTED}], ids=str)
def test_writes_that_are_not_taken(filled, probe, switches) -> None:
    filled.set(**switches)
    ran, answers = probe("--yes", "--wait", "0.3")
    assert ran.code == 1
    assert "could not be asked" in ran.stdout
    assert "Left there: nothing" in ran.stdout
    assert "Singer probe" not in str(filled.writable("accounts"))
    assert "write_visibility" not in answers["answers"]
    assert "empty_values" not in answers["answers"]


def test_what_is_written_is_put_back_when_calls_run_out(filled, probe) -> None:
    ran, _ = probe("--yes", "--max-calls", "6")
    assert ran.code == 1
    assert "raise --max-calls" in ran.stdout
    assert filled.writable("accounts")[(TESTED,)]["account_name"] == "Tested"


def test_no_name_and_no_value_is_told(filled, probe) -> None:
    ran, answers = probe("--yes", sdr_token=SDR)
    told = json.dumps(answers) + ran.stdout.partition("question")[2]
    for secret in ("sandbox-token", SDR, "Tested", "Gold", "Somebody", TESTED):
        assert secret not in told
    assert scrub(told) == told


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"service_id": "12345"}, "SP-12345-01"),
        ({"app_token": None}, "app_token"),
        ({"account_id": "not an id!"}, "--account-id"),
        ({"app_token": "no-such-token-at-all"}, "app_token"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_writes_nothing(filled, probe, settings, words) -> None:
    ran, answers = probe("--yes", **settings)
    assert ran.code == 1
    assert words in ran.stderr
    assert answers is None
    assert not [call for call in filled.dump("calls") if call["surface"] in {"tracking", "hub"}]


def test_the_profile_is_taken_by_the_target(filled, probe, deliver, tmp_path) -> None:
    filled.set(hub_max_rows="60", unknown_attributes="drop")
    ran, _ = probe("--yes")
    assert "Set probe_path to it" in ran.stdout
    before = len(filled.calls("hub"))
    path = str(tmp_path / "answers.json")
    rows = [record("accounts", account_id=f"a-{n}") for n in range(80)]
    done = deliver(ACCOUNTS, *rows, delivery="hub", probe_path=path)
    assert done.error is None
    assert "define them in Totango" in done.said
    assert {call["status"] for call in filled.calls("hub")[before:]} == {202}
