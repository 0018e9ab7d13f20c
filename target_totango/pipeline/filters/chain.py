"""Composes the filters between processing and delivery, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_totango.config_schema import HOLD
from target_totango.pipeline.filters.existing import (
    CreationDefaults,
    ExistingSubjects,
    HoldUnknownAccounts,
    RejectUnknownAccounts,
    SyncModeFilter,
)
from target_totango.pipeline.filters.fingerprints import Fingerprints
from target_totango.pipeline.filters.made_once import DropDelivered, DropMadeEngagements
from target_totango.pipeline.filters.matching import MatchKeys
from target_totango.pipeline.filters.names import ResolveNames, ResolveOwners
from target_totango.pipeline.filters.redundant import (
    DropOutdated,
    DropStale,
    DropSuperseded,
    DropUnchanged,
    FullSyncs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.pipeline.filters.base import Filter
    from target_totango.pipeline.filters.deletes import HardDeletes
    from target_totango.report import Report
    from target_totango.storage import RunFiles


class FilterChain:
    """The filters of a run, made of its settings.

    Args:
        settings: The target's settings.
        clients: Who is asked.
        files: What earlier runs and this one have seen.
        deletes: The filter that takes rows out which are to be deleted.
        report: Counts.
    """

    def __init__(
        self,
        settings: Settings,
        clients: Clients,
        files: RunFiles,
        *,
        deletes: HardDeletes,
        report: Report,
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._files = files
        self._deletes = deletes
        self._report = report
        ledger = files.ledger
        self._fingerprints = None if ledger is None else Fingerprints(ledger, files.store)
        self._full_syncs = (
            None if ledger is None else FullSyncs(ledger, settings.full_sync_every_hours)
        )

    def __iter__(self) -> Iterator[Filter]:
        """Yield the filters, in the order in which rows pass them."""
        settings, clients, store = self._settings, self._clients, self._files.store
        ledger, fingerprints = self._files.ledger, self._fingerprints
        existing = ExistingSubjects(store, lambda: clients.lookup)
        yield DropSuperseded()
        if settings.matches:
            yield MatchKeys(clients.matcher)
        yield self._deletes
        if ledger is not None:
            yield DropOutdated(ledger)
        if ledger is not None and fingerprints is not None:
            repeats = settings.repeats_activities
            yield DropDelivered(ledger, fingerprints, self._report, repeats=repeats)
        if settings.engagements:
            yield DropMadeEngagements(ledger, fingerprints, store, self._report)
            yield ResolveNames(clients.references)
        read_staff = (lambda: clients.staff) if clients.has_token else None
        yield ResolveOwners(clients.roles, read_staff, self._report)
        yield DropStale(store, self._report)
        if ledger is not None and self._full_syncs is not None:
            yield DropUnchanged(ledger, clients.receiver_of, self._full_syncs)
        if settings.looks_up:
            yield SyncModeFilter(existing)
        if settings.minds_unknown_accounts:
            is_held = settings.unknown_accounts == HOLD
            yield (HoldUnknownAccounts if is_held else RejectUnknownAccounts)(existing)
        if settings.preset is not None and settings.segment.default_plan:
            yield CreationDefaults(existing if clients.has_token else None)

    @property
    def looks_up(self) -> bool:
        """Whether a filter asks Totango about rows, many at once."""
        settings = self._settings
        return settings.looks_up or settings.matches or settings.minds_unknown_accounts

    def complete(self) -> None:
        """Note for later runs that everything was read, delivered and confirmed."""
        if self._full_syncs is not None:
            self._full_syncs.complete()
        if self._fingerprints is not None:
            self._fingerprints.complete()
