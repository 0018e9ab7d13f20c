"""The stream `teams`: those that the user names, since no public call lists them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from tap_totango.schema import BOOLEAN, JSON, TEXT, Column
from tap_totango.streams.lists.base import ListedStream
from totango_api.errors import ResponseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_IN_TEXT: Final = ("terms", "extended_terms", "members_terms")
"""Hold JSON as text ("Teams API")."""


def _columns(kind: str, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, name.replace("_", " ").capitalize(), (name,)) for name in names)


class TeamsStream(ListedStream):
    """Teams, by `team_id`."""

    name = "teams"
    keys: ClassVar[tuple[str, ...]] = ("team_id",)
    calls = "one for each team of `team_ids`"
    base = (
        Column("team_id", TEXT, "Team ID", ("id",)),
        *_columns(TEXT, "service_id", "display_name", "description", "type", "team_type_id"),
        *_columns(TEXT, "icon", "goal", "color", "default_role_id", "default_manager_role_id"),
        *_columns(TEXT, "extended_accounts_selection"),
        *_columns(BOOLEAN, "extended_search_enabled", "include_entire_hierarchy"),
        *_columns(JSON, *_IN_TEXT, "team_members", "team_role_settings"),
    )

    def rows(self) -> Iterator[Sequence[dict[str, Any]]]:
        """Yield each team of `team_ids`.

        Raises:
            SettingsError: If none is named.
            ApiError: If one cannot be read.
        """
        for team_id in self.named_in("team_ids"):
            path = f"/api/v2/teams/{quote(str(team_id), safe='')}"
            team = self.run.client.api("GET", path)
            if not isinstance(team, dict):
                endpoint = f"GET {path}"
                raise ResponseError(endpoint, reason="the response is not an object")
            yield [{key: _read(key, value) for key, value in team.items()}]


def _read(key: str, value: Any) -> Any:
    """Return a value; what holds JSON as text, decoded."""
    if key not in _IN_TEXT or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
