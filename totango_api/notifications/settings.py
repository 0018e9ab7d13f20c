"""Declares and checks the settings about notifications: flat, as Meltano keeps them best."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from totango_api.errors import SettingsError
from totango_api.hosts import is_loopback
from totango_api.plugin_config import setting
from totango_api.redaction import register_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

FAILURE: Final = "failure"
REJECTS: Final = "rejects"
ALWAYS: Final = "always"

SMTP_PORT: Final = 587
SMTPS_PORT: Final = 465


_CHANNEL_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "notify_webhook": setting(
        "string",
        "Webhook",
        "URL that gets a small JSON by POST, as Slack and Teams (Workflows) take it; others "
        "get `text`, and `run` with the counts. https, but for loopback hosts; redirects are "
        "not followed.",
        secret=True,
        writeOnly=True,
    ),
    "notify_command": setting(
        "string",
        "Command",
        "Program with arguments, run without a shell, that gets the JSON on standard input.",
    ),
    "notify_email_to": setting(
        "string", "E-mail to", "Addresses, separated by commas. Needs notify_smtp."
    ),
    "notify_email_from": setting(
        "string", "E-mail from", "The sender; the first of the addresses where it is not set."
    ),
    "notify_smtp": setting(
        "string",
        "SMTP server",
        f"`host:port` that takes the e-mail; {SMTP_PORT} where no port is named. The "
        f"connection is encrypted (STARTTLS; TLS from the start on {SMTPS_PORT}), but to "
        "loopback hosts.",
    ),
    "notify_smtp_user": setting("string", "SMTP user", "For servers that ask for one."),
    "notify_smtp_password": setting(
        "string", "SMTP password", "Beside notify_smtp_user.", secret=True, writeOnly=True
    ),
}
"""How notifications are sent: JSON Schema by name."""


def notify_settings(*occasions: str) -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of the settings, by name.

    Args:
        occasions: Beside `always`, when a run may send one.
    """
    when = setting(
        "string",
        "Notify on",
        "Which runs send a notification, by each of notify_webhook, notify_command and "
        "notify_email_to that is set: those that fail, "
        + ("those that fail or reject rows, " if REJECTS in occasions else "")
        + "or all. A notification holds no value of a row. If it cannot be sent, the run only "
        "warns.",
        enum=[*occasions, ALWAYS, None],
        default=FAILURE,
    )
    return {"notify_on": when, **_CHANNEL_SETTINGS}


@dataclass(frozen=True)
class Email:
    """The addresses of an e-mail, and the server that sends it."""

    sender: str
    to: tuple[str, ...]
    host: str
    port: int
    user: str
    password: str


@dataclass(frozen=True)
class Channels:
    """When and how notifications are sent, checked.

    Attributes:
        on: Which runs.
        above: Share of rows that may be rejected without a notification, with `rejects`.
        command: Program and arguments; none for no command.
    """

    on: str = FAILURE
    above: float = 0
    webhook: str | None = None
    command: tuple[str, ...] = ()
    email: Email | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Channels:
        """Check the settings of a plugin's configuration.

        Raises:
            SettingsError: If one cannot be used.
        """
        register_secrets(config, _CHANNEL_SETTINGS)
        return cls(
            on=_text(config, "notify_on").lower() or FAILURE,
            above=_share(_text(config, "notify_rejects_above")),
            webhook=_webhook(_text(config, "notify_webhook")),
            command=_command(_text(config, "notify_command")),
            email=_email(config),
        )


def _text(config: Mapping[str, Any], name: str) -> str:
    value = config.get(name)
    return value.strip() if isinstance(value, str) else ""


def _share(text: str) -> float:
    try:
        return float(text.rstrip("% ") or 0) / 100
    except ValueError:  # the schema says it
        return 0


def _webhook(url: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        msg = "notify_webhook is not a URL."
        raise SettingsError(msg, remedy="Copy it from Slack, Teams, or the program that takes it.")
    if parts.scheme == "http" and not is_loopback(host):
        msg = "notify_webhook is plain http."
        raise SettingsError(msg, remedy="Use https; plain http is for loopback hosts only.")
    return url


def _command(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        msg = "notify_command cannot be split into words: a quote is missing."
        raise SettingsError(msg, remedy="Quote arguments as a shell takes them.") from None


def _email(config: Mapping[str, Any]) -> Email | None:
    to = tuple(one.strip() for one in _text(config, "notify_email_to").split(",") if one.strip())
    server = _text(config, "notify_smtp")
    if not to:
        return None
    if not server:
        msg = "notify_email_to needs notify_smtp, which is not set."
        raise SettingsError(msg, remedy="Set it to a server that takes e-mails, as host:port.")
    sender = _text(config, "notify_email_from") or to[0]
    if not all(one.isprintable() and "@" in one.strip("@") for one in (sender, *to)):
        msg = "notify_email_to or notify_email_from holds what is no address."
        raise SettingsError(msg, remedy="Separate addresses by commas.")
    host, _, port = server.rpartition(":") if ":" in server else (server, "", str(SMTP_PORT))
    if not host or "/" in host or not port.isdigit() or not 0 < int(port) < 1 << 16:
        msg = "notify_smtp is not host:port."
        raise SettingsError(msg, remedy="It looks like smtp.example.com:587.")
    user, password = _text(config, "notify_smtp_user"), _text(config, "notify_smtp_password")
    return Email(sender, to, host.strip("[]"), int(port), user, password)
