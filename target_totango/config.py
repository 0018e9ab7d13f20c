"""Checks the settings, and holds their values."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from target_totango.config_schema import (
    AT_LEAST_ONCE,
    CREATE,
    FAIL,
    OWN_SETTINGS,
)
from target_totango.mapping import (
    DEFAULT_MARK,
    IGNORE,
    OPTION_SETTINGS,
    POLICY_SETTINGS,
    WARN,
    DeletionMark,
    MappingConfig,
    Policy,
    SegmentOptions,
    mappings_of,
    parse_deleted_when,
    parse_mappings,
    zone_named,
)
from target_totango.models import (
    HUB,
    OFF,
    UPSERT,
    WriteOptions,
)
from target_totango.objects import ENGAGEMENTS
from totango_api import limits
from totango_api.command import Part
from totango_api.errors import SettingsError
from totango_api.report import ReportFiles

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """The target's own settings, checked; each named as in the configuration, if it is as there."""

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
    sent_path: str | None
    canary: bool
    verify_share: float
    verify_timeout: float
    warn_on_mismatch: bool
    repeats_activities: bool
    ledger_path: str | None
    full_sync_every_hours: float | None
    unknown_accounts: str
    dry_run: bool
    hard_delete: bool
    max_deletes: int
    max_in_flight: int
    hub_batch_size: int
    report_path: str | None
    report_history_path: str | None
    report_values: bool
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
        default = MappingConfig(
            delivery=str(given["delivery"]),
            policy=Policy(**{name: given[name] for name in POLICY_SETTINGS}),
            options=WriteOptions(**{name: given[name] for name in OPTION_SETTINGS}),
            deletion=_deletion(given["deleted_when"]),
        )
        made = {
            "mappings": tuple(parse_mappings(given["mappings"], default)),
            "default_mapping": default,
            "segment": SegmentOptions.from_settings(given),
            "ignore_unmapped": given["unmapped_streams"] == IGNORE,
            "fail_on_invalid": given["on_invalid"] == FAIL,
            "max_rejected": RejectLimit.parse(given["max_rejected"]),
            "warn_on_mismatch": given["verify_mismatch"] == WARN,
            "repeats_activities": given["activity_delivery"] == AT_LEAST_ONCE,
            "hub_batch_size": _batch_size(config),
            "part": Part.parse(given["part"]),
            "sdr_token": (given["sdr_token"] or "").strip() or None,
            "tracking_receipt": _receipt(given["tracking_receipt"]),
        }
        taken_over = {one.name: given[one.name] for one in fields(cls) if one.name not in made}
        settings = cls(**taken_over, **made)
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
        if self.engagements and not self.ledger_path:
            msg = (
                f"{self.engagements[0]} need ledger_path: what is sent once more is made once more."
            )
            raise SettingsError(msg, remedy="Set it to a file that stays between runs.")
        needing = {
            "match_on": self.matches,
            f"unknown_accounts: {self.unknown_accounts}": self.minds_unknown_accounts,
            "hard_delete": self.hard_delete,
            "delivery: hub": self.uses(HUB),
        }
        wanting = [
            *self.engagements,
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
            "sent_path": self.sent_path,
            "ledger_path": self.ledger_path,
            **ReportFiles.paths(vars(self)),
        }

    @property
    def options(self) -> list[WriteOptions]:
        """How rows may be written: by the settings, and by each mapping."""
        return [self.default_mapping.options, *(mapping.options for mapping in self.mappings)]

    @property
    def looks_up(self) -> bool:
        """Whether any mapping asks Totango which accounts or users exist."""
        return any(options.sync_mode != UPSERT for options in self.options)

    @property
    def minds_unknown_accounts(self) -> bool:
        """Whether accounts are looked up that a row would create without naming them."""
        return self.unknown_accounts != CREATE

    @property
    def matches(self) -> bool:
        """Whether Totango is asked who holds a value (`match_on`)."""
        return any(mapping.match is not None for mapping in self.mappings)

    @property
    def engagements(self) -> list[str]:
        """The engagements among the objects of mappings."""
        objects = (one.object for one in self.mappings)
        return [one for one in objects if one is not None and one in ENGAGEMENTS]

    def uses(self, delivery: str) -> bool:
        """Return whether any row may go out by a delivery."""
        return delivery in {self.delivery, *(mapping.delivery for mapping in self.mappings)}

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
