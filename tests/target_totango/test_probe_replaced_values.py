"""`target-totango probe`: values that the account has, which are others for a moment."""

from __future__ import annotations

import pytest
from probed_tenants import HELD, SHORT_SFID, fill, held_by
from target_runs import PROBED

from target_totango.probe.replaced_values import NO_OPTION
from target_totango.probe.tracking import definitions, first
from totango_api.writing import salesforce_long_id

POSITIONS: list[tuple[str, str, dict[str, str]]] = [
    ("unknown_option", "dropped", {}),
    ("unknown_option", "kept", {"unknown_option": "keep"}),
    ("sfid_writes", "ignored", {}),
    ("sfid_writes", "taken", {"sfid_writes": "store"}),
    ("owner_values", "any text", {}),
    ("owner_values", "names of users", {"owner_values": "known"}),
    ("owner_values", "names or e-mails", {"owner_values": "email"}),
]

pytestmark = pytest.mark.usefixtures("probe_clock")


@pytest.mark.parametrize(("name", "answer", "switches"), POSITIONS, ids=str)
def test_every_position_of_a_switch_is_told(service, ask, probed, name, answer, switches) -> None:
    fill(service, **HELD)
    service.set(**switches)
    found = ask(name)
    assert found.value == answer
    assert "see what is left" not in found.evidence
    assert held_by(service) == HELD
    assert not probed.to_restore


@pytest.mark.parametrize(("name", "answer", "switches"), POSITIONS, ids=str)
def test_every_position_is_told_where_writes_are_seen_late(
    service, ask, seen_late, name, answer, switches
) -> None:
    fill(service, **HELD)
    service.set(**switches)
    seen_late(0.5)
    assert ask(name).value == answer
    assert held_by(service) == HELD


def test_a_long_salesforce_id_is_written_as_a_short_one(service, ask) -> None:
    held = {**HELD, "sfid": salesforce_long_id(SHORT_SFID)}
    fill(service, **held)
    service.set(sfid_writes="store")
    assert ask("sfid_writes").value == "taken"
    assert held_by(service) == held


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("unknown_option", {}),
        ("sfid_writes", {}),
        ("sfid_writes", {"sfid": "no such id"}),
        ("owner_values", {}),
    ],
    ids=str,
)
def test_what_could_not_be_written_back_is_not_written(service, ask, name, held) -> None:
    fill(service, **held)
    before = held_by(service)
    assert ask(name).value == "does not arise"
    assert held_by(service) == before


@pytest.mark.parametrize("declared", ["text", "lifecycle"])
def test_lists_alone_get_what_is_no_option(service, ask, declared) -> None:
    stage = {"key_name": "Stage", "type": declared, "object": "accounts", "options": ["New"]}
    account = {"account_id": PROBED, "account_name": "T", "attributes": {"Stage": "New"}}
    service.load(accounts=[account], attributes=[stage])
    assert ask("unknown_option").value == "does not arise"


def test_without_definitions_no_option_is_asked_about(service, ask) -> None:
    fill(service, **HELD)
    service.set(attributes_json="404")
    assert ask("unknown_option").value == "does not arise"
    assert held_by(service) == HELD


def test_one_owner_alone_does_not_tell_e_mails(service, ask) -> None:
    fill(service, **{"Sales Manager": "Sam Roe"})
    service.set(owner_values="email")
    assert ask("owner_values").value == "names of users"


def test_a_value_that_was_not_put_back_is_written_back_in_the_end(service, probed, ask) -> None:
    fill(service, **HELD)
    before = probed.read()
    probed.caller.max_calls = 7
    service.set(unknown_option="keep")
    assert ask("unknown_option").state == "not asked"
    assert held_by(service)["Tier"] == NO_OPTION
    probed.caller.max_calls = 30
    probed.restore(before)
    assert held_by(service) == HELD


def test_nothing_of_it_is_left_or_told(service, probe) -> None:
    fill(service, **HELD)
    service.set(empty_value="clear")
    ran, answers = probe("--yes")
    assert ran.code == 0, ran.stdout
    assert "Left there: nothing but" in ran.stdout
    assert answers["answers"]["owner_values"] == "any text"
    assert held_by(service) == HELD
    for word in (*HELD.values(), "Tier", "dana@"):
        assert word not in str(answers)


def test_an_option_that_a_service_made_is_said_to_stay(service, ask, probed) -> None:
    fill(service, **HELD)
    service.set(unknown_option="keep")
    first(probed)
    definitions(probed)
    options = ["Gold", NO_OPTION]
    service.load(
        attributes=[{"key_name": "Tier", "type": "list", "object": "accounts", "options": options}]
    )
    assert "became one" in ask("unknown_option").evidence
    assert probed.left_behind == [f"the option {NO_OPTION!r} of the attribute 'Tier'"]
