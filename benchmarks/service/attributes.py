"""The attributes of the made-up accounts: 17, which with three base columns makes 20."""

from __future__ import annotations

import json
import random
from typing import Any, Final

TEXTS: Final = (
    "Plan",
    "Country",
    "Industry",
    "Success Manager",
    "Sales Manager",
    "Account Type",
    "Segment",
    "Time Zone",
    "Notes",
)
NUMBERS: Final = ("Contract Value", "Licenses", "Company Size", "Open Tickets", "Satisfaction")
DATES: Final = ("Create Date", "Contract Renewal Date", "Last Order Date")
NAMES: Final = (*TEXTS, *NUMBERS, *DATES)

_TYPES: Final = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, "numeric"),
    **dict.fromkeys(DATES, "date"),
}
DEFINITIONS: Final = json.dumps(
    {"list": [{"key_name": name, "type": kind} for name, kind in _TYPES.items()]}
).encode()
"""The body of `GET /api/v1/attributes.json`."""

VARIANTS: Final = 9_973
"""Different sets of values; a prime, so that none lines up with pages. Accounts take turns."""

_MIDNIGHT: Final = 1_719_792_000_000
_DAY: Final = 86_400_000
_WORDS: Final = (
    "Enterprise",
    "Ünïcode & Söhne",
    "Dana Reed",
    "north",
    "some longer text that a person has typed, with 50 % of punctuation",
    None,
)


def variants() -> list[dict[str, Any]]:
    """Return sets of values by attribute, the same at every call; dates in epoch milliseconds.

    Of the dates two are days, as a contract's are, and one is a moment.
    """
    rnd = random.Random(1)  # noqa: S311 (no secret depends on it)
    return [_values(rnd) for _ in range(VARIANTS)]


def _values(rnd: random.Random) -> dict[str, Any]:
    texts: dict[str, Any] = {name: rnd.choice(_WORDS) for name in TEXTS}
    numbers = {
        name: rnd.choice((rnd.randrange(100_000), round(rnd.random() * 1e5, 2), None))
        for name in NUMBERS
    }
    days = {name: rnd.choice((_MIDNIGHT + _DAY * rnd.randrange(900), None)) for name in DATES[:2]}
    moment = {DATES[2]: _MIDNIGHT + rnd.randrange(900 * _DAY)}
    return {**texts, **numbers, **days, **moment}
