from __future__ import annotations

import pytest

PATH = "/api/v3/touchpoints/"
TYPE = {"id": "0b4a-type", "display_name": "Phone"}
TAG = {"id": "0b4a-tag", "display_name": "Risk"}
FLOW = {"activity_type_id": "renewal", "display_name": "Renewal"}


@pytest.fixture
def tenant(sandbox):
    sandbox.load_accounts(2)
    sandbox.load(touchpoint_types=[TYPE], touchpoint_tags=[TAG], activity_types=[FLOW])
    return sandbox


def create(tenant, **fields):
    body = {"account_id": "a0000", "content": "Hello", **fields}
    answer = tenant.api("POST", PATH, body)
    assert answer.status_code == 200, answer.text
    return answer.json()["note"]["id"]


def notes(tenant):
    terms = [{"type": "event_property", "name": "event_type", "eq": "note"}]
    return tenant.search("events", terms=terms, count=100, offset=0)["hits"]


def test_a_touchpoint_is_read_back_as_an_event_with_another_id(tenant):
    note_id = create(
        tenant,
        content="<b>Call</b>\nrecap",
        subject="QBR",
        created_by="csm@x.com",
        create_date=1_700_000_000_000,
        touchpointType="0b4a-type",
        touchpoint_tags=["0b4a-tag"],
        activity_type_id="renewal",
        participantList=[{"userid": "joe@x.com"}],
        disable_sync=True,
    )
    (event,) = notes(tenant)
    assert event["id"] != str(note_id)
    assert event["timestamp"] == 1_700_000_000_000
    assert event["account"] == {"id": "a0000", "display_name": "Name 0000"}
    assert event["note_content"] == {
        "note_id": note_id,
        "text": "<div>&lt;b&gt;Call&lt;/b&gt;<br>recap</div>",
        "totango_user": {"user_name": "csm@x.com"},
    }
    properties = event["properties"]
    assert properties["subject"] == "QBR"
    assert properties["meeting_type"] == "0b4a-type"
    assert properties["touchpoint_tags"] == ["0b4a-tag"]
    assert properties["activity_type_id"] == "renewal"
    assert properties["totango_participants"] == ["joe@x.com"]
    assert properties["creation_time"] > event["timestamp"]
    assert tenant.dump("touchpoints")[0]["disable_sync"] is True


def test_the_same_touchpoint_twice_is_two(tenant):
    assert create(tenant) != create(tenant)
    assert len(notes(tenant)) == 2


def test_a_form_does_as_well(tenant):
    form = {"account_id": "a0000", "content": "x", "touchpoint_tags": '["0b4a-tag"]'}
    headers = {"app-token": tenant.token}
    answer = tenant.http.post(tenant.url + PATH, data=form, headers=headers)
    assert answer.json()["note"]["id"]
    assert notes(tenant)[0]["properties"]["touchpoint_tags"] == ["0b4a-tag"]


def test_a_text_in_a_form_may_begin_as_json_does(tenant):
    form = {"account_id": "a0000", "content": "x", "subject": "[draft"}
    tenant.http.post(tenant.url + PATH, data=form, headers={"app-token": tenant.token})
    assert notes(tenant)[0]["properties"]["subject"] == "[draft"


@pytest.mark.parametrize(("body", "word"), [("{", "not JSON"), ("[]", "not an object")])
def test_a_body_that_is_no_json_object_is_a_400(tenant, body, word):
    headers = {"app-token": tenant.token, "content-type": "application/json"}
    answer = tenant.http.post(tenant.url + PATH, data=body, headers=headers)
    assert answer.status_code == 400
    assert word in answer.json()["_error"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"account_id": "nobody"}, "Account not found"),
        ({"content": ""}, "content"),
        ({"content": "x" * 12_001}, "12000"),
        ({"create_date": "2024-01-01"}, "create_date"),
        ({"touchpointType": "Phone"}, "touchpointType"),
        ({"touchpoint_tags": ["Risk"]}, "tag"),
        ({"activity_type_id": "Renewal"}, "activity_type_id"),
        ({"participantList": ["joe@x.com"]}, "participantList"),
    ],
)
def test_what_is_wrong_is_a_400_with_a_reason(tenant, fields, word):
    answer = tenant.api("POST", PATH, {"account_id": "a0000", "content": "x", **fields})
    assert answer.status_code == 400
    assert word in answer.json()["_error"]
    assert notes(tenant) == []


def test_ids_that_are_in_no_list_can_be_taken(tenant):
    tenant.set(unknown_reference="accept")
    create(tenant, touchpointType="anything")
    assert notes(tenant)[0]["properties"]["meeting_type"] == "anything"


def test_an_update_names_the_event_too_and_keeps_what_it_does_not_name(tenant):
    note_id = create(tenant, subject="old")
    event = notes(tenant)[0]
    body = {"account_id": "a0000", "note_id": note_id, "content": "changed"}
    assert tenant.api("PUT", f"{PATH}{note_id}", body).status_code == 400
    body["event_id"] = event["id"]
    assert tenant.api("PUT", f"{PATH}{note_id}", body).status_code == 200
    (changed,) = notes(tenant)
    assert (changed["id"], changed["timestamp"]) == (event["id"], event["timestamp"])
    assert changed["note_content"]["text"] == "<div>changed</div>"
    assert changed["properties"]["subject"] == "old"
    assert changed["properties"]["last_edit_time"] >= event["properties"]["creation_time"]
    tenant.set(update_ids="optional")
    assert tenant.api("PUT", f"{PATH}{note_id}", {"subject": "new"}).status_code == 200
    assert notes(tenant)[0]["properties"]["subject"] == "new"


@pytest.mark.parametrize(("mode", "events"), [("move", 1), ("new", 2)])
def test_an_update_moves_the_timestamp_or_makes_another_event(tenant, mode, events):
    note_id = create(tenant, create_date=1)
    tenant.set(update_ids="optional", event_edits=mode)
    tenant.api("PUT", f"{PATH}{note_id}", {"content": "changed"})
    assert len(notes(tenant)) == events
    assert notes(tenant)[0]["timestamp"] > 1


def test_one_is_read_and_deleted(tenant):
    note_id = create(tenant, subject="QBR")
    assert tenant.api("GET", f"{PATH}{note_id}").json()["note"]["subject"] == "QBR"
    assert tenant.api("DELETE", f"{PATH}{note_id}").status_code == 200
    assert notes(tenant) == []
    for method in ("GET", "DELETE", "PUT"):
        assert tenant.api(method, f"{PATH}{note_id}", {}).status_code == 404


def test_one_that_was_loaded_as_an_event_alone_is_deleted_too(tenant):
    note = {"note_id": 7, "text": "Hello"}
    tenant.load(events=[{"id": "e", "timestamp": 1, "type": "note", "note_content": note}])
    assert tenant.api("DELETE", f"{PATH}7").status_code == 200
    assert notes(tenant) == []


def test_an_answer_names_what_it_answers(tenant):
    note_id = create(tenant)
    create(tenant, parentId=note_id)
    assert notes(tenant)[0]["properties"]["parent_id"] == note_id


def test_a_list_of_all_is_a_switch(tenant):
    create(tenant)
    assert tenant.api("GET", PATH).status_code == 404
    tenant.set(touchpoints_list="on")
    assert len(tenant.api("GET", PATH).json()) == 1


def test_it_is_seen_late_and_its_answer_can_be_lost(tenant):
    tenant.set(visible_after=3600)
    create(tenant)
    assert notes(tenant) == []
    tenant.control("settle")
    assert len(notes(tenant)) == 1
    tenant.set(visible_after=0)
    tenant.chaos("500@touchpoints:applied")
    body = {"account_id": "a0000", "content": "x"}
    assert tenant.api("POST", PATH, body).status_code == 500
    assert len(notes(tenant)) == 2


def test_the_newest_touchpoint_is_the_accounts_last_touch(tenant):
    create(tenant, create_date=1_700_000_000_000)
    create(tenant, create_date=1_600_000_000_000)
    last = tenant.column("accounts", {"type": "last_touch_timestamp"})[0]
    assert last == "2023-11-14"


@pytest.mark.parametrize(("policy", "kept"), [("truncate", 12_000), ("keep", 12_001)])
def test_a_content_over_the_limit(tenant, policy, kept):
    tenant.set(over_limit=policy)
    create(tenant, content="x" * 12_001)
    (note,) = notes(tenant)
    assert note["note_content"]["text"] == f"<div>{'x' * kept}</div>"
