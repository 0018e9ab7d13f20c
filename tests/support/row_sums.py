"""Where each row of an input is after a run: in Totango, on file, or behind held STATE."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from in_process import run_main
from target_runs import record, schema

from target_totango.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from in_process import Ended
    from sandboxes import Sandbox

FAULTS = {
    "500": "500@{}",
    "503": "503@{}",
    "429": "429@{}:retry=0.05",
    "reset": "drop-before@{}",
    "truncated": "truncate@{}",
    "no JSON": "html@{}",
    "failure in 200": "failed200@{}",
    "hang": "timeout@{}:hang=0.6",
    "applied, answer lost": "drop@{}",
    "applied, answer in time lost": "timeout-after@{}:hang=0.6",
    "applied, 500": "500@{}:applied",
}
"""What goes wrong with a call, as a rule of the sandbox for a surface."""

PATIENCE = {"max_retry_seconds": 0.08, "request_timeout": 0.3, "verify_timeout": 1}
"""Settings with which a call that fails for good does so at once."""

STATE_EVERY = 4


@dataclass(frozen=True)
class Source:
    """Rows that are each about something of its own, with a STATE every few of them.

    Attributes:
        object: `accounts` or `activities`.
        rows: How many.
    """

    object: str
    rows: int

    def messages(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the messages of the rows after a bookmark."""
        if self.object == "accounts":
            yield schema("accounts", "account_id", "Plan", keys=("account_id",))
        else:
            fields = ("id", "account_id", "user_id", "activity", "module")
            yield schema("activities", *fields, keys=("id",))
        for number in range(after, self.rows):
            yield self._record(number)
            if (number + 1) % STATE_EVERY == 0 or number + 1 == self.rows:
                yield {"type": "STATE", "value": {"place": number + 1}}

    def numbers_in(self, service: Sandbox) -> Counter[int]:
        """Return how often each row is in Totango."""
        named = {"accounts": "account_id", "activities": "activity"}[self.object]
        return Counter(
            int(row[named].removeprefix("row-"))
            for row in service.dump(self.object)
            if self.object != "accounts" or row["attributes"].get("Plan") == row[named]
        )

    def number_of(self, rejected: dict[str, Any]) -> int:
        """Return which row a record of a rejects file is."""
        named = {"accounts": "account_id", "activities": "activity"}[self.object]
        return int(str(rejected[named]).removeprefix("row-"))

    def _record(self, number: int) -> dict[str, Any]:
        name = f"row-{number}"
        if self.object == "accounts":
            return record("accounts", account_id=name, Plan=name)
        subject = {"account_id": f"a-{number % 7}", "user_id": f"u-{number % 5}@x.com"}
        return record("activities", id=number, **subject, activity=name, module="m")


@dataclass
class Sum:
    """Where the rows are.

    Attributes:
        source: The rows.
        landed: How often each is in Totango.
        on_file: The codes for which rows are in the rejects files.
        place: Rows before the last STATE that was emitted.
        exit_code: Of the run.
        first: The first row that it read.
    """

    source: Source
    landed: Counter[int]
    on_file: dict[int, set[str]]
    place: int
    exit_code: int
    first: int = 0
    said: str = field(default="", repr=False)

    def faults(self) -> list[str]:
        """Return what is wrong with it."""
        rows = set(range(self.source.rows))
        lost = {number for number in rows if number < self.place}
        lost -= self.landed.keys() | self.on_file.keys()
        doubled = [number for number, times in self.landed.items() if times > 1]
        # What may have arrived is said to be uncertain; all else in the file has not arrived.
        both = [
            number
            for number in self.landed.keys() & self.on_file.keys()
            if self.on_file[number] != {"uncertain"}
        ]
        is_all = self.landed.keys() >= set(range(self.first, self.source.rows))
        faults = {
            f"{len(lost)} rows are nowhere: {sorted(lost)[:5]}": lost,
            f"{len(doubled)} rows are there twice: {doubled[:5]}": doubled,
            f"{len(both)} rows are there and rejected: {both[:5]}": both,
            "it exits 0, and not all rows are there": self.exit_code == 0 and not is_all,
            "it exits 0, and not all STATE is out": self.exit_code == 0 and self.place < len(rows),
        }
        return [said for said, is_so in faults.items() if is_so]


@dataclass
class Home:
    """A folder in which runs of a source follow one another against a sandbox.

    Attributes:
        settings: Settings of the target.
        place: Rows before the last STATE that any run emitted.
    """

    folder: Path
    service: Sandbox
    source: Source
    settings: dict[str, Any]
    place: int = 0

    def run(self) -> Sum:
        """Run the target in this process from where the last run left off."""
        first = self.place
        given, config = self.folder / "input.singer", self.folder / "config.json"
        lines = [json.dumps(each) for each in self.source.messages(self.place)]
        given.write_text("\n".join(lines) + "\n")
        rejects = str(self.folder / "rejects.singer")
        config.write_text(json.dumps(self.service.config(rejects_path=rejects, **self.settings)))
        arguments = ("--config", str(config), "--input", str(given))
        ended = run_main(main, "target-totango", *arguments)
        for line in ended.stdout.splitlines():
            place = json.loads(line)["place"]
            assert place > self.place, "STATE goes back"
            self.place = place
        return self._sum(first, ended)

    def _sum(self, first: int, ended: Ended) -> Sum:
        on_file: defaultdict[int, set[str]] = defaultdict(set)
        for path in self.folder.glob("rejects*"):
            for message in map(json.loads, path.read_text().splitlines()):
                if message["type"] == "RECORD":
                    codes = {fault["code"] for fault in message["_reject"]["faults"]}
                    on_file[self.source.number_of(message["record"])] |= codes
        landed = self.source.numbers_in(self.service)
        return Sum(self.source, landed, on_file, self.place, ended.code, first, ended.stderr)


@dataclass(frozen=True)
class Cell:
    """One fault, of calls of one kind, in a run of so many rows.

    Attributes:
        fault: Which of `FAULTS`.
        when: Which calls it strikes, as the end of a rule: empty for all of them.
    """

    object: str
    delivery: str
    fault: str
    rows: int
    when: str

    def __str__(self) -> str:
        """Name it."""
        how = f" ({self.when.strip(':')})" if self.when else ""
        return f"{self.rows} {self.object} by {self.delivery}: {self.fault}{how}"

    def faults(self, folder: Path, service: Sandbox, **settings: Any) -> list[str]:
        """Run it, and once more when the fault is over; return what is wrong."""
        settings = {**PATIENCE, "delivery": self.delivery, **settings}
        if self.object == "activities":
            settings["ledger_path"] = str(folder / "ledger.db")
        home = Home(folder, service, Source(self.object, self.rows), settings)
        service.chaos(FAULTS[self.fault].format(self.delivery) + self.when)
        found = [f"{each}, in the fault" for each in home.run().faults()]
        service.chaos()
        if home.place < self.rows:
            home.settings |= {"request_timeout": 30, "max_retry_seconds": 30}
            after = home.run()
            found += [f"{each}, afterwards" for each in after.faults()]
            if home.place < self.rows:
                found.append(f"STATE is held although all is well: {after.said[-500:]}")
        return found
