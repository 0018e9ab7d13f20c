"""How many search calls it takes to read rows that all have a date, by how the dates lie.

Run with ``python benchmarks/window_calls.py [ROWS …]``. No server, no socket: a model of the
search endpoint that refuses rows beyond 10,000 of one query.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from dates import ORDERS, SHAPES, dates_of
from search_model import LargeSearch

from totango_api.reading import CompleteRead, DateKey, Movement, Paging
from totango_api.search import Query

if TYPE_CHECKING:
    from totango_api.search import Search

KEY: Final = DateKey(
    "last_activity_time", {"type": "date", "term": "last_activity_time"}, Movement.STABLE
)
ROWS: Final = (9_999, 10_000, 10_001, 12_000, 20_001, 25_000, 60_000, 100_000, 200_000, 1_000_000)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=ROWS)
    columns = [f"{shape.__name__}, {how}" for shape in SHAPES for how in ORDERS]
    print(f"| rows | least | {' | '.join(columns)} | CPU µs a row |")
    print("|---" * (len(columns) + 3) + "|")
    for rows in parser.parse_args().rows:
        calls, seconds = [], 0.0
        for shape in SHAPES:
            for order in ORDERS:
                search = LargeSearch([*dates_of(shape.__name__, order, rows)])
                started = time.process_time()
                calls.append(_calls(search))
                seconds += time.process_time() - started
        cells = [f"{number} ({number / -(-rows // 1000):.3f})" for number in calls]
        micro = seconds / rows / len(calls) * 1e6
        print(f"| {rows:,} | {-(-rows // 1000)} | {' | '.join(cells)} | {micro:.1f} |", flush=True)
    print(
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most", file=sys.stderr
    )


def _calls(search: LargeSearch) -> int:
    reading = CompleteRead(
        cast("Search", search),
        Query(),
        keys=[KEY],
        paging=Paging(in_flight=1),
    )
    found = sum(len(batch.hits) for batch in reading.batches())
    if found != len(search.dates) or not reading.result.is_complete:
        print(f"{found} of {len(search.dates)}: {reading.result}", file=sys.stderr)
    return search.calls


if __name__ == "__main__":
    main()
