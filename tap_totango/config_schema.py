"""The settings of tap-totango: name, type, default, and what each is for."""

from __future__ import annotations

from typing import Any, Final

from totango_api.command import PART_PATTERN
from totango_api.config import CONNECTION_SETTINGS
from totango_api.limits import PAGE_ROWS
from totango_api.notifications import FAILURE, notify_settings
from totango_api.plugin_config import setting
from totango_api.report import report_settings

_QUERY_HELP: Final = (
    ' In Totango, open the list and press "Generate the API endpoint"; paste the result '
    "unchanged: JSON, `query=…`, or a request as a browser or Postman copies it (cURL for any "
    "shell, fetch, PowerShell, the request of a HAR file). A token in it is not used."
)


LOOKBACK_SECONDS: Final = 600
"""Covers minutes of delay ("FAQ Integration with Web-app"), and costs the rows of ten minutes."""

_PARTITION: Final = {"type": "array", "items": {"type": "object"}}

_OWN: Final[dict[str, dict[str, Any]]] = {
    "start_date": setting(
        "string",
        "Start date",
        "Rows whose replication value is older are not emitted. Accounts and users without one "
        "arrive in full reads.",
        format="date-time",
    ),
    "accounts_query": setting(
        ["object", "string"], "Accounts query", "Which accounts, with which columns." + _QUERY_HELP
    ),
    "users_query": setting(
        ["object", "string"], "Users query", "Which users, with which columns." + _QUERY_HELP
    ),
    "query_fields": setting(
        "string",
        "Fields of a query",
        "What to do with the fields of `accounts_query` and `users_query`: `add`: columns beside "
        "all others; `replace`: the only ones.",
        enum=["add", "replace", None],
        default="add",
    ),
    "events_query": setting(
        ["object", "string"],
        "Events query",
        "Which events; only its terms are used. Takes the same forms.",
    ),
    "streams": setting(
        ["object", "array"],
        "Streams of your own",
        "Requests that become streams, by name: a copied request, or an object with `request` and, "
        "if needed, `key`, `rows` and `paging` (docs/own-streams.md). "
        "Their host and token are not used, and they may only read.",
        items={"type": "object"},
    ),
    "event_types": setting(
        "array",
        "Event types",
        "Only events of these types: `note`, `task`, `alert`, `campaign_touch`.",
        items={"type": "string"},
    ),
    "account_ids": setting(
        "array",
        "Accounts of events",
        "Only events of these accounts, at the cost of a call or more for each.",
        items={"type": "string"},
    ),
    "team_id": setting(
        ["string", "integer"],
        "Team id",
        "Form field `team_id` of every search; `-1` asks for all teams. Not sent when unset.",
    ),
    "team_ids": setting(
        "array",
        "Teams",
        "Ids of the teams that the stream `teams` reads: no call lists them.",
        items={"type": ["string", "integer"]},
    ),
    "job_connectors": setting(
        "array",
        "Connectors of import jobs",
        "Connectors whose jobs the stream `import_jobs` reads: objects with `id`, as the address "
        "of the connector's page shows it, and `type` (`csv_file` when left out).",
        items={
            "type": "object",
            "properties": {"id": {"type": "string"}, "type": {"type": "string"}},
            "required": ["id"],
            "additionalProperties": False,
        },
    ),
    "discover_attributes": setting(
        "boolean",
        "Discover attributes",
        "Ask the service which attributes it has, and offer each as a column. When off, or when "
        "the call fails, those of the catalog or of earlier runs are kept, else the core ones.",
        default=True,
    ),
    "column_names": setting(
        "string",
        "Column names",
        "`snake`: lower-case with underscores; `original`: as Totango calls them.",
        enum=["snake", "original", None],
        default="snake",
    ),
    "safe_column_names": setting(
        "boolean",
        "Safe column names",
        "Make names that PostgreSQL can hold: at most 63 bytes, different within these, and none "
        "of its system columns. Titles keep the whole name.",
        default=True,
    ),
    "full_refresh_every_hours": setting(
        "number",
        "Full refresh every … hours",
        "How often an incremental stream is read whole, because an edited attribute does not "
        "move `last_activity_time`, nor an edit the time of an event. 0 = every run; null = never "
        "after the first.",
        minimum=0,
        default=24,
    ),
    "lookback_seconds": setting(
        "number",
        "Look-back",
        "Incremental reading begins this many seconds before the bookmark, because Totango shows "
        'activity late: "normally seconds, sometimes minutes".',
        minimum=0,
        default=LOOKBACK_SECONDS,
    ),
    "events_lookback_days": setting(
        "number",
        "Look-back of events",
        "Streams made of events begin this many days before the bookmark: a touchpoint may be "
        "back-dated, and edited. What is older arrives with the next full refresh.",
        minimum=0,
        default=30,
    ),
    "on_incomplete": setting(
        "string",
        "When rows are missing",
        "`fail`: the run exits 1; `warn`: it goes on. In both cases the bookmark stays.",
        enum=["fail", "warn", None],
        default="fail",
    ),
    "accounts_partitions": setting(
        "array",
        "Partitions of accounts",
        "Lists of terms that divide the accounts into partitions of fewer than 20,000 rows, for "
        "services where nothing else does.",
        items=_PARTITION,
    ),
    "users_partitions": setting(
        "array",
        "Partitions of users",
        "Lists of terms that divide the users into partitions of fewer than 20,000 rows.",
        items=_PARTITION,
    ),
    "accounts_method": setting(
        "string",
        "How accounts are read",
        "`search`, or `scroll`: an undocumented endpoint without a 10,000-row window, which "
        "gives no activity times.",
        enum=["search", "scroll", None],
        default="search",
    ),
    "part": setting(
        "string",
        "Part",
        "One part of the rows, such as `3/8`, by account, for runs on several machines: all parts "
        "together are the whole. Each part needs a state of its own, and reads everything: it "
        "saves what comes behind the tap, and no calls.",
        pattern=PART_PATTERN,
        examples=["3/8"],
    ),
    **report_settings(),
    **notify_settings(FAILURE),
    "page_size": setting(
        "integer",
        "Page size",
        "Rows on a page; lower it when searches time out.",
        minimum=1,
        maximum=PAGE_ROWS,
        default=PAGE_ROWS,
    ),
    "max_in_flight": setting(
        "integer",
        "Pages at once",
        "Pages fetched at the same time; events are read one page after another.",
        minimum=1,
        default=4,
    ),
    "probe_path": setting(
        "string",
        "Profile of the service",
        "File that `tap-totango probe` wrote: what the service was found to refuse is not asked "
        "again. Settings win over it, and one of another service ends the run before it reads.",
    ),
    "emit_activate_version_messages": setting(
        "boolean",
        "Table versions",
        "A complete and unfiltered full read of accounts, users or events ends with "
        "ACTIVATE_VERSION, so that targets which understand it drop what has vanished from "
        "Totango.",
        default=True,
    ),
}

CONFIG_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {**CONNECTION_SETTINGS, **_OWN},
    "required": ["app_token"],
    "additionalProperties": False,
}
"""JSON Schema of the configuration, without what the SDK adds."""

COMMANDS: Final = {
    "check": "say whether token, region and service fit, and how many rows they see",
    "probe": "find out which reading of the open questions the service follows",
}
"""Subcommands, and what each does."""
