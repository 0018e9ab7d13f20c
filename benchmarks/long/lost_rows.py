"""Whether any row gets lost or doubled: in every kind of fault, and in runs that are killed.

Run with ``python benchmarks/long/lost_rows.py [--rows 5 15 600 1500] [--kills 30]``. It starts
sandboxes of its own, prints what it tried, and exits 1 if one row is not accounted for.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))

from killed_runs import (
    HUB_BATCHES_OPEN,
    Input,
    Runner,
    assert_once_or_told,
    killed_and_finished,
    open_by_a_kill,
)
from row_sums import FAULTS, Cell
from sandboxes import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: Final = tuple(itertools.product(("accounts", "activities"), ("tracking", "hub")))
KILLS: Final = 3
STRIKES: Final = ("", ":every=5", ":times=12", ":p=0.1")
"""Which calls fail: all, each fifth, twelve in a row, one in ten."""


def main() -> None:
    """Try everything, and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", type=int, default=(5, 15, 600, 1500))
    parser.add_argument("--kills", type=int, default=30, help="inputs whose runs are killed")
    options = parser.parse_args()
    started, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        for what, faults in itertools.chain(
            matrix(Path(folder), options.rows), killed(Path(folder), options.kills)
        ):
            wrong += bool(faults)
            print(f"{what}: {'; '.join(faults) or 'every row accounted for'}", flush=True)
    print(f"{wrong} of them wrong, in {time.monotonic() - started:.0f} s.")
    sys.exit(bool(wrong))


def matrix(folder: Path, rows: tuple[int, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yield each cell of the matrix of faults, and what is wrong with it."""
    with sandbox(folder / "sandbox") as service:
        cells = itertools.product(rows, KINDS, FAULTS, STRIKES)
        for number, (count, (object_, delivery), fault, when) in enumerate(cells):
            home = folder / f"cell-{number}"
            home.mkdir()
            service.reset()
            cell = Cell(object_, delivery, fault, count, when)
            yield str(cell), cell.faults(home, service, canary=number % 2 == 0)


def killed(folder: Path, inputs: int) -> Iterator[tuple[str, list[str]]]:
    """Yield inputs whose runs are killed or terminated and resumed, and what is wrong."""
    for seed in range(inputs):
        home = folder / f"killed-{seed}"
        home.mkdir()
        chance = random.Random(seed)  # noqa: S311 (repeatable on purpose)
        settings: dict[str, Any] = {
            "ledger_path": str(home / "ledger.db"),
            "rejects_path": str(home / "rejects.singer"),
            "delivery": chance.choice(["tracking", "hub"]),
            "skip_unchanged": chance.random() < 0.5,
            "hub_batch_size": 5,
            "max_in_flight": 8,
        }
        resume, is_hub = chance.random() < 0.7, settings["delivery"] == "hub"
        what = f"input {seed} by {settings['delivery']}, killed up to {KILLS} times"
        with sandbox(home / "sandbox") as service:
            config = home / "config.json"
            config.write_text(json.dumps(service.config(**settings)))
            runner, given = Runner(service, config, home), Input(seed)
            most = KILLS * (HUB_BATCHES_OPEN * 5 if is_hub else open_by_a_kill(8))
            try:
                calls = 12 if is_hub else 75
                code = killed_and_finished(
                    runner, given, resume=resume, most_calls=calls, kills=KILLS
                )
                assert_once_or_told(runner, given, code, most_open=most)
            except AssertionError as error:
                yield what, [" ".join(str(error).split())[:500] or "an assertion failed"]
            else:
                yield what, []


if __name__ == "__main__":
    main()
