"""The registry of objects: what each entry says holds together."""

from __future__ import annotations

import pytest
from invented_rows import KNOWN
from transformed import transform

from target_totango.mapping.compiler import compile_mapping
from target_totango.mapping.compiler.auto import recognise
from target_totango.mapping.config import MappingConfig, parse_mappings
from target_totango.models import FIELDS, HUB, WriteRequest
from target_totango.objects import ENGAGEMENTS, OBJECTS, SCOPES, TotangoObject
from totango_api.writing import tracking_parameters

by_calls = [object_ for object_ in OBJECTS.values() if object_.engagement is None]
every_object = pytest.mark.parametrize("object_", by_calls, ids=[each.name for each in by_calls])


def request_of(object_: TotangoObject) -> WriteRequest:
    """The write request of a row that holds each id, the settings' own fields and an attribute."""
    names = [identifier.name for identifier in object_.ids]
    names += [attribute.setting for attribute in object_.named] + ["Plan"]
    record = {name: f"{name}-1" for name in names}
    mapping = compile_mapping(
        MappingConfig(delivery=object_.deliveries[0]),
        object_=object_.name,
        stream=object_.name,
        schema={"properties": {name: {} for name in names}},
        known=KNOWN,
    )
    result = transform(mapping, record)
    assert result.errors == ()
    return result.request


def test_parents_come_first() -> None:
    ranks = [object_.rank for object_ in OBJECTS.values()]
    assert ranks == sorted(ranks)


@every_object
def test_a_stream_is_recognised_by_the_ids_of_its_object(object_: TotangoObject) -> None:
    names = [identifier.name for identifier in object_.ids]
    assert recognise("things", names, ()) == object_.name
    assert recognise(f"crm-{object_.name}", (), ()) == object_.name


@every_object
def test_a_request_knows_what_it_is_about(object_: TotangoObject) -> None:
    request = request_of(object_)
    assert request.key == (object_.name, *(f"{each.name}-1" for each in object_.ids))
    if object_.scope is not None:
        assert request.attributes["Plan"] == "Plan-1"
    for attribute in object_.named:
        assert getattr(request, attribute.scope)[attribute.api_name] == f"{attribute.setting}-1"


@every_object
def test_a_request_comes_after_those_of_its_account(object_: TotangoObject) -> None:
    request = request_of(object_)
    changes, after = request.ordering_keys()
    if object_.rank:
        assert ("accounts", "account_id-1") in after
    else:
        assert changes == (("accounts", "account_id-1"),)


@every_object
def test_what_goes_through_the_hub_has_a_form_that_says_all(object_: TotangoObject) -> None:
    assert (HUB in object_.deliveries) == (object_.hub is not None)
    if object_.hub is not None:
        request = request_of(object_)
        body = object_.hub.row(request).encoded().decode()
        told = [f"{each.name}-1" for each in object_.ids if each.name != "collection_type"]
        assert all(text in body for text in told)
        assert ("Plan-1" in body) == (object_.scope is not None)


@every_object
def test_a_tracking_call_says_all(object_: TotangoObject) -> None:
    if object_.deliveries[0] != HUB:
        request = request_of(object_)
        texts = dict(tracking_parameters(request.ids, request.account, request.user)).values()
        assert {f"{each.name}-1" for each in object_.ids} <= set(texts)
        assert ("Plan-1" in texts) == (object_.scope is not None)


def test_a_new_object_is_one_entry_for_the_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = OBJECTS["users"].ids[:1]
    notes = TotangoObject("notes", ids, 2, FIELDS, max_length=9, deliveries=("notes",))
    monkeypatch.setitem(OBJECTS, "notes", notes)
    entry = {"stream": "s", "object": "notes", "attributes": {"content": "text"}}
    mapping = compile_mapping(
        parse_mappings([entry], MappingConfig())[0],
        object_="notes",
        stream="s",
        schema={"properties": {"account_id": {}, "text": {}}},
        known=KNOWN,
    )
    assert mapping.delivery == "notes"
    result = transform(mapping, {"account_id": "a", "text": "hello"})
    assert result.request.key == ("notes", "a")
    assert result.request.attributes == {"content": "hello"}
    assert result.request.ordering_keys() == ((("notes", "a"),), (("accounts", "a"),))
    long = transform(mapping, {"account_id": "a", "text": "much too long"})
    assert [error.code for error in long.errors] == ["too long"]


def test_only_what_searches_return_travels_with_rows_of_other_objects() -> None:
    for object_ in OBJECTS.values():
        assert {attribute.scope for attribute in object_.named} <= {object_.scope, *SCOPES}


@pytest.mark.parametrize("name", sorted(ENGAGEMENTS))
def test_what_is_made_one_by_one_has_its_ids_among_its_attributes(name: str) -> None:
    object_ = OBJECTS[name]
    assert object_.engagement is not None
    names = {attribute.api_name for attribute in object_.named}
    assert object_.engagement.id_name in names
    assert object_.engagement.endpoint.event_id_field in {"", *names}
    assert not object_.is_idempotent
    assert recognise(f"crm-{name}", ["account_id"], ()) is None
    assert recognise("things", ["account_id"], ()) == "accounts"
