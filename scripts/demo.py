"""What the pair does, on this machine: files into Totango, Totango into files and into Totango.

Two sandboxes stand for two Totango services. Everything that is written is in `demo-output/`.
"""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlencode
from urllib.request import urlopen

from sandboxes import sandbox
from toolbox import BIN, ROOT, tool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from sandboxes import Sandbox

OUTPUT: Final = ROOT / "demo-output"
EXAMPLES: Final = ROOT / "examples"
SEED: Final = "accounts=400,users=700,events=50"
BAD_ROWS: Final = 5
"""Rows of examples/csv whose ids Totango would not take; the demo expects them to be rejected."""

SECONDS: Final = 300
TAP: Final = str(BIN / "tap-totango")
TARGET: Final = str(BIN / "target-totango")

Row = dict[str, Any]


class DemoError(Exception):
    """Something did not go as it should."""


@dataclass(frozen=True)
class Step:
    """One line of the table at the end."""

    what: str
    read: int
    written: int
    rejected: int
    seconds: float
    where: str


def main() -> int:
    """Run the demo."""
    signal.signal(signal.SIGTERM, _stop)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    started = time.monotonic()
    try:
        _say("Getting the programs of others that take part")
        csv_tap, jsonl_target = tool("tap-csv-folder"), tool("target-jsonl")
        with ExitStack() as stack:
            first = stack.enter_context(_service("a", seed=SEED))
            second = stack.enter_context(_service("b"))
            _say(f"Two local Totangos: A with made-up data at {first.url}, B at {second.url}")
            steps = [
                _files_into_totango(csv_tap, first),
                _totango_into_files(jsonl_target, first, "full", None),
                _totango_into_totango(first, second),
                _only_what_changed(jsonl_target, first),
            ]
    except (DemoError, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        said = " ".join([str(error), *getattr(error, "__notes__", ())])
        print(f"\nThe demo failed: {said}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    _report(steps, time.monotonic() - started)
    return 0


def _service(name: str, *, seed: str = "none") -> AbstractContextManager[Sandbox]:
    """A sandbox whose data is still there afterwards: `totango-sandbox serve --db …`."""
    return sandbox(OUTPUT / f"sandbox-{name}", "--db", str(OUTPUT / f"{name}.db"), seed=seed)


def _files_into_totango(csv_tap: Path, service: Sandbox) -> Step:
    """Companies and contacts from CSV files, read by a tap that knows nothing of Totango."""
    _say("1. CSV files of companies and contacts -> tap-csv-folder -> target-totango -> A")
    before = len(service.dump("accounts")) + len(service.dump("users"))
    maps = _example("csv-to-totango/tap-csv-folder.json")
    rejects = OUTPUT / "rejects.singer"
    reached = service.config(
        rejects_path=str(rejects),
        report_path=str(OUTPUT / "report.json"),
        max_rejected=BAD_ROWS,
    )
    source = _config("tap-csv-folder", maps | {"path": str(EXAMPLES / "csv")})
    _, seconds = _pipe(
        [str(csv_tap), "--config", source],
        [TARGET, "--config", _config("target-totango-a", reached)],
    )
    rejected = _reasons(rejects)
    print(f"   {len(rejected)} rows were rejected, which is what these files are for:")
    for key, reason in rejected:
        print(f"   - {key}: {reason}")
    read = sum(_count_csv(path) for path in sorted((EXAMPLES / "csv").glob("*.csv")))
    written = len(service.dump("accounts")) + len(service.dump("users")) - before
    _expect(len(rejected) == BAD_ROWS, f"{BAD_ROWS} rejected rows expected, not {len(rejected)}")
    _expect(written == read - BAD_ROWS, f"{read - BAD_ROWS} rows expected in A, not {written}")
    where = _shown(rejects)
    return Step("CSV files -> A", read, written, len(rejected), seconds, where)


def _totango_into_files(
    jsonl_target: Path, service: Sandbox, name: str, state: Path | None
) -> Step:
    """All accounts and users as lines of JSON; the last line out is the state for the next run."""
    if state is None:
        _say("2. A -> tap-totango -> target-jsonl")
    folder = OUTPUT / name
    destination = _config(
        f"target-jsonl-{name}", {"destination_path": str(folder), "do_timestamp_file": False}
    )
    command = [TAP, "--config", _config("tap-totango-a", service.config())]
    command += ["--state", str(state)] if state else []
    out, seconds = _pipe(command, [str(jsonl_target), "--config", destination])
    (OUTPUT / f"state-{name}.json").write_text(out.splitlines()[-1])
    written = sum(len(_lines(path)) for path in folder.glob("*.jsonl"))
    held = len(service.dump("accounts")) + len(service.dump("users"))
    if state is None:
        _expect(written == held, f"A holds {held} accounts and users, the files {written}")
    return Step("A -> JSON lines", written, written, 0, seconds, _shown(folder))


def _totango_into_totango(source: Sandbox, copy: Sandbox) -> Step:
    """One service copied to another, with no mapping at all, and both compared."""
    _say("3. A -> tap-totango -> target-totango -> B, and both compared value by value")
    rejects = OUTPUT / "rejects-copy.singer"
    reached = copy.config(rejects_path=str(rejects))
    _, seconds = _pipe(
        [TAP, "--config", _config("tap-totango-a", source.config())],
        [TARGET, "--config", _config("target-totango-b", reached)],
    )
    rows = 0
    for kind in ("accounts", "users"):
        left, right = source.readable(kind), copy.readable(kind)
        differing = [key for key in left | right if left.get(key) != right.get(key)]
        _expect(not differing, f"{len(differing)} {kind} differ, the first is {differing[:1]}")
        rows += len(left)
        print(f"   {len(left)} {kind}: the same in both, attribute by attribute")
    return Step("A -> B", rows, rows, 0, seconds, _shown(OUTPUT / "b.db"))


def _only_what_changed(jsonl_target: Path, service: Sandbox) -> Step:
    """Some people use the product; the next run reads them and nobody else."""
    _say("4. A few people use the product; the next run reads what changed")
    active = service.dump("users")[:3]
    for user in active:
        _track(service, user["account_id"], user["user_id"])
    state = OUTPUT / "state-full.json"
    step = _totango_into_files(jsonl_target, service, "incremental", state)
    found = {row["user_id"] for row in _lines(OUTPUT / "incremental" / "users.jsonl")}
    missing = {user["user_id"] for user in active} - found
    _expect(not missing, f"{len(missing)} changed users were not read")
    everyone = len(service.dump("accounts")) + len(service.dump("users"))
    _expect(step.read < everyone / 10, f"{step.read} of {everyone} rows were read again")
    return replace(step, what="A -> JSON lines, again")


def _track(service: Sandbox, account: str, user: str) -> None:
    call = {"sdr_s": service.service_id, "sdr_o": account, "sdr_u": user}
    form = urlencode(call | {"sdr_a": "Log in", "sdr_m": "Demo"}).encode()
    with urlopen(f"{service.url}/pixel.gif", form, timeout=SECONDS):  # noqa: S310 (our own process)
        pass


def _pipe(source: Sequence[str], destination: Sequence[str]) -> tuple[str, float]:
    """Run `source | destination`; what each says of itself goes to a log."""
    started = time.monotonic()
    logs = [OUTPUT / f"{Path(command[0]).name}.log" for command in (source, destination)]
    shown = [
        f"{Path(command[0]).name} {' '.join(command[1:])}" for command in (source, destination)
    ]
    print("   $ " + " | ".join(shown).replace(f"{ROOT}/", ""))
    with logs[0].open("a") as first, logs[1].open("a") as second:
        reader = subprocess.Popen(source, stdout=subprocess.PIPE, stderr=first, cwd=ROOT)
        writer = subprocess.Popen(
            destination, stdin=reader.stdout, stdout=subprocess.PIPE, stderr=second, text=True
        )
        if reader.stdout:
            reader.stdout.close()  # only the writer may hold it, or the reader outlives it
        try:
            out, _ = writer.communicate(timeout=SECONDS)
            codes = reader.wait(SECONDS), writer.returncode
        finally:
            reader.kill()
            writer.kill()
    for log, code in zip(logs, codes, strict=True):
        said = "\n".join(log.read_text().splitlines()[-5:])
        _expect(code == 0, f"{log.stem} ended with {code}; it said:\n{said}")
    return out, time.monotonic() - started


def _config(name: str, settings: Row) -> str:
    path = OUTPUT / f"{name}.json"
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False))
    return str(path)


def _example(name: str) -> Row:
    settings: Row = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    return settings


def _lines(path: Path) -> list[Row]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.split("\n") if line]


def _count_csv(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.DictReader(file))


def _reasons(rejects: Path) -> list[tuple[str, str]]:
    """The key and the reason of every rejected row."""
    lines = [line for line in _lines(rejects) if line["type"] == "RECORD"]
    return [
        (
            f"{row.get('account_id') or '(no account)'} {row.get('user_id', '')}".strip(),
            "; ".join(fault["message"] for fault in line["_reject"]["faults"]),
        )
        for line in lines
        for row in [line["record"]]
    ]


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise DemoError(otherwise)


def _report(steps: Sequence[Step], seconds: float) -> None:
    head = ("what", "read", "written", "rejected", "seconds", "where")
    rows = [head] + [
        (
            step.what,
            str(step.read),
            str(step.written),
            str(step.rejected),
            f"{step.seconds:.1f}",
            step.where,
        )
        for step in steps
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    print()
    for row in rows:
        first, *numbers, where = row
        middle = "  ".join(
            text.rjust(width) for text, width in zip(numbers, widths[1:-1], strict=True)
        )
        print(f"{first.ljust(widths[0])}  {middle}  {where}")
    print(f"\nAll as expected, in {seconds:.0f} s. Configurations and logs: {_shown(OUTPUT)}/")
    print(f"Look around in A: {_shown(BIN)}/totango-sandbox serve --db {_shown(OUTPUT)}/a.db")


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
