"""Questions about tracking calls: when they are seen, and how values are stored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from target_totango.config_schema import DEFAULT_VERIFY_TIMEOUT
from target_totango.probe.account import NUMBER_ATTRIBUTE, TEXT_ATTRIBUTE
from totango_api.errors import ApiError
from totango_api.limits import ACCOUNT_TEXT_LENGTH
from totango_api.probe import FAILED, Answer, Question, does_not_arise
from totango_api.search import NUMBER
from totango_api.search import discover as discover_attributes
from totango_api.writing import RECEIPTS

if TYPE_CHECKING:
    from target_totango.probe.account import ProbedAccount, Written
    from totango_api.search import Attribute

ODD_TEXT: Final = 'a+b %41 & c=d; "q" \\ \u00fc\u4e2d'
"""Every sign that an encoding may spoil."""

_UNSEEN: Final = "the first write was not seen"
_WRONG_TOKEN: Final = "singer-probe-no-such-sdr-token"  # noqa: S105 (it is nobody's)
_SURPLUS: Final = 88
_PATIENCE: Final = 20
"""How many times as long as the first write other writes may take until they are seen."""


def first(account: ProbedAccount) -> Written | None:
    """Return the first write, which several questions look at; None if it was not seen."""
    return account.caller.once("first write", lambda: account.tracked(text=ODD_TEXT, number="12"))


def definitions(account: ProbedAccount) -> list[Attribute]:
    """Return the attribute definitions of the service, as they are after the first write.

    Raises:
        ApiError: If they are not answered.
    """
    client = account.caller.client
    return account.caller.once(
        "definitions", lambda: account.caller.call(lambda: discover_attributes(client, seconds=0))
    )


def unseen(why: str = _UNSEEN) -> Answer:
    """Return the answer to a question whose write was not seen."""
    return Answer("?", why, state=FAILED)


def write_visibility(account: ProbedAccount) -> Answer:
    """Write, and read until it is seen."""
    written = first(account)
    if written is None:
        advice = "sdr_token, if the service asks for one; an account that is not blocked; --wait"
        return Answer("?", "a tracking call was not seen in time", advice, state=FAILED)
    seconds = math.ceil(written.seconds)
    value = "at once" if seconds <= 1 else f"after {seconds} s"
    evidence, timeout = f"seen after {written.seconds:.1f} s", _PATIENCE * seconds
    if timeout <= DEFAULT_VERIFY_TIMEOUT:
        return Answer(value, evidence)
    settings = {"verify_timeout": timeout}
    return Answer(value, evidence, f"verify_timeout: {timeout}", settings=settings)


def escaped_characters(account: ProbedAccount) -> Answer:
    """Look whether a text came back as it was sent."""
    written = first(account)
    if written is None:
        return unseen()
    text = written.account.text
    if text is None:
        return does_not_arise("the text was not taken at all: see unknown_attributes")
    if text == ODD_TEXT:
        return Answer("kept", f"{len(ODD_TEXT)} characters came back as they were sent")
    return Answer("changed", f"of {len(ODD_TEXT)} characters sent, other {len(str(text))} came")


def unknown_attributes(account: ProbedAccount) -> Answer:
    """Look whether attributes that nobody defined were made, and of which type a number is."""
    written = first(account)
    if written is None:
        return unseen()
    seen = written.account
    if seen.text is None and seen.number is None:
        return Answer("dropped", "neither a text nor a number was taken", "define them in Totango")
    try:
        known = definitions(account)
    except ApiError:
        return Answer("created", "both were taken; their types are not told")
    kinds = {
        one.api_name: one.kind
        for one in known
        if one.api_name in {TEXT_ATTRIBUTE, NUMBER_ATTRIBUTE}
    }
    if NUMBER_ATTRIBUTE not in kinds:
        return Answer("created", "both were taken; their types are not told")
    is_typed = kinds[NUMBER_ATTRIBUTE] == NUMBER
    return Answer("created by value" if is_typed else "created as text", "a number and a text")


def long_values(account: ProbedAccount) -> Answer:
    """Write a text that is longer than the documented limit."""
    if first(account) is None:
        return unseen()
    long = "x" * (ACCOUNT_TEXT_LENGTH + _SURPLUS)
    written = account.tracked(text=long)
    if written is None:
        return unseen("the write was not seen")
    text = written.account.text
    length = len(str(text)) if text is not None else 0
    if text == long:
        return Answer("kept", f"{length} of {len(long)} characters were seen")
    if length and long.startswith(str(text)):
        return Answer("cut", f"{length} of {len(long)} characters were seen")
    return Answer("dropped", f"{len(long)} characters were not taken")


def empty_values(account: ProbedAccount) -> Answer:
    """Write an empty text where there is one."""
    if first(account) is None:
        return unseen()
    full = account.tracked(text="something")
    if full is None:
        return unseen("the write was not seen")
    if full.account.text is None:
        return does_not_arise("there is no attribute to be emptied: see unknown_attributes")
    empty = account.tracked(text="")
    if empty is None:
        return unseen("the write was not seen")
    if empty.account.text in {None, ""}:
        return Answer("cleared", "the value was gone", "null_policy: clear, where it is wanted")
    return Answer("ignored", "the value was still there")


def _wrong_token(account: ProbedAccount) -> tuple[int, bool, bool]:
    """Return status, whether it was a receipt, and whether a call with a wrong token was taken."""

    def fetch() -> tuple[int, bool, bool]:
        mark = account.mark()
        response = account.track({"account_name": mark}, sdr_token=_WRONG_TOKEN)
        is_taken = account.is_taken(mark, first(account))
        return response.status, response.body.startswith(RECEIPTS), is_taken

    return account.caller.once("wrong token", fetch)


def sdr_token(account: ProbedAccount) -> Answer:
    """Send a wrong SDR token."""
    if first(account) is None:
        return unseen()
    _, _, is_taken = _wrong_token(account)
    if is_taken:
        return Answer("not asked for", "a call with a wrong token was taken")
    if account.has_sdr_token:
        return Answer("required", "a call with a wrong token was not taken")
    return Answer("wrong ones refused", "calls without one are taken, with a wrong one not")


def sdr_refusal(account: ProbedAccount) -> Answer:
    """Look what answers a wrong SDR token."""
    if first(account) is None:
        return unseen()
    status, is_receipt, is_taken = _wrong_token(account)
    if is_taken:
        return does_not_arise("no SDR token is asked for")
    what = "a receipt all the same" if is_receipt else "no receipt"
    return Answer(str(status), f"status {status} and {what}")


QUESTIONS: Final = (
    Question("write_visibility", "When is a write seen?", 2, write_visibility),
    Question("escaped_characters", "Do odd characters come back?", 0, escaped_characters),
    Question("unknown_attributes", "Are unknown attributes created?", 1, unknown_attributes),
    Question("long_values", "What becomes of a value over the limit?", 2, long_values),
    Question("empty_values", "Does an empty value clear?", 4, empty_values),
    Question("sdr_token", "Is an SDR token asked for?", 5, sdr_token),
    Question("sdr_refusal", "What answers a wrong SDR token?", 0, sdr_refusal),
)
