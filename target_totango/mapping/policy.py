"""Policies for odd values: nulls, long texts, control characters, unknown options.

Each policy is a setting of the target, and a key of a mapping that it holds for instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from target_totango.models import ALL, CREATE_ONLY, OFF, SAMPLE, UPDATE_ONLY, UPSERT
from totango_api.plugin_config import setting

SKIP: Final = "skip"
CLEAR: Final = "clear"
REJECT: Final = "reject"
TRUNCATE: Final = "truncate"
CONVERT: Final = "convert"
KEEP: Final = "keep"
REMOVE: Final = "remove"
REPLACE: Final = "replace"
NULL: Final = "null"
FILL: Final = "fill"
LEAVE_OUT: Final = "leave_out"
WARN: Final = "warn"
IGNORE: Final = "ignore"


@dataclass(frozen=True, slots=True)
class Policy:
    """The policies of a mapping, each named as its setting.

    Empty text and empty lists count as null: what Totango does with an empty value is not known.
    """

    null_policy: str = SKIP
    blank_texts: str = KEEP
    too_long: str = REJECT
    control_characters: str = KEEP
    invalid_attributes: str = REJECT
    salesforce_ids: str = REJECT
    accidental_ids: str = REJECT
    incomplete_templates: str = NULL
    list_separator: str = ","
    separator_in_item: str = REJECT
    unknown_options: str = REJECT
    time_zone: str = "UTC"
    max_activity_age_days: float | None = None


POLICY_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "null_policy": setting(
        "string",
        "Nulls",
        "What a null, an empty text or a list of nothing does: nothing, clear the attribute, or "
        "reject the row. What Totango does with an empty value is not documented.",
        enum=[SKIP, CLEAR, REJECT],
        default=SKIP,
    ),
    "blank_texts": setting(
        "string",
        "Blank texts",
        "Keep texts of nothing but blanks, or count them as null. They are counted and logged.",
        enum=[KEEP, NULL],
        default=KEEP,
    ),
    "too_long": setting(
        "string",
        "Long texts",
        "Reject a row with a text longer than Totango keeps, or truncate the text. Ids are "
        "never truncated.",
        enum=[REJECT, TRUNCATE],
        default=REJECT,
    ),
    "control_characters": setting(
        "string",
        "Control characters",
        "Keep NUL and other control characters in texts, remove them, or reject the row. They are "
        "counted and logged. Tabs and line ends are none.",
        enum=[KEEP, REMOVE, REJECT],
        default=KEEP,
    ),
    "invalid_attributes": setting(
        "string",
        "Invalid attributes",
        "What a value that cannot be written does, where it is not an id: reject the row, or leave "
        "out the attribute and write the rest. Both are counted by reason.",
        enum=[REJECT, LEAVE_OUT],
        default=REJECT,
    ),
    "salesforce_ids": setting(
        "string",
        "Salesforce ids",
        "What to do with 15-character Salesforce ids: reject, convert to 18 characters, or keep.",
        enum=[REJECT, CONVERT, KEEP],
        default=REJECT,
    ),
    "accidental_ids": setting(
        "string",
        "Accidental ids",
        "What to do with ids that look like accidents, such as `12345.0`, `NULL`, `None`, `nan`, "
        "`undefined`: reject, or keep.",
        enum=[REJECT, KEEP],
        default=REJECT,
    ),
    "incomplete_templates": setting(
        "string",
        "Incomplete templates",
        "A template of which a part is missing counts as null, or gives what is there: "
        "`{first} {last}` becomes `Ann`. Never in ids. Both are counted.",
        enum=[NULL, FILL],
        default=NULL,
    ),
    "list_separator": setting(
        "string",
        "List separator",
        "What joins the items of a list.",
        default=",",
        minLength=1,
    ),
    "separator_in_item": setting(
        "string",
        "Separator in an item",
        "What to do with a list item that holds the separator, so that Totango would take it for "
        "several: reject the row, replace the separator by a blank, or keep it.",
        enum=[REJECT, REPLACE, KEEP],
        default=REJECT,
    ),
    "unknown_options": setting(
        "string",
        "Unknown options",
        "What to do with a value of a list or a lifecycle that is none of its options, where the "
        "service's attribute definitions list them: reject the row, send it and warn, or do not "
        "look.",
        enum=[REJECT, WARN, IGNORE],
        default=REJECT,
    ),
    "time_zone": setting(
        "string",
        "Time zone",
        "Zone of dates and times that name none, such as `Europe/Berlin`. A time that comes twice "
        "when clocks go back is the first of the two; one that clocks skip counts as if they had "
        "not been put forward yet.",
        default="UTC",
    ),
    "max_activity_age_days": setting(
        "number",
        "Oldest activity",
        "Reject activities that happened more days ago. Totango counts an activity when it "
        "arrives, whatever time it carries.",
        exclusiveMinimum=0,
    ),
}
"""JSON schema of each policy, by its name."""

OPTION_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "sync_mode": setting(
        "string",
        "Sync mode",
        "`upsert` writes every row; `update_only` and `create_only` look up first what exists.",
        enum=[UPSERT, UPDATE_ONLY, CREATE_ONLY],
        default=UPSERT,
    ),
    "verify": setting(
        "string",
        "Verification",
        "Read written rows back through the Search API and compare: off, a sample, or all.",
        enum=[OFF, SAMPLE, ALL],
        default=OFF,
    ),
    "skip_unchanged": setting(
        "boolean",
        "Skip unchanged",
        "Do not send what an earlier run sent and had confirmed. Needs ledger_path.",
        default=False,
    ),
}
"""JSON schema of each of `WriteOptions`, by its name."""
