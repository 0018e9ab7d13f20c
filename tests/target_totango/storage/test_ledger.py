"""The ledger: what it remembers through kills, and which files it takes."""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from forked import PREPARE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from target_totango.models import Confirmation
from target_totango.storage import ledger_file
from target_totango.storage.known_users import KnownUsers
from target_totango.storage.ledger import NOTES_PER_COMMIT, Ledger
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "SP-12345-01"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def reopened(path: Path) -> Ledger:
    return Ledger(path, service=SERVICE)


# Memory ------------------------------------------------------------------------------------


def test_what_was_confirmed_is_known_at_once_and_after_a_reopening(path: Path) -> None:
    key = ("users", "acme", "joe@acme.com")
    with reopened(path) as ledger:
        digest = ledger.digest({"Plan": "Gold", "name": "Joe"})
        assert ledger.noted(key) is None
        ledger.note(key, digest)
        assert ledger.noted(key) == digest
    with reopened(path) as ledger:
        assert ledger.noted(key) == digest == ledger.digest({"name": "Joe", "Plan": "Gold"})
        ledger.forget(key)
        assert ledger.noted(key) is None
    with reopened(path) as ledger:
        assert ledger.noted(key) is None


@given(
    one=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=4),
    other=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=4),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_digest_stands_for_its_values_alone(
    digests: Ledger, one: dict[str, str], other: dict[str, str]
) -> None:
    assert (digests.digest(one) == digests.digest(other)) == (one == other)
    assert digests.digest(dict(reversed(one.items()))) == digests.digest(one)


@pytest.fixture
def digests(tmp_path: Path) -> Any:
    with reopened(tmp_path / "digests.db") as ledger:
        yield ledger


def test_what_earlier_versions_stored_is_found_again(path: Path) -> None:
    """Otherwise rows would be sent again, and activities counted twice."""
    reopened(path).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE meta SET value = ? WHERE name = 'salt'", (bytes(32),))
        key, fingerprint = "76cdf3f715bde2900725f5050ed5a366", "321e229b640c0b645311d129d0dad2cd"
        database.execute("INSERT INTO confirmed VALUES (?, ?)", (bytes.fromhex(key), b"x"))
        database.execute("INSERT INTO activities VALUES (?, 2)", (bytes.fromhex(fingerprint),))
    with reopened(path) as ledger:
        assert ledger.noted(("accounts", "Zoë")) == b"x"
        assert ledger.activity_state(("acme", "1")) == "done"
        plain = ledger.digest({"b": "Zoe", "": "1:x"})
        assert plain.hex() == "2fcb09283d5a3336e8183f3521660ba1"
        other = ledger.digest({"b": "Zoë", "a": "\ud800"})
        assert other.hex() == "7c92c0e7df8720cef2641ab324b20b80"


def test_of_several_notes_the_latest_is_found_wherever_it_is(path: Path) -> None:
    with reopened(path) as ledger:
        for number in range(3):
            ledger.note((f"{number}",), b"old")
        ledger.finish(("a",), ("b",), ("c",))
        ledger.flush()
        ledger.confirm({("1",): Confirmation(bytes(16), b"e", 7)})
        ledger.forget(("2",))
        ledger.abandon(("b",))
        found = ledger.all_confirmed([("3",), ("2",), ("1",), ("0",), ("1",)])
        assert [known and known.run for known in found[:3]] == [None, None, 7]
        assert found[3] is not None
        assert found[4] == found[2]
        states = ledger.activity_states([("d",), ("c",), ("b",)])
        assert states == [None, "done", None]


def test_keys_do_not_run_into_each_other(path: Path) -> None:
    with reopened(path) as ledger:
        ledger.note(("a", "bc"), b"1")
        assert ledger.noted(("ab", "c")) is None
        assert ledger.noted(("a", "bc", "")) is None
        ledger.finish(("a", "bc"))
        assert ledger.activity_state(("a", "b", "c")) is None


def test_an_activity_goes_from_sending_to_done_or_back(path: Path) -> None:
    one, other = ("acme", "joe", "Pay", "1"), ("acme", "joe", "Pay", "2")
    with reopened(path) as ledger:
        ledger.begin(one, other)
        assert ledger.activity_state(one) == ledger.activity_state(other) == "sending"
        ledger.finish(one)
        ledger.abandon(other)
        assert (ledger.activity_state(one), ledger.activity_state(other)) == ("done", None)
    with reopened(path) as ledger:
        assert (ledger.activity_state(one), ledger.activity_state(other)) == ("done", None)


class LedgerAgainstDicts(RuleBasedStateMachine):
    """Whatever is noted in whatever order, the ledger says what two dictionaries say."""

    keys = Bundle("keys")

    @initialize()
    def start(self) -> None:
        import tempfile

        self.home = tempfile.TemporaryDirectory()
        self.path = Path(self.home.name) / "ledger.db"
        self.ledger = reopened(self.path)
        self.digests: dict[tuple[str, ...], bytes] = {}
        self.states: dict[tuple[str, ...], str] = {}

    @rule(target=keys, key=st.lists(st.text(max_size=4), min_size=1, max_size=3))
    def key(self, key: list[str]) -> tuple[str, ...]:
        return tuple(key)

    @rule(key=keys, digest=st.binary(min_size=1, max_size=4))
    def confirm(self, key: tuple[str, ...], digest: bytes) -> None:
        self.ledger.note(key, digest)
        self.digests[key] = digest

    @rule(key=keys)
    def forget(self, key: tuple[str, ...]) -> None:
        self.ledger.forget(key)
        self.digests.pop(key, None)

    @rule(key=keys, state=st.sampled_from(["begin", "finish", "abandon"]))
    def activity(self, key: tuple[str, ...], state: str) -> None:
        getattr(self.ledger, state)(key)
        self.states.pop(key, None)
        if state != "abandon":
            self.states[key] = "sending" if state == "begin" else "done"

    @rule()
    def flush(self) -> None:
        self.ledger.flush()

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = reopened(self.path)

    @rule(key=keys)
    def look(self, key: tuple[str, ...]) -> None:
        assert self.ledger.noted(key) == self.digests.get(key)
        assert self.ledger.activity_state(key) == self.states.get(key)

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
            self.home.cleanup()


TestLedgerAgainstDicts = LedgerAgainstDicts.TestCase
TestLedgerAgainstDicts.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


# Kills -------------------------------------------------------------------------------------

WRITER = """
import sys
from target_totango.storage.ledger import Ledger
ledger = Ledger(sys.argv[1], service="SP-12345-01")
for number in range(int(sys.argv[2]), 1_000_000):
    ledger.begin(("act", str(number)))
    print("begun", number, flush=True)
    ledger.finish(("act", str(number)))
    ledger.note(("accounts", str(number)), b"%d" % number)
    if number % 7 == 0:
        ledger.flush()
        print("flushed", number, flush=True)
"""


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_flushed(path: Path, commands: Path) -> None:
    chance = random.Random(0)
    start = 0
    for _ in range(4):
        begun, flushed = written_until_killed(
            commands, path, start, after=chance.uniform(0.0, 0.15)
        )
        with reopened(path) as ledger:
            for number in range(start, flushed + 1):
                assert ledger.activity_state(("act", str(number))) == "done"
                assert ledger.noted(("accounts", str(number))) == b"%d" % number
            for number in range(max(flushed + 1, start), begun + 1):
                assert ledger.activity_state(("act", str(number))) in {"sending", "done"}
            assert ledger.activity_state(("act", str(begun + 2))) is None
        start = begun + 2


def written_until_killed(
    commands: Path, path: Path, start: int, *, after: float
) -> tuple[int, int]:
    """Return the last numbers that the writer said it had begun and flushed."""
    command, env = [commands / "target-totango", path, str(start)], {**os.environ, PREPARE: WRITER}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as writer:
        assert writer.stdout
        lines = [writer.stdout.readline()]
        time.sleep(after)
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().splitlines(keepends=True)
    said = [line.split() for line in lines if line.endswith("\n")]
    last = {what: int(number) for what, number in said}
    return last["begun"], last.get("flushed", start - 1)


# Threads and speed ---------------------------------------------------------------------------


def test_threads_share_it(path: Path) -> None:
    def work(name: str) -> None:
        for number in range(200):
            key = (name, str(number))
            ledger.begin(key)
            assert ledger.activity_state(key) == "sending"
            ledger.finish(key)
            ledger.note(key, b"x")
            assert ledger.noted(key) == b"x"

    with reopened(path) as ledger:
        threads = [threading.Thread(target=work, args=(str(name),)) for name in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with reopened(path) as ledger:
        for name in range(16):
            assert ledger.activity_state((str(name), "199")) == "done"
            assert ledger.noted((str(name), "0")) == b"x"


@pytest.mark.parametrize("table", ["confirmed WHERE key", "activities WHERE fingerprint"])
def test_a_lookup_does_not_scan_the_file(path: Path, table: str) -> None:
    reopened(path).close()
    with closing(sqlite3.connect(path)) as database:
        ((*_, plan),) = database.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {table} = ?", (b"",))
    assert plan.startswith("SEARCH")


def test_a_long_run_does_not_keep_everything_in_memory(path: Path) -> None:
    with reopened(path) as ledger:
        for number in range(NOTES_PER_COMMIT + 1):
            ledger.note((str(number),), b"x")
        assert len(ledger._fresh.confirmed) <= 1
        for number in range(NOTES_PER_COMMIT + 1):
            ledger.finish((str(number),))
        assert len(ledger._fresh.activities) <= 1


# Files -------------------------------------------------------------------------------------


def test_only_its_owner_can_read_it(path: Path) -> None:
    with reopened(path) as ledger:
        ledger.begin(("a",))
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    path.chmod(0o644)
    reopened(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_holds_nothing_that_could_be_read(path: Path) -> None:
    with reopened(path) as ledger:
        ledger.note(("users", "acme", "joe@acme.com"), ledger.digest({"name": "Joe Doe"}))
        ledger.begin(("acme", "joe@acme.com", "Payments"))
        found = b"".join(file.read_bytes() for file in path.parent.iterdir())
    found += path.read_bytes()
    for text in (b"acme", b"joe", b"Joe", b"Payments", b"users"):
        assert text not in found


def test_two_ledgers_cannot_be_compared(tmp_path: Path) -> None:
    with reopened(tmp_path / "one") as one, reopened(tmp_path / "other") as other:
        assert one.digest({"a": "b"}) != other.digest({"a": "b"})


def test_a_second_run_is_told_to_wait(path: Path) -> None:
    opening = (
        "import sys; from target_totango.storage.ledger import Ledger; "
        "Ledger(*sys.argv[1:2], service='S')"
    )
    with reopened(path):
        with pytest.raises(SettingsError, match="in use by another run"):
            reopened(path)
        done = subprocess.run(
            [sys.executable, "-c", opening, path], capture_output=True, text=True, check=False
        )
        assert "in use by another run" in done.stderr
    reopened(path).close()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EACCES, errno.ENOSYS])
def test_a_folder_without_locks_is_not_taken_for_another_run(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    code = sqlite3.SQLITE_IOERR_LOCK if number == errno.ENOSYS else sqlite3.SQLITE_BUSY
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    monkeypatch.setattr(ledger_file.fcntl, "lockf", refuse)
    with (
        pytest.raises(SettingsError, match="cannot be locked where it is") as raised,
        ledger_file.explaining_errors(path),
    ):
        raise error
    assert "a disk of this machine" in raised.value.remedy


def test_another_service_needs_another_file(path: Path) -> None:
    reopened(path).close()
    with pytest.raises(SettingsError, match="belongs to service SP-12345-01"):
        Ledger(path, service="SP-2-01")


def a_text_file(path: Path) -> None:
    path.write_text("id,name\n1,Joe\n" * 1000)


def another_database(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE runs (id INTEGER)")
    database.commit()
    database.close()


def a_newer_ledger(path: Path) -> None:
    reopened(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


def a_damaged_ledger(path: Path) -> None:
    with reopened(path) as ledger:
        for number in range(2000):
            ledger.note((str(number),), b"0123456789abcdef")
    content = bytearray(path.read_bytes())
    content[1000:] = bytes(len(content) - 1000)
    path.write_bytes(content)


def a_saltless_ledger(path: Path) -> None:
    reopened(path).close()
    database = sqlite3.connect(path)
    database.execute("DELETE FROM meta WHERE name = 'salt'")
    database.commit()
    database.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (a_text_file, "no ledger"),
        (another_database, "no ledger"),
        (a_newer_ledger, "format 99"),
        (a_damaged_ledger, "damaged"),
        (a_saltless_ledger, "damaged"),
    ],
)
def test_a_file_that_is_no_ledger_is_left_as_it_is(
    path: Path, make: Callable[[Path], None], said: str
) -> None:
    make(path)
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(SettingsError, match=said) as raised:
        reopened(path)
    assert raised.value.remedy
    assert path.read_bytes() == before
    if make in {a_text_file, another_database}:
        assert path.stat().st_mode & 0o777 == 0o644
    # Nobody holds it any more.
    assert not Path(f"{path}-wal").exists() or not Path(f"{path}-wal").stat().st_size


@pytest.mark.parametrize(("version", "is_newer"), [(1, False), (99, True)])
def test_only_a_ledger_of_a_newer_version_asks_for_it(
    path: Path, version: int, is_newer: bool
) -> None:
    reopened(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(SettingsError, match=f"format {version}") as raised:
        reopened(path)
    assert ("newer version" in str(raised.value.remedy)) is is_newer


@pytest.mark.parametrize("place", [".", "missing/ledger.db"])
def test_a_place_where_no_file_can_be_is_named(tmp_path: Path, place: str) -> None:
    with pytest.raises(SettingsError, match="cannot be"):
        reopened(tmp_path / place)


@pytest.mark.parametrize("kept", [reopened, KnownUsers], ids=["ledger", "users"])
@pytest.mark.parametrize("is_replaced", [False, True], ids=["removed", "replaced"])
def test_a_file_that_is_taken_away_meanwhile_is_missed(
    path: Path, kept: Callable[[Path], Ledger | KnownUsers], is_replaced: bool
) -> None:
    kept(path).close()
    opened = kept(path)
    aside = path.rename(path.with_name("aside.db"))
    if is_replaced:
        path.write_bytes(aside.read_bytes())
    with pytest.raises(SettingsError, match="was removed or replaced while this run used it"):
        opened.close()


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    path.touch()
    with reopened(path) as ledger:
        ledger.note(("a",), b"x")
    with reopened(path) as ledger:
        assert ledger.noted(("a",)) == b"x"


def test_a_full_disk_is_said_and_nothing_is_forgotten(path: Path) -> None:
    with reopened(path) as ledger:
        pages = ledger._database.execute("PRAGMA page_count").fetchone()[0]
        ledger._database.execute(f"PRAGMA max_page_count = {pages + 1}")
        for number in range(4000):
            ledger.note((str(number),), b"0123456789abcdef")
        with pytest.raises(SettingsError, match="full"):
            ledger.flush()
        ledger._database.execute("PRAGMA max_page_count = 100000")
        ledger.flush()
        assert ledger.noted(("3999",)) == b"0123456789abcdef"


def test_digests_come_back_byte_for_byte(path: Path) -> None:
    with reopened(path) as ledger:
        ledger.note(("a",), b"\x00\xff{}")
    with reopened(path) as ledger:
        assert ledger.noted(("a",)) == b"\x00\xff{}"


def test_evidence_stands_for_a_way_and_shows_nothing_of_it(path: Path) -> None:
    with reopened(path) as ledger:
        first = ledger.evidence("tracking", "https://host", "SP-1-01", "token")
        assert first == ledger.evidence("tracking", "https://host", "SP-1-01", "token")
        assert first != ledger.evidence("tracking", "https://host", "SP-1-01", "")
        given = Confirmation(ledger.digest({}), first, ledger.run)
        ledger.confirm({("a",): given})
        assert ledger.confirmed(("a",)) == given
    assert b"token" not in path.read_bytes()


def test_each_run_has_a_number_and_each_ledger_an_id(path: Path, tmp_path: Path) -> None:
    with reopened(path) as ledger, reopened(tmp_path / "other.db") as other:
        assert (ledger.run, other.run) == (1, 1)
        first, second = ledger.id, other.id
    assert first != second
    with reopened(path) as ledger:
        assert (ledger.run, ledger.id) == (2, first)
