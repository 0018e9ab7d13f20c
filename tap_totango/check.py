"""`tap-totango check`: do token, region and service fit, and what can they see?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api.command import config_parser
from totango_api.connection_check import (
    PATIENCE_SECONDS,
    print_findings,
    row_count_text,
    visible_rows,
)
from totango_api.http import ApiClient
from totango_api.region import connected
from totango_api.search import ACCOUNTS, USERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

_DESCRIPTION: Final = "Say whether token, region and service fit, and how many rows they see."


def check(arguments: Sequence[str], read_config: Callable[[Sequence[str]], dict[str, Any]]) -> int:
    """Run the check and print what it finds.

    Args:
        arguments: The command line without the word `check`.
        read_config: Reads configuration files; `ENV` stands for the environment.

    Returns:
        The exit code: 0 if rows can be read.
    """
    parser = config_parser("tap-totango", "check", _DESCRIPTION)
    return print_findings(_findings(read_config(parser.parse_args(arguments).config)))


def _findings(config: Mapping[str, Any]) -> Iterator[str]:
    connection = connected(
        config, user_agent="tap-totango check", max_retry_seconds=PATIENCE_SECONDS
    )
    team_id = config.get("team_id")
    with ApiClient(connection) as client:
        seen = visible_rows(client, config, (ACCOUNTS, USERS), team_id=team_id and str(team_id))
    yield f"Token accepted by {connection.hosts.api} (region {connection.region})."
    for stream, total in seen.items():
        yield f"Rows visible in {stream}: {row_count_text(total)}"
    if not seen[ACCOUNTS]:
        yield "No accounts are visible: is the token's owner in the global team? Try team_id: -1."
