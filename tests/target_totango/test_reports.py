"""The report of a run of the target, as JSON and as a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from target_runs import ACCOUNTS, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from target_runs import Delivered

    Deliver = Callable[..., Delivered]


def account(name: str, **fields: Any) -> dict[str, Any]:
    return record("accounts", account_id=name, **fields)


def test_the_report_shows_why_rows_were_rejected(deliver: Deliver, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    rows = [account("good"), *(account(f"Ann Smith {n}", Plan="Pro") for n in range(4))]
    for shows_values in (False, True):
        done = deliver(ACCOUNTS, *rows, report_path=str(page), report_values=shows_values)
        report = json.loads(page.with_suffix(".json").read_text())
        assert report["failure"] == str(done.error)
        (found,) = report["examples"]
        assert (found["reason"], found["rows"]) == ("account_id: characters", 4)
        assert [row["row"] for row in found["examples"]] == [2, 3, 4]
        assert ("Ann Smith" in page.read_text()) == shows_values
        assert "account_id ← account_id" in " ".join(report["understood"]["accounts"])


def test_differences_found_by_reading_back_are_examples(
    deliver: Deliver, service: Any, tmp_path: Path
) -> None:
    service.set(unknown_attributes="drop")
    page = tmp_path / "page.html"
    deliver(
        ACCOUNTS,
        account("a", Plan="Enterprise"),
        verify="all",
        verify_timeout=0,
        report_path=str(page),
        canary=False,
    )
    report = json.loads(page.with_suffix(".json").read_text())
    (found,) = report["examples"]
    assert found["reason"].startswith("Plan")
    assert report["streams"][0]["different"] == 1


def test_a_dry_run_is_a_page_of_old_and_new(deliver: Deliver, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    deliver(ACCOUNTS, account("a", Plan="Basic"), account("b", Plan="Basic")).ok()
    deliver(
        *(ACCOUNTS, account("a", Plan="<Pro>"), account("b", Plan="Basic"), account("c")),
        dry_run=True,
        report_path=str(page),
    ).ok()
    plan = json.loads(page.with_suffix(".json").read_text())["plan"]
    assert [plan[name] for name in ("create", "update", "unchanged")] == [1, 1, 1]
    text = page.read_text()
    assert "Everything was looked at; nothing was written." in text
    assert '<td class="old">Basic' in text
    assert '<td class="new">&lt;Pro&gt;' in text
    assert page.stat().st_mode & 0o077 == 0
