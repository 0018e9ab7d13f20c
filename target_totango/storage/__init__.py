"""Keeps everything that is on disk: run store, ledger, rejects."""

from target_totango.storage.known_users import KnownGroups, User
from target_totango.storage.ledger import ActivityState, Ledger
from target_totango.storage.private_files import PRIVATE
from target_totango.storage.rejects_file import (
    REJECTS,
    reasons_in,
    row_of_reject,
    run_of_reject,
)
from target_totango.storage.run_files import RunFiles
from target_totango.storage.run_store import RunStore, comparable, is_older
from target_totango.storage.singer_file import SingerFile
from target_totango.storage.stale_rejects import (
    StaleRejects,
    is_superseded,
    newer_names,
    rejected_as,
)

__all__ = [
    "PRIVATE",
    "REJECTS",
    "ActivityState",
    "KnownGroups",
    "Ledger",
    "RunFiles",
    "RunStore",
    "SingerFile",
    "StaleRejects",
    "User",
    "comparable",
    "is_older",
    "is_superseded",
    "newer_names",
    "reasons_in",
    "rejected_as",
    "row_of_reject",
    "run_of_reject",
]
