"""The page of a run: what it says, that it stands alone, and that rows cannot break it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from totango_api.report import Examples, render_page
from totango_api.report.examples import REASONS


class Page(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def report(**more: Any) -> dict[str, Any]:
    return {
        "program": "target-totango",
        "finished_at": "2026-01-01T00:00:00+00:00",
        "seconds": 1.5,
        "complete": True,
        "failure": None,
        "totals": {"received": 3, "rejected": 1},
        "streams": [{"stream": "accounts", "object": "accounts", "received": 3, "rejected": 1}],
        "calls": {},
        **more,
    }


EVIL = "<script>alert('&\"')</script>"


def test_nothing_of_a_row_becomes_markup() -> None:
    examples = [
        {"stream": EVIL, "reason": EVIL, "rows": 1}
        | {"examples": [{"row": 1, "message": EVIL, "fields": {EVIL: EVIL, "list": [EVIL]}}]}
    ]
    plan = dict.fromkeys(("create", "update", "unchanged", "rejected", "delete", "cannot_tell"), 1)
    plan |= {
        "changes": {EVIL: 1},
        "change_examples": {EVIL: [{"id": [EVIL], "old": EVIL, "new": None}]},
        "first_rows": [{"stream": EVIL, "object": "o", "action": "create", "sends": {EVIL: EVIL}}],
    }
    html = render_page(
        report(
            examples=examples,
            plan=plan,
            shows_values=True,
            failure=EVIL,
            understood={EVIL: [EVIL]},
            ignored_streams={EVIL: 1},
            streams=[{"stream": EVIL, "object": EVIL, "note": EVIL, "skip_reasons": {EVIL: 2}}],
        )
    )
    page = Page(html)
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count(EVIL) >= 15


def test_the_page_stands_alone() -> None:
    page = Page(render_page(report(), [report(), report()]))
    for tag, attributes in page.tags:
        assert tag not in {"script", "img", "iframe", "object"}
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for _, attributes in page.tags:
        assert (attributes.get("href") or "#streams").removeprefix("#") in {*ids, "data:,"}
        assert (attributes.get("aria-labelledby") or "streams") in ids


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "Everything that was asked for was done."),
        ({"failure": "1 row was rejected."}, "Not everything was done: 1 row was rejected."),
        ({"complete": False}, "The run was not read to its end."),
    ],
)
def test_the_verdict_stands_first(more: dict[str, Any], said: str) -> None:
    assert said in Page(render_page(report(**more))).text


def test_calls_stand_beside_the_limit() -> None:
    usage = {"calls": 70, "retries": 2, "failures": {"429": 1}}
    calls = {
        "api": {**usage, "by_minute": {"2026-01-01T00:00Z": 60, "2026-01-01T00:01Z": 10}},
        "hub": {**usage, "by_minute": {"2026-01-01T00:01Z": 5}},
        "tracking": {**usage, "by_minute": {"2026-01-01T00:01Z": 1000}},
    }
    page = Page(render_page(report(calls=calls, calls_per_minute=100)))
    assert "2026-01-01T00:00Z 60 0" in page.text
    assert "2026-01-01T00:01Z 15 1,000" in page.text
    assert "the limit of 100" in page.text
    assert [a["x1"] for tag, a in page.tags if tag == "line"] == ["100.0", "100.0"]


def test_one_run_alone_makes_no_line() -> None:
    assert "Last runs" not in render_page(report(), [report()])
    page = Page(render_page(report(), [report(), report(failure="no"), report()]))
    dots = [attributes["class"] for tag, attributes in page.tags if tag == "circle"]
    assert dots == ["good", "bad", "good"]


def test_examples_are_kept_of_so_many_reasons() -> None:
    examples = Examples(shows_values=False)
    for number in (*range(REASONS + 1), 0):
        examples.note("s", f"reason {number}", row=1, record={}, field="Age", message="")
    kept = examples.as_list({})
    assert [one["reason"] for one in kept] == [f"reason {number}" for number in range(REASONS)]
    assert len(kept[0]["examples"]) == 2


def test_examples_show_shapes_unless_values_are_asked_for() -> None:
    row = {"Name": "Ann Smith", "Age": 7, "Tags": ["a"], "None": None, "Yes": True}
    for shows_values in (False, True):
        examples = Examples(shows_values=shows_values)
        for number in range(5):
            examples.note("s", "Age: x", row=number, record=row, field="Age", message="7 is not it")
        (found,) = examples.as_list({("s", "Age: x"): 5})
        assert (found["rows"], len(found["examples"])) == (5, 3)
        first = found["examples"][0]
        assert next(iter(first["fields"])) == "Age"
        assert ("Ann Smith" in str(first), "7 is not it" in str(first)) == (shows_values,) * 2
        if not shows_values:
            assert first["fields"]["Name"] == "text of 9 characters"
