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
        source: the section of the API notes that leaves it open.
    """

    name: str
    default: str
    values: str
    meaning: str
    source: str

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
        Switch("rate_limit", "100", WHOLE, "calls per window and token; 0 = no limit", "0.4"),
        Switch("rate_window", "60", DECIMAL, "seconds of one fixed window", "0.4"),
        Switch(
            "rate_headers", "RateLimit", "RateLimit|X-RateLimit|none", "names of headers", "0.4"
        ),
        Switch("rate_reset", "seconds", "seconds|epoch", "unit of the Reset header", "0.4"),
        Switch("retry_after", "on", "on|off", "Retry-After on a 429", "0.4"),
        Switch("hub_rate_limit", "on", "on|off", "hub calls count for the limit too", "0.4"),
        Switch("failed_status", "400", STATUS, "HTTP status of a failed envelope", "1.6"),
        Switch("region", "us", "us|eu", "what the region lookup answers", "0.1"),
    ),
    "Searches": (
        Switch("page_max", "1000", WHOLE, "most rows of one page", "1.2"),
        Switch("count_over", "clamp", "clamp|error", "a count over page_max", "1.2"),
        Switch("window_rows", "10000", WHOLE, "rows that one query can reach", "1.3"),
        Switch(
            "beyond_window", "error", "error|empty|serve", "offset+count past the window", "1.3"
        ),
        Switch("ties", "unstable", "unstable|stable", "order of rows that sort equal", "1.3"),
        Switch(
            "total_hits",
            "true",
            r"true|missing|off_by:-?\d+|stale:\d+",
            "what total_hits says (stale: as up to N calls ago)",
            "1.6",
        ),
        Switch("terms", "all", "all|evidenced", "filters: also the inferred ones, or not", "1.4"),
        Switch("unsupported_term", "error", "error|ignore", "a filter that is not there", "1.4"),
        Switch("unknown_field_attribute", "null", "null|error", "a column nobody defined", "1.5"),
        Switch("parent_fields", "account", "account|appended|none", "parent_account_fields", "1.6"),
        Switch("json_body", "on", "on|off", 'search takes a JSON body {"query": "…"}', "1.1"),
        Switch("double_decode", "off", "on|off", "query is URL-decoded twice", "1.1"),
        Switch("global_team", "optional", "optional|required", "team_id=-1 to see all rows", "1.1"),
        Switch("simple_dates", "date", "date|datetime", "text of simple_date columns", "1.5"),
        Switch("multi_list", "text", "text|array", "multi-select values when read", "1.5"),
        Switch("scroll", "on", "on|off", "the scroll endpoint exists", "1.6"),
        Switch("scroll_retry", "advance", "advance|repeat", "a scroll_id used twice", "1.6"),
        Switch("events_offset", "page", "page|row", "unit of offset in event searches", "3"),
        Switch("events_order", "desc", "desc|asc", "events by time: newest or oldest first", "3"),
        Switch("events_total", "off", "on|off", "event searches report total_hits", "3"),
        Switch("event_edits", "keep", "keep|move|new", "an edit moves the event's timestamp", "M1"),
        Switch(
            "attributes_json",
            "on",
            "on|off|404|html|empty|odd",
            "definitions: there, 403, 404, a page, none, other shape",
            "6",
        ),
        Switch(
            "control_characters",
            "escaped",
            "escaped|raw",
            "how a text of a search holds them",
            "1.3",
        ),
    ),
    "Lists and single objects": (
        Switch(
            "options_shown",
            "texts",
            "texts|objects|off",
            "definitions list the options of lists: as texts, objects with a name, not at all",
            "6",
        ),
        Switch("role_type", "text", r"\S+", "type of role attributes in the definitions", "6"),
        Switch(
            "reference_shape",
            "documented",
            "documented|list|object|nested",
            "reference lists: as shown, a list, keyed by id, under one more key",
            "M8",
        ),
        Switch("reference_names", "documented", "documented|snake|camel", "spelling of keys", "M8"),
        Switch("touchpoints_list", "off", "on|off", "touchpoints without an id are a list", "M3"),
        Switch("tasks_list", "off", "on|off", "tasks without an id are a list", "M4"),
        Switch("audit_limit", "0", WHOLE, "most rows of one audit call; 0 = all", "M6"),
        Switch("audit_visible_after", "0", DECIMAL, "seconds until an audit row is seen", "M6"),
        Switch(
            "audit_year",
            "strict",
            "strict|exclusive",
            "both dates in one year: as given, or the last day that counts",
            "M6",
        ),
        Switch(
            "list_shape", "hits", "hits|rows|top", "where a list of collection rows stands", "M9"
        ),
        Switch(
            "list_offset",
            "rows",
            "rows|pages|ignored",
            "what an offset counts in a plain list of collection rows",
            "M9",
        ),
    ),
    "Movement: what other people do to a tenant between two search calls on the same object": (
        Switch("moves_in", "0", DECIMAL, "rows that come, for each search call", "Q15"),
        Switch("moves_out", "0", DECIMAL, "rows that go", "Q15"),
        Switch("moves_replaced", "0", DECIMAL, "rows that go while another one comes", "Q15"),
        Switch("moves_renamed", "0", DECIMAL, "rows that get another name, not events", "Q15"),
        Switch("moves_active", "0", DECIMAL, "rows that become active, not events", "Q15"),
        Switch("moves_edited", "0", DECIMAL, "rows of which a value or a text changes", "Q15"),
        Switch("moves_backdated", "0", DECIMAL, "rows that come with a date in the past", "Q15"),
        Switch(
            "moves_where", "spread", "spread|first", "where in the order rows come and go", "Q15"
        ),
        Switch("moves_on", "accounts,users,events", MOVING, "objects that move", "Q15"),
        Switch("moves_seed", "1", WHOLE, "chooses the rows that move", "Q15"),
    ),
    "Writes": (
        Switch("visible_after", "0", DECIMAL, "seconds until a write is seen by searches", "4.4"),
        Switch(
            "activity_visible_after", "0", DECIMAL, "seconds until a last activity is seen", "4.4"
        ),
        Switch("over_limit", "drop", "drop|truncate|keep", "values over the length limits", "7"),
        Switch("unknown_option", "drop", "drop|keep", "a value that is no option of a list", "4.3"),
        Switch("empty_value", "ignore", "ignore|clear", "an empty value in a tracking call", "4.3"),
        Switch(
            "unknown_attributes", "create", "create|text|drop", "new API names (typed, text)", "Q7"
        ),
        Switch("sdr_token", "", ANY, "SDR token that tracking calls must carry", "4.4"),
        Switch("sdr_token_status", "200", "200|401", "answer to a wrong SDR token", "4.4"),
        Switch("hub_status", "202", "200|201|202", "answer to an accepted batch", "5.1"),
        Switch(
            "hub_errors", "refuse_batch", "refuse_batch|accept_good", "a batch with bad rows", "5.1"
        ),
        Switch(
            "hub_refusal_status", "400", STATUS, "answer to a batch refused for its rows", "5.1"
        ),
        Switch(
            "hub_report", "errors", "|".join(HUB_REPORTS), "how the answer tells of bad rows", "5.1"
        ),
        Switch("hub_error_detail", "index", "index|id|none", "how errors name the row", "5.1"),
        Switch("hub_max_rows", "1000", WHOLE, "most rows of a batch (413 beyond)", "5.1"),
        Switch("hub_max_bytes", "5000000", WHOLE, "most bytes of a batch (413 beyond)", "5.1"),
        Switch("hub_values", "strings", "strings|any", "JSON types of attribute values", "5.1"),
        Switch("hub_users", "on", "on|off", "the users endpoint exists", "5.1"),
        Switch("hierarchy_visible_after", "0", DECIMAL, "seconds until a parent is seen", "4.4"),
        Switch("sfid_writes", "ignore", "ignore|store", "a written Salesforce id", "4.3"),
        Switch(
            "owner_values",
            "any",
            "any|known|email",
            "role: any name, staff's, or e-mail too",
            "4.3",
        ),
        Switch(
            "unknown_reference", "refuse", "refuse|accept", "type, tag or flow not listed", "5.3"
        ),
        Switch("update_ids", "required", "required|optional", "ids in the body of a PUT", "M12"),
        Switch("task_answer", "id", "id|text", "what answers a new task", "5.4"),
        Switch("task_edits", "new", "new|move|keep", "a changed task makes a new event", "M1"),
        Switch("delete_missing", "404", "404|200", "deleting a user that is not there", "5.2"),
        Switch("blocked_accounts", "", ANY, "ids, with commas: swallowed and never found", "5.2"),
    ),
}

SWITCHES: Final = tuple(switch for group in SWITCH_GROUPS.values() for switch in group)
