"""The settings of target-totango: name, type, default, and what each is for."""

from __future__ import annotations

from typing import Any, Final

from target_totango.mapping import (
    IGNORE,
    OPTION_SETTINGS,
    POLICY_SETTINGS,
    REJECT,
    SEGMENT_SETTINGS,
    WARN,
)
from target_totango.models import HUB, TRACKING
from totango_api import limits
from totango_api.command import PART_PATTERN
from totango_api.config import CONNECTION_SETTINGS
from totango_api.notifications import FAILURE, REJECTS, notify_settings
from totango_api.plugin_config import setting
from totango_api.report import report_settings

CREATE: Final = "create"
HOLD: Final = "hold"
FAIL: Final = "fail"
AT_MOST_ONCE: Final = "at_most_once"
AT_LEAST_ONCE: Final = "at_least_once"
SEGMENT: Final = "segment"

DEFAULT_IN_FLIGHT: Final = 128
DEFAULT_MAX_DELETES: Final = 100
DEFAULT_VERIFY_SHARE: Final = 0.05
DEFAULT_VERIFY_TIMEOUT: Final = 120
DEFAULT_REJECTS_PATH: Final = "target-totango-rejects.singer"


OWN_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "sdr_token": setting(
        "string",
        "SDR token",
        "Security token of tracking calls (Settings, SDR tokens), for services that ask for one.",
        secret=True,
        writeOnly=True,
    ),
    "tracking_receipt": setting(
        "string",
        "Receipt of tracking calls",
        "What answers a tracking call that was taken, where that is not the documented GIF: a "
        "regular expression for the whole body, empty for an empty one. Any other response "
        "confirms nothing. Not needed where the canary finds the first row.",
    ),
    "mappings": setting(
        "array",
        "Mappings",
        "Which stream goes where: a list of objects with `stream` (name or glob), `object`, "
        "`account_id`, `user_id`, `account_name`, `user_name`, `activity`, `module`, `parent_id`, "
        "`product_id`, `ofid`, `collection_type`, `collection_id`, `attributes` (API name to "
        "source), `unmapped` (include, drop), `recency_field`, `activity_time`, `order`, "
        "`delivery`, `sync_mode`, `verify`, `skip_unchanged`, `match_on`, `create`, `note`, and "
        "each setting about values. A source is a field, a dotted path, a template such as "
        "`{account_id}_{product_id}`, or an object: see docs/mapping.md; "
        "docs/touchpoints-and-tasks.md has those of these objects.",
        items={"type": "object"},
    ),
    "attributes_path": setting(
        "string",
        "Attribute names",
        "File with the service's attributes, so that it is not asked: what `tap-totango` writes of "
        "its stream `attributes`, as Singer messages or JSON lines. Without it and without "
        "app_token, only the names that every service has are known.",
    ),
    "preset": setting(
        "string",
        "Preset",
        "`segment`: streams of group, identify, track, page and screen calls, or the tables that "
        "Segment fills in a warehouse.",
        enum=[SEGMENT],
    ),
    **SEGMENT_SETTINGS,
    "unmapped_streams": setting(
        "string",
        "Unmapped streams",
        "What to do with a stream that fits no object and no mapping: fail, or ignore and count.",
        enum=[FAIL, IGNORE],
        default=FAIL,
    ),
    "delivery": setting(
        "string",
        "Delivery",
        "`tracking`: documented, not rate limited, one call a row. `hub`: Integration Hub "
        "batches, answered row by row.",
        enum=[TRACKING, HUB],
        default=TRACKING,
    ),
    **POLICY_SETTINGS,
    **OPTION_SETTINGS,
    "unknown_accounts": setting(
        "string",
        "Unknown accounts",
        "What a row about a user, an activity or a collection does whose account neither is in "
        "Totango nor came before: create the account, without a name, reject the row, or hold it "
        "back until a row about the account came, and reject it if none does. To reject or hold "
        "needs app_token, and a call for 500 rows.",
        enum=[CREATE, REJECT, HOLD],
        default=CREATE,
    ),
    "on_invalid": setting(
        "string",
        "Invalid rows",
        "Write an invalid row to the rejects file and go on, or fail at the first one.",
        enum=[REJECT, FAIL],
        default=REJECT,
    ),
    "max_rejected": setting(
        "integer",
        "Tolerated rejects",
        "How many rejected rows still count as success: a number, or a share of the rows read, "
        "such as `2%`.",
        default=0,
    )
    | {
        "type": ["integer", "string", "null"],
        "minimum": 0,
        "pattern": r"^\s*(\d+|\d+(\.\d+)?\s*%)\s*$",
        "examples": ["5", "2%"],
    },
    "rejects_path": setting(
        "string",
        "Rejects file",
        "Rejected rows with their reasons, as a Singer file: pipe it back in to send them again.",
        default=DEFAULT_REJECTS_PATH,
    ),
    "skipped_path": setting(
        "string",
        "Skipped rows",
        "Where to write the rows that a mode or setting keeps from being sent, with the reason, as "
        "a file like that of rejects.",
    ),
    "sent_path": setting(
        "string",
        "Sent rows",
        "Where to keep the rows that were written, as a Singer file that only its owner can read: "
        "each as it came, and under `_sent` when it was taken and what went out.",
    ),
    "canary": setting(
        "boolean",
        "Canary",
        "Where there is an app_token, read the first written row of each object and delivery back "
        "before the rest goes out: a wrong service, a missing SDR token or an unknown attribute is "
        "found with one row. Waits up to verify_timeout.",
        default=True,
    ),
    "verify_share": setting(
        "number",
        "Sampled share",
        "Share of rows that `verify: sample` reads back.",
        exclusiveMinimum=0,
        maximum=1,
        default=DEFAULT_VERIFY_SHARE,
    ),
    "verify_timeout": setting(
        "number",
        "Verification timeout",
        "Seconds for which written rows may take to become visible.",
        minimum=0,
        default=DEFAULT_VERIFY_TIMEOUT,
    ),
    "verify_mismatch": setting(
        "string",
        "Verification mismatch",
        "Fail or only warn when a written row is not found as it was sent.",
        enum=[FAIL, WARN],
        default=FAIL,
    ),
    "activity_delivery": setting(
        "string",
        "Activities in doubt",
        "What to do with an activity of which nobody can tell whether it was counted, since its "
        "call failed (5xx), was cut off or had no receipt. `at_most_once`: it goes to the rejects "
        "file as uncertain, and may be missing. `at_least_once`: it is sent again, and may count "
        "twice.",
        enum=[AT_MOST_ONCE, AT_LEAST_ONCE],
        default=AT_MOST_ONCE,
    ),
    "ledger_path": setting(
        "string",
        "Ledger",
        "SQLite file that remembers what was confirmed, so that nothing is sent twice: neither "
        "unchanged rows nor an activity that a failed run had delivered. Touchpoints and tasks "
        "need it.",
    ),
    "full_sync_every_hours": setting(
        "number",
        "Full sync",
        "Beside skip_unchanged: how often all rows of a stream that come are sent, whether or not "
        "they changed, so that what was altered or lost in Totango is put right. 0 is every run.",
        minimum=0,
    ),
    "dry_run": setting(
        "boolean",
        "Dry run",
        "Write nothing; say what would be created, updated, left unchanged or rejected.",
        default=False,
    ),
    "hard_delete": setting(
        "boolean",
        "Delete users",
        "Delete users whose rows say that they are gone (`deleted_when`), or that a new table "
        "version no longer holds. Irreversible. Accounts cannot be deleted.",
        default=False,
    ),
    "deleted_when": setting(
        "string",
        "Deletion mark",
        "Which rows say that their subject is gone: a source that is then true or a moment, such "
        "as `IsDeleted`, or an object of a source and `equals`, a value or a list of values. "
        "Without it, rows with a moment in `_sdc_deleted_at`.",
    )
    | {"type": ["string", "object", "null"]},
    "max_deletes": setting(
        "integer",
        "Most deletions",
        "When a run would delete more users than this, it deletes none.",
        minimum=0,
        default=DEFAULT_MAX_DELETES,
    ),
    "max_in_flight": setting(
        "integer",
        "Calls in flight",
        "Most tracking calls at once. Fewer are made where the service answers 429, fails or gets "
        "slower: how many it bears is found out.",
        minimum=1,
        maximum=512,
        default=DEFAULT_IN_FLIGHT,
    ),
    "hub_batch_size": setting(
        "integer",
        "Hub batch size",
        "Most rows in one Integration Hub batch.",
        minimum=1,
        default=limits.HUB_BATCH_ROWS,
    ),
    "part": setting(
        "string",
        "Part",
        "One part of the rows, such as `3/8`, by account, for runs on several machines that all "
        "get the whole input: all parts together write all of it. The others' rows count as "
        "skipped. Each part needs files of its own (ledger_path, rejects_path).",
    )
    | {"pattern": PART_PATTERN, "examples": ["3/8"]},
    "probe_path": setting(
        "string",
        "Profile of the service",
        "File that `target-totango probe` wrote: what cannot work on the service is logged before "
        "the first row, and what suits it takes the place of defaults. Settings win over it, and "
        "one of another service ends the run before anything is written.",
    ),
    **report_settings(),
    **notify_settings(FAILURE, REJECTS),
    "notify_rejects_above": setting(
        "string",
        "Rejects without notification",
        "With `notify_on: rejects`, the share of the rows read that may be rejected without a "
        "notification, such as `2%`.",
    )
    | {"pattern": r"^\s*\d+(\.\d+)?\s*%\s*$", "examples": ["2%"]},
    "report_values": setting(
        "boolean",
        "Values in reports",
        "Show values in the report, where it shows what rows look like that were not taken. Such a "
        "report is for its owner's eyes only.",
        default=False,
    ),
}
"""JSON Schema of each setting that only the target has, by name."""

CONFIG_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {**CONNECTION_SETTINGS, **OWN_SETTINGS},
    "additionalProperties": False,
}

COMMANDS: Final = {
    "check": "say whether token, service and hub fit; writes nothing",
    "probe": "find out how the service takes writes, on one account that you name for it",
    "rejects": "list, split or replay a file of rejected rows",
}
"""Subcommands, and what each does."""
