"""`tap-totango check`: do token, region and service fit, and what can they see?"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from totango_api.connection_check import PATIENCE_SECONDS, counted, visible_rows
from totango_api.errors import TotangoError
from totango_api.http import ApiClient
from totango_api.redaction import scrub
from totango_api.region import connected
from totango_api.search import ACCOUNTS, USERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
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
    connection = connected(
        config, user_agent="tap-totango check", max_retry_seconds=PATIENCE_SECONDS
    )
    team_id = config.get("team_id")
    with ApiClient(connection) as client:
        seen = visible_rows(client, config, (ACCOUNTS, USERS), team_id=team_id and str(team_id))
    lines = [
        f"Token accepted by {connection.hosts.api} (region {connection.region}).",
        *(f"Rows visible in {stream}: {counted(total)}" for stream, total in seen.items()),
    ]
    if not seen[ACCOUNTS]:
        lines.append(
            "No accounts are visible: is the token's owner in the global team? Try team_id: -1."
        )
    sys.stdout.write("\n".join(lines) + "\n")
