"""Reads a paste by the rules of the programs that may have written it, the likeliest first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from totango_api.search.pasted import curl, javascript, powershell
from totango_api.search.pasted.payload import PasteError, Payload
from totango_api.search.pasted.shells import browsers_cmd_words, cmd_words, posix_words

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_BEFORE_COMMAND: Final = re.compile(
    r"""(?: \s* \#(?!\s*curl\b)[^\n]*\n
    | \s* [A-Za-z_]\w*=(?: [^\s'"{]* | '[^']*' | "[^"]*" ) \s
    | \s* (?:time|sudo) \s )+""",
    re.VERBOSE,
)
"""Lines of comment, variables and words before a command."""

_STRAIGHT: Final = re.compile(r"'|(?<=\s)\"")
_TYPOGRAPHIC: Final = re.compile("[\u2018\u2019\u201b]")
_DASHES: Final = re.compile(r"\s(?:(\u2013)|\u2014)(?=[A-Za-z])")

_CMD_MARK: Final = re.compile(r'\s\^(?:"|[ \t]*\r?\n)')
"""A word that opens with `^"`, or a line that goes on after `^`."""


def read_paste(text: str, accept: Callable[[Payload], T]) -> T:
    """Return what `accept` makes of what a text sends.

    Which shell a command was written for is not said: readings are tried, the likeliest first.

    Args:
        text: As it was pasted, without blanks around it.
        accept: Raises a PasteError for what it cannot use.

    Raises:
        PasteError: Of the likeliest reading, if none can be used.
    """
    fault: PasteError | None = None
    for reading in _readings(text):
        try:
            return accept(reading(_bare(text)))
        except PasteError as error:
            fault = fault or error
    raise fault or PasteError("it is empty")


def _bare(text: str) -> str:
    match = _BEFORE_COMMAND.match(text)
    rest = text[match.end() :].lstrip() if match else text
    return rest if curl.is_curl(rest) else text


def _readings(text: str) -> list[Callable[[str], Payload]]:
    text = _bare(text)
    if curl.is_curl(text):
        if powershell.is_powershell(text):
            return [powershell.payload_of, _of_posix_shell]
        if not _STRAIGHT.search(text) and _TYPOGRAPHIC.search(text):
            return [_of_typographic_shell]
        for_cmd = [_of_cmd, _of_browsers_cmd]
        return (
            [*for_cmd, _of_posix_shell] if _CMD_MARK.search(text) else [_of_posix_shell, *for_cmd]
        )
    if powershell.is_powershell(text):
        return [powershell.payload_of]
    if javascript.is_fetch(text) and not text.startswith(("{", "query")):
        return [javascript.payload_of]
    return [_of_text]


def _of_posix_shell(text: str) -> Payload:
    return curl.payload_of(posix_words(text))


def _of_typographic_shell(text: str) -> Payload:
    """Read a command whose quotes and dashes a document or a chat replaced."""
    straight = _DASHES.sub(lambda match: " -" if match.group(1) == "\u2013" else " --", text)
    return _of_posix_shell(_TYPOGRAPHIC.sub("'", straight))


def _of_cmd(text: str) -> Payload:
    return curl.payload_of(cmd_words(text))


def _of_browsers_cmd(text: str) -> Payload:
    return curl.payload_of(browsers_cmd_words(text))


def _of_text(text: str) -> Payload:
    return Payload(body=text)
