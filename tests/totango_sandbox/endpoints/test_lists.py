from __future__ import annotations

import pytest

LISTS = {
    "/api/v3/touchpoint-types/": ("touchpoint_types", {"id": "t-1", "display_name": "Phone"}),
    "/api/v3/touchpoint-tags/": ("touchpoint_tags", {"id": "g-1", "display_name": "Risk"}),
    "/api/v3/activity-types/": (
        "activity_types",
        {"activity_type_id": "renewal", "display_name": "Renewal"},
    ),
    "/api/v3/objective-settings/status": (
        "objective_statuses",
        {"id": "s-1", "displayName": "On track", "updatedBy": ""},
    ),
    "/api/v3/objective-settings/category": (
        "objective_categories",
        {"id": "c-1", "displayName": "Growth", "updatedBy": ""},
    ),
}


@pytest.mark.parametrize("path", LISTS)
def test_reference_lists_as_they_were_shown(sandbox, path):
    kind, row = LISTS[path]
    sandbox.load(**{kind: [row]})
    expected = {"renewal": row} if kind == "activity_types" else [row]
    assert sandbox.api("GET", path).json() == expected
    assert [call["surface"] for call in sandbox.dump("calls")] == [kind]


@pytest.mark.parametrize("path", LISTS)
def test_reference_lists_of_another_shape(sandbox, path):
    kind, row = LISTS[path]
    sandbox.load(**{kind: [row]})
    key = row.get("id", "renewal")
    for shape, expected in (("list", [row]), ("object", {key: row}), ("nested", {kind: [row]})):
        sandbox.set(reference_shape=shape)
        assert sandbox.api("GET", path).json() == expected


def test_keys_in_another_spelling(sandbox):
    for path, names, key in (
        ("/api/v3/touchpoint-types/", "camel", "displayName"),
        ("/api/v3/objective-settings/status", "snake", "display_name"),
    ):
        kind, row = LISTS[path]
        sandbox.load(**{kind: [row]})
        sandbox.set(reference_names=names)
        assert key in sandbox.api("GET", path).json()[0]


def test_a_list_can_be_forbidden(sandbox):
    sandbox.chaos("403@touchpoint_types", "404@objective_statuses")
    assert sandbox.api("GET", "/api/v3/touchpoint-types/").status_code == 403
    assert sandbox.api("GET", "/api/v3/objective-settings/status").status_code == 404
    assert sandbox.api("GET", "/api/v3/touchpoint-tags/").json() == []
    sandbox.chaos("403@reference")
    assert sandbox.api("GET", "/api/v3/activity-types/").status_code == 403


def test_staff_are_searched_like_users(sandbox):
    people = [
        {
            "staff_id": f"p{at}@x.com",
            "staff_name": f"Person {at}",
            "last_activity_time": 5,
            "attributes": {"__internal_role": "CSM"},
        }
        for at in range(3)
    ]
    sandbox.load(staff=people)
    assert sandbox.dump("staff")[0] == {**people[0], "first_activity_time": None}
    role = {"type": "string_attribute", "attribute": "__internal_role"}
    query = {"fields": [role], "count": 2, "offset": 1}
    answer = sandbox.post_search("staff", {"team_id": "-1"}, **query).json()
    found = answer["response"]["users"]
    assert found["total_hits"] == 3
    assert [hit["name"] for hit in found["hits"]] == ["p1@x.com", "p2@x.com"]
    assert found["hits"][0] == {
        "name": "p1@x.com",
        "display_name": "Person 1",
        "first_activity_time": None,
        "last_activity_time": 5,
        "selected_fields": ["CSM"],
    }
    assert sandbox.search("users")["hits"] == []


def test_a_team_by_its_id(sandbox):
    team = {"id": 7, "display_name": "Sales", "terms": "[]", "team_members": []}
    sandbox.load(teams=[team])
    assert sandbox.api("GET", "/api/v2/teams/7").json() == team
    assert sandbox.api("GET", "/api/v2/teams/8").status_code == 404


def test_the_plan_of_an_account(sandbox):
    sandbox.load_accounts(2)
    sandbox.load(plans=[{"account_id": "a0001", "plan": "Grow", "updated_by": "x"}])
    empty = sandbox.api("GET", "/api/v3/accounts/a0000/plan_summary").json()
    assert set(empty) == {"plan", "updated_by", "updated_date", "_version"}
    assert empty["updated_date"].endswith("+00:00")
    assert sandbox.api("GET", "/api/v3/accounts/a0001/plan_summary/").json()["plan"] == "Grow"
    assert sandbox.api("GET", "/api/v3/accounts/nobody/plan_summary").status_code == 404


def test_import_jobs_of_a_connector(sandbox):
    job = {"id": "j", "connector_id": "c", "integration_type": "csv_file", "execution": {}}
    sandbox.load(jobs=[job])
    path = "/api/v3/integrations/job/"
    found = sandbox.api("GET", path, integrationType="csv_file", connectorId="c").json()
    assert found == {"recurring": [{"id": "j", "execution": {}}]}
    other = sandbox.api("GET", path, integrationType="csv_file", connectorId="d").json()
    assert other == {"recurring": []}
    assert sandbox.api("GET", path).status_code == 400


ROWS = [
    {"timestamp": f"{day}T10:00:00.000Z", "action": action, "user": "u", "sensitive": sensitive}
    for day, action, sensitive in (
        ("2024-12-31", "VIEW", False),
        ("2025-01-01", "VIEW", True),
        ("2025-01-02", "EDIT", False),
    )
]


def audit(sandbox, start, end, **more):
    answer = sandbox.api("GET", "/api/v2/audit", startDate=start, endDate=end, **more)
    assert answer.status_code == 200, answer.text
    return [row["timestamp"][:10] for row in answer.json()]


def test_the_audit_log_ends_before_its_end(sandbox):
    sandbox.load(audit=ROWS)
    assert audit(sandbox, "2025-01-01", "2025-01-02") == ["2025-01-01"]
    assert audit(sandbox, "2025-01-01", "2025-01-03") == ["2025-01-01", "2025-01-02"]
    assert audit(sandbox, "2025-01-01", "2025-02-01", action="EDIT") == ["2025-01-02"]
    assert audit(sandbox, "2025-01-01", "2025-02-01", sensitive="true") == ["2025-01-01"]
    assert audit(sandbox, "2025-01-01", "2025-02-01", user="v") == []
    assert sandbox.dump("audit") == ROWS


def test_both_dates_are_in_the_same_year(sandbox):
    sandbox.load(audit=ROWS)
    across = {"startDate": "2024-12-31", "endDate": "2025-01-01"}
    answer = sandbox.api("GET", "/api/v2/audit", **across)
    assert answer.status_code == 400
    assert "calendar year" in answer.json()["_error"]
    sandbox.set(audit_year="exclusive")
    assert audit(sandbox, "2024-12-31", "2025-01-01") == ["2024-12-31"]
    across["endDate"] = "2025-01-02"
    assert sandbox.api("GET", "/api/v2/audit", **across).status_code == 400
    for dates in ({"startDate": "2025-01-01"}, {"startDate": "1", "endDate": "2025-01-01"}):
        assert sandbox.api("GET", "/api/v2/audit", **dates).status_code == 400


def test_an_audit_can_be_cut_or_late(sandbox):
    sandbox.load(audit=ROWS)
    sandbox.set(audit_limit=1)
    assert audit(sandbox, "2025-01-01", "2025-02-01") == ["2025-01-01"]
    sandbox.set(audit_limit=0, audit_visible_after=10**9)
    assert audit(sandbox, "2025-01-01", "2025-02-01") == []


TICKETS = [
    {
        "collection_type": kind,
        "id": f"{kind}-{at}",
        "account_id": f"a000{at % 2}",
        "attributes": {"Title": f"Title {at}", "Hours": at},
    }
    for kind in ("tickets", "deals")
    for at in range(3)
]
OF_TICKETS = {"type": "string", "term": "collection_type", "eq": "tickets"}


def test_rows_of_a_collection_are_searched(sandbox):
    sandbox.load_accounts(2, attributes={"Plan": "Pro"})
    sandbox.load(collections=TICKETS)
    fields = [
        {"type": "string_attribute", "attribute": "Title"},
        {"type": "number_attribute", "attribute": "Hours"},
    ]
    plan = [{"type": "string_attribute", "attribute": "Plan"}]
    found = sandbox.search(
        "collections", terms=[OF_TICKETS], fields=fields, parent_account_fields=plan, count=2
    )
    assert found["total_hits"] == 3
    assert found["hits"][1] == {
        "id": "tickets-1",
        "account": {
            "service_id": "12345",
            "name": "a0001",
            "display_name": "Name 0001",
            "selected_fields": ["Pro"],
        },
        "selected_fields": ["Title 1", 1],
    }
    row = {"id": "tickets-9", "account_id": "nobody", "attributes": {"Title": "new"}}
    sandbox.hub("collections/tickets", {"collections": [row]})
    assert sandbox.search("collections", terms=[OF_TICKETS], offset=3)["hits"] == [
        {
            "id": "tickets-9",
            "account": {"service_id": "12345", "name": "nobody"},
            "selected_fields": [],
        }
    ]


def test_a_list_of_rows_stands_where_it_is_switched_to(sandbox):
    sandbox.load(collections=TICKETS)
    sandbox.set(list_shape="rows")
    rows = sandbox.post_search("collections", terms=[OF_TICKETS]).json()["response"]["collections"]
    assert [row["id"] for row in rows] == ["tickets-0", "tickets-1", "tickets-2"]
    path = "/api/v3/collections/tickets/rows"
    page = sandbox.api("GET", path, count="2", offset="2").json()
    assert page == {
        "tickets": [
            {
                "collection_type": "tickets",
                "id": "tickets-2",
                "account_id": "a0000",
                "Title": "Title 2",
                "Hours": 2,
            }
        ]
    }
    sandbox.set(list_offset="pages")
    assert sandbox.api("GET", path, count="2", offset="1").json() == page
    sandbox.set(list_offset="ignored")
    assert len(sandbox.api("GET", path, count="2", offset="9").json()["tickets"]) == 2
    sandbox.set(list_shape="top")
    assert len(sandbox.post_search("collections").json()) == 6
    assert len(sandbox.api("GET", path).json()) == 3


def test_an_audit_log_has_a_first_day(sandbox):
    answer = sandbox.api("GET", "/api/v2/audit", startDate="2018-05-02", endDate="2018-06-01")
    assert answer.status_code == 400
    assert "before 2018-05-03" in answer.text
