"""`target-totango check`: do token, service and hub fit? Nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from target_totango.config import Settings
from target_totango.models import HUB, TRACKING
from totango_api.command import config_parser
from totango_api.connection_check import (
    PATIENCE_SECONDS,
    print_findings,
    row_count_text,
    visible_rows,
)
from totango_api.errors import ApiError, AuthenticationError, SettingsError
from totango_api.http import ApiClient, Request
from totango_api.region import connected, region_of
from totango_api.search import ACCOUNTS, Lookup
from totango_api.writing import hub_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_DESCRIPTION: Final = (
    "Say whether token, service and Integration Hub fit, and read an account. Nothing is written."
)


def check(arguments: Sequence[str], read_config: Callable[[Sequence[str]], dict[str, Any]]) -> int:
    """Run the check and print what it finds.

    Args:
        arguments: The command line without the word `check`.
        read_config: Reads configuration files; `ENV` stands for the environment.

    Returns:
        The exit code: 0 if rows can be written, as far as reading tells.
    """
    parser = config_parser("target-totango", "check", _DESCRIPTION)
    parser.add_argument("--account-id", help="the account that is read (default: the first one)")
    options = parser.parse_args(arguments)
    return print_findings(check_lines(read_config(options.config), options.account_id))


def check_lines(config: Mapping[str, Any], account_id: str | None = None) -> Iterator[str]:
    """Yield what is found, in sentences.

    Args:
        config: The settings.
        account_id: The account that is read; None = only counted.

    Raises:
        TotangoError: If rows cannot be written, or nobody could see that they were.
    """
    settings = Settings.from_config(config)
    connection = connected(
        config, user_agent="target-totango check", max_retry_seconds=PATIENCE_SECONDS
    )
    if settings.uses(TRACKING) and connection.service_id is not None:
        connection.service_id.require_full()
    with ApiClient(connection) as client:
        seen = visible_rows(client, config, (ACCOUNTS,))[ACCOUNTS]
        yield f"Token accepted by {connection.hosts.api} (region {connection.region})."
        yield _service(client)
        yield _hub(client, is_needed=settings.uses(HUB))
        if account_id is None:
            yield f"Rows visible in accounts: {row_count_text(seen)}"
        elif Lookup(client).find(ACCOUNTS, [(account_id,)]):
            yield "The account is there."
        else:
            yield "The account is not there, or not seen by the token: a row would create it."


def _service(client: ApiClient) -> str:
    """Return what is known of the service.

    Raises:
        SettingsError: If it is not set, or in another region.
    """
    service, region = client.connection.require_service_id(), client.connection.region
    try:
        found = region_of(client, service.number)
    except SettingsError:
        return f"Service {service.number}: its region cannot be looked up; settings say {region}."
    if found != region:
        msg = f"Service {service.number} is in region {found}, and region says {region}."
        raise SettingsError(msg, remedy=f"Set region: {found}.")
    return f"Service {service.number} is in region {region}, as set."


def _hub(client: ApiClient, *, is_needed: bool) -> str:
    """Return whether the hub answers at all: what it takes shows only when rows are written.

    Raises:
        ApiError: If it does not, and is needed.
    """
    connection = client.connection
    url = f"{connection.hosts.hub}/api/v1/{ACCOUNTS}"
    try:
        client.send(Request("hub", "GET", url, headers=hub_headers(connection)), lambda *_: None)
    except AuthenticationError:
        if is_needed:
            raise
        return f"Integration Hub {connection.hosts.hub}: it does not accept the token."
    except ApiError as error:
        if error.status is None or error.retriable:
            if is_needed:
                raise
            return f"Integration Hub {connection.hosts.hub}: no answer. delivery: hub needs it."
    return f"Integration Hub {connection.hosts.hub} answers."
