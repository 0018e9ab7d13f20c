"""Every behaviour that the public sources leave open, as one table of switches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question and the answers that can be given to it.

    Attributes:
        name: how it is set.
        default: the documented answer, or else the one that is hardest on a client.
        values: a regular expression over the whole value, and how it is shown.
        meaning: one line for people.
    """

    name: str
    default: str
    values: str
    meaning: str

    @property
    def choices(self) -> tuple[str, ...]:
        """The values, where it takes one of a few."""
        parts = tuple(self.values.split("|"))
        return parts if all(re.fullmatch(r"[\w-]+", part) for part in parts) else ()

    @property
    def shown(self) -> str:
        """The values as a person would type them."""
        return _SHOWN.get(self.values, self.values)


WHOLE: Final = r"\d+"
DECIMAL: Final = r"\d+(\.\d+)?"
ANY: Final = r".*"
STATUS: Final = r"[1-5]\d\d"
MOVING: Final = r"(accounts|users|events)(,(accounts|users|events))*"
_SHOWN: Final = {
    WHOLE: "a whole number",
    DECIMAL: "a number",
    ANY: "any text",
    STATUS: "an HTTP status",
    r"true|missing|off_by:-?\d+|stale:\d+": "true|missing|off_by:N|stale:N",
    MOVING: "any of accounts,users,events",
    r"\S+": "any text without blanks",
}

HUB_REPORTS: Final = (
    "errors",
    "results",
    "failed",
    "rejected",
    "invalid_rows",
    "counts",
    "status",
    "success",
    "code",
    "message",
    "nested",
    "capitals",
    "text",
    "null",
)

SWITCH_GROUPS: Final[dict[str, tuple[Switch, ...]]] = {
    "Limits and envelopes of the REST APIs": (
        Switch("rate_limit", "100", WHOLE, "calls per window and token; 0 = no limit"),
        Switch("rate_window", "60", DECIMAL, "seconds of one fixed window"),
        Switch("rate_headers", "RateLimit", "RateLimit|X-RateLimit|none", "names of headers"),
        Switch("rate_reset", "seconds", "seconds|epoch", "unit of the Reset header"),
        Switch("retry_after", "on", "on|off", "Retry-After on a 429"),
        Switch("hub_rate_limit", "on", "on|off", "hub calls count for the limit too"),
        Switch("failed_status", "400", STATUS, "HTTP status of a failed envelope"),
        Switch("region", "us", "us|eu", "what the region lookup answers"),
    ),
    "Searches": (
        Switch("page_max", "1000", WHOLE, "most rows of one page"),
        Switch("count_over", "clamp", "clamp|error", "a count over page_max"),
        Switch("window_rows", "10000", WHOLE, "rows that one query can reach"),
        Switch("beyond_window", "error", "error|empty|serve", "offset+count past the window"),
        Switch("ties", "unstable", "unstable|stable", "order of rows that sort equal"),
        Switch(
            "total_hits",
            "true",
            r"true|missing|off_by:-?\d+|stale:\d+",
            "what total_hits says (stale: as up to N calls ago)",
        ),
        Switch("terms", "all", "all|evidenced", "filters: also the inferred ones, or not"),
        Switch("unsupported_term", "error", "error|ignore", "a filter that is not there"),
        Switch("unknown_field_attribute", "null", "null|error", "a column nobody defined"),
        Switch("parent_fields", "account", "account|appended|none", "parent_account_fields"),
        Switch("json_body", "on", "on|off", 'search takes a JSON body {"query": "…"}'),
        Switch("double_decode", "off", "on|off", "query is URL-decoded twice"),
        Switch("global_team", "optional", "optional|required", "team_id=-1 to see all rows"),
        Switch("simple_dates", "date", "date|datetime", "text of simple_date columns"),
        Switch("multi_list", "text", "text|array", "multi-select values when read"),
        Switch("scroll", "on", "on|off", "the scroll endpoint exists"),
        Switch("scroll_retry", "advance", "advance|repeat", "a scroll_id used twice"),
        Switch("events_offset", "page", "page|row", "unit of offset in event searches"),
        Switch("events_order", "desc", "desc|asc", "events by time: newest or oldest first"),
        Switch("events_total", "off", "on|off", "event searches report total_hits"),
        Switch("event_edits", "keep", "keep|move|new", "an edit moves the event's timestamp"),
        Switch(
            "attributes_json",
            "on",
            "on|off|404|html|empty|odd",
            "definitions: there, 403, 404, a page, none, other shape",
        ),
        Switch(
            "control_characters",
            "escaped",
            "escaped|raw",
            "how a text of a search holds them",
        ),
    ),
    "Lists and single objects": (
        Switch(
            "options_shown",
            "texts",
            "texts|objects|off",
            "definitions list the options of lists: as texts, objects with a name, not at all",
        ),
        Switch("role_type", "text", r"\S+", "type of role attributes in the definitions"),
        Switch(
            "reference_shape",
            "documented",
            "documented|list|object|nested",
            "reference lists: as shown, a list, keyed by id, under one more key",
        ),
        Switch("reference_names", "documented", "documented|snake|camel", "spelling of keys"),
        Switch("touchpoints_list", "off", "on|off", "touchpoints without an id are a list"),
        Switch("tasks_list", "off", "on|off", "tasks without an id are a list"),
        Switch("audit_limit", "0", WHOLE, "most rows of one audit call; 0 = all"),
        Switch("audit_visible_after", "0", DECIMAL, "seconds until an audit row is seen"),
        Switch(
            "audit_year",
            "strict",
            "strict|exclusive",
            "both dates in one year: as given, or the last day that counts",
        ),
        Switch("list_shape", "hits", "hits|rows|top", "where a list of collection rows stands"),
        Switch(
            "list_offset",
            "rows",
            "rows|pages|ignored",
            "what an offset counts in a plain list of collection rows",
        ),
    ),
    "Movement: what other people do to a tenant between two search calls on the same object": (
        Switch("moves_in", "0", DECIMAL, "rows that come, for each search call"),
        Switch("moves_out", "0", DECIMAL, "rows that go"),
        Switch("moves_replaced", "0", DECIMAL, "rows that go while another one comes"),
        Switch("moves_renamed", "0", DECIMAL, "rows that get another name, not events"),
        Switch("moves_active", "0", DECIMAL, "rows that become active, not events"),
        Switch("moves_edited", "0", DECIMAL, "rows of which a value or a text changes"),
        Switch("moves_backdated", "0", DECIMAL, "rows that come with a date in the past"),
        Switch("moves_where", "spread", "spread|first", "where in the order rows come and go"),
        Switch("moves_on", "accounts,users,events", MOVING, "objects that move"),
        Switch("moves_seed", "1", WHOLE, "chooses the rows that move"),
    ),
    "Writes": (
        Switch("visible_after", "0", DECIMAL, "seconds until a write is seen by searches"),
        Switch("activity_visible_after", "0", DECIMAL, "seconds until a last activity is seen"),
        Switch("over_limit", "drop", "drop|truncate|keep", "values over the length limits"),
        Switch("unknown_option", "drop", "drop|keep", "a value that is no option of a list"),
        Switch("empty_value", "ignore", "ignore|clear", "an empty value in a tracking call"),
        Switch("unknown_attributes", "create", "create|text|drop", "new API names (typed, text)"),
        Switch("sdr_token", "", ANY, "SDR token that tracking calls must carry"),
        Switch("sdr_token_status", "200", "200|401", "answer to a wrong SDR token"),
        Switch("hub_status", "202", "200|201|202", "answer to an accepted batch"),
        Switch("hub_errors", "refuse_batch", "refuse_batch|accept_good", "a batch with bad rows"),
        Switch("hub_refusal_status", "400", STATUS, "answer to a batch refused for its rows"),
        Switch("hub_report", "errors", "|".join(HUB_REPORTS), "how the answer tells of bad rows"),
        Switch("hub_error_detail", "index", "index|id|none", "how errors name the row"),
        Switch("hub_max_rows", "1000", WHOLE, "most rows of a batch (413 beyond)"),
        Switch("hub_max_bytes", "5000000", WHOLE, "most bytes of a batch (413 beyond)"),
        Switch("hub_values", "strings", "strings|any", "JSON types of attribute values"),
        Switch("hub_users", "on", "on|off", "the users endpoint exists"),
        Switch("hierarchy_visible_after", "0", DECIMAL, "seconds until a parent is seen"),
        Switch("sfid_writes", "ignore", "ignore|store", "a written Salesforce id"),
        Switch(
            "owner_values",
            "any",
            "any|known|email",
            "role: any name, staff's, or e-mail too",
        ),
        Switch("unknown_reference", "refuse", "refuse|accept", "type, tag or flow not listed"),
        Switch("update_ids", "required", "required|optional", "ids in the body of a PUT"),
        Switch("task_answer", "id", "id|text", "what answers a new task"),
        Switch("task_edits", "new", "new|move|keep", "a changed task makes a new event"),
        Switch("delete_missing", "404", "404|200", "deleting a user that is not there"),
        Switch("blocked_accounts", "", ANY, "ids, with commas: swallowed and never found"),
    ),
}

SWITCHES: Final = tuple(switch for group in SWITCH_GROUPS.values() for switch in group)
