"""The stream `import_jobs`: the last run of each job of connectors that the user names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlencode

from tap_totango.schema import JSON, NUMBER, TEXT, TIMESTAMP, Column
from tap_totango.streams.lists.base import ListedStream
from totango_api.search import rows_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PATH: Final = "/api/v3/integrations/job/"
_RUN: Final = "execution"
_COUNTS: Final = {
    "total_records": "totalRecords",
    "valid_records": "validRecords",
    "invalid_records": "invalidRecords",
    "processed_records": "processedRecords",
    "duplicate_records": "duplicateRecords",
}


def _run(name: str, kind: str, title: str, *path: str) -> Column:
    return Column(name, kind, title, (_RUN, *path))


class ImportJobsStream(ListedStream):
    """Runs of import jobs, by `job_id` and `transaction_id`: Totango keeps the last of each job."""

    name = "import_jobs"
    keys: ClassVar[tuple[str, ...]] = ("job_id", "transaction_id")
    calls = "one for each connector of `job_connectors`"
    base = (
        Column("job_id", TEXT, "Job ID", ("id",)),
        _run("transaction_id", TEXT, "Transaction ID", "transactionId"),
        Column("name", TEXT, "Name", ("job_configuration", "name")),
        Column("description", TEXT, "Description", ("job_configuration", "description")),
        Column("schedule_type", TEXT, "Schedule", ("scheduling", "scheduleType")),
        _run("trigger_type", TEXT, "Trigger", "triggerType"),
        _run("result", TEXT, "Result", "result"),
        _run("data_type", TEXT, "Data", "dataType"),
        _run("started_at", TIMESTAMP, "Started at", "startTime"),
        _run("processed_at", TIMESTAMP, "Processed at", "finishTimeProcessing"),
        _run("indexed_at", TIMESTAMP, "Indexed at", "finishTimeIndexing"),
        *(
            _run(name, NUMBER, name.replace("_", " ").capitalize(), "ingestionDetails", key)
            for name, key in _COUNTS.items()
        ),
        _run("file_size_bytes", NUMBER, "File size in bytes", "additionalInfo", "fileSizeInBytes"),
        _run("errors", JSON, "Errors", "errors"),
    )

    def rows(self) -> Iterator[Sequence[dict[str, Any]]]:
        """Yield the jobs of each connector that have run.

        Raises:
            SettingsError: If no connector is named.
            ApiError: If one cannot be read.
        """
        for connector in self.named_in("job_connectors"):
            query = urlencode(
                {
                    "integrationType": connector.get("type") or "csv_file",
                    "connectorId": connector["id"],
                }
            )
            decoded = self.run.client.api("GET", f"{_PATH}?{query}")
            listed = decoded.get("recurring") if isinstance(decoded, dict) else None
            jobs = rows_in(listed if listed is not None else decoded, f"GET {_PATH}")
            yield [job for job in jobs if _has_run(job)]


def _has_run(job: dict[str, Any]) -> bool:
    """Return whether a job has a run; one without an id, too, which must not be passed over."""
    run = job.get(_RUN)
    return any(run.values()) if isinstance(run, dict) else bool(run)
