"""`tap-totango probe`: asks a service, prints a table of answers and writes them to a profile."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from tap_totango.own_requests import own_requests
from tap_totango.probe import audit, columns, filters, lists, pages, window
from tap_totango.probe.service import ProbedService
from totango_api.http import ApiClient
from totango_api.probe import Caller, are_settled, ask_all, conclude, probe_parser, probed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from totango_api.probe import Question

MAX_CALLS: Final = 30

OF_WHAT_IS_LEFT: Final = (
    *filters.OF_WHAT_IS_LEFT,
    *pages.OF_WHAT_IS_LEFT,
    *audit.OF_WHAT_IS_LEFT,
    *window.OF_WHAT_IS_LEFT,
)
"""Those that are asked with the calls that the others leave."""

QUESTIONS: Final[tuple[Question[ProbedService], ...]] = (
    *pages.QUESTIONS,
    *window.QUESTIONS,
    *lists.OF_ATTRIBUTES,
    *columns.OF_USERS,
    *columns.QUESTIONS,
    *pages.OF_A_SECOND_LOOK,
    *filters.QUESTIONS,
    *pages.OF_EVENTS,
    filters.OF_EVENTS,
    *lists.QUESTIONS,
    *pages.OF_A_SCROLL,
    *audit.QUESTIONS,
    *lists.OF_OWN_LISTS,
    *OF_WHAT_IS_LEFT,
)
"""In the order in which they are asked: what a read depends on comes first."""

_DESCRIPTION: Final = (
    "Find out which reading of the open questions a service follows, with a few calls that change "
    "nothing; print a table, and write a profile for the setting probe_path."
)


def probe(arguments: Sequence[str], read_config: Callable[[Sequence[str]], dict[str, Any]]) -> int:
    """Ask everything, and say what was answered.

    Args:
        arguments: The command line without the word `probe`.
        read_config: Reads configuration files; `ENV` stands for the environment.

    Returns:
        The exit code: 0 if every question was asked.

    Raises:
        TotangoError: If the service cannot be asked at all, or the profile not be written.
    """
    parser = probe_parser("tap-totango", _DESCRIPTION, max_calls=MAX_CALLS)
    options = parser.parse_args(arguments)
    config = read_config(options.config)
    connection, output = probed("tap-totango", options, config)
    own = own_requests(config.get("streams"), ())
    least = sum(question.calls for question in QUESTIONS)
    sys.stdout.write(
        f"{len(QUESTIONS)} questions in about {least} calls, at most {options.max_calls}; nothing "
        "is changed.\n"
    )
    sys.stdout.flush()
    with ApiClient(connection) as client:
        caller = Caller(client, options.max_calls, team_id=_team_id(config))
        results = list(ask_all(QUESTIONS, ProbedService(caller, own), caller))
    sys.stdout.write(conclude("tap-totango", caller, results, output))
    sys.stdout.write(f"Profile: {output}. Set probe_path to it, and the tap saves calls.\n")
    return int(not are_settled(results))


def _team_id(config: Mapping[str, Any]) -> str | None:
    team_id = config.get("team_id")
    return None if team_id is None else str(team_id)
