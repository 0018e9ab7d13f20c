"""Whom a run is told to, in which words, and that nothing of it can fail the run."""

from __future__ import annotations

import json
import logging
import ssl
import sys
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest
from listeners import mail_server, webhook

from totango_api.errors import SettingsError
from totango_api.notifications import Notifier, notifier, senders
from totango_api.notifications.notice import notice_of
from totango_api.notifications.senders import payload
from totango_api.redaction import scrub

if TYPE_CHECKING:
    from pathlib import Path

FAILED = {
    "program": "target-totango",
    "failure": "5 rows were rejected.",
    "totals": {"received": 100, "rejected": 5},
    "streams": [
        {
            "stream": "a & <b>",
            "object": "accounts",
            "received": 100,
            "sent": 95,
            "rejected": 5,
            "reasons": {"account_id: characters": 5},
        }
    ],
    "examples": [{"examples": [{"fields": {"Name": "Ann Smith"}, "message": "Ann Smith"}]}],
}
DONE = {**FAILED, "failure": None}


def tell(report: dict[str, Any], **settings: Any) -> None:
    Notifier.from_config(settings).notify(report, "runs/report.html")


def test_a_webhook_gets_counts_and_reasons_and_no_value() -> None:
    with webhook() as hook:
        tell(FAILED, notify_webhook=hook.url)
    ((_, said),) = hook.got
    assert said["text"].splitlines() == [
        "target-totango: run failed",
        "5 rows were rejected.",
        "a & <b> (accounts): received 100, sent 95, rejected 5",
        "a & <b>: account_id: characters (5 rows)",
        "Report: runs/report.html",
    ]
    assert said["run"]["failed"]
    assert said["run"]["streams"][0]["sent"] == 95
    assert "Ann Smith" not in json.dumps(said)


@pytest.mark.parametrize(
    ("on", "above", "told"),
    [
        ("failure", None, [FAILED]),
        ("rejects", None, [FAILED, DONE]),
        ("rejects", "4.9%", [FAILED, DONE]),
        ("rejects", "5 %", [FAILED]),
        ("always", "50%", [FAILED, DONE]),
    ],
)
def test_which_runs_are_told(on: str, above: str | None, told: list[Any]) -> None:
    for report in (FAILED, DONE):
        with webhook() as hook:
            tell(report, notify_webhook=hook.url, notify_on=on, notify_rejects_above=above)
        assert bool(hook.got) == (report in told)


def test_of_many_streams_the_first_are_told() -> None:
    streams = [{**FAILED["streams"][0], "stream": f"s{number}"} for number in range(22)]
    notice = notice_of({**FAILED, "streams": streams}, None)
    assert "and 2 more streams" in notice.lines
    assert [line for line in notice.lines if line.startswith(("s19 ", "s20 "))] == [
        "s19 (accounts): received 100, sent 95, rejected 5"
    ]


def test_slack_and_teams_get_what_they_take() -> None:
    notice = notice_of(FAILED, None)
    slack = payload("https://hooks.slack.com/services/T/B/X", notice)
    assert list(slack) == ["text"]
    assert "a &amp; &lt;b&gt;" in slack["text"]
    teams = payload("https://x.region.logic.azure.com:443/workflows/1?sig=2", notice)
    (card,) = teams["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [block["text"] for block in card["content"]["body"]] == notice.text.split("\n")
    assert list(payload("https://notslack.com.example", notice)) == ["text", "run"]


def test_a_command_gets_the_same_on_standard_input(tmp_path: Path) -> None:
    out = tmp_path / "out file"
    code = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    tell(FAILED, notify_command=f'"{sys.executable}" -c "{code}" "{out}"')
    assert json.loads(out.read_text())["run"]["failure"] == "5 rows were rejected."


def test_an_e_mail_goes_to_everybody() -> None:
    with mail_server() as mails:
        tell(FAILED, notify_email_to="a@x.example, b@x.example", notify_smtp=mails.address)
    ((to, message),) = mails.got
    assert to == ["a@x.example", "b@x.example"]
    assert (message["From"], message["Subject"]) == ("a@x.example", "target-totango: run failed")
    assert "sent 95" in message.get_content()


@pytest.mark.parametrize(
    ("server", "steps"),
    [
        ("mail.example:587", ["connect", "starttls verified", "login", "send"]),
        ("mail.example", ["connect", "starttls verified", "login", "send"]),
        ("mail.example:465", ["connect by TLS verified", "login", "send"]),
    ],
)
def test_no_password_and_no_e_mail_leaves_this_machine_unencrypted(
    monkeypatch: pytest.MonkeyPatch, server: str, steps: list[str]
) -> None:
    done: list[str] = []

    class Server:
        def __init__(self, *_: Any, context: Any = None, **__: Any) -> None:
            done.append("connect" if context is None else f"connect by TLS {_checked(context)}")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """End nothing."""

        def starttls(self, *, context: Any) -> None:
            done.append(f"starttls {_checked(context)}")

        def login(self, *_: str) -> None:
            done.append("login")

        def send_message(self, *_: Any) -> None:
            done.append("send")

    monkeypatch.setattr(senders.smtplib, "SMTP", Server)
    monkeypatch.setattr(senders.smtplib, "SMTP_SSL", Server)
    user = {"notify_smtp_user": "me", "notify_smtp_password": "hidden"}
    tell(FAILED, notify_email_to="a@x.example", notify_smtp=server, **user)
    assert done == steps


def _checked(context: ssl.SSLContext) -> str:
    is_checked = context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED
    return "verified" if is_checked else "open"


@pytest.mark.parametrize("status", [302, 307, 404, 500])
def test_a_webhook_that_does_not_take_it_is_a_warning(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook(status) as hook:
        tell(FAILED, notify_webhook=hook.url)
    assert len(hook.got) == 1  # no redirect was followed
    assert f"the webhook answered {status}" in caplog.text
    assert {record.levelno for record in caplog.records if record.name.startswith("totango")} == {
        logging.WARNING
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"notify_webhook": "http://127.0.0.1:1/services/hidden-path"},
        {"notify_command": "/no/such/program hidden-path"},
        {"notify_command": f"{sys.executable} -c 'raise SystemExit(3)' hidden-path"},
        {"notify_email_to": "a@x.example", "notify_smtp": "127.0.0.1:1"},
    ],
)
def test_nobody_there_is_a_warning(
    settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    tell(FAILED, **settings)
    assert "Nobody was notified by notify_" in caplog.text
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("totango")]
    assert "hidden-path" not in " ".join(ours)
    assert "hidden-path" not in scrub(caplog.text)


def test_what_takes_too_long_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notifier, "SECONDS", 1.01)  # the command has a second less
    tell(FAILED, notify_command=f"{sys.executable} -c 'import time; time.sleep(60)'")
    assert "the command took too long" in caplog.text
    monkeypatch.setattr(notifier, "SECONDS", 0.01)
    answered = threading.Event()
    monkeypatch.setattr(notifier, "post", lambda *_: answered.wait(60))
    tell(FAILED, notify_webhook="https://x.example")
    assert "notify_webhook: it took too long" in caplog.text
    answered.set()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"notify_webhook": "http://example.com/hidden"}, "notify_webhook is plain http"),
        ({"notify_webhook": "hidden"}, "notify_webhook is not a URL"),
        ({"notify_webhook": "https://[hidden"}, "notify_webhook is not a URL"),
        ({"notify_command": "say 'hidden"}, "a quote is missing"),
        ({"notify_email_to": "a@x.example"}, "needs notify_smtp"),
        ({"notify_email_to": "hidden", "notify_smtp": "h"}, "holds what is no address"),
        ({"notify_email_to": "a@b\nBcc: hidden@x", "notify_smtp": "h"}, "no address"),
        ({"notify_email_to": "a@x.example", "notify_smtp": "h:x"}, "not host:port"),
        ({"notify_email_to": "a@x.example", "notify_smtp": "smtp://h:25"}, "not host:port"),
    ],
)
def test_settings_that_cannot_be_used_are_said_without_their_value(
    settings: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        Notifier.from_config(settings)
    assert "hidden" not in str(raised.value)
