"""Every page in a real browser: what anybody may expect of it, then what is its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.request import urlopen

import pictures
import pytest

if TYPE_CHECKING:
    from conftest import Opener
    from playwright.sync_api import Page

CONTRAST = (Path(__file__).parents[1] / "support" / "contrast.js").read_text()
NAMES = list(pictures.SHOWN)
REPORTS = [name for name in NAMES if not name.startswith("sandbox")]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FOCUSED = """() => {
  const one = document.activeElement;
  const all = [...document.querySelectorAll("*")];
  return [all.indexOf(one), getComputedStyle(one).outlineWidth];
}"""


@pytest.mark.parametrize("name", NAMES)
def test_everybody_can_use_a_page(opened: Opener, name: str) -> None:
    page = opened(name)
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        seen = page.evaluate(CONTRAST)
        assert seen["seen"] > 20
        assert seen["found"] == [], scheme
    _check_keyboard(page)
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def _check_keyboard(page: Page) -> None:
    """Whatever can be used is reached by Tab, and the place where one is can be seen."""
    wanted = page.locator("a[href], input:visible, select, button, textarea, summary").count()
    presses = min(wanted, 12)
    reached = set()
    for _ in range(presses):
        page.keyboard.press("Tab")
        place, outline = page.evaluate(FOCUSED)
        assert outline != "0px"
        reached.add(place)
    assert len(reached) == presses


def test_the_measure_of_contrast_finds_what_is_faint(opened: Opener) -> None:
    page = opened("run-of-the-tap")
    page.add_style_tag(content="h1 { color: #ccc !important; background: white }")
    (found,) = page.evaluate(CONTRAST)["found"]
    assert found.startswith("Run of tap-totango: 1.6")


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_needs_no_script_and_prints(opened: Opener, name: str) -> None:
    page = opened(name, java_script_enabled=False)
    for heading in ("Streams", "What was understood", "Calls"):
        assert page.get_by_role("heading", name=heading, exact=True).is_visible()
    page.get_by_role("link", name="Calls").click()
    assert page.url.endswith("#calls")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible()
    assert page.get_by_role("heading", name="Calls", exact=True).is_visible()
    assert len(page.pdf()) > 1000


def test_the_run_of_the_target_says_what_became_of_rows(opened: Opener) -> None:
    page = opened("run-of-the-target")
    assert "4 rows were rejected" in _text(page, ".verdict")
    table = page.get_by_role("table", name="Rows of accounts")
    assert _cells(table) == [
        ["received", "25", ""],
        ["sent", "21", ""],
        ["verified", "21", ""],
        ["rejected", "4", ""],
    ]
    examples = page.get_by_role("table", name="The first 3 of them")
    assert "text of 15 characters" in examples.inner_text()
    assert "Ann's account" not in page.content()
    runs = page.get_by_role("table", name="The oldest first")
    assert len(_cells(runs)) == 2
    assert page.get_by_role("img", name="Rows received in the last 2 runs").is_visible()


def test_the_dry_run_shows_old_and_new(opened: Opener) -> None:
    page = opened("dry-run")
    table = page.get_by_role("table", name="Rows by what would become of them")
    counts = {name: int(rows) for name, rows, _ in _cells(table)}
    assert (counts["created"], counts["rejected"]) == (1, 4)
    assert counts["updated"] + counts["left alone"] == 20
    changes = page.get_by_role("table", name=re.compile("what Totango holds"))
    assert changes.locator(".new").first.inner_text() == "0"
    assert changes.locator(".old").count() == changes.locator(".new").count() > 0


def test_the_run_of_the_tap_says_how_it_is_complete(opened: Opener) -> None:
    page = opened("run-of-the-tap")
    assert "Everything that was asked for was done." in _text(page, ".verdict")
    assert page.get_by_text("in one answer, which is a snapshot").count() == 2


def test_accounts_are_searched_and_sorted_by_keyboard(opened: Opener) -> None:
    page = opened("sandbox-accounts")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.get_by_label("Name or id contains").focus()
    page.keyboard.type("acc-00000")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=acc-00000**")
    assert "9 accounts" in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="Account id").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**sort=id**")
    assert page.get_by_role("columnheader", name="Account id").get_attribute("aria-sort")
    page.get_by_role("rowheader").first.get_by_role("link").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("Account ")


def test_switches_and_faults_are_flipped_by_forms(opened: Opener) -> None:
    page = opened("sandbox-settings", accepts=(400,))
    page.get_by_label("ties", exact=True).select_option("stable")
    page.get_by_role("button", name="Set these switches").click()
    assert page.get_by_role("status").inner_text() == "The switches are set."
    assert opened.sandbox.stats()["switches"]["ties"] == "stable"
    page.get_by_label("Rules, one a line").fill("nonsense")
    page.get_by_role("button", name="Put these rules in force").click()
    assert "Nothing was changed" in page.get_by_role("alert").inner_text()
    page.get_by_role("button", name="Put switches and faults back to the start").click()
    assert "as it was at the start" in page.get_by_role("status").inner_text()
    assert "ties" not in opened.sandbox.stats()["switches"]


def test_calls_are_seen_as_they_are_made(opened: Opener) -> None:
    page = opened("sandbox-calls")
    before = int(re.findall(r"(\d+) calls\.", page.content())[0])
    with urlopen(opened.sandbox.url + "/pixel.gif", b"sdr_o=somebody") as answer:
        assert answer.status == 200
    page.get_by_text(f"{before + 1} calls.").wait_for()
    page.locator("#live [tabindex]").first.focus()
    page.evaluate("update()")
    assert page.evaluate("document.getElementById('live').contains(document.activeElement)")


def _text(page: Page, selector: str) -> str:
    return page.locator(selector).inner_text()


def _cells(table: Any) -> list[list[str]]:
    rows = table.locator("tbody tr")
    return [rows.nth(at).locator("th, td").all_inner_texts() for at in range(rows.count())]
