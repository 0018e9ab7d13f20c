"""Builds the notice of a run: counts and reasons, never a value of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from totango_api.text import counted, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

STREAMS: Final = 20
REASONS: Final = 5
_COUNTS: Final = (
    "received",
    "sent",
    "unchanged",
    "skipped",
    "rejected",
    "uncertain",
    "undelivered",
)


@dataclass(frozen=True)
class Notice:
    """The text of a notification, and its data for programs.

    Attributes:
        title: The program, and how its run ended.
        lines: What was not done, and the counts of each stream.
        run: The same for programs.
    """

    title: str
    lines: tuple[str, ...]
    run: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All of it as text."""
        return "\n".join((self.title, *self.lines))


def notice_of(report: Mapping[str, Any], report_path: str | None) -> Notice:
    """Return the notice of a run.

    Args:
        report: As :func:`totango_api.report.render_page` takes it.
        report_path: Where it is written.
    """
    failure = report.get("failure")
    what = "dry run" if report.get("plan") else "run"
    title = f"{report['program']}: {what} {'failed' if failure else 'done'}"
    streams = [_counts_of(stream) for stream in report.get("streams", ())]
    lines = [str(failure)] if failure else []
    lines += [
        f"{name}: " + ", ".join(f"{label} {count:,}" for label, count in counts.items())
        for name, counts in streams[:STREAMS]
    ]
    if (more := len(streams) - STREAMS) > 0:
        lines.append(f"and {counted(more, 'more stream')}")
    reasons = [one for stream in report.get("streams", ()) for one in _reasons_of(stream)]
    lines += [f"{name}: {reason} ({rows(count)})" for name, reason, count in reasons[:REASONS]]
    if report_path:
        lines.append(f"Report: {report_path}")
    run = {
        "program": report["program"],
        "failed": bool(failure),
        "failure": failure,
        "finished_at": report.get("finished_at"),
        "seconds": report.get("seconds"),
        "streams": [{"stream": name, **counts} for name, counts in streams],
        "report_path": report_path,
    }
    return Notice(title, tuple(lines), run)


def _counts_of(stream: Mapping[str, Any]) -> tuple[str, dict[str, int]]:
    named, about = str(stream["stream"]), stream.get("object")
    name = named if about in {None, named} else f"{named} ({about})"
    return name, {label: int(stream[label]) for label in _COUNTS if stream.get(label)}


def _reasons_of(stream: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    reasons = stream.get("reasons") or {}
    return [(str(stream["stream"]), reason, int(rows)) for reason, rows in reasons.items()]
