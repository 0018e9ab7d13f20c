"""The preset `segment`, from messages to what Totango holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_runs import ACCOUNTS, held, record, schema, state

from target_totango.pipeline import stages
from totango_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

CREATED = "2024-05-01T10:00:00Z"


def call(kind: str, **fields: Any) -> dict[str, Any]:
    return record("events", type=kind, **fields)


def test_segment_calls_become_accounts_users_and_activities(
    deliver: Deliver, service: Sandbox
) -> None:
    service.set(unknown_attributes="text")
    context = {"groupId": "acme"}
    done = deliver(
        schema("events", "type"),
        call("group", groupId="acme", traits={"name": "Acme", "createdAt": CREATED, "seats": 5}),
        call("identify", userId="jo", context=context, traits={"name": "Jo", "email": "jo@x.com"}),
        call(
            "track",
            userId="jo",
            context=context,
            event="Order Placed",
            properties={"category": "Shop"},
        ),
        call("page", userId="jo", context=context, category="Docs", name="Index"),
        call("page", userId="jo", context=context),
        call("track", userId="jo", event="Lost"),
        state(1),
        preset="segment",
    )
    assert held(service, "accounts") == {
        ("acme",): {"account_name": "Acme", "Plan": "Free", "Create Date": CREATED, "seats": "5"}
    }
    assert held(service, "users") == {("acme", "jo"): {"user_name": "Jo", "Email": "jo@x.com"}}
    assert {(row["activity"], row["module"]) for row in service.dump("activities")} == {
        ("Order Placed", "Shop"),
        ("Viewed Docs Index Page", "Docs"),
    }
    assert done.codes == [{("context.groupId", "missing")}]
    assert done.totals["skipped"] == 1


def test_segment_calls_may_have_a_stream_each(deliver: Deliver, service: Sandbox) -> None:
    deliver(
        schema("prod-groups", "group_id", "traits"),
        schema("prod-tracks", "context_group_id", "user_id", "event_text"),
        record("prod-groups", group_id="acme", traits={"plan": "Gold"}),
        record("prod-tracks", context_group_id="acme", user_id="jo", event_text="Paid"),
        preset="segment",
    ).ok()
    assert held(service, "accounts")[("acme",)]["Plan"] == "Gold"
    assert [row["activity"] for row in service.dump("activities")] == ["Paid"]


# The default plan ------------------------------------------------------------------------------

EVENTS = schema("events", "type", "groupId", "traits")


def group(account: str, **traits: Any) -> dict[str, Any]:
    return call("group", groupId=account, traits=traits)


def plans(service: Sandbox) -> dict[str, str | None]:
    return {key[0]: row.get("Plan") for key, row in held(service, "accounts").items()}


def test_only_new_accounts_get_the_default_plan(deliver: Deliver, service: Sandbox) -> None:
    service.load(accounts=[{"account_id": "old", "attributes": {"Plan": "Paying"}}])
    service.load(accounts=[{"account_id": "bare"}])
    rows = [group(account, name="N") for account in ("old", "bare", "new")]
    deliver(EVENTS, *rows, preset="segment").ok()
    assert plans(service) == {"old": "Paying", "bare": None, "new": "Free"}
    deliver(EVENTS, group("new", plan="Paying"), preset="segment").ok()
    deliver(EVENTS, group("new", name="M"), preset="segment").ok()
    assert plans(service)["new"] == "Paying"


def test_the_default_plan_never_goes_over_what_an_earlier_call_set(
    deliver: Deliver, service: Sandbox
) -> None:
    rows = [group("a", plan="Paying"), group("a", name="A"), group("b"), group("b", plan="Paying")]
    for _ in range(2):
        deliver(EVENTS, *rows, preset="segment").ok()
        assert plans(service) == {"a": "Paying", "b": "Paying"}


def test_there_is_no_default_plan_where_it_is_off_or_new_accounts_are_not_told(
    deliver: Deliver, service: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(EVENTS, group("a"), preset="segment", segment_default_plan="").ok()
    monkeypatch.setattr(stages, "BATCH_ROWS", 1)
    rows = [group("b"), group("c")]
    done = deliver(EVENTS, *rows, preset="segment", app_token=None).ok()
    assert plans(service) == {"a": None, "b": None, "c": None}
    assert done.said.count("Defaults for new accounts are not sent") == 1


def test_the_default_plan_is_no_change_for_the_ledger(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    deliver(EVENTS, group("a", name="A"), preset="segment", **ledger).ok()
    again = deliver(EVENTS, group("a", name="A"), preset="segment", **ledger).ok()
    assert again.totals == {"received": 1, "unchanged": 1}
    assert plans(service) == {"a": "Free"}


# Groups that are remembered --------------------------------------------------------------------


def test_groups_are_remembered_over_runs_beside_the_ledger(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    track = call("track", userId="jo", event="Pay", messageId="1")
    settings: dict[str, Any] = {"preset": "segment", "segment_remember_groups": True}
    assert deliver(EVENTS, track, **settings).codes == [{("context.groupId", "missing")}]
    kept = settings | {"ledger_path": str(tmp_path / "ledger.db")}
    deliver(EVENTS, call("group", groupId="acme", userId="jo"), state(1), **kept).ok()
    deliver(EVENTS, track, **kept).ok()
    assert [row["account_id"] for row in service.dump("activities")] == ["acme"]
    assert deliver(EVENTS, track, **settings).rejected
    assert (tmp_path / "ledger.db.groups").stat().st_mode & 0o077 == 0
    assert deliver(
        EVENTS, track, preset="segment", ledger_path=str(tmp_path / "ledger.db")
    ).rejected


def test_a_group_is_kept_once_state_has_passed_its_row(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "preset": "segment",
        "segment_remember_groups": True,
        "ledger_path": str(tmp_path / "ledger.db"),
        "max_in_flight": 1,
        "canary": False,
    }
    first = [call("group", groupId="old", userId="jo", traits={"name": "O"}), state(1)]
    rest = [
        call("identify", userId="jo", traits={"title": "CEO"}),
        call("group", groupId="new", userId="jo", traits={"name": "N"}),
        state(2),
    ]
    service.chaos("503@tracking:match=CEO")
    done = deliver(EVENTS, *first, *rest, **settings, max_retry_seconds=0)
    assert done.states == [state(1)["value"]]
    service.chaos()
    assert deliver(EVENTS, *rest, **settings).ok().states == [state(2)["value"]]
    assert set(held(service, "users")) == {("old", "jo")}
    deliver(EVENTS, rest[0], state(3), **settings).ok()
    assert set(held(service, "users")) == {("old", "jo"), ("new", "jo")}


# Tables ----------------------------------------------------------------------------------------


def test_a_table_and_its_event_tables_together_end_the_run_before_anything_is_counted_twice(
    deliver: Deliver, service: Sandbox
) -> None:
    columns = ("id", "user_id", "context_group_id", "event", "event_text")
    done = deliver(
        schema("prod-tracks", *columns),
        schema("prod-signed_up", *columns, "plan"),
        record("prod-tracks", id=1, user_id="jo", context_group_id="a", event="signed_up"),
        preset="segment",
    )
    assert isinstance(done.error, InputError)
    assert "prod-tracks" in str(done.error)
    assert service.dump("activities") == []


def test_what_becomes_of_a_table_is_logged_as_for_any_mapping(deliver: Deliver) -> None:
    columns = ("id", "user_id", "context_group_id", "event", "event_text", "revenue", "context_ip")
    done = deliver(
        schema("groups", "id", "group_id", "name", "seats"),
        schema("prod-paid", *columns),
        record("groups", id=1, group_id="a", name="A", seats=5),
        record("groups", id=2, group_id="b", name="B", seats=6),
        record("prod-paid", id=1, user_id="jo", context_group_id="a", event_text="Paid", revenue=5),
        preset="segment",
    ).ok()
    assert (
        done.said.count("Stream 'groups' goes to accounts by tracking: account_name, seats.") == 1
    )
    assert "Stream 'groups': attributes that Totango does not know yet: seats." in done.said
    assert "Stream 'prod-paid' goes to activities by tracking: ids only." in done.said
    assert "Stream 'prod-paid': not written: revenue." in done.said
    assert "Stream 'groups': not written" not in done.said


def test_traits_that_cannot_be_read_reject_the_call_with_its_reason(deliver: Deliver) -> None:
    done = deliver(EVENTS, call("group", groupId="a", traits="no object"), preset="segment")
    assert done.codes == [{("", "not an object")}]


def test_skipped_calls_are_counted_by_reason(deliver: Deliver) -> None:
    done = deliver(
        EVENTS,
        call("group", groupId="a", integrations={"All": False}),
        call("alias", userId="jo"),
        call("page", userId="jo", context={"groupId": "a"}),
        call("track", event="Pay", context={"groupId": "a"}),
        preset="segment",
        segment_anonymous="skip",
    ).ok()
    assert done.totals == {"received": 4, "skipped": 4}
    reasons = [entry["skip_reasons"] for entry in done.report["streams"]]
    assert sum(sum(each.values()) for each in reasons) == 4
    assert len({reason for each in reasons for reason in each}) == 4


def test_a_mapping_that_says_where_the_account_comes_from_takes_the_place_of_the_preset(
    deliver: Deliver, service: Sandbox
) -> None:
    ids = {"account_id": "group_id", "unmapped": "drop", "account_name": "name"}
    mapping = {"stream": "groups", "object": "accounts", **ids}
    deliver(
        schema("groups", "id", "group_id", "name"),
        record("groups", id=1, group_id="a", name="A"),
        preset="segment",
        mappings=[mapping],
    ).ok()
    assert held(service, "accounts") == {("a",): {"account_name": "A"}}


def test_calls_go_through_the_hub_too(deliver: Deliver, service: Sandbox) -> None:
    service.set(unknown_attributes="text")
    context = {"groupId": "acme", "traits": {"title": "CEO"}}
    deliver(
        EVENTS,
        group("acme", name="Acme"),
        call("track", userId="jo", context=context, event="Pay"),
        preset="segment",
        delivery="hub",
    ).ok()
    assert held(service, "accounts") == {("acme",): {"account_name": "Acme", "Plan": "Free"}}
    assert held(service, "users") == {("acme", "jo"): {"title": "CEO"}}
    assert [row["activity"] for row in service.dump("activities")] == ["Pay"]


def test_other_streams_are_written_as_ever(deliver: Deliver, service: Sandbox) -> None:
    row = record("accounts", account_id="a", Plan="x")
    deliver(ACCOUNTS, row, preset="segment").ok()
    assert held(service, "accounts") == {("a",): {"Plan": "x"}}
