"""Turns HTML, in which Totango shows texts, into the plain text that it takes."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

_LINES: Final = frozenset({"br", "div", "p", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol"})


def plain_text(html: str) -> str:
    """Return the text of HTML: a line for each block and break, no blanks at the ends of lines."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = [line.strip() for line in "".join(parser.parts).split("\n")]
    return "\n".join(lines).strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        is_first = not "".join(self.parts[-1:]).strip()
        if tag == "br" or (tag in _LINES and not is_first):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
