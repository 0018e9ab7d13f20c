"""Models that travel through the target: a row as read, a write request as it goes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from totango_api.command import Part

    Keys = tuple[Hashable, ...]

ACCOUNTS: Final = "accounts"
USERS: Final = "users"
ACTIVITIES: Final = "activities"
COLLECTIONS: Final = "collections"
TOUCHPOINTS: Final = "touchpoints"
TASKS: Final = "tasks"

ACCOUNT: Final = "account"
USER: Final = "user"
FIELDS: Final = "fields"
"""Whose attributes: those of the row's account, of its user, or of any other object."""

TRACKING: Final = "tracking"
HUB: Final = "hub"
API: Final = "api"
"""Deliveries. Engagements (touchpoints and tasks) go by `api`, a REST call each."""

UPSERT: Final = "upsert"
UPDATE_ONLY: Final = "update_only"
CREATE_ONLY: Final = "create_only"

OFF: Final = "off"
SAMPLE: Final = "sample"
ALL: Final = "all"

REJECT_FIELD: Final = "_reject"
"""Where the message of a rejected record says why, beside the record."""

SUBJECT_IDS: Final = frozenset({"account_id", "user_id"})

DELETED: Final = "deleted"
SUPERSEDED: Final = "superseded"
"""Marks of rows."""

DELETED_FIELD: Final = "_sdc_deleted_at"
"""Where Singer taps say that a row is gone at its source."""


@dataclass(frozen=True, slots=True)
class ValidationError:
    """One reason why a row is not written.

    Attributes:
        field: Source field, or setting of the mapping; empty when it is the whole row.
        code: Short and fixed: fit for counting and logs.
        message: Explains it. May quote values, so it goes to the rejects file only.
    """

    field: str
    code: str
    message: str

    @property
    def reason(self) -> str:
        """Field and code: what may be logged and counted."""
        return f"{self.field}: {self.code}" if self.field else self.code


@dataclass(frozen=True, slots=True)
class SourceStream:
    """A stream as its tap announced it, before any stream map."""

    name: str
    schema: Mapping[str, Any]
    key_properties: Sequence[str]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How the rows of a mapping are written: as the settings say, or the mapping instead.

    Attributes:
        sync_mode: `upsert`, `update_only` or `create_only`.
        verify: `off`, `sample` or `all`.
        skip_unchanged: Whether rows are left out that an earlier run had confirmed.
    """

    sync_mode: str = UPSERT
    verify: str = OFF
    skip_unchanged: bool = False


class Match(NamedTuple):
    """A value by which a row's account or user is found.

    Attributes:
        stream: `accounts` or `users`: who holds it.
        attribute: API name, or `user_id`.
        value: What the row says.
        ids: Names of the ids that finding it gives.
        creates: Whether it is made, by the ids that the row says, if nobody holds the value.
    """

    stream: str
    attribute: str
    value: str
    ids: tuple[str, ...]
    creates: bool = False

    @property
    def folded(self) -> Match:
        """The same for every spelling of the value."""
        return self._replace(value=self.value.casefold())


class Confirmation(NamedTuple):
    """The values that Totango is known to hold for a key.

    Attributes:
        digest: What stands for the values; empty for a user that was deleted.
        evidence: What stands for who acknowledged them; empty if they were read back.
        run: The number of the run as of which it holds them.
    """

    digest: bytes
    evidence: bytes
    run: int


# Of what follows there is one for every row: a Struct is made several times as fast as a dataclass.
# Nothing that a row holds leads back to it, so that no garbage collector has to look at it.


class WriteRequest(Struct, gc=False):
    """One write to Totango. All attribute values are text, by API name.

    It is empty until the row that it is of was transformed.

    Attributes:
        object: Name of the object.
        scope: Which attributes are the object's own: `account`, `user` or `fields`.
        parts: What it is about beside account and user, in the order of the object's ids: activity
            and module, or type and id within a collection.
        account: Account attributes; in rows of other objects, those that travel along.
        user: User attributes.
        fields: Attributes of other objects.
        on_create: Account attributes that are sent if the row creates the account.
        match: By what its account or user is found, where that is not its id.
    """

    object: str = ""
    account_id: str = ""
    user_id: str | None = None
    scope: str = ACCOUNT
    parts: dict[str, str] = {}
    account: dict[str, str] = {}
    user: dict[str, str] = {}
    fields: dict[str, str] = {}
    on_create: dict[str, str] = {}
    match: Match | None = None

    @property
    def ids(self) -> dict[str, str]:
        """What it is about, by the names of the object's ids."""
        ids = {"account_id": self.account_id}
        if self.user_id is not None:
            ids["user_id"] = self.user_id
        return ids | self.parts

    @property
    def key(self) -> tuple[str, ...]:
        """The object and its ids: two writes with equal keys are about the same thing."""
        key: tuple[str, ...] = (self.object, self.account_id)
        if self.user_id is not None:
            key += (self.user_id,)
        return key + tuple(self.parts.values()) if self.parts else key

    @property
    def subject(self) -> tuple[str, ...]:
        """The key of the user or account that has to exist for the row."""
        if self.user_id is None:
            return (ACCOUNTS, self.account_id)
        return (USERS, self.account_id, self.user_id)

    def ordering_keys(self, changes_account: bool = True) -> tuple[Keys, Keys]:
        """Return which keys a write changes, and which it must come after.

        An account comes after its parent, everything else after its account, and what a user did
        after what is said about the user. Users of one account do not wait for each other, unless
        they say something new about the account.
        """
        account: Hashable = (ACCOUNTS, self.account_id)
        if self.object == ACCOUNTS:
            parent = self.account.get("parent_id")
            return (account,), ((ACCOUNTS, parent),) if parent else ()
        key: Hashable = self.key if self.user_id is None else self.subject
        return (key, account) if self.account and changes_account else (key,), (account,)

    @property
    def is_about_itself(self) -> bool:
        """Whether it writes attributes of its own object only, and none of the account."""
        return self.scope == ACCOUNT or not self.account

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of the object itself."""
        own: dict[str, str] = getattr(self, self.scope)
        return own


class Row(Struct, gc=False):
    """One row on its way from a record to its result.

    Attributes:
        seq: Its place among the rows of the input, from 1.
        source: The stream that it came from.
        message: The RECORD message exactly as it was read.
        stream: The stream's name behind the stream maps.
        options: How it is written.
        request: What it became; empty or in part where there are errors.
        errors: Why it is not written.
        mark: `DELETED` if it says that its subject is gone at the source; `SUPERSEDED` if a
            rejects file says that Totango has taken newer rows.
        existed: Whether its subject was in Totango before; None when that was not asked.
        ledger_key: Under which the ledger knows it.
        confirmation: What the ledger keeps of it once it is confirmed.
        forgotten: Whether the ledger was told that other values may be in Totango now.
        fingerprint: What tells a row of an object that must not be written twice from every
            other, for the ledger.
        is_replayed: Whether somebody read that it is uncertain, and sends it again.
        engagement_id: The id that Totango gave to what the row is about, once it is known.
        recency: When it was true, by the mapping's `recency_field`, in comparable form.
        faulty: Attributes with a fault, as `account.Plan`, which `request` lacks, and ids
            of the subject that cannot be used.
        newer: Of a replayed row, the attributes that are left out, as others are newer.
    """

    seq: int
    source: SourceStream
    message: Mapping[str, Any]
    stream: str
    object: str
    delivery: str = TRACKING
    options: WriteOptions = WriteOptions()
    request: WriteRequest = field(default_factory=WriteRequest)
    existed: bool | None = None
    ledger_key: tuple[str, ...] | None = None
    confirmation: Confirmation | None = None
    forgotten: bool = False
    fingerprint: tuple[str, ...] | None = None
    is_replayed: bool = False
    engagement_id: str | None = None
    recency: tuple[str, str] | None = None
    faulty: tuple[str, ...] = ()
    newer: frozenset[str] = frozenset()
    errors: tuple[ValidationError, ...] = ()
    mark: str | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether it says that its subject is gone at the source."""
        return self.mark == DELETED

    def is_of(self, part: Part | None) -> bool:
        """Return whether a run of this part of the rows writes or rejects it; None is the whole."""
        if part is None:
            return True
        if self.request.account_id:
            return part.holds(self.request.account_id)
        record = json.dumps(self.message.get("record"), sort_keys=True, default=str)
        return part.holds(record)
