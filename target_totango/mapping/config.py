"""Reads the setting `mappings`, and checks it before anything else happens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from target_totango.mapping.deletion import DEFAULT_MARK, DeletionMark, parse_deleted_when
from target_totango.mapping.policy import FILL, OPTION_SETTINGS, POLICY_SETTINGS, Policy
from target_totango.mapping.sources import Source, parse_source
from target_totango.mapping.values.dates import zone_named
from target_totango.models import HUB, TRACKING, WriteOptions
from target_totango.objects import IDENTIFIERS, NAMED_SETTINGS, OBJECTS
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE_KEYS: Final = (*IDENTIFIERS, *NAMED_SETTINGS, "recency_field", "activity_time")
"""Keys that hold a source, beside `attributes`."""

_KEYS: Final = frozenset(
    {
        *SOURCE_KEYS,
        *POLICY_SETTINGS,
        *OPTION_SETTINGS,
        "stream",
        "object",
        "order",
        "attributes",
        "unmapped",
        "delivery",
        "deleted_when",
        "match_on",
        "create",
        "note",
    }
)
INCLUDE: Final = "include"
DROP: Final = "drop"


@dataclass(frozen=True, slots=True)
class MatchConfig:
    """The attribute by which the account or user of a row is found, instead of its id.

    Attributes:
        attribute: API name, with `account.` or `user.` before it where it is not the object's.
        source: Where the value comes from.
        creates: Whether unknown ones are made.
    """

    attribute: str
    source: Source
    creates: bool = False


@dataclass(frozen=True)
class MappingConfig:
    """One entry of `mappings`; the default is the mapping of a stream that no entry names.

    Attributes:
        stream: Name or glob.
        object: None if the stream's name or columns tell.
        order: Where different globs fit a stream, the entries with the lowest count.
        sources: By setting: `account_id`, `account_name`, …
        attributes: By API name.
        unmapped: `include` if unmapped fields become attributes too, `drop` if not; None if they
            do unless attributes are mapped, or the stream has other mappings as well.
        is_alone: Whether the stream has no other mappings.
        deletion: Which records say that their subject is gone.
        match: By what accounts or users are found, where that is not their id.
        note: What its author says of it: shown in logs and reports.
    """

    stream: str = "*"
    object: str | None = None
    order: int | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    attributes: Mapping[str, Source] = field(default_factory=dict)
    unmapped: str | None = None
    is_alone: bool = True
    delivery: str = TRACKING
    policy: Policy = field(default_factory=Policy)
    options: WriteOptions = field(default_factory=WriteOptions)
    deletion: DeletionMark = DEFAULT_MARK
    match: MatchConfig | None = None
    note: str = ""

    def fits(self, stream: str) -> bool:
        """Return whether this entry is for a stream."""
        return fits(self.stream, stream)

    @property
    def includes_unmapped(self) -> bool:
        """Whether unmapped fields become attributes too."""
        if self.unmapped is None:
            return self.is_alone and not self.attributes
        return self.unmapped == INCLUDE

    @property
    def finds_named(self) -> bool:
        """Whether fields such as `account_name` are found without being mapped."""
        return self.unmapped != DROP


def fits(pattern: str, stream: str) -> bool:
    """Return whether the name or glob of an entry fits a stream."""
    return pattern == stream or fnmatchcase(stream, pattern)


def parse_mappings(entries: Any, default: MappingConfig) -> list[MappingConfig]:
    """Read the setting `mappings`.

    Args:
        entries: Its value: a list of objects.
        default: What holds for an entry that does not say otherwise.

    Raises:
        SettingsError: With every problem of every entry at once.
    """
    problems: list[str] = []
    mappings = []
    for number, entry in enumerate(entries or []):
        parser = _Parser(entry, default)
        mappings.append(parser.mapping())
        problems += [f"mappings[{number}]: {problem}" for problem in parser.problems]
    if problems:
        msg = f"The mappings cannot be used: {'; '.join(problems)}."
        raise SettingsError(msg)
    return mappings


def mappings_of(stream: str, mappings: Sequence[MappingConfig]) -> list[MappingConfig]:
    """Return the entries for a stream: those with its exact name, else those whose glob fits.

    Raises:
        SettingsError: If different globs fit, and no `order` says which of them counts.
    """
    if exact := [mapping for mapping in mappings if mapping.stream == stream]:
        return exact
    fitting = [mapping for mapping in mappings if mapping.fits(stream)]
    globs = dict.fromkeys(mapping.stream for mapping in fitting)
    if len(globs) <= 1:
        return fitting
    orders = [mapping.order for mapping in fitting if mapping.order is not None]
    if len(orders) < len(fitting):
        msg = f"Stream {stream!r} fits several mappings: {', '.join(map(repr, globs))}."
        raise SettingsError(
            msg, remedy="Name the stream in one of them, or give each an order: the lowest counts."
        )
    return [mapping for mapping in fitting if mapping.order == min(orders)]


class _Parser:
    """Reads one entry, and collects what is wrong with it."""

    def __init__(self, entry: Any, default: MappingConfig) -> None:
        self.problems: list[str] = []
        self._default = default
        self._entry: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
        if not isinstance(entry, dict):
            self.problems.append("is not an object")
        self.problems += [f"unknown key {key!r}" for key in sorted(set(self._entry) - _KEYS)]

    def mapping(self) -> MappingConfig:
        entry = self._entry
        stream = entry.get("stream")
        if not isinstance(stream, str) or not stream:
            self.problems.append("stream is missing: a name or a glob such as crm-*")
        order = entry.get("order")
        if order is not None and (not isinstance(order, int) or isinstance(order, bool)):
            self.problems.append("order is a whole number")
        policy = replace(self._default.policy, **self._given(POLICY_SETTINGS))
        self._check_zone(policy.time_zone)
        keys = [key for key in SOURCE_KEYS if entry.get(key) is not None]
        return MappingConfig(
            stream=str(stream),
            object=self._choice("object", tuple(OBJECTS), None),
            order=order,
            sources=self._sources({key: (key, entry[key]) for key in keys}, policy),
            attributes=self._attributes(policy),
            unmapped=self._choice("unmapped", (INCLUDE, DROP), None),
            delivery=self._choice("delivery", (TRACKING, HUB), None) or self._default.delivery,
            policy=policy,
            options=replace(self._default.options, **self._given(OPTION_SETTINGS)),
            deletion=self._deletion(),
            match=self._match(),
            note=self._note(),
        )

    def _note(self) -> str:
        note = self._entry.get("note")
        if note is not None and not isinstance(note, str):
            self.problems.append("note is a text")
        return str(note or "")

    def _match(self) -> MatchConfig | None:
        value, creates = self._entry.get("match_on"), self._entry.get("create", False)
        if not isinstance(creates, bool):
            self.problems.append("create is true or false")
        if value is None:
            if "create" in self._entry:
                self.problems.append("create goes with match_on")
            return None
        if not isinstance(value, dict) or len(value) != 1:
            self.problems.append('match_on is an object with one attribute: {"ofid": "crm_id"}')
            return None
        [(attribute, source)] = value.items()
        try:
            return MatchConfig(str(attribute), parse_source(source), creates is True)
        except ValueError as error:
            self.problems.append(f"match_on: {error}")
            return None

    def _deletion(self) -> DeletionMark:
        value = self._entry.get("deleted_when")
        if value is None:
            return self._default.deletion
        try:
            return parse_deleted_when(value, is_own=True)
        except ValueError as error:
            self.problems.append(f"deleted_when: {error}")
            return self._default.deletion

    def _given(self, settings: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Return the settings that an entry overrides."""
        given = {}
        for name, schema in settings.items():
            value = self._entry.get(name)
            if value is None:
                continue
            if jsonschema_rs.is_valid(schema, value):
                given[name] = value
            elif "enum" in schema:
                self.problems.append(f"{name} is one of {', '.join(schema['enum'])}")
            else:
                self.problems.append(f"{name} is not a {schema['type'][0]} that it can be")
        return given

    def _choice(self, key: str, allowed: tuple[str, ...], default: str | None) -> str | None:
        value = self._entry.get(key)
        if value is None:
            return default
        if value not in allowed:
            self.problems.append(f"{key} is one of {', '.join(allowed)}")
            return default
        return str(value)

    def _check_zone(self, name: str) -> None:
        try:
            zone_named(name)
        except ValueError as error:
            self.problems.append(str(error))

    def _attributes(self, policy: Policy) -> dict[str, Source]:
        entries = self._entry.get("attributes")
        if entries is None:
            return {}
        if not isinstance(entries, dict):
            self.problems.append("attributes is an object: API name to source")
            return {}
        named = {str(name): (f"attributes[{name!r}]", entries[name]) for name in entries}
        return self._sources(named, policy)

    def _sources(self, entries: Mapping[str, tuple[str, Any]], policy: Policy) -> dict[str, Source]:
        sources = {}
        for name, (key, value) in entries.items():
            try:
                sources[name] = parse_source(
                    value, fill=policy.incomplete_templates == FILL and name not in IDENTIFIERS
                )
            except ValueError as error:
                self.problems.append(f"{key}: {error}")
        return sources
