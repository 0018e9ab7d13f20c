"""Reference lists, staff, teams, import jobs and the audit log: each whole, or a sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes
from stub_totango import ok

from tap_totango import tap as tap_module

if TYPE_CHECKING:
    from pathlib import Path

    from tap_runs import TapRun

REFERENCE = {
    "touchpoint_types": "touchpoint-types",
    "touchpoint_tags": "touchpoint-tags",
    "activity_types": "activity-types",
    "objective_statuses": "objective-settings/status",
    "objective_categories": "objective-settings/category",
}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory, commands: Path):
    home = tmp_path_factory.mktemp("lists")
    with sandboxes.sandbox(home, seed="accounts=5,users=0,events=0", commands=commands) as running:
        yield running


NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
"""When every run starts: it decides how many calls the audit log takes, and which days are over."""


@pytest.fixture(autouse=True)
def _started_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_module, "utc_now", lambda: NOW)


@pytest.fixture
def reading(seeded, tap, discover):
    """`reading(stream, …, setting=value)`: a run over these streams alone."""
    seeded.set(reference_shape="documented", reference_names="documented")
    seeded.set(audit_limit=0, audit_year="strict")
    config = seeded.config(max_retry_seconds=1)
    found = discover(config=config).deselect("accounts", "users")

    def read(*names: str, state: Any = None, **settings: Any):
        for entry in found.document["streams"]:
            found.metadata(entry["tap_stream_id"])["selected"] = entry["tap_stream_id"] in names
        return tap(config={**config, **settings}, catalog=found, state=state)

    return read


@pytest.mark.parametrize("shape", ["documented", "list", "object", "nested"])
@pytest.mark.parametrize("names", ["documented", "snake", "camel"])
def test_reference_lists_whatever_their_shape(seeded, reading, shape: str, names: str) -> None:
    documented = reading(*REFERENCE).ok()
    plain = {name: documented.records(name) for name in REFERENCE}
    seeded.set(reference_shape=shape, reference_names=names)
    ran = reading(*REFERENCE).ok()
    for name, rows in plain.items():
        assert rows
        assert ran.records(name) == rows
        assert all(row["display_name"] and row["_extra"] is None for row in rows)
        assert len(ran.of("ACTIVATE_VERSION", name)) == 1
    assert all(row["updated_by"] is None for row in plain["objective_statuses"])


@pytest.mark.parametrize("status", [403, 404])
def test_one_list_that_is_refused_is_one_sentence(seeded, reading, status: int) -> None:
    seeded.chaos(f"{status}@touchpoint_tags")
    try:
        ran = reading("touchpoint_tags", "touchpoint_types").failed(
            "touchpoint_tags: ", "deselect touchpoint_tags"
        )
    finally:
        seeded.chaos()
    assert ran.records("touchpoint_types")


@pytest.mark.parametrize(
    ("stream", "body", "said"),
    [
        ("touchpoint_types", {"error_page": "sign in"}, "no list"),
        ("teams", [{"id": 1}], "not an object"),
        ("audit_log", {"error_page": "sign in"}, "not a list of entries"),
        ("audit_log", ["sign in"], "not a list of entries"),
    ],
)
def test_an_answer_of_another_shape_fails(stub, tap, discover, stream, body, said) -> None:
    server = stub(lambda call: (200, {}, json.dumps(body).encode()))
    config = server.config(discover_attributes=False, team_ids=[1])
    catalog = discover(config=config).deselect("accounts", "users").select(stream)
    tap(config=config, catalog=catalog).failed(stream, said)


def test_what_a_team_holds_as_text_that_is_no_json_is_kept(stub, tap, discover) -> None:
    team = {"id": 1, "terms": "{", "members_terms": '{"a": []}'}
    server = stub(lambda call: (200, {}, json.dumps(team).encode()))
    config = server.config(discover_attributes=False, team_ids=[1])
    catalog = discover(config=config).deselect("accounts", "users").select("teams")
    (row,) = tap(config=config, catalog=catalog).ok().records("teams")
    assert (row["terms"], row["members_terms"]) == ("{", {"a": []})


def test_staff_page_by_page(seeded, reading) -> None:
    ran = reading("staff", page_size=3).ok()
    rows = ran.records("staff")
    assert len(rows) == len(set(ran.keys("staff"))) > 6
    assert all("@" in row["staff_id"] and row["first_name"] and row["license"] for row in rows)


def test_teams_that_are_named(reading) -> None:
    ran = reading("teams", team_ids=[1, "2"]).ok()
    assert sorted(ran.keys("teams")) == [("1",), ("2",)]
    row = ran.records("teams")[0]
    assert row["terms"][0]["term"] == "status_group"
    assert row["team_members"][0]["team_id"] == 1
    assert row["_extra"] is None
    reading("teams").failed("team_ids")
    reading("teams", team_ids=[99]).failed("teams/99", "404")


def test_import_jobs_of_the_connectors_that_are_named(seeded, reading) -> None:
    connector = seeded.dump("jobs")[0]["connector_id"]
    ran = reading("import_jobs", job_connectors=[{"id": connector}]).ok()
    assert len(ran.records("import_jobs")) == 2
    row = ran.by_key("import_jobs")["job-2", "transaction-2"]
    assert (row["result"], row["invalid_records"]) == ("PARTIAL", 3)
    assert row["errors"][0]["code"] == "INVALID_DATE"
    reading("import_jobs").failed("job_connectors")


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (None, 0),
        ({}, 0),
        ({"transactionId": None, "errors": None}, 0),
        ({"transactionId": None, "result": "FAILED"}, 1),
        ("FAILED", 1),
        (["FAILED"], 1),
    ],
)
def test_a_run_of_an_import_job_is_never_passed_over(
    stub, tap, discover, run: object, code: int
) -> None:
    jobs = [{"id": "a", "execution": {"transactionId": "t"}}, {"id": "b", "execution": run}]
    config = stub(lambda call: ok({"recurring": jobs})).config(job_connectors=[{"id": "c"}])
    catalog = discover(config=config).deselect("accounts", "users").select("import_jobs")
    ran = tap(config=config, catalog=catalog)
    assert ran.code == code, ran.said
    assert ("without an id" in ran.said) == bool(code)


def test_the_audit_log_never_across_a_years_end(seeded, reading) -> None:
    stored = seeded.dump("audit")
    seeded.set(audit_year="exclusive")
    before = len(seeded.calls("audit"))
    ran = reading("audit_log").ok()
    assert len(ran.records("audit_log")) == len(stored)
    assert len(seeded.calls("audit")) - before < 13 * 10
    before = len(seeded.calls("audit"))
    again = reading("audit_log", state=ran.state).ok()
    months = (NOW - datetime.fromisoformat(ran.value("audit_log"))).days // 30
    assert len(seeded.calls("audit")) - before <= months + 4
    assert again.value("audit_log") == ran.value("audit_log")
    floor = datetime.fromisoformat(ran.value("audit_log")) - timedelta(days=3)
    assert all(
        datetime.fromisoformat(row["timestamp"]).astimezone(UTC) > floor
        for row in again.records("audit_log")
    )


@pytest.mark.parametrize("limit", [50, 100, 250])
def test_a_limit_of_the_audit_log_is_found_out(service, tap, discover, limit: int) -> None:
    first = datetime(2025, 3, 1, tzinfo=UTC)
    moments = [first + timedelta(hours=2 * number) for number in range(31 * 12)]
    service.load(audit=[{"timestamp": moment.isoformat()} for moment in moments])
    service.set(audit_limit=limit, audit_year="exclusive")
    config = service.config(start_date="2025-02-01")
    catalog = discover(config=config).deselect("accounts", "users").select("audit_log")
    ran = tap(config=config, catalog=catalog).ok()
    assert len(ran.records("audit_log")) == len(moments)
    crowded = [{"timestamp": "2025-03-09T12:00:00Z", "n": number} for number in range(limit)]
    service.load(audit=crowded)
    ran = tap(config=config, catalog=catalog).failed("audit_log", "2025-03-09", "may have been cut")
    assert "2025-03-08" not in ran.last


def test_the_last_day_of_a_year_that_no_call_reaches_holds_the_bookmark(
    reading, tmp_path: Path
) -> None:
    ran = reading("audit_log").failed("audit_log", "2025-12-31", "start_date: 2026-01-01")
    assert ran.records("audit_log")
    assert ran.value("audit_log") is None
    page = tmp_path / "report.html"
    warned = reading("audit_log", on_incomplete="warn", report_path=str(page)).ok()
    assert "2025-12-31" in warned.said
    assert warned.value("audit_log") is None
    report = json.loads(page.with_suffix(".json").read_text())
    assert not report["complete"]
    reading("audit_log", start_date="2026-01-01").ok()


def test_the_last_day_of_a_year_is_read_where_an_end_counts(stub, tap, discover) -> None:
    def answer(call: Any) -> Any:
        start, end = (part.split("=")[1] for part in call.path.split("?")[1].split("&"))
        if start[:4] != end[:4]:
            return 400, {}, b'{"status": "failed", "_error": "one year"}'
        is_last = start == end == "2025-12-31"
        entries = [{"timestamp": "2025-12-31T12:00:00Z", "action": "VIEW"}] if is_last else []
        return 200, {}, json.dumps(entries).encode()

    server = stub(answer)
    config = server.config(discover_attributes=False, start_date="2025-12-30")
    catalog = discover(config=config).deselect("accounts", "users").select("audit_log")
    ran = tap(config=config, catalog=catalog, full_refresh_every_hours=None).ok()
    assert len(ran.records("audit_log")) == 1


def test_a_day_that_may_be_cut_holds_the_bookmark(stub, tap, discover) -> None:
    entries = [
        {"timestamp": "2026-01-01T00:00:00Z", "action": "VIEW", "n": number}
        for number in range(1000)
    ]
    server = stub(lambda call: (200, {}, json.dumps(entries).encode()))
    yesterday = (NOW - timedelta(days=1)).isoformat()
    config = server.config(discover_attributes=False, start_date=yesterday)
    catalog = discover(config=config).deselect("accounts", "users").select("audit_log")
    ran = tap(config=config, catalog=catalog, full_refresh_every_hours=None).failed("audit_log")
    assert "may have been cut" in ran.last
    assert ran.value("audit_log") is None


def staff_of(
    stub, tap, discover, pages: list[list[Any]], total: Any = ..., **settings: Any
) -> TapRun:
    """Run `staff` against a service that gives these pages of people, then empty ones."""
    from stub_totango import hits, ok

    def answer(call: Any) -> Any:
        if "internal" not in call.path:
            return ok(hits("users", [], 0))
        page = sum(1 for one in server.asked if "internal" in one.path) - 1
        return ok(hits("users", pages[page] if page < len(pages) else [], total))

    server = stub(answer)
    config = server.config(discover_attributes=False)
    catalog = discover(config=config).deselect("accounts", "users").select("staff")
    return tap(config=config, catalog=catalog, **settings)


def person(name: str) -> dict[str, Any]:
    return {"name": name, "display_name": name, "selected_fields": [None] * 8}


def test_staff_that_nobody_counts_are_read_to_the_end(stub, tap, discover) -> None:
    ran = staff_of(stub, tap, discover, [[person("a"), person("b")], [person("c")]]).ok()
    assert ran.keys("staff") == [("a",), ("b",), ("c",)]
    assert staff_of(stub, tap, discover, [[person("a")]] * 9).ok().keys("staff") == [("a",)]


@pytest.mark.parametrize("counts", [True, False])
def test_staff_who_leave_between_two_pages_hide_nobody(stub, tap, discover, counts: bool) -> None:
    from stub_totango import hits, ok

    people = [person(f"p{number:03}") for number in range(250)]
    lasting = {one["name"] for one in people[5:]}

    def answer(call: Any) -> Any:
        if "internal" not in call.path:
            return ok(hits("users", [], 0))
        offset, count = call.query.get("offset", 0), call.query["count"]
        total = {"total": len(people)} if counts else {}
        found = ok(hits("users", people[offset : offset + count], **total))
        if len(people) > 245:
            people.pop(0)
        return found

    server = stub(answer)
    config = server.config(discover_attributes=False, page_size=100)
    catalog = discover(config=config).deselect("accounts", "users").select("staff")
    ran = tap(config=config, catalog=catalog).ok()
    assert lasting <= {key for (key,) in ran.keys("staff")}


def test_staff_that_are_no_objects_are_missed(stub, tap, discover) -> None:
    staff_of(stub, tap, discover, [[person("a"), None]], total=2).failed("staff", "1 of 2")


def test_staff_are_not_taken_for_whole_where_a_run_goes_on_without_some(
    stub, tap, discover, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    settings = {"on_incomplete": "warn", "report_path": str(page)}
    ran = staff_of(stub, tap, discover, [[person("a"), None]], total=2, **settings).ok()
    assert ran.keys("staff") == [("a",)]
    assert "staff: 1 of 2 rows of staff could not be read." in ran.said
    assert not ran.of("ACTIVATE_VERSION")
    assert not json.loads(page.with_suffix(".json").read_text())["complete"]


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("[]", 0, ""),
        ("null", 1, "holds no list (it holds: NoneType). Look at"),
        ("<html></html>", 1, "not JSON"),
        ('[{"name": "without an id"}]', 1, "without an id"),
        ('[{"id": 1, "name": "a"}, null]', 1, "entries that are no objects. Look at"),
        (
            '[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]',
            0,
            "1 row left out for an id",
        ),
    ],
)
def test_a_list_that_is_odd_never_empties_a_table(
    stub, tap, discover, body: str, code: int, said: str
) -> None:
    server = stub(lambda call: (200, {}, body.encode()))
    config = server.config(discover_attributes=False, max_retry_seconds=0)
    catalog = discover(config=config).deselect("accounts", "users").select("touchpoint_tags")
    ran = tap(config=config, catalog=catalog)
    assert ran.code == code, ran.said
    assert said in ran.said
    records = len(ran.records("touchpoint_tags"))
    assert len(ran.of("ACTIVATE_VERSION", "touchpoint_tags")) == (records > 0)
