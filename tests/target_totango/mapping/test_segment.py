"""Segment: calls and warehouse tables become the same rows, or are refused with a word."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformed import Transformed, transform

from target_totango.mapping.config import MappingConfig, parse_mappings
from target_totango.mapping.known_attributes import KnownAttributes
from target_totango.mapping.segment import Segment, SegmentOptions, mappings
from target_totango.mapping.segment.rows import NotWritten
from target_totango.mapping.values.convert import ConversionError
from totango_api.errors import InputError
from totango_api.search.attributes import DATE, Attribute

if TYPE_CHECKING:
    from target_totango.models import WriteRequest

KNOWN = KnownAttributes.of(
    [Attribute("accounts", "Trial End", DATE, "date"), Attribute("users", "Job Title", "text")]
)
CONTEXT = {"context": {"groupId": "acme"}}


def segment(*entries: dict[str, Any], groups: Any = None, **options: Any) -> Segment:
    default = MappingConfig()
    preset = Segment(KNOWN, default, SegmentOptions(**options), groups)
    preset_configs[preset] = parse_mappings(list(entries), default)
    return preset


preset_configs: dict[Segment, list[MappingConfig]] = {}


def transformed(
    record: dict[str, Any], stream: str = "events", preset: Segment | None = None
) -> list[Transformed]:
    preset = preset or segment()
    calls = preset.stream(stream, ["type", *record], preset_configs[preset])
    if calls is None:
        pytest.fail(f"{stream} is not taken for calls of Segment")
    rows = calls.rows(record)
    assert not isinstance(rows, NotWritten), rows.reason
    return [transform(mapping, flat) for mapping, flat in rows]


def requests(record: dict[str, Any], stream: str = "events", **how: Any) -> list[WriteRequest]:
    found = transformed(record, stream, **how)
    assert [each.errors for each in found] == [() for _ in found]
    return [each.request for each in found]


def request(record: dict[str, Any], stream: str = "events", **how: Any) -> WriteRequest:
    (found,) = requests(record, stream, **how)
    return found


def reason(record: dict[str, Any], stream: str = "events", **options: Any) -> str:
    calls = segment(**options).stream(stream, ["type", *record])
    rows = calls.rows(record) if calls else None
    assert isinstance(rows, NotWritten)
    return rows.reason


# The same call, whichever way it is written ----------------------------------------------------

TRAITS = {
    "name": "Acme",
    "plan": "Paying",
    "employee_count": 5,
    "created_at": "2024-07-01T10:00:00Z",
}
GROUPS = {
    "a message": ("events", {"type": "group", "groupId": "acme", "traits": TRAITS}),
    "a stream of its own": ("prod-group", {"groupId": "acme", "traits": TRAITS}),
    "traits as text": (
        "group",
        {
            "groupId": "acme",
            "traits": '{"name": "Acme", "plan": "Paying", "employee_count": 5, '
            '"created_at": "2024-07-01T10:00:00Z"}',
        },
    ),
    "flattened": (
        "events",
        {"type": "group", "context__groupId": "acme"}
        | {f"traits__{name}": value for name, value in TRAITS.items()},
    ),
    "flattened with dots": (
        "group",
        {"groupId": "acme"} | {f"traits.{name}": value for name, value in TRAITS.items()},
    ),
    "a table": ("groups", {"id": "m1", "group_id": "acme", **TRAITS}),
    "a table in capitals": (
        "PROD.GROUPS",
        {name.upper(): value for name, value in {"id": "m1", "group_id": "acme", **TRAITS}.items()},
    ),
    "a table with all its columns": (
        "segment-groups",
        {
            "id": "m1",
            "group_id": "acme",
            "anonymous_id": "x",
            "user_id": None,
            "uuid": 5,
            "received_at": "2024-07-01",
            "sent_at": "2024-07-01",
            "timestamp": "2024-07-01",
            "original_timestamp": "2024-07-01",
            "uuid_ts": "2024-07-01",
            "loaded_at": None,
            "context_ip": "::1",
            "context_library_name": "analytics.js",
            "_sdc_batched_at": "2024-07-01",
            "_fivetran_synced": "2024-07-01",
            **TRAITS,
        },
    ),
    "a view of a table": ("prod-groups_view", {"id": "m1", "group_id": "acme", **TRAITS}),
    "the latest state of groups": (
        "accounts",
        {"id": "acme", "received_at": "2024-07-01", **TRAITS},
    ),
}


@pytest.mark.parametrize(("stream", "record"), GROUPS.values(), ids=GROUPS)
def test_a_group_is_an_account(stream: str, record: dict[str, Any]) -> None:
    found = request(record, stream)
    assert (found.object, found.account_id) == ("accounts", "acme")
    texts = {name.lower(): text for name, text in found.account.items()}
    assert texts == {
        "account_name": "Acme",
        "plan": "Paying",
        "employee_count": "5",
        "create date": "2024-07-01T10:00:00Z",
    }


USER = {"name": "Jo Doe", "email": "jo@acme.example", "job_title": "CEO"}
IDENTIFIES = {
    "a message": (
        "events",
        {"type": "identify", "userId": "jo", **CONTEXT, "traits": USER},
    ),
    "traits of the context": (
        "events",
        {
            "type": "identify",
            "userId": "jo",
            "context": {"groupId": "acme", "traits": USER | {"name": "Old"}},
            "traits": {"name": "Jo Doe", "email": None},
        },
    ),
    "a context as text": (
        "identify",
        {"userId": "jo", "context": '{"groupId": "acme"}', "traits": USER},
    ),
    "a table": ("identifies", {"id": "m1", "user_id": "jo", "context_group_id": "acme", **USER}),
    "the latest state of users": (
        "users",
        {"id": "jo", "context_group_id": "acme", "received_at": "2024-07-01", **USER},
    ),
    "first and last name": (
        "identifies",
        {"id": "m1", "user_id": "jo", "context_group_id": "acme", "name": None}
        | {"email": "jo@acme.example", "job_title": "CEO", "first_name": "Jo", "last_name": "Doe"},
    ),
}


@pytest.mark.parametrize(("stream", "record"), IDENTIFIES.values(), ids=IDENTIFIES)
def test_an_identify_is_a_user(stream: str, record: dict[str, Any]) -> None:
    found = request(record, stream)
    assert found.key == ("users", "acme", "jo")
    names = {"First Name": "Jo", "Last Name": "Doe"} if "first_name" in record else {}
    assert found.user == {
        "name": "Jo Doe",
        "Email": "jo@acme.example",
        "Job Title": "CEO",
        **names,
    }


TRACKS = {
    "a message": (
        "events",
        {"type": "track", "userId": "jo", **CONTEXT, "event": "Order Placed"}
        | {"properties": {"category": "Shop", "revenue": 5}},
    ),
    "the table of an event": (
        "prod-order_placed",
        {"id": "m1", "user_id": "jo", "context_group_id": "acme", "event": "order_placed"}
        | {"event_text": "Order Placed", "category": "Shop", "revenue": 5},
    ),
}


@pytest.mark.parametrize(("stream", "record"), TRACKS.values(), ids=TRACKS)
def test_a_track_is_an_activity_whose_category_is_the_module(
    stream: str, record: dict[str, Any]
) -> None:
    assert request(record, stream).key == ("activities", "acme", "jo", "Order Placed", "Shop")


def test_the_table_of_tracks_has_the_text_of_an_event_beside_its_slug() -> None:
    row = {"id": "m", "user_id": "jo", "context_group_id": "acme", "event": "order_placed"}
    assert request(row, "tracks").parts == {"activity": "order_placed", "module": "Segment"}
    named = request(row | {"event_text": "Order Placed"}, "tracks")
    assert named.parts["activity"] == "Order Placed"


@pytest.mark.parametrize("kind", ["page", "screen"])
@pytest.mark.parametrize("is_table", [False, True])
@pytest.mark.parametrize(
    ("said", "options", "activity"),
    [
        ({"category": "Docs", "name": "Index"}, {}, "Viewed Docs Index {}"),
        ({"name": "Index"}, {}, "Viewed Index {}"),
        ({"category": "Docs"}, {}, "Viewed Docs {}"),
        ({"category": "Docs", "name": "Index"}, {"named_pages": False}, "Viewed Docs {}"),
        ({"name": "Index"}, {"named_pages": False}, None),
        ({"category": "Docs"}, {"categorized_pages": False}, None),
        ({"category": "Docs", "name": "I"}, {"categorized_pages": False}, "Viewed Docs I {}"),
        (
            {"category": "Docs", "name": "I"},
            dict.fromkeys(("named_pages", "categorized_pages"), False),
            None,
        ),
        ({"title": "Untitled"}, {}, None),
    ],
)
def test_pages_and_screens(
    kind: str, is_table: bool, said: dict[str, Any], options: dict[str, bool], activity: str | None
) -> None:
    stream, record = "events", {"type": kind, "userId": "jo", **CONTEXT, **said}
    if is_table:
        stream = f"{kind}s"
        record = {"id": "m", "user_id": "jo", "context_group_id": "acme", **said}
    if activity is None:
        assert "page" in reason(record, stream, **options)
        return
    parts = request(record, stream, preset=segment(**options)).parts
    assert parts["activity"] == activity.format(kind.capitalize())
    assert parts["module"] == said.get("category", "Segment")


def test_what_the_context_says_of_a_user_is_written_too() -> None:
    context = {"groupId": "acme", "traits": {"email": "jo@acme.example"}}
    for call in ({"type": "track", "event": "Pay"}, {"type": "page", "name": "Index"}):
        user, activity = requests({**call, "userId": "jo", "context": context})
        assert (user.key, user.user) == (("users", "acme", "jo"), {"Email": "jo@acme.example"})
        assert activity.object == "activities"
    group = {"type": "group", "groupId": "new", "userId": "jo", "context": context}
    account, user = requests(group)
    assert (account.account_id, user.key) == ("new", ("users", "new", "jo"))
    row = {"id": "m", "user_id": "jo", "context_group_id": "acme", "event": "pay"}
    assert requests(row | {"context_traits_email": "jo@acme.example"}, "tracks")[0].user == {
        "Email": "jo@acme.example"
    }


def test_parent_and_product_come_from_the_options_of_the_destination() -> None:
    for options in (
        {"parent": "top", "product": {"id": "app", "name": "App"}},
        {"parent": {"id": "top"}, "product": "app"},
    ):
        record = {"type": "group", "groupId": "acme", "integrations": {"Totango": options}}
        assert request(record).account == {"parent_id": "top", "product_id": "app"}


@pytest.mark.parametrize(
    "integrations",
    [
        *({"Totango": False}, {"All": False}, {"All": False, "Mixpanel": True}),
        *({"all": "false"}, {"totango": "false"}, '{"All": false}'),
    ],
)
def test_calls_that_are_not_for_totango(integrations: Any) -> None:
    record = {"type": "group", "groupId": "acme", "integrations": integrations}
    assert reason(record) == "integrations keep it from Totango"


@pytest.mark.parametrize(
    "integrations",
    [
        *({}, None, {"All": True}, {"Mixpanel": False}, {"All": False, "Totango": True}),
        {"All": False, "Totango": {"parent": "top"}},
    ],
)
def test_calls_that_are_for_totango(integrations: Any) -> None:
    request({"type": "group", "groupId": "acme", "integrations": integrations})


@pytest.mark.parametrize(
    ("record", "stream"),
    [
        ({"type": "alias", "previousId": "a"}, "events"),
        ({"type": "delete"}, "events"),
        ({}, "aliases"),
    ],
)
def test_calls_that_have_no_place_in_totango(record: dict[str, Any], stream: str) -> None:
    assert reason(record, stream) == "a kind of call that has no place in Totango"


def test_anonymous_calls() -> None:
    record = {"type": "track", "anonymousId": "x", **CONTEXT, "event": "Pay"}
    (found,) = transformed(record)
    assert [(error.field, error.code) for error in found.errors] == [("userId", "missing")]
    assert reason(record, skips_anonymous=True) == "a call without a user"


def test_a_call_without_an_account_is_rejected() -> None:
    (found,) = transformed({"type": "track", "userId": "jo", "event": "Pay"})
    assert [(error.field, error.code) for error in found.errors] == [("context.groupId", "missing")]


@pytest.mark.parametrize("name", ["traits", "context", "integrations"])
@pytest.mark.parametrize("value", ["no object", "[1]", 5, [1]])
def test_what_has_to_be_an_object_refuses_the_call_if_it_is_none(name: str, value: Any) -> None:
    with pytest.raises(ConversionError) as caught:
        transformed({"type": "group", "groupId": "acme", name: value})
    assert caught.value.code == "not an object"


# Traits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["created", "createdAt", "created_at", "Trial End", "trialEnd"])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2024-07-01T10:00:00.000Z", "2024-07-01T10:00:00Z"),
        ("2024-07-01", "2024-07-01"),
        ("2024-07-01T00:00:00+02:00", "2024-07-01"),
        (1719828000, "2024-07-01T10:00:00Z"),
        (1719828000000, "2024-07-01T10:00:00Z"),
        ("1719828001", "2024-07-01T10:00:01Z"),
        (Decimal("1719828000.5"), "2024-07-01T10:00:00.500Z"),
    ],
)
def test_dates_as_dates_texts_and_epochs(name: str, value: Any, text: str) -> None:
    found = request({"type": "group", "groupId": "acme", "traits": {name: value}})
    assert list(found.account.values()) == [text]


def test_an_odd_trait_is_left_out_and_the_others_are_written() -> None:
    traits = {"created": "soon", "seats": 5, "tags": ["a,b"], "note": "x" * 600}
    (found,) = transformed({"type": "group", "groupId": "acme", "traits": traits})
    assert found.errors == ()
    assert found.request.account == {"seats": "5"}
    assert {(each.field, each.code) for each in found.left_out} == {
        ("Create Date", "not a date"),
        ("tags", "comma in a list item"),
        ("note", "too long"),
    }


def test_traits_that_are_spelled_in_several_ways_are_one_attribute() -> None:
    traits = {
        "createdAt": None,
        "created": "2024-07-01",
        "created_at": "2001-01-01",
        "plan": "A",
        "Plan": "B",
    }
    found = request({"type": "group", "groupId": "acme", "traits": traits})
    assert found.account == {"Create Date": "2024-07-01", "Plan": "A"}


def test_a_trait_that_cannot_be_an_attribute_is_left_out() -> None:
    traits = {"x" * 101: 1, "id": "acme", "groupId": "acme", "fine": 1}
    assert request({"type": "group", "groupId": "acme", "traits": traits}).account == {"fine": "1"}


def test_a_mapping_grows_with_the_traits_that_come() -> None:
    calls = segment().stream("group", ["groupId", "traits"])
    assert calls is not None
    mappings = []
    for traits in ({"a": 1}, {"a": 2}, {"b": 3}, {"a": 4, "b": 5}, {}):
        rows = calls.rows({"groupId": "acme", "traits": traits})
        assert isinstance(rows, list)
        ((mapping, flat),) = rows
        mappings.append(mapping)
        expected = {name: str(value) for name, value in traits.items()}
        assert transform(mapping, flat).request.account == expected
    assert mappings[0] is mappings[1]
    assert mappings[2] is mappings[3] is mappings[4]


def test_traits_without_end_are_written_and_logged_no_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(mappings, "ATTRIBUTES_LOGGED", 3)
    calls = segment().stream("group", ["groupId", "traits"])
    assert calls is not None
    for number in range(6):
        rows = calls.rows({"groupId": "acme", "traits": {f"trait{number}": number}})
        assert isinstance(rows, list)
        ((mapping, flat),) = rows
        assert transform(mapping, flat).request.account == {f"trait{number}": str(number)}
    assert [f"trait{number}" in caplog.text for number in range(6)] == [True] * 3 + [False] * 3


def test_a_new_account_without_a_plan_has_the_default_one() -> None:
    record = {"type": "group", "groupId": "acme", "traits": {}}
    assert request(record).on_create == {"Plan": "Free"}
    assert request(record | {"traits": {"plan": "Paying"}}).on_create == {}
    assert request(record, preset=segment(default_plan="Trial")).on_create == {"Plan": "Trial"}
    assert request(record, preset=segment(default_plan="")).on_create == {}
    assert request({"type": "identify", "userId": "jo", **CONTEXT}).on_create == {}


# Mappings beside the preset --------------------------------------------------------------------


def test_a_mapping_says_which_trait_is_the_status() -> None:
    entry = {"stream": "*", "attributes": {"Status": "traits.plan", "Source": {"constant": "S"}}}
    record = {"type": "group", "groupId": "acme", "traits": {"plan": "Paying"}}
    account = request(record, preset=segment(entry)).account
    assert account == {"Plan": "Paying", "Status": "Paying", "Source": "S"}
    short = {"stream": "*", "attributes": {"Status": "plan"}}
    assert request(record, preset=segment(short)).account["Status"] == "Paying"
    table = {"stream": "groups", "attributes": {"Status": "tier"}}
    row = {"id": "m", "group_id": "acme", "tier": "Free"}
    assert request(row, "groups", preset=segment(table)).account["Status"] == "Free"


def test_a_mapping_adds_to_the_object_that_it_names() -> None:
    entries = [
        {"stream": "events", "object": "activities", "module": {"constant": "App"}},
        {"stream": "events", "object": "users", "attributes": {"Role": "traits.role"}},
    ]
    preset = segment(*entries)
    track = {"type": "track", "userId": "jo", **CONTEXT, "event": "Pay"}
    assert request(track, preset=preset).parts == {"activity": "Pay", "module": "App"}
    identify = {"type": "identify", "userId": "jo", **CONTEXT, "traits": {"role": "CEO"}}
    assert request(identify, preset=preset).user == {"Role": "CEO", "role": "CEO"}


def test_calls_that_are_too_old_are_rejected_where_that_is_asked_for() -> None:
    entry = {"stream": "*", "object": "activities", "max_activity_age_days": 30}
    track = {"type": "track", "userId": "jo", **CONTEXT, "event": "Pay"}
    for timestamp in ("2001-01-01T00:00:00.000Z", 978307200000):
        record = track | {"originalTimestamp": timestamp}
        (found,) = transformed(record, preset=segment(entry))
        assert [(error.field, error.code) for error in found.errors] == [("timestamp", "too old")]
        assert transformed(record)[0].errors == ()


# Groups that are remembered --------------------------------------------------------------------


class Memory(dict[str, str]):
    """Remembers groups in a dictionary."""

    def note(self, user_id: str, group_id: str) -> None:
        self[user_id] = group_id


def test_a_call_without_a_group_belongs_to_the_last_one_of_its_user() -> None:
    preset = segment(groups=Memory({"5": "earlier"}))
    assert (
        request({"type": "track", "userId": 5, "event": "Pay"}, preset=preset).account_id
        == "earlier"
    )
    request({"type": "group", "groupId": "new", "userId": 5}, preset=preset)
    assert request({"type": "identify", "userId": "5"}, preset=preset).account_id == "new"
    request({"type": "track", "userId": 5, **CONTEXT, "event": "Pay"}, preset=preset)
    row = {"id": "m", "user_id": "5", "event": "pay"}
    assert request(row, "tracks", preset=preset).account_id == "acme"
    (found,) = transformed({"type": "track", "userId": "jo", "event": "Pay"}, preset=preset)
    assert [error.code for error in found.errors] == ["missing"]


# Which streams are meant -----------------------------------------------------------------------

EVENT_TABLE = ["id", "user_id", "context_group_id", "event", "event_text", "revenue"]
TRACKS_TABLE = ["id", "user_id", "context_group_id", "event", "event_text"]


@pytest.mark.parametrize(
    ("stream", "fields"),
    [
        ("accounts", ["account_id", "name", "received_at"]),
        ("users", ["account_id", "user_id"]),
        ("accounts", ["type", "account_id"]),
        ("invoices", ["id", "user_id", "event"]),
        ("crm-companies", ["id", "name"]),
    ],
)
def test_other_streams_are_left_alone(stream: str, fields: list[str]) -> None:
    assert segment().stream(stream, fields) is None


@pytest.mark.parametrize("events_first", [False, True])
def test_events_are_not_read_from_two_tables(events_first: bool) -> None:
    tables = [("prod-tracks", TRACKS_TABLE), ("prod-signed_up", EVENT_TABLE)]
    preset = segment()
    first, second = reversed(tables) if events_first else tables
    assert preset.stream(*first) is not None
    assert preset.stream(*first) is not None, "a SCHEMA may come twice"
    assert preset.stream(f"other-{second[0].split('-')[1]}", second[1]) is not None
    with pytest.raises(InputError, match="hold the same events"):
        preset.stream(*second)


@pytest.mark.parametrize(
    ("stream", "fields", "words"),
    [
        ("groups", ["id", "received_at", "name"], "without context_group_id or group_id"),
        ("identifies", ["id", "received_at", "context_group_id"], "without user_id"),
        (
            "tracks",
            ["id", "received_at", "user_id", "event"],
            "without context_group_id or group_id",
        ),
        ("pages", ["id", "context_ip"], "without user_id and without context_group_id or group_id"),
        ("users", ["id", "received_at", "name"], "without context_group_id or group_id"),
    ],
)
def test_tables_of_which_no_row_could_be_written_are_refused(
    stream: str, fields: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        segment().stream(stream, fields)
    if words == "without context_group_id or group_id" and stream != "groups":
        assert segment(groups=Memory()).stream(stream, fields) is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner, max_size=2)
    ),
    max_leaves=4,
)
keys = st.sampled_from(
    [
        *("type", "userId", "groupId", "traits", "context", "properties", "integrations", "event"),
        *("name", "category", "group_id", "user_id", "context_group_id", "timestamp", "traits_x"),
    ]
)


@given(
    st.sampled_from(["events", "groups", "identifies", "tracks", "pages", "screens", "aliases"]),
    st.dictionaries(
        keys, json_values | st.sampled_from(["group", "identify", "track", "page", "acme"])
    ),
)
def test_any_record_is_written_skipped_or_refused(stream: str, record: dict[str, Any]) -> None:
    calls = segment(groups=Memory()).stream(stream, ["type"])
    assert calls is not None
    try:
        rows = calls.rows(record)
    except ConversionError:
        return
    for mapping, flat in () if isinstance(rows, NotWritten) else rows:
        result = transform(mapping, flat)
        assert result.errors or result.request.account_id
