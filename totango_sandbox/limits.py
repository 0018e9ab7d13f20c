"""What Totango allows, as numbers and patterns. Each line names the article it comes from."""

from __future__ import annotations

import re
from typing import Final

# Totango: Attribute limitations.
ACCOUNT_ID_MAX: Final = 480
PRODUCT_ID_MAX: Final = 255
ACCOUNT_NAME_MAX: Final = 128
ACCOUNT_TEXT_MAX: Final = 512
USER_ID_MAX: Final = 100
USER_TEXT_MAX: Final = 255
COLLECTION_TYPE_MAX: Final = 128
COLLECTION_TEXT_MAX: Final = 512
ACTIVITY_MAX: Final = 190
MODULE_MAX: Final = 100
ATTRIBUTE_NAME_MAX: Final = 100
# Totango: Touchpoints API.
TOUCHPOINT_CONTENT_MAX: Final = 12_000

# "Alphanumeric" is read as ASCII: the narrowest reading that fits the article.
ACCOUNT_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]+")
USER_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_\-@.]+")

# Totango: Search API (accounts and users).
SEARCH_COUNT_DEFAULT: Final = 1000


def account_id_fault(account_id: object, what: str = "account id") -> str | None:
    """Return why Totango would not take this account (or parent) id, or None when it would."""
    return _id_fault(account_id, what, ACCOUNT_ID_PATTERN, ACCOUNT_ID_MAX, "letters, digits, _ -")


def user_id_fault(user_id: object) -> str | None:
    """Return why Totango would not take this user id, or None when it would."""
    return _id_fault(user_id, "user id", USER_ID_PATTERN, USER_ID_MAX, "letters, digits, _ - @ .")


def _id_fault(
    value: object, what: str, pattern: re.Pattern[str], longest: int, allowed: str
) -> str | None:
    if not isinstance(value, str) or not value:
        return f"{what} is missing"
    if len(value) > longest:
        return f"{what} is longer than {longest} characters"
    if pattern.fullmatch(value) is None:
        return f"{what} has characters other than {allowed}"
    return None
