"""The settings of target-totango: their schema, and the checked values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping import (
    DEFAULT_MARK,
    OPTION_SETTINGS,
    POLICY_SETTINGS,
    REJECT,
    SEGMENT_SETTINGS,
    DeletionMark,
    MappingConfig,
    Policy,
    SegmentOptions,
    mappings_of,
    parse_deleted_when,
    parse_mappings,
    setting,
    zone_named,
)
from target_totango.models import (
    HUB,
    OFF,
    TRACKING,
    UPSERT,
    WriteOptions,
)
from target_totango.objects import RECORDED
from totango_api import limits
from totango_api.config import SETTINGS as CONNECTION_SETTINGS
from totango_api.errors import SettingsError
from totango_api.parts import PATTERN, Part

if TYPE_CHECKING:
    from collections.abc import Mapping

CREATE: Final = "create"
FAIL: Final = "fail"
IGNORE: Final = "ignore"
WARN: Final = "warn"
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
        "regular expression for the whole body, empty for an empty one. Any other answer confirms "
        "nothing. Not needed where the canary finds the first row.",
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
        "Totango nor came before: create the account, without a name, or reject the row. To reject "
        "needs app_token, and a call for 500 rows.",
        enum=[CREATE, REJECT],
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
    | {"pattern": PATTERN},
    "report_path": setting(
        "string",
        "Report",
        "Where to write the run's report as JSON; a name that ends in `.jsonl` keeps a history, a "
        "line a run.",
    ),
}
"""JSON Schema of each setting that only the target has, by name."""

CONFIG_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {**CONNECTION_SETTINGS, **OWN_SETTINGS},
    "additionalProperties": False,
}


@dataclass(frozen=True)
class RejectLimit:
    """How many rejected rows still count as success.

    Attributes:
        rows: A number of rows, or a percentage of those read.
        is_share: Whether it is a percentage.
    """

    rows: float = 0
    is_share: bool = False

    @classmethod
    def parse(cls, value: int | str) -> RejectLimit:
        """Read the setting `max_rejected`."""
        text = str(value).strip()
        return cls(float(text.rstrip("% ")), is_share=text.endswith("%"))

    def allows(self, rejected: int, *, received: int) -> bool:
        """Return whether so many rejected rows still count as success."""
        most = self.rows * received / 100 if self.is_share else self.rows
        return rejected <= most


@dataclass(frozen=True)
class Settings:
    """The target's own settings, checked."""

    mappings: tuple[MappingConfig, ...]
    default_mapping: MappingConfig
    attributes_path: str | None
    preset: str | None
    segment: SegmentOptions
    ignore_unmapped: bool
    fail_on_invalid: bool
    max_rejected: RejectLimit
    rejects_path: str
    skipped_path: str | None
    canary: bool
    verify_share: float
    verify_timeout: float
    warn_on_mismatch: bool
    repeats_activities: bool
    ledger_path: str | None
    full_sync_every_hours: float | None
    rejects_unknown_accounts: bool
    dry_run: bool
    hard_delete: bool
    max_deletes: int
    max_in_flight: int
    hub_batch_size: int
    report_path: str | None
    part: Part | None
    sdr_token: str | None
    tracking_receipt: re.Pattern[str] | None
    delivery: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read the settings out of a configuration that fits `CONFIG_SCHEMA`.

        Raises:
            SettingsError: If they contradict each other, or a mapping cannot be used.
        """
        given = {name: _value(config, name) for name in OWN_SETTINGS}
        delivery = str(given["delivery"])
        default = MappingConfig(
            delivery=delivery,
            policy=Policy(**{name: given[name] for name in POLICY_SETTINGS}),
            options=WriteOptions(**{name: given[name] for name in OPTION_SETTINGS}),
            deletion=_deletion(given["deleted_when"]),
        )
        settings = cls(
            mappings=tuple(parse_mappings(given["mappings"], default)),
            default_mapping=default,
            attributes_path=given["attributes_path"],
            preset=given["preset"],
            segment=SegmentOptions.from_settings(given),
            ignore_unmapped=given["unmapped_streams"] == IGNORE,
            fail_on_invalid=given["on_invalid"] == FAIL,
            max_rejected=RejectLimit.parse(given["max_rejected"]),
            rejects_path=given["rejects_path"],
            skipped_path=given["skipped_path"],
            canary=bool(given["canary"]),
            verify_share=float(given["verify_share"]),
            verify_timeout=float(given["verify_timeout"]),
            warn_on_mismatch=given["verify_mismatch"] == WARN,
            repeats_activities=given["activity_delivery"] == AT_LEAST_ONCE,
            ledger_path=given["ledger_path"],
            full_sync_every_hours=given["full_sync_every_hours"],
            rejects_unknown_accounts=given["unknown_accounts"] == REJECT,
            dry_run=bool(given["dry_run"]),
            hard_delete=bool(given["hard_delete"]),
            max_deletes=given["max_deletes"],
            max_in_flight=given["max_in_flight"],
            hub_batch_size=_batch_size(config),
            report_path=given["report_path"],
            part=Part.parse(given["part"]),
            sdr_token=(given["sdr_token"] or "").strip() or None,
            tracking_receipt=_receipt(given["tracking_receipt"]),
            delivery=delivery,
        )
        settings._check(bool((config.get("app_token") or "").strip()))
        return settings

    def _check(self, has_token: bool) -> None:
        try:
            zone_named(self.default_mapping.policy.time_zone)
        except ValueError as error:
            msg = f"{error}."
            raise SettingsError(msg) from None
        if any(options.skip_unchanged for options in self.options) and not self.ledger_path:
            msg = "skip_unchanged needs ledger_path."
            raise SettingsError(msg, remedy="Set ledger_path to a file that stays between runs.")
        modes = [options.sync_mode for options in self.options if options.sync_mode != UPSERT]
        shares = [options.verify for options in self.options if options.verify != OFF]
        objects = [config.object for config in self.mappings if config.object is not None]
        for object_ in objects:
            if object_ in RECORDED and not self.ledger_path:
                msg = f"{object_} need ledger_path: what is sent once more is made once more."
                raise SettingsError(msg, remedy="Set it to a file that stays between runs.")
        needing = {
            "match_on": self.matches,
            "unknown_accounts: reject": self.rejects_unknown_accounts,
            "hard_delete": self.hard_delete,
            "delivery: hub": self.uses_hub,
        }
        wanting = [
            *(object_ for object_ in objects if object_ in RECORDED),
            *(f"sync_mode: {mode}" for mode in modes),
            *(f"verify: {share}" for share in shares),
            *(name for name, wanted in needing.items() if wanted),
        ]
        if wanting and not has_token:
            msg = f"{wanting[0]} needs app_token, which is not set."
            raise SettingsError(
                msg,
                remedy="Create a personal access token in your Totango profile, Integration tab.",
            )

    @property
    def paths(self) -> dict[str, str | None]:
        """Where files are written, by setting."""
        return {
            "rejects_path": self.rejects_path,
            "skipped_path": self.skipped_path,
            "ledger_path": self.ledger_path,
            "report_path": self.report_path,
        }

    @property
    def options(self) -> list[WriteOptions]:
        """How rows may be written: by the settings, and by each mapping."""
        return [self.default_mapping.options, *(mapping.options for mapping in self.mappings)]

    @property
    def looks_up(self) -> bool:
        """Whether Totango is asked of any row whether its subject exists."""
        return any(options.sync_mode != UPSERT for options in self.options)

    @property
    def matches(self) -> bool:
        """Whether Totango is asked who holds a value (`match_on`)."""
        return any(mapping.match is not None for mapping in self.mappings)

    @property
    def uses_hub(self) -> bool:
        """Whether anything may go through the Integration Hub."""
        return self.delivery == HUB or any(spec.delivery == HUB for spec in self.mappings)

    @property
    def uses_tracking(self) -> bool:
        """Whether anything may go out as tracking calls."""
        return self.delivery == TRACKING or any(spec.delivery == TRACKING for spec in self.mappings)

    def mappings_for(self, stream: str) -> list[MappingConfig]:
        """Return the mappings of a stream: the entries for it, or the default.

        Raises:
            SettingsError: If globs overlap, and nothing says which of them counts.
        """
        return mappings_of(stream, self.mappings) or [self.default_mapping]


def _deletion(value: Any) -> DeletionMark:
    if value is None:
        return DEFAULT_MARK
    try:
        return parse_deleted_when(value)
    except ValueError as error:
        msg = f"deleted_when cannot be used: {error}."
        raise SettingsError(msg) from None


def _receipt(value: str | None) -> re.Pattern[str] | None:
    try:
        return None if value is None else re.compile(value, re.DOTALL)
    except re.error as error:
        msg = f"tracking_receipt is no regular expression: {error}."
        raise SettingsError(msg) from None


def _batch_size(config: Mapping[str, Any]) -> int:
    """Return the setting; the SDK's name for it counts where ours is left at its default."""
    ours, theirs = config.get("hub_batch_size"), config.get("batch_size_rows")
    if theirs is not None and ours in {None, limits.HUB_BATCH_ROWS}:
        return int(theirs)
    return limits.HUB_BATCH_ROWS if ours is None else int(ours)


def _value(config: Mapping[str, Any], name: str) -> Any:
    value = config.get(name)
    return OWN_SETTINGS[name].get("default") if value is None else value
