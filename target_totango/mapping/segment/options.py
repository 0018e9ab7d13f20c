"""The settings of the preset `segment`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from target_totango.mapping.policy import REJECT, SKIP
from totango_api.plugin_config import setting

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PLAN: Final = "Free"

SEGMENT_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "segment_default_plan": setting(
        "string",
        "Default plan",
        "Preset segment: plan of accounts that a group call creates without naming one; empty for "
        "none. Needs app_token, which tells new accounts from others.",
        default=DEFAULT_PLAN,
    ),
    "segment_named_pages": setting(
        "boolean",
        "Named pages",
        "Preset segment: whether a page or screen with a name is an activity.",
        default=True,
    ),
    "segment_categorized_pages": setting(
        "boolean",
        "Categorized pages",
        "Preset segment: whether a page or screen that has a category, and no name that counts, is "
        "an activity.",
        default=True,
    ),
    "segment_anonymous": setting(
        "string",
        "Anonymous calls",
        "Preset segment: reject calls without a user, or skip and count them.",
        enum=[REJECT, SKIP],
        default=REJECT,
    ),
    "segment_remember_groups": setting(
        "boolean",
        "Remembered groups",
        "Preset segment: whether a call without a group belongs to the last one that its user was "
        "in: in this run, and with ledger_path in earlier ones. Else it is rejected.",
        default=False,
    ),
}
"""JSON schema of each setting, by its name."""


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """The settings of the preset.

    Attributes:
        default_plan: Plan of new accounts whose group call names none; empty for no default.
        named_pages: Whether pages and screens with a name are activities.
        categorized_pages: Whether those with a category, and no name that counts, are.
        skips_anonymous: Whether calls without a user are skipped; else they are rejected.
        remembers_groups: Whether a call without a group belongs to its user's last known one.
    """

    default_plan: str = DEFAULT_PLAN
    named_pages: bool = True
    categorized_pages: bool = True
    skips_anonymous: bool = False
    remembers_groups: bool = False

    @classmethod
    def from_settings(cls, values: Mapping[str, Any]) -> Self:
        """Read the options out of the values of `SEGMENT_SETTINGS`."""
        return cls(
            default_plan=values["segment_default_plan"],
            named_pages=values["segment_named_pages"],
            categorized_pages=values["segment_categorized_pages"],
            skips_anonymous=values["segment_anonymous"] == SKIP,
            remembers_groups=values["segment_remember_groups"],
        )
