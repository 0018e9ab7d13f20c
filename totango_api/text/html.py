"""Turns HTML, in which Totango shows texts, into plain text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_BLOCKS: Final = frozenset({"p", "div", "li", "tr", "ul", "ol", "h1", "h2", "h3", "h4", "table"})
_UNSEEN: Final = frozenset({"script", "style"})


def plain_text(html: str) -> str:
    """Return the text that Totango was sent: a line for each block and break, blanks kept."""
    return "\n".join(line.strip() for line in _read(html, condensed=False)).strip()


def condensed_text(html: str) -> str:
    """Return what a reader sees: a line for each block and break, none empty, single blanks."""
    return "\n".join(filter(None, (line.strip() for line in _read(html, condensed=True))))


def _read(html: str, *, condensed: bool) -> list[str]:
    parser = _Text(condensed=condensed)
    parser.feed(html)
    parser.close()
    return "".join(parser.parts).split("\n")


class _Text(HTMLParser):
    """Collects text and the ends of lines."""

    def __init__(self, *, condensed: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._condensed = condensed
        self._unseen = 0
        self._ends_line = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unseen += tag in _UNSEEN
        self._ends_line |= tag in _BLOCKS
        if tag == "br":
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        self._ends_line |= tag in _BLOCKS

    def handle_data(self, data: str) -> None:
        if self._unseen or (self._ends_line and not data.strip()):
            return
        if self._ends_line and self.parts:
            self.parts.append("\n")
        self._ends_line = False
        self.parts.append(re.sub(r"\s+", " ", data) if self._condensed else data)
