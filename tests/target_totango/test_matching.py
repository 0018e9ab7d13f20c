"""Rows that name their account or user by another key than its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import held, record, schema, state

from target_totango.pipeline.run_end import IncompleteRunError
from totango_api.errors import InputError, ResponseError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

FIRMS = schema("firms", "crm", "plan", "number")
PEOPLE = schema("people", "mail", "firm", "title", "id")
BY_KEY = {
    "stream": "firms",
    "object": "accounts",
    "match_on": {"ofid": "crm"},
    "attributes": {"Plan": "plan"},
}
BY_MAIL = {
    "stream": "people",
    "object": "users",
    "match_on": {"Email": "mail"},
    "attributes": {"Title": "title"},
}


@pytest.fixture
def tenant(service: Sandbox) -> Sandbox:
    service.load(
        accounts=[
            {"account_id": "a", "attributes": {"ofid": "k1", "Plan": "old"}},
            {"account_id": "b", "attributes": {"ofid": "k2", "Plan": "old"}},
            {"account_id": "c", "attributes": {"ofid": "k2", "Plan": "old"}},
        ],
        users=[
            {"account_id": "a", "user_id": "u1", "attributes": {"Email": "ann@a.example"}},
            {"account_id": "b", "user_id": "u2", "attributes": {"Email": "bob@a.example"}},
            {"account_id": "c", "user_id": "u2", "attributes": {"Email": "bob@a.example"}},
        ],
    )
    return service


def firm(crm: Any, plan: str = "new", /, **more: Any) -> dict[str, Any]:
    return record("firms", crm=crm, plan=plan, **more)


def plans(service: Sandbox) -> dict[str, Any]:
    return {key[0]: row.get("Plan") for key, row in held(service, "accounts").items()}


def test_a_foreign_key_finds_the_account_and_what_it_does_not_find_is_rejected(
    deliver: Deliver, tenant: Sandbox
) -> None:
    rows = [firm("K1"), firm("k2"), firm("k3"), firm(None)]
    done = deliver(FIRMS, *rows, state(1), mappings=[BY_KEY], max_rejected=3).ok()
    assert plans(tenant) == {"a": "new", "b": "old", "c": "old"}
    assert done.codes == [
        {("crm", "missing")},
        {("match_on", "several")},
        {("match_on", "not found")},
    ]
    assert "2 or more accounts with ofid 'k2'" in str(done.rejected)
    assert done.states == [state(1)["value"]]


def test_unknown_ones_are_made_where_that_is_asked_for(deliver: Deliver, tenant: Sandbox) -> None:
    mapping = {**BY_KEY, "create": True, "account_id": "number"}
    attributes = {"Plan": "plan", "ofid": "crm"}
    rows = [firm("k1", number="x"), firm("k9", number="n9"), firm("K9", "newer", number="other")]
    deliver(FIRMS, *rows, mappings=[{**mapping, "attributes": attributes}]).ok()
    assert plans(tenant) == {"a": "new", "b": "old", "c": "old", "n9": "newer"}


def test_an_address_finds_the_user_within_the_account_if_that_is_given(
    deliver: Deliver, tenant: Sandbox
) -> None:
    people = [
        record("people", mail="ANN@a.example", title="CEO"),
        record("people", mail="bob@a.example", title="CTO"),
    ]
    done = deliver(PEOPLE, *people, mappings=[BY_MAIL], max_rejected=1).ok()
    assert done.codes == [{("match_on", "several")}]
    inside = {**BY_MAIL, "account_id": "firm"}
    deliver(
        PEOPLE, record("people", mail="bob@a.example", title="CTO", firm="c"), mappings=[inside]
    ).ok()
    titles = {key: row.get("Title") for key, row in held(tenant, "users").items()}
    assert titles == {("a", "u1"): "CEO", ("b", "u2"): None, ("c", "u2"): "CTO"}


def test_users_and_activities_find_their_account_by_its_key_or_by_the_id_of_the_user(
    deliver: Deliver, tenant: Sandbox
) -> None:
    by_key = {
        "stream": "people",
        "object": "users",
        "match_on": {"account.ofid": "firm"},
        "user_id": "id",
        "attributes": {"Title": "title"},
    }
    deliver(PEOPLE, record("people", firm="k1", id="new", title="CEO"), mappings=[by_key]).ok()
    assert held(tenant, "users")["a", "new"] == {"Title": "CEO"}
    did = {
        "stream": "people",
        "object": "activities",
        "match_on": {"user.user_id": "id"},
        "activity": {"constant": "Paid"},
        "module": {"constant": "Shop"},
    }
    deliver(PEOPLE, record("people", id="u1"), mappings=[did]).ok()
    [activity] = tenant.dump("activities")
    assert (activity["account_id"], activity["user_id"]) == ("a", "u1")


@pytest.mark.parametrize("operator", ["on", "off"])
def test_five_hundred_rows_cost_one_call_and_all_are_found(
    deliver: Deliver, tenant: Sandbox, operator: str
) -> None:
    tenant.set(**{"op.in_list": operator})
    many = [{"account_id": f"m{n}", "attributes": {"ofid": f"x{n}"}} for n in range(1200)]
    tenant.load(accounts=many)
    rows = [firm(f"x{number}") for number in range(1200)]
    deliver(FIRMS, *rows, mappings=[BY_KEY], canary=False).ok()
    assert sum(plan == "new" for plan in plans(tenant).values()) == 1200
    assert len(tenant.calls("accounts")) <= 3 + (operator == "off")


def test_many_rows_with_one_value_are_several(deliver: Deliver, tenant: Sandbox) -> None:
    tenant.load(
        accounts=[{"account_id": f"m{n}", "attributes": {"ofid": "same"}} for n in range(1200)]
    )
    rows = [firm("same"), firm("k1")]
    done = deliver(FIRMS, *rows, mappings=[BY_KEY])
    assert isinstance(done.error, IncompleteRunError)
    assert done.codes == [{("match_on", "several")}]
    assert plans(tenant)["a"] == "new"


@pytest.mark.parametrize("count", ["off_by:3", "missing"])
def test_a_wrong_count_does_no_harm(deliver: Deliver, tenant: Sandbox, count: str) -> None:
    tenant.set(total_hits=count)
    deliver(FIRMS, firm("k1"), mappings=[BY_KEY]).ok()
    assert plans(tenant)["a"] == "new"


def test_a_service_that_does_not_filter_is_not_believed(deliver: Deliver, tenant: Sandbox) -> None:
    tenant.load(accounts=[{"account_id": f"m{n}", "attributes": {}} for n in range(1200)])
    tenant.set(unsupported_term="ignore", **{"term.string_attribute": "off"})
    done = deliver(FIRMS, firm("k1"), state(1), mappings=[BY_KEY])
    assert isinstance(done.error, ResponseError)
    assert done.states == []


def test_a_short_salesforce_id_is_one_here_too(deliver: Deliver, tenant: Sandbox) -> None:
    done = deliver(FIRMS, firm("0015000000Gv7qJ"), mappings=[BY_KEY])
    assert done.codes == [{("crm", "short Salesforce id")}]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"match_on": "crm"}, "match_on is an object with one attribute"),
        ({"match_on": None, "create": True}, "create goes with match_on"),
        ({"create": "yes"}, "create is true or false"),
        ({"match_on": {"ofid": "{crm"}}, "match_on: "),
    ],
)
def test_a_mapping_that_says_it_wrongly_is_refused(
    deliver: Deliver, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        deliver(FIRMS, mappings=[{**BY_KEY, **more}]).ok()


def test_what_is_to_be_made_needs_its_id(deliver: Deliver) -> None:
    with pytest.raises(InputError, match="account_id is missing"):
        deliver(FIRMS, firm("k1"), mappings=[{**BY_KEY, "create": True}]).ok()
    with pytest.raises(SettingsError, match="match_on needs app_token"):
        deliver(FIRMS, firm("k1"), mappings=[BY_KEY], app_token="").ok()


def test_streams_that_name_their_ids_are_not_looked_for(
    deliver: Deliver, tenant: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_totango.pipeline.filters.matching.MOST_REMEMBERED", 0)
    named = record("accounts", account_id="d", Plan="new")
    told = schema("accounts", "account_id", "Plan")
    rows = [firm("k1", "1"), named, firm("k9"), firm("k1", "2")]
    done = deliver(FIRMS, told, *rows, mappings=[BY_KEY, {"stream": "accounts"}])
    assert done.codes == [{("match_on", "not found")}]
    assert (plans(tenant)["a"], plans(tenant)["d"]) == ("2", "new")


def test_a_key_that_is_matched_is_not_written_as_an_attribute_too(
    deliver: Deliver, tenant: Sandbox
) -> None:
    mapping = {**BY_KEY, "unmapped": "include"}
    deliver(FIRMS, firm("k1", number=5), mappings=[mapping]).ok()
    assert "crm" not in held(tenant, "accounts")[("a",)]
    assert held(tenant, "accounts")[("a",)]["number"] == 5
