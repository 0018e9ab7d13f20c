"""Runs that are killed at random moments: what the next one must make good, and must not repeat.

`make bench-long` kills many more, in more ways.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from killed_runs import (
    HUB_BATCHES_OPEN,
    KILLS,
    Input,
    Runner,
    assert_once_or_told,
    assert_rows_are_right,
    delivered,
    killed_and_finished,
    open_by_a_kill,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def runner(service, config_file, tmp_path, commands) -> Callable[..., Runner]:
    def make(**settings: Any) -> Runner:
        settings.setdefault("rejects_path", str(tmp_path / "rejects.singer"))
        settings.setdefault("max_in_flight", 8)
        return Runner(service, config_file(service.config(**settings)), tmp_path, commands)

    return make


def test_without_a_ledger_nothing_is_lost(runner) -> None:
    running, given = runner(), Input(2)
    assert killed_and_finished(running, given, resume=True) == 0
    assert_rows_are_right(running.service, given)
    assert set(delivered(running.service)) == given.activities


@pytest.mark.parametrize(
    ("resume", "skip"),
    [(True, False), (False, True)],
    ids=["from the last state", "from the start, without what is unchanged"],
)
def test_with_a_ledger_no_activity_is_counted_twice(
    runner, tmp_path, resume: bool, skip: bool
) -> None:
    running = runner(ledger_path=str(tmp_path / "ledger.db"), skip_unchanged=skip)
    given = Input(10 + 2 * resume + skip)
    code = killed_and_finished(running, given, resume=resume)
    assert_once_or_told(running, given, code, most_open=KILLS * open_by_a_kill(8))


def test_with_a_ledger_no_activity_of_a_hub_batch_is_counted_twice(runner, tmp_path) -> None:
    running = runner(ledger_path=str(tmp_path / "ledger.db"), delivery="hub", hub_batch_size=5)
    given = Input(20)
    code = killed_and_finished(running, given, resume=True, most_calls=12)
    assert_once_or_told(running, given, code, most_open=KILLS * HUB_BATCHES_OPEN * 5)


@pytest.mark.parametrize("delivery", ["tracking", "hub"])
def test_a_run_after_one_that_ended_counts_no_activity_again(
    runner, tmp_path, delivery: str
) -> None:
    ledger = str(tmp_path / "ledger.db")
    running = runner(ledger_path=ledger, skip_unchanged=True, delivery=delivery)
    given = Input(5)
    for _ in range(2):
        assert running.run(given.lines())[0] == 0
        assert_rows_are_right(running.service, given)
        assert delivered(running.service) == Counter(given.activities)
    reading = {"attributes", "accounts", "users"}
    assert set(running.service.stats()["calls"]) <= {delivery, *reading}


def test_what_was_uncertain_can_be_sent_again_by_replaying_the_rejects(
    runner, tmp_path, config_file
) -> None:
    running = runner(ledger_path=str(tmp_path / "ledger.db"))
    given = Input(6)
    killed_and_finished(running, given, resume=False)
    settings = {"ledger_path": str(tmp_path / "ledger.db"), "max_in_flight": 8}
    config = config_file(running.service.config(**settings, rejects_path=str(tmp_path / "second")))
    for path in sorted(tmp_path.glob("rejects*")):
        assert Runner(running.service, config, tmp_path).run(path.read_text())[0] == 0
    assert set(delivered(running.service)) == given.activities
