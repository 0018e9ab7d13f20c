"""Every page that people look at: opened in a real browser, and as pictures for the docs.

`make pictures` writes docs/pictures/; the tests in tests/browser/ open the same pages.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import sandboxes
from toolbox import BIN, ROOT

from target_totango.target import TargetTotango
from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

PICTURES: Final = ROOT / "docs" / "pictures"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WIDE: Final = {"width": 1100, "height": 760}
SHOWN: Final = {
    "run-of-the-target": "run.html",
    "dry-run": "dry.html",
    "run-of-the-tap": "tap.html",
    "sandbox-accounts": "/pages/accounts?sort=last_activity_time&order=desc",
    "sandbox-account": "/pages/accounts/acc-000001",
    "sandbox-writes": "/pages/writes",
    "sandbox-calls": "/pages/calls",
    "sandbox-settings": "/pages/settings",
}
"""The pages, by the names of their pictures: files of runs, or paths of the sandbox."""


def chromium() -> str | None:
    """Return where the browser of this machine is; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser without a window.

    Raises:
        FileNotFoundError: If this machine has none.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (takes a while)

    path = chromium()
    if path is None:
        msg = "There is no Chromium: install it (Debian: apt-get install chromium)."
        raise FileNotFoundError(msg)
    rights = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *rights])
        try:
            yield running
        finally:
            running.close()


@contextmanager
def pages(home: Path) -> Iterator[tuple[dict[str, str], sandboxes.Sandbox]]:
    """The addresses of all pages by name, and the sandbox that serves some of them.

    Args:
        home: An empty folder for what the runs write.
    """
    seed = "accounts=60,users=90,events=40"
    with sandboxes.sandbox(home / "sandbox", seed=seed, rate_limit=100) as tenant:
        _run_target(home, tenant, report_path="dry.html", dry_run=True)
        kept = {"report_path": "run.html", "report_history_path": "runs.jsonl"}
        for _ in range(2):
            _run_target(home, tenant, verify="all", rejects_path="rejects.singer", **kept)
        _run_tap(home, tenant)
        _write_what_is_dropped(tenant)
        yield (
            {
                name: tenant.url + where if where.startswith("/") else (home / where).as_uri()
                for name, where in SHOWN.items()
            },
            tenant,
        )


def _write_what_is_dropped(tenant: sandboxes.Sandbox) -> None:
    for account in ("an account", "acc-000001"):
        for attribute in ("Licenses", "Contract Value"):
            call = {"sdr_s": tenant.service_id, "sdr_o": account, f"sdr_o.{attribute}": "many"}
            with urlopen(f"{tenant.url}/pixel.gif", urlencode(call).encode()) as answer:  # noqa: S310
                answer.read()


def _run_target(home: Path, tenant: sandboxes.Sandbox, **settings: Any) -> None:
    rows = [
        {"account_id": row["account_id"], "Plan": ("Pro", "Free")[at % 2], "Licenses": at}
        for at, row in enumerate(tenant.dump("accounts")[:20])
    ]
    rows += [{"account_id": f"Ann's account {at}", "Plan": "<Pro>"} for at in range(4)]
    rows.append({"account_id": "a-new-one", "Plan": "Pro"})
    fields: dict[str, Any] = {field: {} for field in ("account_id", "Plan", "Licenses")}
    messages: list[dict[str, Any]] = [
        {"type": "SCHEMA", "stream": "accounts", "key_properties": ["account_id"]}
        | {"schema": {"properties": fields}}
    ]
    messages += [{"type": "RECORD", "stream": "accounts", "record": row} for row in rows]
    for path in ("report_path", "report_history_path", "rejects_path"):
        if path in settings:
            settings[path] = str(home / settings[path])
    config = tenant.config(verify_timeout=5, **settings)
    text = "".join(f"{json.dumps(message)}\n" for message in messages)
    with suppress(TotangoError):  # rows are rejected
        TargetTotango(config=config).listen(io.StringIO(text))


def _run_tap(home: Path, tenant: sandboxes.Sandbox) -> None:
    path = home / "config.json"
    path.write_text(json.dumps(tenant.config(report_path="tap.html")))
    command = [str(BIN / "tap-totango"), "--config", str(path)]
    subprocess.run(command, cwd=home, capture_output=True, check=True)


def main() -> int:
    """Write a picture of every page."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, browser() as running:
        page = running.new_page(viewport=_WIDE)  # type: ignore[arg-type]
        with pages(Path(home)) as (addresses, _):
            for name, address in addresses.items():
                page.goto(address)
                page.screenshot(path=PICTURES / f"{name}.png")
                print(PICTURES / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
