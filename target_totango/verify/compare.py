"""Compares what Totango holds with what was sent.

Everything is sent as text and comes back in the type of its attribute. Two values are equal when
one is a lossless form of the other; a shape that is not known here is never taken for equal.

Facts: "Attributes and data types" (foreign keys are stored in lower case), public clients (dates
as epoch milliseconds or ISO text, owners as objects).
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from totango_api.text import epoch_milliseconds, parse_moment
from totango_api.writing import is_short_salesforce_id, salesforce_long_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOREIGN_KEYS: Final = frozenset({"ofid"})
"""Attributes that Totango stores in lower case."""

FIXED: Final = frozenset({"sfid"})
"""Attributes that are documented as not editable: compared only where Totango shows a value."""

_BOOLEANS: Final = {"yes": True, "true": True, "no": False, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class Difference:
    """One attribute that is not what was sent.

    Attributes:
        attribute: API name.
        sent: What was sent.
        found: What Totango holds; None when it holds nothing.
    """

    attribute: str
    sent: str
    found: Any


def editable(sent: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that Totango takes as they are sent."""
    return {name: text for name, text in sent.items() if name not in FIXED}


def unshown(sent: Mapping[str, str], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the attributes that cannot be compared: not editable, and not shown."""
    return tuple(name for name in sent if name in FIXED and found.get(name) is None)


def compare(sent: Mapping[str, str], found: Mapping[str, Any]) -> list[Difference]:
    """Return the attributes whose value in Totango is not the one that was sent.

    Args:
        sent: Text by API name; empty text asks for an empty attribute.
        found: What the search returned, by API name. Others than those sent are ignored.
    """
    return [
        Difference(attribute, value, found.get(attribute))
        for attribute, value in sent.items()
        if not _same(attribute, value, found.get(attribute))
    ]


def _same(attribute: str, sent: str, found: Any) -> bool:
    if found is None:
        return not sent or attribute in FIXED
    if attribute in FIXED and isinstance(found, str) and is_short_salesforce_id(found):
        found = salesforce_long_id(found)
    if attribute in FOREIGN_KEYS and isinstance(found, str):
        return sent.lower() == found.lower()
    compares = _COMPARISONS.get(type(found))
    return compares is not None and compares(sent, found)


def _is_text(sent: str, found: str) -> bool:
    if sent == found:
        return True
    words = _BOOLEANS.get(sent.lower()), _BOOLEANS.get(found.lower())
    if None not in words:
        return words[0] == words[1]
    if _GROUPED.fullmatch(found):
        return is_number(sent) and Decimal(sent) == Decimal(found.replace(",", ""))
    moment = milliseconds(sent)
    return moment is not None and moment == milliseconds(found)


def _is_truth(sent: str, found: bool) -> bool:
    return _BOOLEANS.get(sent.lower()) is found


def _is_number(sent: str, found: float | Decimal) -> bool:
    if not math.isfinite(found):
        return False
    if is_number(sent):
        if Decimal(sent) == Decimal(str(found)):
            return True
        # A fraction may be rounded to what a JSON number usually carries; a whole number, which
        # may be an id, may not.
        return "." in sent and isinstance(found, float) and float(sent) == found
    return milliseconds(sent) == found


def _is_list(sent: str, found: list[Any]) -> bool:
    """Compare a multi-select value, whose order means nothing, with what was joined by commas."""
    if not all(isinstance(option, str) for option in found):
        return False
    if ",".join(found) == sent:
        return True
    return sorted(part.strip() for part in sent.split(",")) == sorted(map(str.strip, found))


def _is_owner(sent: str, found: dict[str, Any]) -> bool:
    """Compare a role, which comes back as name and e-mail of a Totango user."""
    return bool(sent) and sent in {found.get("owner_value"), found.get("owner_tid_value")}


_COMPARISONS: Final[dict[type, Callable[[str, Any], bool]]] = {
    str: _is_text,
    bool: _is_truth,
    int: _is_number,
    float: _is_number,
    Decimal: _is_number,
    list: _is_list,
    dict: _is_owner,
}


def is_number(text: str) -> bool:
    """Return whether a text is a number as Totango takes it, and no id that looks like one."""
    return _NUMBER.fullmatch(text) is not None


@functools.lru_cache(maxsize=4096)
def milliseconds(text: str) -> int | None:
    """Return the epoch milliseconds of an ISO date or moment: the precision of Totango's dates.

    A date is its midnight in UTC, and a moment without a zone is in UTC.

    Returns:
        None if the text is neither.
    """
    try:
        return epoch_milliseconds(parse_moment(text))
    except ValueError:
        return None
