"""Writes and reads what a probe found out, a file that a plugin takes beside its settings.

A profile is about one service at one address. It is a hint: a plugin may save calls by it, and must
notice where it is wrong.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from totango_api.command import check_replaced, checked_paths
from totango_api.errors import SettingsError
from totango_api.probe.questions import ANSWERED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from totango_api.config import Connection
    from totango_api.probe.questions import Result

VERSION: Final = 1
_OPTION: Final = "--output"
_KEYS: Final = frozenset({"plugin", "probed_at"})
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Profile:
    """The answers of one service.

    Attributes:
        plugin: Whose questions they answer.
        probed_at: When they were asked, in RFC 3339.
        api_url: Where.
        service: The number of the service; None if no setting named it.
        answers: Values by question, of those that were answered.
        details: What belongs to a value, by question.
        settings: Settings that they suggest, of which explicit ones win.
        evidence: What each answer rests on, for people.
    """

    plugin: str
    probed_at: str
    api_url: str
    service: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, plugin: str, connection: Connection, results: Sequence[Result]) -> Profile:
        """Return the profile of a service."""
        known = [one for one in results if one.answer.state == ANSWERED]
        service = connection.service_id
        return cls(
            plugin=plugin,
            probed_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            api_url=connection.hosts.api,
            service=service.number if service else None,
            answers={one.name: one.answer.value for one in known},
            details={one.name: list(one.answer.details) for one in known if one.answer.details},
            settings={name: value for one in known for name, value in one.answer.settings.items()},
            evidence={one.name: one.answer.evidence for one in known if one.answer.evidence},
        )

    @staticmethod
    def check_place(text: str) -> Path:
        """Return where a profile may be written, before a call is made for it.

        Raises:
            SettingsError: If it may not.
        """
        path = checked_paths({_OPTION: text})[_OPTION] or Path(text)
        check_replaced(_OPTION, path, kind="profile", keys=_KEYS)
        return path

    def write(self, path: Path) -> None:
        """Write a file.

        Raises:
            SettingsError: If it cannot be written.
        """
        document = {"version": VERSION, **vars(self)}
        try:
            path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            msg = f"The profile cannot be written to {path}: {error.strerror}."
            raise SettingsError(msg, remedy="Name another file with --output.") from None

    @classmethod
    def read(
        cls, path: str, plugin: str, connection: Connection, *, settings: Collection[str]
    ) -> Profile:
        """Read a file, and check that it is about this service.

        Args:
            path: The file.
            plugin: Whose profile it has to be.
            connection: How the service is reached.
            settings: Those that a profile may give.

        Raises:
            SettingsError: If it cannot be read, or is about another plugin, service or address.
        """
        profile = _parsed(path)
        if profile.plugin != plugin:
            raise _unusable(path, f"is of {profile.plugin}, not of {plugin}", plugin)
        if profile.api_url != connection.hosts.api:
            where = f"is about {profile.api_url}, not about {connection.hosts.api}"
            raise _unusable(path, where, plugin)
        number = connection.service_id.number if connection.service_id else None
        if profile.service and number and profile.service != number:
            raise _unusable(path, f"is about service {profile.service}, not {number}", plugin)
        if foreign := sorted(set(profile.settings) - set(settings)):
            what = f"holds settings that no profile may give: {', '.join(foreign)}"
            raise _unusable(path, what, plugin)
        if profile.service is None or number is None:
            logger.warning("probe_path: Without service_id, only the address is compared.")
        logger.info("probe_path: What the service said on %s is used.", profile.probed_at)
        return profile


def _parsed(path: str) -> Profile:
    """Return the profile in a file.

    Raises:
        SettingsError: If it cannot be read.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise _unusable(path, "is no JSON") from None
    if not isinstance(document, dict) or document.pop("version", None) != VERSION:
        raise _unusable(path, f"is no profile of version {VERSION}")
    texts = all(isinstance(document.get(key), str) for key in ("plugin", "probed_at", "api_url"))
    groups = ("answers", "details", "settings", "evidence")
    objects = all(isinstance(document.get(key, {}), dict) for key in groups)
    try:
        profile = Profile(**document)
    except TypeError:
        raise _unusable(path, "lacks a key of a profile, or has one too many") from None
    is_service = profile.service is None or isinstance(profile.service, str)
    if not (texts and objects and is_service):
        raise _unusable(path, "holds values that no probe writes")
    return profile


def _unusable(path: str, why: str, plugin: str = "tap-totango") -> SettingsError:
    msg = f"The profile {path} of probe_path {why}."
    return SettingsError(msg, remedy=f"Write it again with `{plugin} probe`, or unset probe_path.")
