"""Medians, ratios, bars and the tables made of them."""

from __future__ import annotations

import pytest

from benchmarks import pages, profiles, runs, table
from benchmarks.runs import Run


def taken(*seconds: float) -> list[Run]:
    return [Run(one, one / 2, 50.0) for one in seconds]


def test_ratio_is_the_median_of_what_was_measured_together() -> None:
    # A slow minute strikes the third round of both: the ratio does not move.
    ours, floor = taken(2.0, 2.0, 20.0), taken(1.0, 1.0, 10.0)
    assert runs.speed_ratio(ours, floor) == 0.5
    assert runs.seconds(taken(3.0, 1.0, 2.0)) == 2.0
    assert runs.cpu(taken(3.0, 1.0, 2.0)) == 1.0


def test_programs_take_turns() -> None:
    order: list[str] = []

    def program(name: str) -> Run:
        order.append(name)
        return Run(1.0, 1.0, 1.0)

    found = runs.alternating(
        2, {"ours": lambda: program("ours"), "floor": lambda: program("floor")}
    )
    assert order == ["ours", "floor", "ours", "floor"]
    assert [len(one) for one in found.values()] == [2, 2]


@pytest.mark.parametrize(
    ("bar", "figure", "met"),
    [
        (table.at_least(0.5), 0.5, True),
        (table.at_least(0.5), 0.49, False),
        (table.at_most(1.02), 1.02, True),
        (table.at_most(1.02), 1.1, False),
    ],
)
def test_bar(bar: table.Bar, figure: float, met: bool) -> None:
    assert bar.met(figure) is met


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.526, "0.53"),
        (-0.1, "-0.10"),
        (1.0, "1"),
        (12.44, "12.4"),
        (174.4, "174"),
        (999.7, "1,000"),
        (26_543.2, "26,500"),
        (1_234_567, "1,230,000"),
    ],
)
def test_numbers_keep_the_digits_that_mean_something(number: float, text: str) -> None:
    assert table.written(number) == text


def test_speed() -> None:
    assert table.speed(1000, taken(0.5)) == "2,000 rows/s, 0.50 s, CPU 0.25 s"
    assert table.duration([Run(0.5, 0.0, 0.0)]) == "0.50 s"


LINES = [
    table.Line("tap", 5, "fast", "faster", 0.6, "of the floor", table.at_least(0.5)),
    table.Line("memory", 1, "much", "", 200.0, "MB", table.at_most(150)),
    table.Line("the other", 3, "", "slow", 4.0),
]


def test_full_table() -> None:
    assert table.full(LINES) == (
        "| measure | rounds | ours | beside it | figure | bar | met |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| tap | 5 | fast | faster | 0.60 of the floor | ≥ 0.50 | yes |\n"
        "| memory | 1 | much |  | 200 MB | ≤ 150 | **no** |\n"
        "| the other | 3 |  | slow | 4 |  |  |\n"
    )


def test_short_table_replaces_the_one_before_and_leaves_the_page_alone() -> None:
    page = f"# Title\n\n{pages.START}old\n{pages.END}\n## Next\n"
    once = pages.with_results(page, ["A machine."], LINES)
    assert once.startswith(f"# Title\n\n{pages.START}| measure | ours | figure | bar | met |\n")
    assert once.endswith(f"\nA machine.\n{pages.END}\n## Next\n")
    assert "old" not in once
    assert "the other" not in once
    assert pages.with_results(once, ["A machine."], LINES) == once
    with pytest.raises(ValueError, match="benchmarks"):
        pages.with_results("# Title\n", [], LINES)


def test_page_of_results_says_where_it_comes_from_and_shows_everything() -> None:
    page = pages.results(["A machine."], LINES, "### A profile\n")
    assert "make bench" in page
    assert f"\nA machine.\n\n{table.full(LINES)}\n## Where the time goes\n" in page
    assert page.endswith("### A profile\n")
    assert "Where the time goes" not in pages.results([], LINES, "")


def test_readme_has_the_place_for_it() -> None:
    assert pages.with_results(pages.SPEED.read_text(encoding="utf-8"), ["x"], LINES)


def test_profile_puts_samples_down_to_modules() -> None:
    summary = profiles.summary(
        [
            "<module> (x:1);_load (<frozen importlib._bootstrap>:1);f (singer_sdk/a.py:2) 2",
            "main (tap_totango/tap.py:3);read (urllib3/response.py:9);recv (socket.py:7) 3",
            "main (tap_totango/tap.py:3);record (tap_totango/records.py:5);f (json/encoder.py:1) 5",
        ]
    )
    assert summary.splitlines()[2:] == [
        "| 50 % | tap_totango/records.py | `record` |",
        "| 30 % | urllib3 | `read` |",
        "| 20 % | imports at the start |  |",
        "| 0 % | everything else | |",
    ]
