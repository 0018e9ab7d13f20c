"""What becomes of results, and where each of them is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from target_runs import ACCOUNTS, held, record, schema, state

from target_totango.delivery import dry_run
from target_totango.models import Row, SourceStream, WriteRequest
from target_totango.pipeline.run_end import REASONS_LOGGED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

DELETABLE = schema("users", "account_id", "user_id", "Title", "_sdc_deleted_at")


def account(identifier: str, **attributes: Any) -> dict[str, Any]:
    return record("accounts", account_id=identifier, **attributes)


def test_without_a_rejects_file_rejected_rows_are_counted_and_said(
    deliver: Deliver, service: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [account("b c"), account("a"), state(1)]
    done = deliver(ACCOUNTS, *rows, rejects_path="")
    assert "1 row was rejected" in str(done.error)
    assert done.states == [state(1)["value"]]
    assert set(held(service, "accounts")) == {("a",)}
    assert not list(tmp_path.glob("*.singer"))


def test_what_was_deleted_is_kept_as_sent(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "sent.singer"
    gone = record("users", account_id="a", user_id="u", _sdc_deleted_at="2024-01-01T00:00:00Z")
    deliver(DELETABLE, record("users", account_id="a", user_id="u", Title="x")).ok()
    deliver(DELETABLE, gone, hard_delete=True, sent_path=str(path)).ok()
    assert held(service, "users") == {}
    [sent] = [json.loads(line)["_sent"] for line in path.read_text().splitlines()[1:]]
    assert (sent["what"], sent["ids"]) == ("deleted", {"account_id": "a", "user_id": "u"})


def test_more_reasons_than_are_logged_are_counted(deliver: Deliver) -> None:
    names = [f"n{number}" for number in range(REASONS_LOGGED + 2)]
    told = schema("accounts", "account_id", *names)
    told["schema"]["properties"] |= {name: {"type": "integer"} for name in names}
    done = deliver(told, account("a", **dict.fromkeys(names, "x")))
    assert "Rejected for 2 more reasons: see report_path." in done.said


def test_a_dry_run_that_is_cancelled_looks_at_nothing_more() -> None:
    summary = dry_run.DryRunSummary()
    destination = dry_run.DryRunDestination(summary, None)
    request = WriteRequest("accounts", "a", None)
    destination.put(Row(1, SourceStream("s", {}, ()), {}, "s", "accounts", request=request))
    destination.cancel()
    assert destination.drain(until=0)
    assert (destination.collect(), summary.cannot_tell, destination.busy) == ([], 0, False)


def test_a_dry_run_looks_at_rows_many_at_once(
    deliver: Deliver, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "BATCH_ROWS", 2)
    service.load(accounts=[{"account_id": "a1", "attributes": {}}])
    done = deliver(ACCOUNTS, *(account(f"a{number}") for number in range(5)), dry_run=True).ok()
    assert "4 would be created, 0 updated, 1 left unchanged" in done.said
    assert len([call for call in service.dump("calls") if call["surface"] == "accounts"]) >= 3
