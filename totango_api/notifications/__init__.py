"""Tells people what a run did: by a webhook, a command or an e-mail, and never fails the run."""

from totango_api.notifications.notifier import Notifier, notifying_of_failures, publish
from totango_api.notifications.settings import FAILURE, REJECTS, notify_settings

__all__ = [
    "FAILURE",
    "REJECTS",
    "Notifier",
    "notify_settings",
    "notifying_of_failures",
    "publish",
]
