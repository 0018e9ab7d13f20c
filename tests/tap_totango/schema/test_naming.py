"""A column never changes its meaning, whatever a service comes to have and however often."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_totango.schema.columns import Column, columns_of_fields, schema_of
from tap_totango.schema.naming import (
    MOST_REMEMBERED,
    ORIGINAL,
    RESERVED,
    SNAKE,
    KnownColumns,
    Naming,
    name_columns,
    remember,
)
from totango_api.text import snake

if TYPE_CHECKING:
    import random

similar = st.sampled_from(
    [
        *("Plan", "plan", "PLAN", "plan 2", "Plan_2", "plan_2_2", "Größe", "Grosse", "größe", "#"),
        *("!!", "ctid", "CTID", "x" * 63, "x" * 64, "x" * 70, "ü" * 40, "ü" * 41, "x" * 62 + "ü"),
    ]
)
labels = st.lists(similar | st.text(max_size=8), unique=True, max_size=12)
namings = st.builds(Naming, st.sampled_from([SNAKE, ORIGINAL]), st.booleans())
TAKEN = {"account_id", "account_name", "last_activity_time", "_extra"}


def columns(labels: list[str]) -> list[Column]:
    return [Column("", "text", label) for label in labels]


def names(labels: list[str], naming: Naming, known: KnownColumns | None = None) -> dict[str, str]:
    """Name by label."""
    named = name_columns(columns(labels), naming, known or KnownColumns(), taken=TAKEN)
    return {column.title: column.name for column in named.columns}


@given(labels=labels, naming=namings, chance=st.randoms(use_true_random=False))
def test_unique_whatever_the_case_and_the_same_in_any_order(
    labels: list[str], naming: Naming, chance: random.Random
) -> None:
    found = names(labels, naming)
    shuffled = labels[:]
    chance.shuffle(shuffled)
    assert names(shuffled, naming) == found
    assert set(found) == set(labels)
    folded = [column.casefold() for column in found.values()]
    assert len(set(folded)) == len(folded)
    assert not set(folded) & TAKEN


@given(labels=labels, style=st.sampled_from([SNAKE, ORIGINAL]))
def test_safe_names_can_be_held_by_databases(labels: list[str], style: str) -> None:
    found = names(labels, Naming(style, is_safe=True)).values()
    for column in found:
        assert 0 < len(column.encode()) <= 63
        assert column.strip()
        assert column.casefold() not in RESERVED
    assert len({column.encode()[:63] for column in found}) == len(found)


@given(labels=labels)
def test_snake_names_are_snake(labels: list[str]) -> None:
    for column in names(labels, Naming()).values():
        assert column
        assert column == column.lower()
        assert not column[0].isdigit()
        assert not set(column) & set(" .-/\"'`;,()")


@given(name=st.text(max_size=12))
def test_snake_of_snake_is_itself(name: str) -> None:
    assert snake(snake(name)) == snake(name)


@given(labels=labels)
def test_original_names_are_kept_unless_they_clash(labels: list[str]) -> None:
    folded = [name.casefold() for name in labels]
    for name, column in names(labels, Naming(ORIGINAL, is_safe=False)).items():
        if folded.count(name.casefold()) == 1 and name.casefold() not in TAKEN:
            numbered = any(name.casefold().startswith(f"{one}_") for one in [*folded, *TAKEN])
            assert column == name or numbered


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Contract Value", "contract_value"),
        ("contractValue", "contract_value"),
        ("ARR %", "arr"),
        ("NPS (last)", "nps_last"),
        ("Größe", "grosse"),
        ("30 day logins", "_30_day_logins"),
        ("売上", "売上"),
        ("###", "unnamed"),
        ("", "unnamed"),
        ("__internal_role", "internal_role"),
    ],
)
def test_spellings(name: str, column: str) -> None:
    assert snake(name) == column


def test_who_is_spelled_like_the_column_gets_it() -> None:
    found = names(["Plan", "PLAN", "plan"], Naming())
    assert found == {"plan": "plan", "PLAN": "plan_2", "Plan": "plan_3"}


def test_a_name_of_a_base_column_is_numbered() -> None:
    found = names(["Account ID", "_extra"], Naming())
    assert found == {"Account ID": "account_id_2", "_extra": "extra"}


def test_names_that_databases_cannot_hold() -> None:
    long = "Number of days since the last quarterly business review was held with " * 2
    found = names([f"{long}A", f"{long}B", "ctid", "Xmin"], Naming())
    assert found == {
        f"{long}A": snake(long)[:63],
        f"{long}B": snake(long)[:61] + "_2",
        "ctid": "ctid_2",
        "Xmin": "xmin_2",
    }
    assert names([f"{long}A", "ctid"], Naming(is_safe=False)) == {
        f"{long}A": snake(f"{long}A"),
        "ctid": "ctid",
    }
    assert names(["é" * 40], Naming(ORIGINAL)) == {"é" * 40: "é" * 31}


# Over many runs ------------------------------------------------------------------------------


class Service:
    """What a chain of runs hands on: the state, and perhaps a catalog."""

    def __init__(self, naming: Naming) -> None:
        self.naming = naming
        self.saved: Any = None
        self.catalog: dict[str, Any] | None = None

    def discover(self, labels: list[str], *, with_state: bool) -> None:
        known = KnownColumns.from_state(self.saved if with_state else None)
        named = name_columns(columns(labels), self.naming, known, taken=TAKEN)
        self.catalog = schema_of([*BASE, *named.columns], keys=())["properties"]

    def run(self, labels: list[str]) -> dict[str, str]:
        """Label of each column that a run emits."""
        known = KnownColumns.from_state(self.saved, self.catalog)
        named = name_columns(columns(labels), self.naming, known, taken=TAKEN).columns
        assert len({one.name.casefold() for one in named}) == len(named)
        self.saved = json.loads(json.dumps(remember(known, named, is_whole=True)))
        return {
            one.name: one.title for one in named if self.catalog is None or one.name in self.catalog
        }


BASE = [Column(name, "text", name) for name in sorted(TAKEN - {"_extra"})]
steps = st.lists(
    st.tuples(labels, st.sampled_from(["run", "discover", "discover with state", "no catalog"])),
    min_size=2,
    max_size=6,
)


@given(steps=steps, naming=namings)
def test_no_name_ever_changes_its_meaning(
    steps: list[tuple[list[str], str]], naming: Naming
) -> None:
    service = Service(naming)
    meanings: dict[str, str] = {}
    for labels, step in steps:
        if step == "no catalog":
            service.catalog = None
        elif step != "run":
            service.discover(labels, with_state=step == "discover with state")
        for name, label in service.run(labels).items():
            assert meanings.setdefault(name.casefold(), label) == label


@given(before=labels, since=labels, naming=namings)
def test_a_catalog_alone_keeps_names_as_well(
    before: list[str], since: list[str], naming: Naming
) -> None:
    service = Service(naming)
    service.discover(before, with_state=False)
    first = service.run(before)
    service.saved = None
    for name, label in service.run(since).items():
        assert first.get(name, label) == label


@given(labels=labels, naming=namings)
def test_who_comes_back_has_the_old_name(labels: list[str], naming: Naming) -> None:
    service = Service(naming)
    first = service.run(labels)
    service.run([])
    service.run([f"{label}!" for label in labels])
    assert service.run(labels) == first


def test_a_newcomer_gets_the_suffix_once_and_for_all() -> None:
    service = Service(Naming())
    assert service.run(["Plan"]) == {"plan": "Plan"}
    assert service.run(["Plan", "plan"]) == {"plan": "Plan", "plan_2": "plan"}
    assert service.run(["plan"]) == {"plan_2": "plan"}
    known = KnownColumns.from_state(service.saved)
    named = name_columns(columns(["plan", "PLAN"]), Naming(), known, taken=TAKEN)
    assert [(one.title, one.name) for one in named.numbered] == [("PLAN", "plan_3")]


def test_a_catalog_that_was_discovered_since_does_not_change_what_a_name_means() -> None:
    service = Service(Naming())
    service.run(["Plan"])
    service.discover(["Plan", "plan"], with_state=False)
    assert service.catalog is not None
    assert service.catalog["plan"]["title"] == "plan"
    assert service.run(["Plan", "plan"]) == {"plan": "Plan", "plan_2": "plan"}


def test_a_catalog_of_other_names_is_followed() -> None:
    service = Service(Naming())
    service.run(["Contract Value"])
    service.catalog = schema_of([Column("Contract Value", "text", "Contract Value")], keys=())[
        "properties"
    ]
    assert service.run(["Contract Value"]) == {"Contract Value": "Contract Value"}


def test_a_field_that_gets_another_label_gets_another_name() -> None:
    def field(label: str, attribute: str) -> dict[str, str]:
        return {"type": "string_attribute", "attribute": attribute, "field_display_name": label}

    service = Service(Naming())
    known = KnownColumns()
    for fields, expected in [
        ([field("Tier", "Plan")], {"tier": "Plan"}),
        ([field("Level", "Plan")], {"level": "Plan"}),
        ([field("Tier", "Other")], {"tier_2": "Other"}),
        ([field("Tier", "Other"), field("Tier", "Plan")], {"tier_2": "Other", "tier_2_2": "Plan"}),
        ([field("Tier", "Plan")], {"tier": "Plan"}),
    ]:
        named = name_columns(columns_of_fields(fields, []), Naming(), known, taken=TAKEN).columns
        assert {one.name: one.title for one in named} == expected
        service.saved = remember(known, named, is_whole=True)
        known = KnownColumns.from_state(json.loads(json.dumps(service.saved)))


def test_what_is_remembered_has_an_end() -> None:
    service = Service(Naming())
    for run in range(5):
        service.run(["stays", *(f"{run}-{n}" for n in range(MOST_REMEMBERED // 3))])
    assert len(service.saved) == MOST_REMEMBERED
    assert "stays" in service.saved
    assert "_4_0" in service.saved
    assert "_0_0" not in service.saved
