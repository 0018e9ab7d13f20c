"""Files beside the ledger: users and groups of earlier runs, and what to do where none can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_totango.storage.known_users import KnownGroups, KnownUsers
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db.users"


@pytest.mark.parametrize("kept", [KnownUsers, KnownGroups])
@pytest.mark.parametrize("what", ["folder", "no folder", "another file"])
def test_a_place_where_no_file_can_be_is_named(
    path: Path, kept: type[KnownUsers | KnownGroups], what: str
) -> None:
    if what == "folder":
        path.mkdir()
    elif what == "no folder":
        path /= "deeper"
    else:
        path.write_text("no database" * 100)
    with pytest.raises(SettingsError, match=r"users.* cannot be used") as raised:
        kept(path)
    assert "ledger_path" in str(raised.value.remedy)


def note_many(users: KnownUsers) -> None:
    for number in range(1000):
        users.note("users", 1, ("a", f"u{number}"))


def test_a_full_disk_names_the_file_of_users_and_closes_it(path: Path) -> None:
    KnownUsers(path).close()
    users = KnownUsers(path)
    users._database.execute("PRAGMA max_page_count = 1")
    with pytest.raises(SettingsError, match=r"users cannot be used: .*full"):
        note_many(users)
    with pytest.raises(SettingsError, match=r"users cannot be used"):
        users.close()  # SQLite has rolled back what it could not write


def test_a_full_disk_keeps_no_group_and_names_the_file(path: Path) -> None:
    groups = KnownGroups(path)
    groups._database.execute("PRAGMA max_page_count = 1")
    for number in range(1000):
        groups.note(f"u{number}", "a")
    with pytest.raises(SettingsError, match=r"users cannot be used: .*full"):
        groups.keep()
    groups.close()
    groups = KnownGroups(path)
    assert groups.get("u1") is None
    groups.close()
