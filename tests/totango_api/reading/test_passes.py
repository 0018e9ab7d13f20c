"""The sample of the rows read is of one size, and early and late rows are alike in it."""

from __future__ import annotations

from totango_api.reading.passes import SAMPLE_ROWS, Sample


def test_few_rows_are_all_in_it() -> None:
    sample = Sample()
    for start in range(0, SAMPLE_ROWS, 500):
        sample.take([{"n": start + number} for number in range(500)])
    assert [hit["n"] for hit in sample.hits] == list(range(SAMPLE_ROWS))


def test_early_and_late_rows_are_as_likely() -> None:
    sample, rows = Sample(), 100_000
    for start in range(0, rows, 700):
        sample.take([{"n": start + number} for number in range(min(700, rows - start))])
    assert len({hit["n"] for hit in sample.hits}) == SAMPLE_ROWS
    for tenth in range(10):
        share = sum(hit["n"] * 10 // rows == tenth for hit in sample.hits) / SAMPLE_ROWS
        assert 0.07 < share < 0.13
