"""A real browser without a window, and every page that people look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pictures
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page
    from sandboxes import Sandbox


# Playwright has an event loop running while it is open, and other tests want to start their own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; without one, the tests are skipped."""
    if pictures.chromium() is None:
        pytest.skip("PAGES ARE NOT TESTED: there is no Chromium (apt-get install chromium)")
    with pictures.browser() as running:
        yield running


@pytest.fixture(scope="module")
def shown(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, str], Sandbox]]:
    """The addresses of all pages, and the sandbox."""
    with pictures.pages(tmp_path_factory.mktemp("pages")) as found:
        yield found


@dataclass
class Opener:
    """Opens pages, and notes what goes wrong in them."""

    browser: Browser
    addresses: dict[str, str]
    sandbox: Sandbox
    faults: list[str] = field(default_factory=list)

    def __call__(self, name: str, *, accepts: tuple[int, ...] = (), **options: Any) -> Page:
        """Open a page by its name or address."""
        page = self.browser.new_context(**options).new_page()
        page.set_default_timeout(20_000)

        def heard(message: ConsoleMessage) -> None:
            is_accepted = any(f"status of {status}" in message.text for status in accepts)
            if message.type in {"error", "warning"} and not is_accepted:
                self.faults.append(f"{name}: {message.text}")

        page.on("console", heard)
        page.on("pageerror", lambda error: self.faults.append(f"{name}: {error}"))
        page.on("requestfailed", lambda call: self.faults.append(f"{name}: {call.url} failed"))
        page.on("request", lambda call: self._check(name, call.url))
        page.goto(self.addresses.get(name, name))
        return page

    def _check(self, name: str, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"file", "data"} and parts.hostname != "127.0.0.1":
            self.faults.append(f"{name} asks {url}")


@pytest.fixture
def opened(chromium: Browser, shown: tuple[dict[str, str], Sandbox]) -> Iterator[Opener]:
    """`opened(name, …)`: a page; in the end, nothing may have gone wrong in it."""
    opener = Opener(chromium, *shown)
    yield opener
    for context in chromium.contexts:
        context.close()
    assert opener.faults == []
