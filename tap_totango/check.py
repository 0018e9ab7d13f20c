"""`tap-totango check`: do token, region and service fit, and what can they see?"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from totango_api.config import Connection
from totango_api.errors import AuthenticationError, TotangoError
from totango_api.hosts import REGIONS, hosts_of
from totango_api.http import ApiClient
from totango_api.redaction import scrub
from totango_api.region import resolved
from totango_api.search import ACCOUNTS, USERS, Query, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_DESCRIPTION: Final = "Say whether token, region and service fit, and how many rows they see."


PATIENCE_SECONDS: Final = 20
"""How long a person waits for an answer."""


def check(arguments: Sequence[str], read_config: Callable[[Sequence[str]], dict[str, Any]]) -> int:
    """Run the check and print what it finds.

    Args:
        arguments: What follows `tap-totango check` on the command line.
        read_config: Reads configuration files; `ENV` stands for the environment.

    Returns:
        The exit code: 0 if rows can be read.
    """
    parser = argparse.ArgumentParser(prog="tap-totango check", description=_DESCRIPTION)
    parser.add_argument("--config", action="append", default=[], help="file, or ENV; repeatable")
    config = read_config(parser.parse_args(arguments).config)
    try:
        _report(config)
    except TotangoError as error:
        sys.stderr.write(f"Not ready: {scrub(error)}\n")
        return 1
    return 0


def _report(config: Mapping[str, Any]) -> None:
    connection = Connection.from_config(config, user_agent="tap-totango check")
    connection.require_token()
    patience = min(PATIENCE_SECONDS, connection.max_retry_seconds)
    connection = replace(resolved(connection, config), max_retry_seconds=patience)
    team_id = config.get("team_id")
    with ApiClient(connection) as client:
        try:
            seen = {
                stream: Search(client, stream, team_id=team_id and str(team_id))
                .page(Query(count=1))
                .total_hits
                for stream in (ACCOUNTS, USERS)
            }
        except AuthenticationError as error:
            raise _with_region(error, connection, config) from None
    lines = [
        f"Token accepted by {connection.hosts.api} (region {connection.region}).",
        *(f"Rows visible in {stream}: {_count(total)}" for stream, total in seen.items()),
    ]
    if not seen[ACCOUNTS]:
        lines.append(
            "No accounts are visible: is the token's owner in the global team? Try team_id: -1."
        )
    sys.stdout.write("\n".join(lines) + "\n")


def _count(total: int | None) -> str:
    return "not counted" if total is None else f"{total:,}"


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
