"""Streams made of requests of the user's own: rows, paging, keys, types, and when they are loud."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sandboxes
import toolbox
import yaml
from stub_totango import hits, ok

from totango_api import limits

TOKEN = "11111111-2222-3333-4444-555555555555"
ROWS = "/api/v3/collections/tickets/rows"
SEARCH = {
    "terms": [{"type": "string", "term": "collection_type", "eq": "tickets"}],
    "fields": [{"type": "string_attribute", "attribute": "Title", "field_display_name": "Title"}],
    "count": 10,
    "offset": 0,
}
SEARCHED = (
    "curl 'https://app.totango.com/t01/api/v1/search/accounts/collections' "
    f"-H 'app-token: {TOKEN}' --data-urlencode 'query={json.dumps(SEARCH)}'"
)
LISTED = f"GET https://api.totango.com{ROWS}?offset=0&count=10&app_token={TOKEN}"


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    home = tmp_path_factory.mktemp("own")
    seed = "accounts=20,users=10,events=0,collections=25"
    with sandboxes.sandbox(home, seed=seed) as running:
        yield running


@pytest.fixture
def box(tickets):
    """The sandbox of 25 tickets, as it started."""
    tickets.set(list_shape="hits", list_offset="rows", window_rows=10_000)
    tickets.chaos()
    return tickets


@pytest.fixture
def read(box, tap):
    """`read(name=request, …)`: a run whose only other streams are accounts and users."""

    def start(*options: str, settings: Any = None, **streams: Any):
        given = {"max_retry_seconds": 1, "streams": streams, **(settings or {})}
        config = box.config(**given)
        return tap(*options, config=config)

    return start


@pytest.mark.parametrize("shape", ["hits", "rows", "top"])
def test_a_search_by_pages(box, read, shape: str) -> None:
    box.set(list_shape=shape)
    before = len(box.calls("collections"))
    ran = read(tickets={"request": SEARCHED, "key": "id"}).ok()
    rows = ran.by_key("tickets")
    assert {key[0] for key in rows} == {row["id"] for row in box.dump("collections")}
    titles = {row["id"]: row["attributes"]["Title"] for row in box.dump("collections")}
    assert all(row["title"] == titles[row["id"]] for row in rows.values())
    assert all(row["account_id"] and row["account_name"] for row in rows.values())
    # Three pages; one more shows the end where nothing is counted.
    assert len(box.calls("collections")) - before == (3 if shape == "hits" else 4)
    assert len(ran.of("ACTIVATE_VERSION", "tickets")) == 1
    assert ran.of("SCHEMA", "tickets")[0]["key_properties"] == ["id"]


@pytest.mark.parametrize(
    ("window", "shape", "said"),
    [
        (26, "hits", ""),
        (25, "hits", "as far as a search reaches"),
        (24, "hits", "1 of 25 rows could not be read"),
        (24, "top", "as far as a search reaches"),
        (26, "top", ""),
    ],
)
def test_a_search_does_not_ask_beyond_its_window(
    box, read, monkeypatch, window: int, shape: str, said: str
) -> None:
    box.set(window_rows=window, list_shape=shape)
    monkeypatch.setattr(limits, "WINDOW_ROWS", window)
    # Accounts and users ask for pages that are larger than this window.
    ran = read(tickets={"request": SEARCHED, "key": "id"}).failed("accounts: ", "users: ")
    own = ran.last.partition("tickets: ")[2].partition("users: ")[0]
    assert said in own if said else len(ran.of("ACTIVATE_VERSION", "tickets")) == 1


@pytest.mark.parametrize("shape", ["rows", "top"])
def test_a_plain_list_by_pages_types_what_it_sees(box, read, shape: str) -> None:
    box.set(list_shape=shape)
    ran = read(tickets={"request": LISTED, "key": "id"}).ok()
    assert len(ran.records("tickets")) == 25
    kinds = {name: one["type"][0] for name, one in ran.schema("tickets")["properties"].items()}
    assert (kinds["hours"], kinds["title"]) == ("number", "string")
    assert ran.schema("tickets")["properties"]["opened"]["format"] == "date"
    assert TOKEN not in ran.said
    called = json.dumps(box.calls("collections"))
    assert TOKEN not in called


@pytest.mark.parametrize("offset", ["ignored", "pages"])
def test_an_offset_that_means_something_else_is_loud(box, read, offset: str) -> None:
    box.set(list_offset=offset)
    ran = read(tickets=LISTED).failed("tickets: ", "as if offset did not ask for others")
    assert len(ran.records("tickets")) == 10
    assert not ran.of("ACTIVATE_VERSION", "tickets")
    assert ran.records("accounts")
    paged = {"request": LISTED, "paging": {"page": "offset", "count": "count"}}
    if offset == "pages":
        assert len(read(tickets=paged).ok().records("tickets")) == 25


@pytest.mark.parametrize(
    ("answer", "versions"),
    [("[]", 0), ('{"response": {"collections": {"total_hits": 0, "hits": []}}}', 1)],
)
def test_an_empty_list_empties_no_table_unless_it_says_so(
    box, tap, discover, answer: str, versions: int
) -> None:
    config = box.config(
        max_retry_seconds=1, streams={"tickets": {"request": SEARCHED, "key": "id"}}
    )
    catalog = discover(config=config).deselect("accounts", "users")
    box.chaos(f"answer@collections:say={answer}")
    ran = tap(config=config, catalog=catalog).ok()
    assert len(ran.of("ACTIVATE_VERSION", "tickets")) == versions


def test_one_page_is_all_that_is_known(box, read) -> None:
    request = {"url": f"https://api.totango.com{ROWS}"}
    ran = read(tickets=request).ok()
    assert "Only one page, of 25 rows, is known to exist" in ran.said
    assert "tickets has no key" in ran.said
    assert "`id` may be one" in ran.said
    assert not ran.of("ACTIVATE_VERSION", "tickets")
    ran = read(tickets={"request": request, "paging": "none", "key": "id"}).ok()
    assert "is known to exist" not in ran.said
    assert len(ran.of("ACTIVATE_VERSION", "tickets")) == 1
    cut = {"url": ROWS, "method": "GET", "form": {"count": 20}}
    read(tickets=cut).failed("20 rows, and may have been cut")
    read(tickets=cut, settings={"on_incomplete": "warn"}).ok()


@pytest.mark.parametrize("fault", ["short-page", "duplicate-page"])
def test_spoilt_pages_lose_nothing(box, read, fault: str) -> None:
    box.chaos(f"{fault}@collections:2")
    ran = read(tickets={"request": SEARCHED, "key": "id"}).ok()
    assert len(ran.records("tickets")) == 25


def test_pages_that_move_are_gone_through_again_or_said(box, read) -> None:
    box.chaos("duplicate-page@collections:every=2")
    ran = read(tickets={"request": LISTED, "key": "id"})
    assert len(ran.records("tickets")) == 25 or "tickets" in ran.failed("tickets").last


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_the_failure_of_its_stream(box, read, status: int) -> None:
    box.chaos(f"{status}@collections")
    ran = read(tickets=LISTED, more=SEARCHED).failed("2 of the streams failed", str(status))
    assert ran.records("accounts")
    assert not ran.of("SCHEMA", "tickets")
    assert "offset" not in ran.last


def test_a_list_of_accounts_is_read_as_accounts_are(box, read) -> None:
    query = {"terms": [], "fields": [{"type": "string", "term": "health"}], "count": 5, "offset": 0}
    request = {"method": "POST", "url": "/api/v1/search/accounts", "form": {"query": query}}
    ran = read(vips=request).ok()
    found = {row["account_id"]: row for row in ran.records("vips")}
    assert found.keys() == {row["account_id"] for row in ran.records("accounts")}
    assert ran.schema("vips")["properties"].keys() == {
        *("account_id", "account_name", "last_activity_time", "health", "_extra")
    }
    assert len(ran.of("ACTIVATE_VERSION", "vips")) == 1
    assert "streams.vips selects 20 rows" in ran.said
    request = f"/api/v1/search/users?query={json.dumps({**query, 'fields': []})}&team_id=-1"
    ran = read(people=request).ok()
    assert {*ran.keys("users")} <= {*ran.keys("people")}
    assert {*ran.records("people")[0]} == {*ran.records("users")[0]}


def rows_of(*pages: list[dict[str, Any]]):
    """Answer with pages of two rows."""

    def answer(call):
        if "attributes.json" in call.path:
            return ok([])
        if "/search/" in call.path:
            return ok(hits(call.path.rpartition("/")[2], [], 0))
        place = int(call.path.partition("offset=")[2].partition("&")[0])
        return ok([row for page in pages for row in page][place : place + 2])

    return answer


OF_TWO = "GET /api/v3/things?offset=0&count=2"
FIRST = [{"id": 1, "size": 5, "at": "2026-01-01T00:00:00Z"}, {"id": 2, "size": None, "at": ""}]


def test_a_later_type_widens_its_column_before_its_rows(stub, tap) -> None:
    later = [{"id": 3, "size": "big", "at": "soon", "new": [1]}, {"id": 4, "size": 7}]
    server = stub(rows_of(FIRST, later))
    config = server.config(streams={"things": {"request": OF_TWO, "key": "id"}})
    ran = tap(config=config).ok()
    first, second = (one["schema"]["properties"] for one in ran.of("SCHEMA", "things"))
    assert (first["size"]["type"][0], second["size"]["type"][0]) == ("number", "string")
    assert (first["at"].get("format"), second["at"].get("format")) == ("date-time", None)
    assert "new" not in first
    assert "new" in second
    place = [m["type"] for m in ran.messages if m.get("stream") == "things"]
    assert place == ["SCHEMA", *["RECORD"] * 2, "SCHEMA", *["RECORD"] * 2, "ACTIVATE_VERSION"]
    assert [row["size"] for row in ran.records("things")] == [5, None, "big", "7"]
    assert ran.said.count("size is no number any more") == 1
    again = tap(config=config, state=ran.state).ok()
    (only,) = again.of("SCHEMA", "things")
    assert only["schema"]["properties"] == second


def test_a_catalog_decides_on_columns_and_not_on_types(stub, tap, discover) -> None:
    pages = [FIRST, [{"id": 3, "size": 1, "late": "x"}, {"id": 4, "size": {}}]]
    server = stub(rows_of(*pages))
    config = server.config(streams={"things": {"request": OF_TWO, "key": "id"}})
    catalog = discover(config=config).select("things")
    assert catalog.stream("things")["key_properties"] == ["id"]
    ran = tap(config=config, catalog=catalog).ok()
    rows = ran.by_key("things")
    assert rows["3",]["_extra"] == {"late": "x"}
    assert "late is on a later page only" in ran.said
    assert rows["4",]["size"] == {}
    catalog.properties("things")["size"]["type"] = ["string", "null"]
    narrow = stub(rows_of(FIRST)).config(streams={"things": {"request": OF_TWO, "key": "id"}})
    ran = tap(config=narrow, catalog=catalog).ok()
    assert [row["size"] for row in ran.records("things")] == ["5", None]
    assert "becomes wider" not in ran.said
    only = catalog.select("things", only=("id",))
    assert {*tap(config=config, catalog=only).ok().records("things")[0]} == {"id"}


def test_a_part_called_account_id_is_read_after_its_discovery(stub, tap, discover) -> None:
    rows = [{"id": 1, "account_id": "a1", "account": {"id": "x"}}]
    answer = rows_of([])

    def answered(call):
        is_list = call.path.partition("?")[0].endswith("/collections")
        return ok(hits("collections", rows, 1)) if is_list else answer(call)

    request = f"POST /api/v1/search/accounts/collections?query={json.dumps(SEARCH)}"
    config = stub(answered).config(streams={"things": {"request": request, "key": "id"}})
    ran = tap(config=config, catalog=discover(config=config).select("things")).ok()
    assert [row["account_id"] for row in ran.records("things")] == ["a1"]
    assert "things: 1 column not in the catalog" not in ran.said
    assert "things: columns of the catalog" not in ran.said


def test_what_cannot_be_known_fails_alone(stub, tap, discover) -> None:
    same = [{"id": 1, "n": 1}, {"id": 1, "n": 2}]
    server = stub(rows_of(same))
    for entry, said in [
        ({"request": OF_TWO, "key": "id"}, "two rows of one page have the same id"),
        ({"request": OF_TWO, "key": "uid"}, "has uid, which is to be its key"),
        ({"request": OF_TWO, "rows": "a.b"}, "no list at a.b"),
    ]:
        config = server.config(streams={"things": entry})
        ran = tap(config=config).failed("things: ", said)
        assert not ran.records("things")


def test_a_catalog_of_a_moment_when_the_list_could_not_be_had_hides_no_column(
    stub, tap, discover
) -> None:
    broken = [True]
    answer = rows_of(FIRST)
    server = stub(lambda call: (404, {}, b"") if broken and "things" in call.path else answer(call))
    paging = {"offset": "offset", "count": "count"}
    entry = {"request": OF_TWO, "key": "id", "paging": paging}
    config = server.config(streams={"things": entry})
    ran = tap("--discover", config=config)
    assert "things: its columns are not known" in ran.said
    catalog = discover(config=config)
    assert {*catalog.properties("things")} == {"id", "_extra"}
    tap(config=config, catalog=catalog).failed("things", "404")
    broken.clear()
    ran = tap(config=config, catalog=catalog).ok()
    assert {*ran.records("things")[0]} == {"id", "size", "at", "_extra"}


def test_several_lists_are_not_guessed(stub, tap) -> None:
    document = {"tasks": [{"id": 1}], "people": [{"id": 2}], "errors": []}
    server = stub(lambda call: ok(document))
    config = server.config(streams={"things": "/api/v3/things"})
    ran = tap("--discover", config=config)
    assert "several lists: tasks, people" in ran.said


@pytest.mark.parametrize(
    ("streams", "said"),
    [
        ({"Accounts": LISTED}, "there is a stream Accounts already"),
        ([{"request": LISTED}], "names no stream"),
        (f"{{{LISTED}", "neither an object nor a list"),
        (LISTED, "names no stream"),
        ([LISTED], "names no stream"),
        ({"a b": LISTED}, "cannot be the name"),
        ({"one": LISTED.replace("GET", "DELETE")}, "only GET and POST may read"),
        ({"one": {"method": "POST", "url": "/api/v3/touchpoints/"}}, "writes"),
        ({"one": "https://evil.example/other"}, "does not begin with /api/"),
        ({"one": "/api/v1/../secret"}, "does not begin with /api/"),
        ({"one": 'query={"terms": []}'}, "names no address"),
        ({"one": {"request": LISTED, "kee": "id"}}, "kee is nothing that is known"),
        ({"one": {"request": LISTED, "paging": {"page": "p"}}}, "does not send p"),
        ({"one": {"request": LISTED, "paging": "all"}}, "neither none nor"),
        ({"one": f"POST /api/v2/events/search\n\nquery={json.dumps(SEARCH)}"}, "events_query"),
    ],
)
def test_what_cannot_be_a_stream_ends_the_run_before_any_call(box, read, streams, said) -> None:
    before = len(box.dump("calls"))
    ran = read(settings={"streams": streams})
    assert said in ran.failed("streams").last
    assert TOKEN not in ran.said
    assert len(box.dump("calls")) == before


def test_the_example_of_the_page_runs_as_it_stands(box, read) -> None:
    page = (toolbox.ROOT / "docs" / "own-streams.md").read_text(encoding="utf-8")
    example = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    (plugin,) = example["plugins"]["extractors"]
    streams = plugin["config"]["streams"]
    ran = read(**streams).failed("1 of the streams failed. open_tasks: ", "404")
    assert len(ran.records("tickets")) == 25
    assert {*ran.records("tickets")[0]} >= {"id", "account_id", "title"}
    as_list = [{"name": "tickets", **streams["tickets"]}]
    assert len(read(settings={"streams": as_list}).ok().records("tickets")) == 25


def test_parts_of_a_list_are_the_whole(box, read) -> None:
    entry = {"request": LISTED, "key": "id"}
    parts = [read(tickets=entry, settings={"part": f"{one}/2"}).ok() for one in (1, 2)]
    keys = [*parts[0].keys("tickets"), *parts[1].keys("tickets")]
    assert len({*keys}) == len(keys) == 25
    types = {"request": "/api/v3/touchpoint-types/"}
    read(types=types, settings={"part": "1/2"}).failed("types has neither an account nor a key")


def test_the_environment_may_hold_them(box, tap_command, monkeypatch) -> None:
    streams = json.dumps({"tickets": {"request": LISTED, "key": "id"}})
    for name, value in box.environment("tap-totango", streams=streams).items():
        monkeypatch.setenv(name, value)
    assert len(tap_command("--config", "ENV").ok().records("tickets")) == 25


def test_maps_know_them(box, read) -> None:
    maps = {"tickets": {"id": "id", "__else__": None}}
    ran = read(tickets={"request": LISTED, "key": "id"}, settings={"stream_maps": maps})
    assert {*ran.ok().records("tickets")[0]} == {"id"}
