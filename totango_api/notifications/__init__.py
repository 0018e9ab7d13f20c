"""Tells people what a run did: by a webhook, a command or an e-mail, and never fails the run."""

from totango_api.notifications.notifier import Notifier, telling_failures
from totango_api.notifications.settings import (
    FAILURE,
    REJECTS,
    SECRETS,
    notify_settings,
    register_secrets,
)

__all__ = [
    "FAILURE",
    "REJECTS",
    "SECRETS",
    "Notifier",
    "notify_settings",
    "register_secrets",
    "telling_failures",
]
