"""Runs of the target that are killed or terminated at random moments, and what they left behind."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from in_process import run_main
from toolbox import BIN

from target_totango.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from sandboxes import Sandbox

ACCOUNTS, USERS, ACTIVITIES = 12, 18, 50
STATE_EVERY = 10
KILLS = 2
HUB_BATCHES_OPEN = 9
"""Hub batches that a kill leaves open at most: the eight that may wait or be under way, and one
that started when they were over and not yet noted."""

SLOWLY = ("slow=0.1@tracking", "slow=0.4@hub")
SLOWEST = 0.5
"""Seconds after which the calls of a run that was killed are over, and overwrite nothing newer."""

STRUCK = frozenset({-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM})
"""Exit codes of a run that was killed or terminated."""


def open_by_a_kill(calls: int) -> int:
    """Return how many activities a kill leaves open at most, with so many tracking calls at once.

    Open is what the ledger holds as begun and not as done. When results were last noted, `calls`
    were under way and a quarter of that was handed over ahead. Until the next ones are noted, more
    is handed over three times (before a row is queued, while it waits for room, and before results
    are collected), a quarter each time at most, since nothing more fits.
    """
    ahead = calls // 4 + 1
    return calls + 4 * ahead


# What is sent --------------------------------------------------------------------------------


def schema(stream: str, keys: list[str], *fields: str) -> dict[str, Any]:
    properties = {name: {"type": ["null", "string"]} for name in (*keys, *fields)}
    return {
        "type": "SCHEMA",
        "stream": stream,
        "key_properties": keys,
        "schema": {"type": "object", "properties": properties},
    }


SCHEMAS = [
    schema("accounts", ["account_id"], "account_name", "Plan"),
    schema("users", ["account_id", "user_id"], "user_name", "Title"),
    schema("activities", ["id"], "account_id", "user_id", "activity", "module"),
]


@dataclass
class Input:
    """Records in a random order, in which some accounts and users change several times."""

    seed: int
    records: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        for number in range(2 * ACCOUNTS):
            account = {"account_id": f"acme-{number % ACCOUNTS}", "account_name": f"Größe {number}"}
            self.records.append(("accounts", {**account, "Plan": f"Plan+{number}%"}))
        for number in range(2 * USERS):
            key = {"account_id": f"acme-{number % 7}", "user_id": f"u{number % USERS}@x.com"}
            self.records.append(
                ("users", {**key, "user_name": f"U {number}", "Title": f"T{number}"})
            )
        for number in range(ACTIVITIES):
            what = {"id": str(number), "activity": f"Pay {number}", "module": "Billing"}
            whose = {"account_id": f"acme-{number % 5}", "user_id": f"u{number % 11}@x.com"}
            self.records.append(("activities", {**what, **whose}))
        chance.shuffle(self.records)

    def lines(self, after: int = 0) -> str:
        """The messages after a bookmark, a state behind every few records."""
        messages = list(SCHEMAS)
        for place, (stream, record) in enumerate(self.records[after:], after + 1):
            messages.append({"type": "RECORD", "stream": stream, "record": record})
            if place % STATE_EVERY == 0 or place == len(self.records):
                messages.append({"type": "STATE", "value": {"bookmarks": {"place": place}}})
        return "".join(json.dumps(message) + "\n" for message in messages)

    def last(self, stream: str, *keys: str) -> dict[tuple[str, ...], dict[str, str]]:
        """The last record of every key."""
        return {
            tuple(record[key] for key in keys): record
            for name, record in self.records
            if name == stream
        }

    @property
    def activities(self) -> set[str]:
        return {record["activity"] for stream, record in self.records if stream == "activities"}


# Runs ----------------------------------------------------------------------------------------


@dataclass
class Runner:
    """Runs the target against a sandbox, to its end or until it is killed."""

    service: Sandbox
    config: Path
    home: Path
    commands: Path = BIN

    def run(
        self, lines: str, *, kill_after_calls: int | None = None, by: int = signal.SIGKILL
    ) -> tuple[int, int]:
        """Return the exit code, and the place of the last state that came out (0: none).

        A run that is not to be killed needs no process of its own. One that is must not end before
        it is noticed how many calls it has made, however busy the machine is: its calls take time.
        """
        self.service.chaos(*SLOWLY if kill_after_calls else ())
        if kill_after_calls is None:
            command = ("target-totango", "--config", str(self.config))
            ended = run_main(main, *command, stdin=lines)
            return ended.code, _place(ended.stdout)
        source, out = self.home / "input", self.home / "output"
        source.write_text(lines)
        calls = self.service.stats()["calls_total"]
        with source.open() as stdin, out.open("w") as stdout, (self.home / "log").open("a") as log:
            process = subprocess.Popen(
                [self.commands / "target-totango", "--config", self.config],
                stdin=stdin,
                stdout=stdout,
                stderr=log,
            )
            try:
                while process.poll() is None:
                    if self.service.stats()["calls_total"] - calls >= kill_after_calls:
                        process.send_signal(by)
                        process.wait(60)
                    time.sleep(0.02)
            finally:
                process.kill()
                process.wait()
        time.sleep(SLOWEST)
        return process.returncode, _place(out.read_text())


def _place(out: str) -> int:
    states = [line for line in out.splitlines(keepends=True) if line[-1] == "\n"]
    place: int = json.loads(states[-1])["bookmarks"]["place"] if states else 0
    return place


def killed_and_finished(
    runner: Runner, given: Input, *, resume: bool, most_calls: int = 40, kills: int = KILLS
) -> int:
    """Kill or terminate a few runs, then let one end; return its exit code.

    A run may end before it is struck: what is left for a later one depends on the machine.
    """
    chance = random.Random(given.seed)
    place, code, strikes = 0, None, 0
    for _ in range(kills):
        by = chance.choice([signal.SIGKILL, signal.SIGTERM])
        calls = chance.randrange(1, most_calls)
        code, reached = runner.run(given.lines(place), kill_after_calls=calls, by=by)
        strikes += code in STRUCK
        assert not reached or not resume or reached > place, "STATE goes back"
        place = max(place, reached) if resume else 0
        if place == len(given.records):
            break
    assert strikes, "no run was killed"
    if place < len(given.records) or code in STRUCK:
        code, reached = runner.run(given.lines(place))
        assert reached == len(given.records) or place == len(given.records)
    assert code is not None
    return code


def assert_rows_are_right(service: Sandbox, given: Input) -> None:
    """Accounts and users hold what the input said last, and nothing else is there."""
    accounts = {(row["account_id"],): row for row in service.dump("accounts")}
    wanted = given.last("accounts", "account_id")
    assert set(accounts) == set(wanted)
    for key, record in wanted.items():
        assert accounts[key]["account_name"] == record["account_name"]
        assert accounts[key]["attributes"]["Plan"] == record["Plan"]
    users = {(row["account_id"], row["user_id"]): row for row in service.dump("users")}
    for key, record in given.last("users", "account_id", "user_id").items():
        assert users[key]["user_name"] == record["user_name"]
        assert users[key]["attributes"]["Title"] == record["Title"]


def delivered(service: Sandbox) -> Counter[str]:
    return Counter(row["activity"] for row in service.dump("activities"))


def reported(home: Path) -> set[str]:
    """Activities in any rejects file, each with the reason that it is uncertain."""
    lines = [line for path in home.glob("rejects*") for line in path.read_text().splitlines()]
    rows = [message for message in map(json.loads, lines) if "record" in message]
    assert all("uncertain" in json.dumps(row["_reject"]) for row in rows)
    return {row["record"]["activity"] for row in rows}


def assert_once_or_told(running: Runner, given: Input, code: int, *, most_open: int) -> None:
    """No activity is there twice; what a kill left open is told, and is not called success."""
    assert_rows_are_right(running.service, given)
    counts = delivered(running.service)
    assert set(counts.values()) == {1}
    uncertain = reported(running.home)
    assert given.activities - set(counts) <= uncertain
    assert code == 0 or uncertain
    assert len(uncertain) <= most_open, "more was left open than was in flight"
