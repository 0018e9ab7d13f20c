"""Checks ids and texts by Totango's rules, before a call is spent on them.

Tracking calls are answered 200 whatever they hold ("Totango HTTP API"), so that a refused id
would vanish without a word. Rules: "Attribute limitations", "Unique IDs".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from totango_api import limits

SALESFORCE_SHORT: Final = 15
_BLANK: Final = " \N{NO-BREAK SPACE}"

_ACCOUNT_ID: Final = re.compile(f"[{limits.ACCOUNT_ID_CHARACTERS}]{{1,{limits.ACCOUNT_ID_LENGTH}}}")
_USER_ID: Final = re.compile(f"[{limits.USER_ID_CHARACTERS}]{{1,{limits.USER_ID_LENGTH}}}")
_NOT_IN_ACCOUNT_ID: Final = re.compile(f"[^{limits.ACCOUNT_ID_CHARACTERS}]")
_NOT_IN_USER_ID: Final = re.compile(f"[^{limits.USER_ID_CHARACTERS}]")
# Key prefixes of Salesforce's own objects begin with 00 (001 account, 003 contact, 00Q lead,
# 005 user). A number padded with zeros is no Salesforce id, so a letter is asked for.
_SALESFORCE_SHORT_ID: Final = re.compile(r"(?=.*[A-Za-z])00[0-9A-Za-z]{13}")
_SALESFORCE_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True)
class IdProblem:
    """One reason why Totango would not take a text.

    Attributes:
        code: Short, fixed, without the text itself: fit for counting and logs.
        message: For the person who corrects the row; may quote the text.
    """

    code: str
    message: str


def account_id_problems(text: str) -> list[IdProblem]:
    """Return what is wrong with an account id or a parent id."""
    if _ACCOUNT_ID.fullmatch(text):
        return []
    return _id_problems(
        text,
        _NOT_IN_ACCOUNT_ID,
        "letters, digits, _ and -",
        limits.ACCOUNT_ID_LENGTH,
    )


def user_id_problems(text: str) -> list[IdProblem]:
    """Return what is wrong with a user id."""
    if _USER_ID.fullmatch(text):
        return []
    return _id_problems(
        text, _NOT_IN_USER_ID, "letters, digits, _ - @ and .", limits.USER_ID_LENGTH
    )


def product_id_problems(text: str) -> list[IdProblem]:
    """Return what is wrong with a product id: only its length is limited."""
    return length_problems(text, limits.PRODUCT_ID_LENGTH)


def length_problems(text: str, limit: int) -> list[IdProblem]:
    """Return what is wrong with a text of which Totango keeps `limit` characters."""
    if len(text) <= limit:
        return []
    return [IdProblem("too long", f"{len(text)} characters, and Totango keeps {limit}")]


def attribute_name_problems(name: str) -> list[IdProblem]:
    """Return what is wrong with an attribute's API name.

    The article names a-z, 0-9 and _, but Totango's own names hold capitals and spaces; only
    what no source shows is refused: names of nothing but blanks, and control characters. A blank
    at an end is unusual, but no source says that Totango does not take it.
    """
    text = name.strip(_BLANK) if name.strip() else name
    if not text or text != text.strip() or any(ord(character) < 0x20 for character in text):
        return [
            IdProblem("attribute name", "empty, begins or ends with a blank, or holds a control")
        ]
    return length_problems(name, limits.ATTRIBUTE_NAME_LENGTH)


def has_blank_end(name: str) -> bool:
    """Return whether a name begins or ends with a blank."""
    return name != name.strip(_BLANK)


def is_short_salesforce_id(text: str) -> bool:
    """Return whether a text looks like a 15-character Salesforce id.

    Those differ by case alone, so that two of them can be the same id elsewhere; Totango asks
    for the 18-character form ("Unique IDs").
    """
    return len(text) == SALESFORCE_SHORT and _SALESFORCE_SHORT_ID.fullmatch(text) is not None


def salesforce_long_id(short: str) -> str:
    """Return the 18-character form of a 15-character Salesforce id.

    Each of the three added characters says which letters of five are capitals.
    """
    added = ""
    for start in range(0, SALESFORCE_SHORT, 5):
        capitals = sum(
            1 << place
            for place, letter in enumerate(short[start : start + 5])
            if "A" <= letter <= "Z"
        )
        added += _SALESFORCE_CHECK[capitals]
    return short + added


def _id_problems(
    text: str, forbidden: re.Pattern[str], allowed: str, limit: int
) -> list[IdProblem]:
    if not text:
        return [IdProblem("empty", "empty")]
    problems = []
    if found := sorted(set(forbidden.findall(text))):
        shown = " ".join(repr(character) for character in found[:10])
        problems.append(IdProblem("characters", f"holds {shown}; Totango takes {allowed}"))
    return problems + length_problems(text, limit)
