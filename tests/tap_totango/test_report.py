"""The report of a run of the tap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Tap
    from sandboxes import Sandbox


def test_the_report_says_what_was_read_and_how(tap: Tap, service: Sandbox, tmp_path: Path) -> None:
    service.load(accounts=[{"account_id": f"a-{n}"} for n in range(5)])
    page = tmp_path / "page.html"
    query = {
        "terms": [{"type": "string_attribute", "attribute": "Email", "in_list": ["a@b.example"]}]
    }
    ran = tap(report_path=str(page), users_query=query).ok()
    report = json.loads(page.with_suffix(".json").read_text())
    assert (report["complete"], report["failure"]) == (True, None)
    accounts, users = report["streams"]
    assert (accounts["stream"], accounts["received"]) == ("accounts", 5)
    assert accounts["read"]["how"] == "in one answer, which is a snapshot"
    assert (accounts["read"]["complete"], accounts["read"]["total"]) == (True, 5)
    assert (users["stream"], users["received"]) == ("users", 0)
    (understood,) = report["understood"]["accounts"]
    columns = set(ran.schema("accounts")["properties"]) - {"_extra"}
    assert understood.startswith(f"{len(columns)} columns: ")
    assert set(understood.split(": ")[1].rstrip(".").split(", ")) == columns
    assert "1 filter" in " ".join(report["understood"]["users"])
    assert sum(report["calls"]["api"]["by_minute"].values()) == report["calls"]["api"]["calls"]
    for text in (page.read_text(), json.dumps(report)):
        assert "a@b.example" not in text
        assert service.config()["app_token"] not in text


def test_a_run_that_fails_is_reported(tap: Tap, service: Sandbox, tmp_path: Path) -> None:
    service.load(accounts=[{"account_id": "a"}])
    service.chaos("500@search")
    page = tmp_path / "page.html"
    tap(report_path=str(page), max_retry_seconds=0).failed("accounts")
    report = json.loads(page.with_suffix(".json").read_text())
    assert not report["complete"]
    assert "2 of the streams failed" in report["failure"]
    assert not any(stream["read"]["complete"] for stream in report["streams"])
    assert "Not everything was done" in page.read_text()


def test_a_report_that_cannot_be_written_is_said_first(tap: Tap, tmp_path: Path) -> None:
    ran = tap(report_path=str(tmp_path))
    ran.failed("report_path cannot be", "it is a folder")
    assert not ran.stdout
