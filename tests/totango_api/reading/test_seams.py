"""Whether anything can lie between two pages is told by the rows that they share."""

from __future__ import annotations

import random

from totango_api.reading.overlap.seams import Slice, seam_of

ROWS = [((f"acc-{number}",), f"company {number:04}") for number in range(300)]


def test_pages_of_a_sorted_list_have_a_seam_though_rows_went_away() -> None:
    before = Slice(0, tuple(ROWS[:100]))
    after = Slice(90, tuple(row for row in ROWS[87:190] if row not in ROWS[93:96]))
    assert seam_of(before, after).is_closed


def test_pages_that_share_rows_by_chance_have_none() -> None:
    chance = random.Random(1)
    before = Slice(0, tuple(chance.sample(ROWS, 100)))
    after = Slice(90, tuple(chance.sample(ROWS, 100)))
    assert set(before.rows) & set(after.rows)
    assert not seam_of(before, after).is_closed


def test_rows_of_one_name_that_changed_places_are_not_the_end() -> None:
    """The page behind five of six rows of one name has room for a new one, and holds none."""
    ties = [((f"acc-{number}",), "same") for number in range(6)]
    before = Slice(0, tuple(ties[:5]))
    assert not seam_of(before, Slice(3, (ties[2], ties[4], ties[1]))).is_closed
    assert seam_of(before, Slice(3, (ties[4], ties[3]))).is_closed
