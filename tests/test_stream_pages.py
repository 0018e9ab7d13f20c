"""The page of streams says what the streams are."""

import stream_pages

from tap_totango.streams import STREAMS


def test_the_page_is_in_step() -> None:
    assert stream_pages.PAGE.read_text() == stream_pages.page(), "run: make docs"


def test_every_column_of_every_stream_is_named() -> None:
    page = stream_pages.page()
    for stream in STREAMS:
        section = page.split(f"## {stream.name}\n")[1].partition("\n## ")[0]
        assert all(f"| `{column.name}` |" in section for column in stream.base)
