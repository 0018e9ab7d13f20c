"""The pages of streams say what the streams are, and show records as the tap writes them."""

from __future__ import annotations

import json

import pytest
import stream_pages
import toolbox

from tap_totango.streams import STREAMS


def page_of(name: str) -> str:
    return (stream_pages.DOCS / "streams" / f"{name}.md").read_text(encoding="utf-8")


def test_the_pages_are_what_a_sandbox_shows_today() -> None:
    assert stream_pages.main() == 0, "run: make docs"


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_page_names_every_column_and_shows_each_in_a_record(stream) -> None:
    page = page_of(stream.name)
    assert stream.calls
    assert f"| Calls | {stream.calls} |" in page
    assert all(f"| `{column.name}` |" in page for column in stream.base)
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    named = {name for name in example if f"| `{name}` |" in page}
    assert named == {*example} >= {column.name for column in stream.base}
    assert all(example[key] for key in stream.keys)


def test_every_page_is_in_the_index_and_in_the_site() -> None:
    index = (stream_pages.DOCS / "streams.md").read_text(encoding="utf-8")
    site = (toolbox.ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {f"streams/{stream.name}.md" for stream in STREAMS}
    assert all(f"({page})" in index for page in pages)
    assert pages == {line.strip(" -") for line in site.splitlines() if "- streams/" in line}
    assert {f"streams/{one.name}" for one in (stream_pages.DOCS / "streams").iterdir()} == pages
