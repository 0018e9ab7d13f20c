"""All errors of the sandbox; each message says what is wrong and what would be right."""

from __future__ import annotations


class SandboxError(ValueError):
    """Something that the user of the sandbox asked for and that makes no sense."""


class UsageError(SandboxError):
    """An argument of the command line."""


class SwitchError(SandboxError):
    """A switch that does not exist, or a value that it does not take."""


class FaultRuleError(SandboxError):
    """A rule of a fault that cannot be read."""


class SeedError(SandboxError):
    """A seed that cannot be read."""


class LoadError(SandboxError):
    """Rows that cannot be loaded."""


class ApiError(Exception):
    """A call that Totango answers with ``status: failed``.

    Args:
        message: what ``_error`` says.
        status: HTTP status; None is what the switch ``failed_status`` says.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class MissingTermsError(Exception):
    """A query without ``terms``, which one source reports to be answered with a 401."""


class InvalidValueError(ValueError):
    """A value that Totango would not store; the message is the reason."""
