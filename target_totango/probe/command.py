"""`target-totango probe`: writes to one account of the user's, and says what it leaves there."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from target_totango.config import Settings
from target_totango.probe import engagements, hub, replaced_values, tracking
from target_totango.probe.account import NUMBER_ATTRIBUTE, TEXT_ATTRIBUTE, ProbedAccount
from totango_api.errors import InputError, TotangoError
from totango_api.http import ApiClient
from totango_api.probe import Caller, are_settled, ask_all, conclude, probe_parser, probed
from totango_api.writing import account_id_problems

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from target_totango.probe.account import Seen
    from totango_api.probe import Question, Result

MAX_CALLS: Final = 80
ENGAGEMENT_CALLS: Final = 40
"""More calls by default with `--records`."""

PUT_BACK_CALLS: Final = 10
"""Calls that are kept to put back what was written."""

ALWAYS_ASKED: Final[tuple[Question[ProbedAccount], ...]] = (
    *tracking.QUESTIONS,
    *hub.QUESTIONS,
    *replaced_values.QUESTIONS,
)
QUESTIONS: Final[tuple[Question[ProbedAccount], ...]] = (*ALWAYS_ASKED, *engagements.QUESTIONS)
"""With those about touchpoints and tasks (`--records`)."""

_ENGAGEMENTS: Final = (
    "One touchpoint (disable_sync) and one task are made, changed a few times, and stay there. "
)
_LENT: Final = (
    "Where the account has them, a list of the service's own, the Salesforce id and the owners "
    "(Success Manager, Sales Manager) get another value for "
    "a moment. "
)
_DESCRIPTION: Final = (
    "Find out how a service takes writes, on one account that you name for it; print a table, and "
    "say what is left of it there."
)


def probe(arguments: Sequence[str], read_config: Callable[[Sequence[str]], dict[str, Any]]) -> int:
    """Ask everything, put back what was written, and say what was answered.

    Args:
        arguments: The command line without the word `probe`.
        read_config: Reads configuration files; `ENV` stands for the environment.

    Returns:
        The exit code: 0 if every question was asked and everything put back that can be.

    Raises:
        TotangoError: If the service cannot be asked at all.
    """
    options = _options(arguments)
    config = read_config(options.config)
    settings = Settings.from_config(config)
    connection, output = probed("target-totango", options, config)
    connection.require_service_id().require_full()
    with ApiClient(connection) as client:
        caller = Caller(client, options.max_calls + PUT_BACK_CALLS)
        account = ProbedAccount(
            caller, options.account_id, sdr_token=settings.sdr_token, wait_seconds=options.wait
        )
        before = account.read()
        sys.stdout.write(_announcement(before, options))
        sys.stdout.flush()
        if not options.yes:
            sys.stdout.write("Nothing was written. Say --yes to go on.\n")
            return 1
        results, left = _asked(account, before, options)
    sys.stdout.write(conclude("target-totango", caller, results, output))
    sys.stdout.write(f"{_left(left, account.left_behind)}\n")
    sys.stdout.write(
        f"Profile: {output}. Set probe_path to it, and the target knows the service.\n"
    )
    return int(left is None or not are_settled(results))


def _asked(
    account: ProbedAccount, before: Seen | None, options: argparse.Namespace
) -> tuple[list[Result], list[str] | None]:
    """Ask all questions; return the answers, and what is left: None if that is not known."""
    left: list[str] | None = None
    caller = account.caller
    caller.max_calls = options.max_calls
    try:
        results = list(ask_all(_questions(options), account, caller))
    finally:
        caller.max_calls = max(caller.calls, 0) + PUT_BACK_CALLS
        with suppress(TotangoError):
            left = account.restore(before)
    return results, left


def _questions(options: argparse.Namespace) -> tuple[Question[ProbedAccount], ...]:
    return QUESTIONS if options.records else ALWAYS_ASKED


def _announcement(before: Seen | None, options: argparse.Namespace) -> str:
    questions = _questions(options)
    least = sum(question.calls for question in questions)
    made = _ENGAGEMENTS if options.records else ""
    there = "" if before else " It is not there: it would be made, and only people can archive it."
    return (
        f"Account {options.account_id}, and no other, will be written to.{there}\n"
        f"{len(questions)} questions in about {least} calls, at most {options.max_calls}: by "
        "tracking calls and hub batches, its name (put back in the end) and the attributes "
        f"{TEXT_ATTRIBUTE!r} and {NUMBER_ATTRIBUTE!r}; a user that does not exist is deleted; no "
        f"activity is counted. {_LENT}{made}Each write is waited for, "
        f"{options.wait:g} s at most.\n"
    )


def _left(left: Sequence[str] | None, made: Sequence[str]) -> str:
    if left is None:
        return "What was written could not be put back: look at the account."
    if stays := (*left, *made):
        return f"Left there: {'; '.join(stays)}."
    return "Left there: nothing but the definitions of the attributes, if they were made."


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line.

    Raises:
        InputError: If there cannot be an account of that id.
    """
    parser = probe_parser("target-totango", _DESCRIPTION, max_calls=MAX_CALLS)
    parser.set_defaults(max_calls=None)
    parser.add_argument("--account-id", required=True, help="the account that is written to")
    parser.add_argument("--yes", action="store_true", help="write; without it, only say what")
    parser.add_argument(
        "--records",
        action="store_true",
        help="also make one touchpoint and one task, which stay "
        f"(by default {ENGAGEMENT_CALLS} calls more)",
    )
    parser.add_argument(
        "--wait", type=float, default=120.0, help="seconds a write is waited for (default 120)"
    )
    options = parser.parse_args(arguments)
    if options.max_calls is None:
        options.max_calls = MAX_CALLS + (ENGAGEMENT_CALLS if options.records else 0)
    if problems := account_id_problems(options.account_id):
        msg = f"--account-id cannot be an account: {problems[0].message}."
        raise InputError(msg, remedy="Name an account that is there for tests.")
    return options
