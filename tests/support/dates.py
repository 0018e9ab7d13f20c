"""Made-up dates of a tenant's rows, in several shapes; the same for the same number of rows."""

from __future__ import annotations

import math
import random
from typing import Final

DAY: Final = 86_400_000
START: Final = 1_600_000_000_000
SPAN: Final = 5 * 365 * 86_400_000


def evenly(rows: int, dice: random.Random) -> list[int]:
    """Dates anywhere in five years."""
    return [START + dice.randrange(SPAN) for _ in range(rows)]


def growing(rows: int, dice: random.Random) -> list[int]:
    """Ten times as many every year."""
    year = SPAN / 5 / math.log(10)
    return [START + SPAN - int(dice.expovariate(1.0) * year) for _ in range(rows)]


def by_day(rows: int, dice: random.Random) -> list[int]:
    """At midnight, and on some days many more than on others."""
    weights = [dice.random() ** 2 for _ in range(400)]
    days = dice.choices(range(400), weights, k=rows)
    return [START // DAY * DAY + day * DAY for day in days]


SHAPES: Final = (evenly, growing, by_day)


def dates_of(shape: str, rows: int) -> list[int]:
    """Return dates in the order of the rows' names."""
    make = {one.__name__: one for one in SHAPES}[shape]
    return make(rows, random.Random(rows))
