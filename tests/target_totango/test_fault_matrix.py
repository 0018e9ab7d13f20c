"""Whatever goes wrong with calls: each row is in Totango, on file, or behind held STATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from row_sums import FAULTS, Cell

if TYPE_CHECKING:
    from pathlib import Path

    from sandboxes import Sandbox

KINDS = [("accounts", "tracking"), ("accounts", "hub")]
KINDS += [("activities", "tracking"), ("activities", "hub")]
STRIKES = {5: "", 15: ":every=3", 250: ":every=4:times=6"}
"""Rows of a run, and which calls fail."""
MANY = ("429", "reset", "applied, answer lost")
"""Faults that many rows meet: not done, perhaps done, done."""

CELLS = [
    pytest.param(fault, *kind, rows, id=f"{rows} {' by '.join(kind)}: {fault}")
    for fault in FAULTS
    for kind in KINDS
    for rows in STRIKES
    if rows < 100 or fault in MANY
]
"""`make bench-long` has many more."""


@pytest.mark.slow
@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("fault", "kind", "delivery", "rows"), CELLS)
def test_every_row_is_accounted_for(
    service: Sandbox, tmp_path: Path, fault: str, kind: str, delivery: str, rows: int
) -> None:
    cell = Cell(kind, delivery, fault, rows, STRIKES[rows])
    assert cell.faults(tmp_path, service, canary=rows == 5) == []
