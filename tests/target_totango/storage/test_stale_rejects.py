"""Rejected rows that later rows outdate: a replay must not bring the old values back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, USERS, held, record, schema, state

from target_totango.pipeline import stages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

ONE_BY_ONE = {"max_in_flight": 1, "max_retry_seconds": 0}


def account(identifier: str, **attributes: Any) -> dict[str, Any]:
    return record("accounts", account_id=identifier, **attributes)


def replayed(deliver: Deliver, tmp_path: Path, **settings: Any) -> Delivered:
    return deliver(*(tmp_path / "rejects.singer").read_text().splitlines(), **settings)


@pytest.mark.parametrize("old", ["old", "x" * 600])
def test_a_replay_does_not_set_back_what_a_later_row_wrote(
    deliver: Deliver,
    service: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
) -> None:
    service.chaos("422@tracking:match=old")
    rows = [account("a", Plan=old), account("b", Plan="x"), account("a", Plan="new"), state(1)]
    done = deliver(ACCOUNTS, *rows, **ONE_BY_ONE)
    assert [row["_reject"]["superseded"] for row in done.rejected] == [True]
    assert (done.totals["rejected"], done.totals["superseded"]) == (1, 1)
    assert "a replay skips them" in done.said
    assert (tmp_path / "rejects.singer").stat().st_mode & 0o777 == 0o600
    service.chaos()
    marked = (tmp_path / "rejects.singer").read_text().splitlines()
    again = deliver(*marked, too_long="truncate").ok()
    assert again.totals == {"received": 1, "skipped": 1}
    assert again.said.count("Rows that are marked as superseded") == 1
    monkeypatch.setattr(stages, "BATCH_ROWS", 1)
    twice = deliver(*marked, marked[-1], too_long="truncate").ok()
    assert twice.totals == {"received": 2, "skipped": 2}
    assert twice.said.count("Rows that are marked as superseded") == 1
    assert held(service, "accounts")[("a",)]["Plan"] == "new"


def test_a_rejected_row_that_no_later_one_outdates_is_sent_again(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    service.chaos("422@tracking:match=last")
    done = deliver(ACCOUNTS, account("a", Plan="first"), account("a", Plan="last"), **ONE_BY_ONE)
    assert "superseded" not in done.rejected[0]["_reject"]
    service.chaos()
    replayed(deliver, tmp_path).ok()
    assert held(service, "accounts")[("a",)]["Plan"] == "last"


def test_rows_whose_keys_only_seem_alike_do_not_outdate_each_other(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_totango.storage.key_counts.KeyFilter._PLACES", 1)
    old = [account(name, Plan="o" * 600) for name in "ab"]
    done = deliver(ACCOUNTS, *old, account("c", Plan="new"), account("b", Plan="new"))
    marked = {row["account_id"]: row["_reject"].get("superseded") for row in done.rejected}
    assert marked == {"a": None, "b": True}


def test_attributes_that_later_rows_do_not_carry_are_sent_again(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    raw = (
        '{"type":"RECORD","stream":"accounts","record":'
        '{"account_id":"a","account_name":"' + "n" * 129 + '","Plan":"old","Contract Value":1.50}}'
    )
    done = deliver(ACCOUNTS, raw, account("a", Plan="new"))
    assert done.rejected[0]["_reject"]["newer"] == ["account.Plan"]
    assert "superseded" not in done.totals
    assert '"Contract Value":1.50' in (tmp_path / "rejects.singer").read_text()
    # Rejected again, it still says what is outdated.
    again = replayed(deliver, tmp_path)
    assert again.rejected[0]["_reject"]["newer"] == ["account.Plan"]
    replayed(deliver, tmp_path, too_long="truncate").ok()
    there = held(service, "accounts")[("a",)]
    assert (there["Plan"], there["Contract Value"], there["account_name"]) == (
        "new",
        1.5,
        "n" * 128,
    )


def test_a_row_that_is_more_recent_by_its_field_is_not_outdated(deliver: Deliver) -> None:
    stamped = schema("accounts", "account_id", "Plan", "at")
    rows = [account("a", Plan="x" * 600, at="2024-02-01"), account("a", Plan="p", at="2024-01-01")]
    mapping = {"stream": "accounts", "recency_field": "at", "unmapped": "drop"}
    done = deliver(stamped, *rows, mappings=[mapping | {"attributes": {"Plan": "Plan"}}])
    assert done.totals["sent"] == 1
    assert "superseded" not in done.rejected[0]["_reject"]


def test_an_account_name_in_a_users_row_is_outdated_by_the_account(deliver: Deliver) -> None:
    named = schema("users", "account_id", "user_id", "account_name", "Title")
    late = record("users", account_id="a", user_id="u", account_name="old", Title="t" * 300)
    done = deliver(named, ACCOUNTS, late, account("a", account_name="new"))
    assert done.rejected[0]["_reject"]["newer"] == ["account.account_name"]


def test_a_rejected_row_of_a_deleted_user_does_not_bring_it_back(deliver: Deliver) -> None:
    gone = record("users", account_id="a", user_id="u", _sdc_deleted_at="2024-01-01T00:00:00Z")
    rows = [record("users", account_id="a", user_id="u", Title="t" * 300), gone]
    done = deliver(USERS, *rows, hard_delete=True)
    assert done.rejected[0]["_reject"]["superseded"] is True


def test_a_row_that_the_ledger_knows_outdates_too(deliver: Deliver, tmp_path: Path) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    deliver(ACCOUNTS, account("a", Plan="new"), **ledger).ok()
    done = deliver(ACCOUNTS, account("a", Plan="o" * 600), account("a", Plan="new"), **ledger)
    assert done.totals["unchanged"] == 1
    assert done.rejected[0]["_reject"]["superseded"] is True


def test_half_surrogate_pairs_and_long_numbers_survive_the_marking(
    deliver: Deliver, tmp_path: Path
) -> None:
    raw = (
        r'{"type":"RECORD","stream":"accounts","record":'
        r'{"account_id":"a","Plan":"x\ud800","n":123456789012345678901234567890}}'
    )
    done = deliver(schema("accounts", "account_id", "Plan", "n"), raw, account("a", Plan="p", n=1))
    assert done.rejected[0]["_reject"]["superseded"] is True
    kept = json.loads((tmp_path / "rejects.singer").read_text().splitlines()[1])["record"]
    assert (kept["Plan"], kept["n"]) == ("x\ud800", 123456789012345678901234567890)
