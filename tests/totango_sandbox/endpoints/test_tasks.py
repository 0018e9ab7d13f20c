from __future__ import annotations

import pytest

PATH = "/api/v3/tasks"
TASK = {
    "account_id": "a0000",
    "title": "Call",
    "description": "them",
    "due_date": "2026-03-01",
    "priority": 1,
    "status": "open",
    "assignee": "csm@x.com",
    "activity_type_id": "renewal",
}


@pytest.fixture
def tenant(sandbox):
    sandbox.load_accounts(1)
    sandbox.load(activity_types=[{"activity_type_id": "renewal", "display_name": "Renewal"}])
    return sandbox


def create(tenant, **fields):
    answer = tenant.api("POST", PATH, {**TASK, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def events(tenant):
    terms = [{"type": "event_property", "name": "event_type", "eq": "task"}]
    tenant.set(ties="stable")
    hits = tenant.search("events", terms=terms, count=100, offset=0)["hits"]
    return sorted(hits, key=lambda event: event["task_content"]["action"])


def test_a_task_is_read_by_its_id_and_as_an_event(tenant):
    task_id = create(tenant)
    (task,) = tenant.api("GET", PATH, id=str(task_id)).json()
    assert {name: task[name] for name in TASK} == TASK
    (event,) = events(tenant)
    content = event["task_content"]
    assert content["task_id"] == task_id
    assert content["status"] == {"current": "open", "prev": None, "is_modified": True}
    assert content["due_date"]["current"] == "2026-03-01"
    assert set(content["last_updater"]) == {"current", "prev", "is_modified"}
    assert event["account"]["id"] == "a0000"
    assert tenant.api("GET", PATH, id="1").json() == []


def test_a_change_is_another_event_that_says_what_changed(tenant):
    task_id = create(tenant)
    body = {"account_id": "a0000", "status": "closed", "priority": "3"}
    assert tenant.api("PUT", f"{PATH}/{task_id}", body).status_code == 200
    changed = events(tenant)[1]["task_content"]
    assert changed["action"] == "complete"
    assert changed["status"] == {"current": "closed", "prev": "open", "is_modified": True}
    assert changed["priority"] == {"current": 3, "prev": 1, "is_modified": True}
    assert changed["assignee"]["is_modified"] is False
    assert tenant.api("GET", PATH, id=str(task_id)).json()[0]["status"] == "closed"


@pytest.mark.parametrize("mode", ["keep", "move"])
def test_a_change_can_be_without_an_event_of_its_own(tenant, mode):
    tenant.set(task_edits=mode)
    task_id = create(tenant)
    before = events(tenant)[0]
    tenant.api("PUT", f"{PATH}/{task_id}", {"account_id": "a0000", "status": "closed"})
    (after,) = events(tenant)
    assert after["id"] == before["id"]
    assert after["timestamp"] >= before["timestamp"]
    assert after["task_content"]["status"]["current"] == "closed"


def test_older_clients_name_the_task_in_a_form(tenant):
    task_id = create(tenant)
    form = {"id": str(task_id), "account_id": "a0000", "title": "Mail"}
    headers = {"app-token": tenant.token}
    assert tenant.http.put(tenant.url + PATH, data=form, headers=headers).status_code == 200
    assert tenant.dump("tasks")[0]["title"] == "Mail"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"account_id": "nobody"}, "Account not found"),
        ({"activity_type_id": None}, "activity_type_id"),
        ({"activity_type_id": "Renewal"}, "activity_type_id"),
        ({"title": ""}, "title"),
        ({"due_date": "01/03/2026"}, "due_date"),
        ({"due_date": "2026-02-31"}, "due_date"),
        ({"priority": "high"}, "priority"),
        ({"status": "done"}, "status"),
    ],
)
def test_what_is_wrong_is_a_400_with_a_reason(tenant, fields, word):
    answer = tenant.api("POST", PATH, {**TASK, **fields})
    assert answer.status_code == 400
    assert word in answer.json()["_error"]
    assert tenant.dump("tasks") == []


def test_an_update_needs_the_account_unless_switched_otherwise(tenant):
    task_id = create(tenant)
    path = f"{PATH}/{task_id}"
    assert tenant.api("PUT", path, {"status": "closed"}).status_code == 400
    tenant.set(update_ids="optional")
    assert tenant.api("PUT", path, {"status": "closed"}).status_code == 200
    assert tenant.api("PUT", f"{PATH}/1", {"status": "closed"}).status_code == 404


def test_the_answer_can_be_a_word(tenant):
    tenant.set(task_answer="text")
    assert tenant.api("POST", PATH, TASK).text == "Success"
    assert len(tenant.dump("tasks")) == 1


def test_a_list_of_all_is_a_switch(tenant):
    create(tenant)
    assert tenant.api("GET", PATH).status_code == 400
    tenant.set(tasks_list="on")
    assert len(tenant.api("GET", PATH).json()) == 1
