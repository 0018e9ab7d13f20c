"""docs/assumptions.md names the question of a probe for each open question, and its switches."""

from __future__ import annotations

import re

import toolbox

from tap_totango.probe import QUESTIONS as OF_THE_TAP
from target_totango.probe import QUESTIONS as OF_THE_TARGET
from totango_sandbox.switches import SWITCHES

PAGE = (toolbox.ROOT / "docs" / "assumptions.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("\n")
    if line.startswith("| ") and not line.startswith("| open question")
]
NOT_ASKED = {
    "What does a tenant look like": "other people would have to work on it meanwhile",
    "How late is a parent seen": "accounts would be tied to one another",
    "Is a failure inside a 200": "a service does not fail when it is asked to",
    "Is every response strict JSON?": "it depends on each value that a service holds",
    "Does an attribute of type `date`": "such an attribute would have to be made, and would stay",
    "What answers a tracking call that": "a service does not fail when it is asked to",
    "What happens to writes to an account that": "an account would have to be archived, by people",
}
"""Questions that no probe asks, by how they begin, and why."""

PLUGINS = ("tap_totango", "target_totango")


def names(cell: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", cell)


def test_every_question_of_a_probe_has_its_place() -> None:
    named = [name for row in ROWS for name in names(row[3])]
    assert sorted(named) == sorted(question.name for question in (*OF_THE_TAP, *OF_THE_TARGET))


def test_every_open_question_says_what_is_probed() -> None:
    assert all(len(row) == 4 and row[3] for row in ROWS)


def test_what_no_probe_asks_has_its_reason() -> None:
    open_ones = [row[0] for row in ROWS if not names(row[3])]
    assert len(open_ones) == len(NOT_ASKED)
    assert all(one.startswith(tuple(NOT_ASKED)) for one in open_ones)


def test_every_switch_beside_a_question_is_tried_on_the_probe() -> None:
    tests = [
        path
        for plugin in PLUGINS
        for path in (toolbox.ROOT / "tests" / plugin).glob("test_probe*.py")
    ]
    tried = " ".join(path.read_text(encoding="utf-8") for path in tests)
    known = {switch.name for switch in SWITCHES}
    beside = {name for row in ROWS if names(row[3]) for name in names(row[2]) if name in known}
    assert not {name for name in beside if not re.search(rf'\b{name}["=]', tried)}


def test_switches_named_there_exist() -> None:
    known = {switch.name for switch in SWITCHES}
    named = {name for row in ROWS for name in re.findall(r"`([a-z_]+_[a-z_]+)` \(", row[2])}
    assert named <= known
