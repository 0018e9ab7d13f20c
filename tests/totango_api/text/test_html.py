"""HTML, in which Totango shows texts, as the plain text that it takes."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totango_api.text import condensed_text, plain_text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("", ""),
        ("<div>One<br>Two</div>", "One\nTwo"),
        ("<div>One<br><br>Two</div>", "One\n\nTwo"),
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("<p>One</p>\n  <p>Two</p>Three", "One\nTwo\nThree"),
        ("<style>p { color: red }</style>One", "One"),
        ("<ul><li>a</li><li>b &amp; c</li></ul>", "a\nb & c"),
        ("no <b>tags</b> at&nbsp;all", "no tags at\xa0all"),
    ],
)
def test_blocks_and_breaks_are_lines(shown: str, text: str) -> None:
    assert plain_text(shown) == text


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from("\n <>&;")))
def test_what_was_escaped_comes_back(text: str) -> None:
    lines = "\n".join(line.strip(" ") for line in text.split("\n")).strip("\n ")
    shown = "<div>" + html.escape(text, quote=False).replace("\n", "<br>") + "</div>"
    assert plain_text(shown) == lines


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("", ""),
        ("<div>One<br><br>Two</div>", "One\nTwo"),
        ("<p>One  more\nword</p> <p>Two</p>Three", "One more word\nTwo\nThree"),
        ("<p>a</p><script>alert(1)</script><p>b</p>", "a\nb"),
    ],
)
def test_a_reader_sees_no_empty_lines_and_single_blanks(shown: str, text: str) -> None:
    assert condensed_text(shown) == text
