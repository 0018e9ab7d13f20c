"""Reads from a profile (`probe_path`) what is known of a service before the first row.

A profile takes the place of settings that are left at their defaults, and shows which ones cannot
work there. What is written is proven as ever.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from target_totango.config_schema import OWN_SETTINGS
from target_totango.mapping import CLEAR
from target_totango.models import HUB, TASKS, TRACKING, USERS
from totango_api.errors import SettingsError
from totango_api.probe import Profile
from totango_api.region import resolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_totango.config import Settings
    from totango_api.config import Connection

PROFILE_SETTINGS: Final = frozenset({"hub_batch_size", "verify_timeout"})
"""Settings that a profile may give, where they are left at their defaults."""

logger = logging.getLogger("target-totango")


def with_profile(settings: Settings, config: Mapping[str, Any], connection: Connection) -> Settings:
    """Return the settings with the suggestions of the profile at `probe_path`, if there is one.

    Raises:
        SettingsError: If it cannot be used or is about another service, or if the service asks for
            an SDR token that is not set.
    """
    path = config.get("probe_path")
    if not path:
        return settings
    known = Profile.read(
        path, "target-totango", resolved(connection, config), settings=PROFILE_SETTINGS
    )
    if known.answers.get("sdr_token") == "required" and _lacks_sdr_token(settings):
        msg = f"The service asks for an SDR token (probe_path, {known.probed_at})."
        raise SettingsError(msg, remedy="Set sdr_token, or probe again if that has changed.")
    for warning in _warnings(settings, known.answers):
        logger.warning("%s (probe_path, %s)", warning, known.probed_at)
    given: dict[str, Any] = {
        name: value
        for name, value in known.settings.items()
        if isinstance(value, int) and getattr(settings, name) == OWN_SETTINGS[name]["default"]
    }
    return replace(settings, **given)


def _lacks_sdr_token(settings: Settings) -> bool:
    return settings.uses(TRACKING) and settings.sdr_token is None and not settings.dry_run


def _warnings(settings: Settings, answers: Mapping[str, str]) -> Iterator[str]:
    """Yield sentences about settings that cannot work on the service."""
    mappings = (settings.default_mapping, *settings.mappings)
    by_hub = [mapping for mapping in mappings if mapping.delivery == HUB]
    clears = any(
        mapping.delivery == TRACKING and mapping.policy.null_policy == CLEAR for mapping in mappings
    )
    if clears and answers.get("empty_values") == "ignored":
        yield "null_policy: clear clears nothing: the service ignores empty values."
    if answers.get("unknown_attributes") == "dropped":
        yield "The service drops attributes that it does not know: define them in Totango first."
    if by_hub and answers.get("hub_accounts") == "refused":
        yield "delivery: hub will fail: the Integration Hub does not take an account."
    has_users = any(mapping.object in {USERS, None} for mapping in by_hub)
    if has_users and answers.get("hub_users") == "not there":
        yield "The Integration Hub has no endpoint for users: write them with delivery: tracking."
    writes_sfid = any("sfid" in {**mapping.sources, **mapping.attributes} for mapping in mappings)
    if writes_sfid and answers.get("sfid_writes") == "ignored":
        yield "sfid is mapped, but the service was found to ignore a Salesforce id that is written."
    writes_tasks = any(mapping.object == TASKS for mapping in mappings)
    if writes_tasks and answers.get("task_answer") == "something else":
        yield "No new task will be confirmed: the service answers with neither an id nor Success."
