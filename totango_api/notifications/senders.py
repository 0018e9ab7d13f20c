"""Sends notices by webhook, command or e-mail; raises what goes wrong, follows no redirect.

Formats: "Sending messages using incoming webhooks" (Slack: `text`, with &, < and > escaped);
"Create incoming webhooks with Workflows" (Teams: a message whose attachment is an Adaptive Card).
"""

from __future__ import annotations

import json
import smtplib
import subprocess
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies

from totango_api.hosts import is_loopback
from totango_api.http import ca_bundle, verified_context
from totango_api.notifications.settings import SMTPS_PORT

if TYPE_CHECKING:
    from totango_api.notifications.notice import Notice
    from totango_api.notifications.settings import Email

SECONDS: Final = 5.0
"""Without a byte, for each step; the notifier bounds the whole."""

_SLACK: Final = ("slack.com", "slack-gov.com")
_TEAMS: Final = ("office.com", "azure.com", "powerplatform.com", "powerautomate.com")
_OK, _REDIRECT = range(200, 300), range(300, 400)


class NotDeliveredError(Exception):
    """A notification was not accepted; the message names no address."""


def post(url: str, notice: Notice) -> None:
    """Send a notice to a webhook.

    Raises:
        NotDeliveredError: If its response is not 2xx.
        requests.RequestException: If there is none.
    """
    with requests.Session() as session:
        session.trust_env = False  # a .netrc is for others
        with session.post(
            url,
            json=payload(url, notice),
            timeout=(SECONDS, SECONDS),
            allow_redirects=False,
            verify=ca_bundle(),
            proxies=get_environ_proxies(url),
            stream=True,
        ) as response:
            status = response.status_code
    if status in _REDIRECT:
        msg = f"the webhook answered {status}, and redirects are not followed"
        raise NotDeliveredError(msg)
    if status not in _OK:
        msg = f"the webhook answered {status}"
        raise NotDeliveredError(msg)


def payload(url: str, notice: Notice) -> dict[str, Any]:
    """Return what the webhook of a host takes."""
    host = urlsplit(url).hostname or ""
    if _is_of(host, _SLACK):
        escaped = notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": escaped}
    if _is_of(host, _TEAMS):
        return {"type": "message", "attachments": [_card(notice)]}
    return {"text": notice.text, "run": notice.run}


def _is_of(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _card(notice: Notice) -> dict[str, Any]:
    title = {"type": "TextBlock", "text": notice.title, "weight": "Bolder", "wrap": True}
    lines = [{"type": "TextBlock", "text": line, "wrap": True} for line in notice.lines]
    return {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {"type": "AdaptiveCard", "version": "1.2", "body": [title, *lines]},
    }


def run(command: tuple[str, ...], notice: Notice, *, seconds: float) -> None:
    """Give a notice to a program, whose output goes to standard error.

    Raises:
        NotDeliveredError: If it does not end well, or not in time.
        OSError: If it cannot be started.
    """
    given = json.dumps({"text": notice.text, "run": notice.run}).encode()
    try:
        # Standard output is for Singer messages.
        done = subprocess.run(  # noqa: S603 (the user's own command, without a shell)
            command, input=given, stdout=2, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        msg = "the command took too long"
        raise NotDeliveredError(msg) from None
    if done.returncode:
        msg = f"the command ended with {done.returncode}"
        raise NotDeliveredError(msg)


def mail(email: Email, notice: Notice) -> None:
    """Send a notice by e-mail, over a connection that is encrypted unless it stays here.

    Raises:
        smtplib.SMTPException: If the server does not take it.
        OSError: If it cannot be reached.
    """
    message = EmailMessage()
    message["Subject"] = notice.title
    message["From"], message["To"] = email.sender, ", ".join(email.to)
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="localhost")
    message.set_content(notice.text)
    context = verified_context()
    if email.port == SMTPS_PORT:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            email.host, email.port, timeout=SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(email.host, email.port, timeout=SECONDS)
    with server:
        if email.port != SMTPS_PORT and not is_loopback(email.host):
            server.starttls(context=context)
        if email.user:
            server.login(email.user, email.password)
        server.send_message(message, email.sender, email.to)
