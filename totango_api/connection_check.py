"""Checks whether token, region and service fit, with a few calls that change nothing."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import AuthenticationError, TotangoError
from totango_api.hosts import REGIONS, hosts_of
from totango_api.http import ApiClient
from totango_api.redaction import scrub
from totango_api.search import ACCOUNTS, Query, Search

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from totango_api.config import Connection

PATIENCE_SECONDS: Final = 20
"""How long a person waits for a response."""


def print_findings(lines: Iterator[str]) -> int:
    """Print what a check finds; return its exit code: 0 if nothing stands in the way."""
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
    except TotangoError as error:
        sys.stdout.flush()
        sys.stderr.write(f"Not ready: {scrub(error)}\n")
        return 1
    return 0


def visible_rows(
    client: ApiClient,
    config: Mapping[str, Any],
    streams: Sequence[str],
    *,
    team_id: str | None = None,
) -> dict[str, int | None]:
    """Return how many rows the token sees, as far as the service counts them: a call each.

    Raises:
        TotangoError: If the token is not accepted, naming the region in which it is.
        ApiError: If the service does not answer.
    """
    try:
        return {
            stream: Search(client, stream, team_id=team_id).page(Query(count=1)).total_hits
            for stream in streams
        }
    except AuthenticationError as error:
        raise _with_region(error, client.connection, config) from None


def row_count_text(rows: int | None) -> str:
    """Return a number of rows in words."""
    return "not counted" if rows is None else f"{rows:,}"


def _with_region(
    error: AuthenticationError, connection: Connection, config: Mapping[str, Any]
) -> TotangoError:
    """Find out whether the token fits another region, unless the host is overridden."""
    if config.get("api_url"):
        return error
    for region in set(REGIONS) - {connection.region}:
        other = replace(connection, region=region, hosts=hosts_of(region), max_retry_seconds=0)
        try:
            with ApiClient(other) as client:
                Search(client, ACCOUNTS).page(Query(count=1))
        except TotangoError:
            continue
        msg = f"The token is not accepted in region {connection.region}, but in {region}."
        return TotangoError(msg, remedy=f"Set region: {region}.")
    return error
